//! What a provider said in the body of an error, in whichever of the common shapes.
//!
//! OpenAI, Azure, Groq, DeepSeek: `{"error":{"message","type","code"}}`. vLLM and Mistral: the same
//! without `error` around it. FastAPI: `{"detail": …}`. TGI: `{"error": "…", "error_type": "…"}`.
//! Gemini: the first of an array. Anything else has no message worth repeating, except plain text.

use serde_json::Value;

/// The longest error body that is read; what is longer is no error message.
const LONGEST_BODY: usize = 64 * 1024;
/// The longest plain-text body that is taken for a message.
const LONGEST_PLAIN: usize = 512;

/// What was said, each part empty where it was not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) message: String,
    /// `type`, `code`, `status` and the code inside Azure's `innererror`, as text.
    pub(super) codes: Vec<String>,
}

impl Said {
    pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Self {
        let body = body.get(..LONGEST_BODY).unwrap_or(body);
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::in_json(&value),
            Err(_) => Self { message: plain(content_type, body), codes: Vec::new() },
        }
    }

    /// Whether one of the codes is this word.
    pub(super) fn has_code(&self, word: &str) -> bool {
        self.codes.iter().any(|code| code.eq_ignore_ascii_case(word))
    }

    fn in_json(value: &Value) -> Self {
        let outer = value.as_array().and_then(|items| items.first()).unwrap_or(value);
        let inner = outer.get("error").filter(|error| error.is_object()).unwrap_or(outer);
        let text = |object: &Value, name: &str| object.get(name).and_then(spoken);
        let message = ["message", "detail", "error"].into_iter().find_map(|name| text(inner, name));
        let innermost = inner.get("innererror").unwrap_or(&Value::Null);
        let codes = [
            text(inner, "type"),
            text(inner, "code"),
            text(inner, "status"),
            text(inner, "error_type"),
            text(innermost, "code"),
        ];
        Self { message: message.unwrap_or_default(), codes: codes.into_iter().flatten().collect() }
    }
}

/// A value as a person would read it: text, a number, or FastAPI's list of `msg`.
fn spoken(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let told: Vec<_> = items.iter().filter_map(spoken).collect();
            (!told.is_empty()).then(|| told.join("; "))
        }
        Value::Object(members) => {
            ["msg", "message", "detail"].into_iter().find_map(|name| spoken(members.get(name)?))
        }
        Value::Null | Value::Bool(_) => None,
    }
}

/// Short text that is not a web page.
fn plain(content_type: Option<&str>, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let is_page = text.starts_with('<') || content_type.is_some_and(|kind| kind.contains("html"));
    // JSON that does not parse was cut, and is no message either.
    let is_json = text.starts_with(['{', '[']);
    if is_page || is_json || text.len() > LONGEST_PLAIN { String::new() } else { text.to_owned() }
}
