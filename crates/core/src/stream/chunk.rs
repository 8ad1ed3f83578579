//! What the gateway reads of one chunk: borrowed, and only the fields it needs.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::openai::usage::Reported;

/// A chunk of a chat or completion stream.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk<'a> {
    /// The provider's own name of the model.
    #[serde(borrow, default)]
    pub(super) model: Option<Cow<'a, str>>,
    /// The choices that this chunk adds to.
    #[serde(borrow, default)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    /// The usage, in the last chunk or the one before it.
    #[serde(default)]
    pub(super) usage: Option<Reported>,
    /// An error where a chunk should be.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// What a chunk adds to one choice.
#[derive(Debug, Deserialize)]
pub(super) struct Choice<'a> {
    /// Which of the `n` answers.
    #[serde(default)]
    pub(super) index: u32,
    /// Why the choice is complete, once it is.
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Cow<'a, str>>,
    /// What is added, in a chat.
    #[serde(default)]
    delta: Option<Content>,
    /// What is added, in a completion.
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

impl Choice<'_> {
    /// Bytes of text, refusal, reasoning and tool arguments that this chunk adds.
    pub(super) fn bytes(&self) -> u64 {
        let text = self.text.as_ref().map_or(0, |text| text.len());
        self.delta.as_ref().map_or(0, |delta| delta.0) + u64::try_from(text).unwrap_or(u64::MAX)
    }
}

/// How many bytes of text a delta holds, at any depth, names and roles aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u64);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Texts).map(Self)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_str<E>(self, text: &str) -> Result<u64, E> {
        Ok(u64::try_from(text.len()).unwrap_or(u64::MAX))
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
        let mut total = 0;
        while let Some(Content(bytes)) = items.next_element()? {
            total += bytes;
        }
        Ok(total)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<u64, A::Error> {
        let mut total = 0;
        while let Some(Key(is_text)) = fields.next_key()? {
            if is_text {
                total += fields.next_value::<Content>()?.0;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(total)
    }
}

/// A key of a delta, and whether what it names is text that a model has made.
struct Key(bool);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self(!matches!(name.as_ref(), "role" | "id" | "type" | "index")))
    }
}
