//! A request as the mock reads it: what is absent, `null` or of a strange type is not there.

use serde_json::{Map, Value};

use super::{digest::Digest, reply::Complaint};
use crate::openai::Delivery;

/// The body of a request.
#[derive(Debug)]
pub(super) struct Request {
    body: Map<String, Value>,
    digest: Digest,
}

impl Request {
    /// Reads the body for a target.
    ///
    /// # Errors
    /// It is not a JSON object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Complaint> {
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| Complaint::new(format!("the body is no JSON object: {error}")))?;
        let digest = digest(&body);
        Ok(Self { body, digest })
    }

    /// The same for a request that is streamed and one that is not.
    pub(super) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn model(&self) -> &str {
        self.get("model").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A whole number, however it is spelt: `2`, `2.0`, `2e0`.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        value.as_u64().or_else(|| whole(value.as_f64()?))
    }

    /// How many answers there are to each prompt, from 1 to 128, as in OpenAI's API.
    pub(super) fn choices(&self) -> u64 {
        self.count("n").unwrap_or(1).clamp(1, 128)
    }

    /// The most tokens of one answer.
    pub(super) fn max_tokens(&self) -> Option<u64> {
        self.count("max_completion_tokens").or_else(|| self.count("max_tokens"))
    }

    /// The texts before which an answer ends, none of them empty.
    pub(super) fn stops(&self) -> Vec<&str> {
        let texts = match self.get("stop") {
            Some(Value::Array(texts)) => texts.as_slice(),
            Some(text) => std::slice::from_ref(text),
            None => &[],
        };
        texts.iter().filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
    }

    pub(super) fn delivery(&self) -> Delivery {
        if !self.is_true("stream") {
            return Delivery::Whole;
        }
        let asked = self.get("stream_options").and_then(|options| options.get("include_usage"));
        Delivery::Stream { usage_asked: asked.and_then(Value::as_bool).unwrap_or_default() }
    }
}

/// The digest of the request without what says how the answer is to be delivered.
fn digest(body: &Map<String, Value>) -> Digest {
    let mut question = body.clone();
    for delivery in ["stream", "stream_options"] {
        question.remove(delivery);
    }
    Digest::of(Value::Object(question).to_string().as_bytes())
}

/// `number` if it is a whole one of at most 53 bits.
fn whole(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and within 0 to 2^53"
    )]
    fits.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: &Value) -> Request {
        Request::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_order_of_fields_and_the_delivery_do_not_change_the_digest() {
        let digest = |body: &str| Request::parse(body.as_bytes()).unwrap().digest();
        let plain = digest(r#"{"model":"m","x":{"a":1,"b":2}}"#);
        assert_eq!(digest(r#"{"x":{"b":2,"a":1},"model":"m"}"#), plain);
        assert_eq!(
            digest(r#"{"model":"m","stream":true,"x":{"a":1,"b":2},"stream_options":{}}"#),
            plain
        );
        assert_ne!(digest(r#"{"model":"m","x":{"a":1,"b":3}}"#), plain);
    }

    #[test]
    fn a_number_is_the_same_however_it_is_spelt() {
        for n in [json!(2), json!(2.0), json!(2e0)] {
            assert_eq!(request(&json!({"n": n})).choices(), 2);
        }
        assert_eq!(request(&json!({"n": null})).choices(), 1);
        assert_eq!(request(&json!({"max_tokens": 1.5})).max_tokens(), None);
    }

    #[test]
    fn stops_are_one_text_or_several() {
        assert_eq!(request(&json!({"stop": "a"})).stops(), ["a"]);
        assert_eq!(request(&json!({"stop": ["a", "", "b"]})).stops(), ["a", "b"]);
        assert!(request(&json!({"stop": null})).stops().is_empty());
    }
}
