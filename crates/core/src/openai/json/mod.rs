//! A request body as it was sent: one JSON object, read once, never copied apart.
//!
//! The text is scanned in a single pass into a flat list of values with their places in it.
//! Everything later (validation, the cache key, the body for a provider) looks at those places, so
//! what the gateway does not know travels on byte for byte. The scan also refuses what readers
//! disagree about: duplicate keys at any depth, lone surrogates, deep nesting.
//!
//! Nothing here knows a parameter of the API.

mod fault;
mod lex;
pub(crate) mod number;
pub(crate) mod path;
mod scan;
mod unescape;
mod value;

pub use scan::{MAX_DEPTH, MAX_VALUES};
pub use value::{Items, Kind, Member, Members, Value};

use crate::refusal::Refusal;
use fault::{Fault, Flaw};
use scan::Node;

/// A body that is one JSON object in UTF-8, with no key twice and no lone surrogate.
///
/// It owns its bytes, so it can wait across an attempt and be read again for the next one.
#[derive(Debug)]
pub struct Envelope {
    text: String,
    nodes: Vec<Node>,
}

impl Envelope {
    /// Reads a body.
    ///
    /// Nesting is at most [`MAX_DEPTH`] and there are at most [`MAX_VALUES`] values and keys; both
    /// bound the memory that a hostile body can take, which is 16 bytes a value.
    ///
    /// ```
    /// use tollhouse_core::openai::Envelope;
    ///
    /// let body = Envelope::parse(br#"{"model":"fast","n": 1.0}"#.to_vec())?;
    /// assert_eq!(body.root().get("n").map(|n| n.raw()), Some("1.0"));
    ///
    /// let refusal = Envelope::parse(br#"{"a":{"b":1,"b":2}}"#.to_vec()).unwrap_err();
    /// assert_eq!(refusal.param.as_deref(), Some("a.b"));
    /// # Ok::<(), tollhouse_core::refusal::Refusal>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_json` for what is not JSON in UTF-8 or too deep, `duplicate_key` for a key that
    /// stands twice in one object, `invalid_type` for JSON that is no object. Messages name line,
    /// column (in characters) and byte, and never quote what was sent beyond one character.
    pub fn parse(body: Vec<u8>) -> Result<Self, Refusal> {
        let text = String::from_utf8(body).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            fault::refusal(error.as_bytes(), &Fault::new(valid, Flaw::NotUtf8))
        })?;
        match scan::scan(&text) {
            Ok(nodes) => Self { text, nodes }.object(),
            Err(fault) => Err(fault::refusal(text.as_bytes(), &fault)),
        }
    }

    fn object(self) -> Result<Self, Refusal> {
        match self.root().kind() {
            Kind::Object => Ok(self),
            kind @ (Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Array) => {
                Err(fault::refusal(self.text.as_bytes(), &Fault::new(0, Flaw::NotAnObject(kind))))
            }
        }
    }

    /// The object itself.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The body as it was sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a field of the object; `None` also stands for a field that is `null`.
    pub fn present(&self, name: &str) -> Option<Value<'_>> {
        self.root().get(name).filter(|value| value.kind() != Kind::Null)
    }
}

#[cfg(test)]
mod tests;
