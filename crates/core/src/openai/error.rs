//! A refusal on the wire: OpenAI's error body, and the headers that SDKs act on.

use serde::Serialize;

use crate::refusal::{Facts, Refusal};
use crate::units::DurationMs;

/// The longest wait that the SDKs honour; above it they fall back to a backoff of their own, which
/// is shorter.
pub const LONGEST_WAIT: DurationMs = DurationMs::from_secs(60);

#[derive(Serialize)]
struct Body<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: &'static str,
}

/// `{"error":{"message","type","param","code"}}`; the same object goes into a stream that breaks.
pub fn error_body(refusal: &Refusal) -> Vec<u8> {
    let Refusal { code, message, param, retry_after: _, should_retry: _ } = refusal;
    let Facts { name, kind, .. } = code.facts();
    let error = Error { message, kind, param: param.as_deref(), code: name };
    // Text and options always serialize.
    serde_json::to_vec(&Body { error }).unwrap_or_default()
}

/// The headers that go with a refusal, beside `content-type`.
///
/// A wait is told twice, in whole seconds rounded up and in milliseconds, at least one millisecond
/// and at most [`LONGEST_WAIT`]. `x-should-retry` is there where the refusal decides, and a 401
/// says how to authenticate.
pub fn error_headers(refusal: &Refusal) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if let Some(wait) = refusal.retry_after {
        let wait = wait.clamp(DurationMs(1), LONGEST_WAIT);
        headers.push(("retry-after", wait.secs_ceil().to_string()));
        headers.push(("retry-after-ms", wait.0.to_string()));
    }
    if let Some(should_retry) = refusal.should_retry {
        headers.push(("x-should-retry", should_retry.to_string()));
    }
    if refusal.code.facts().status == 401 {
        headers.push(("www-authenticate", "Bearer".to_owned()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::refusal::Code;

    #[test]
    fn the_body_is_the_one_that_sdks_read() {
        let refusal = Refusal::new(Code::InvalidValue, "`n` is \"0\"").at("n");
        assert_eq!(
            String::from_utf8(error_body(&refusal)).unwrap(),
            r#"{"error":{"message":"`n` is \"0\"","type":"invalid_request_error","param":"n","code":"invalid_value"}}"#,
        );
        let refusal = Refusal::new(Code::Internal, "x");
        assert_eq!(
            String::from_utf8(error_body(&refusal)).unwrap(),
            r#"{"error":{"message":"x","type":"server_error","param":null,"code":"internal_error"}}"#,
        );
    }

    #[test]
    fn the_headers_say_when_and_whether_to_come_back() {
        let headers = |refusal: Refusal| {
            let headers = error_headers(&refusal).into_iter();
            headers.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        let limited = Refusal::new(Code::RateLimitExceeded, "x");
        assert!(headers(limited.clone()).is_empty());
        assert_eq!(
            headers(limited.clone().after(DurationMs(1500))),
            ["retry-after: 2", "retry-after-ms: 1500"],
        );
        assert_eq!(
            headers(limited.clone().after(DurationMs(0))),
            ["retry-after: 1", "retry-after-ms: 1"],
        );
        assert_eq!(
            headers(limited.clone().after(DurationMs::from_secs(3600))),
            ["retry-after: 60", "retry-after-ms: 60000"],
        );
        assert_eq!(headers(limited.final_answer()), ["x-should-retry: false"]);
        assert_eq!(headers(Refusal::new(Code::MissingApiKey, "x")), ["www-authenticate: Bearer"]);
    }

    proptest! {
        #[test]
        fn any_message_makes_a_json_body(message: String, param: Option<String>) {
            let mut refusal = Refusal::new(Code::BadRequest, message.clone());
            refusal.param.clone_from(&param);
            let body: serde_json::Value = serde_json::from_slice(&error_body(&refusal)).unwrap();
            prop_assert_eq!(body["error"]["message"].as_str(), Some(message.as_str()));
            prop_assert_eq!(body["error"]["param"].as_str(), param.as_deref());
        }
    }
}
