//! What one chunk adds to a chat message.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// An addition to a message.
#[derive(Debug, Default)]
pub(crate) struct Delta<'a> {
    /// Whether the role is named.
    pub(crate) has_role: bool,
    /// Text of the answer.
    pub(crate) content: Cow<'a, str>,
    /// Text of the reasoning, by either of its names; some servers write both, with one text.
    pub(crate) reasoning: Cow<'a, str>,
    /// Text of a refusal.
    pub(crate) refusal: Cow<'a, str>,
    /// Whether there is anything but role and text: a tool call, audio, content in parts.
    pub(crate) has_more: bool,
    /// The text in that, of all its parts.
    more: String,
}

impl Delta<'_> {
    /// Text at any depth.
    pub(crate) fn texts(&self) -> [&str; 4] {
        [&self.content, &self.reasoning, &self.refusal, &self.more]
    }

    fn add_more(&mut self, beside: &Beside) {
        self.has_more |= beside.is_something;
        self.more.push_str(&beside.text);
    }
}

impl<'a, 'de: 'a> Deserialize<'de> for Delta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DeltaVisitor)
    }
}

struct DeltaVisitor;

impl<'de> Visitor<'de> for DeltaVisitor {
    type Value = Delta<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Delta<'de>, A::Error> {
        let mut delta = Delta::default();
        while let Some(name) = members.next_key()? {
            match name {
                Name::Role => delta.has_role |= members.next_value::<Beside>()?.is_something,
                Name::Content => {
                    let said: Said<'_> = members.next_value()?;
                    delta.content = said.text;
                    delta.add_more(&said.beside);
                }
                Name::Refusal => {
                    let said: Said<'_> = members.next_value()?;
                    delta.refusal = said.text;
                    delta.add_more(&said.beside);
                }
                Name::Reasoning | Name::ReasoningContent => {
                    let said: Said<'_> = members.next_value()?;
                    if delta.reasoning.is_empty() {
                        delta.reasoning = said.text;
                    }
                    delta.add_more(&said.beside);
                }
                // The reasoning once more, with its signatures.
                Name::ReasoningDetails => {
                    members.next_value::<IgnoredAny>()?;
                }
                Name::Other => delta.add_more(&members.next_value()?),
            }
        }
        Ok(delta)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Role,
    Content,
    Refusal,
    Reasoning,
    ReasoningContent,
    ReasoningDetails,
    #[serde(other)]
    Other,
}

/// A value that should be text: the text, or what is there instead.
#[derive(Default)]
struct Said<'a> {
    text: Cow<'a, str>,
    beside: Beside,
}

impl<'de> Deserialize<'de> for Said<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SaidVisitor)
    }
}

struct SaidVisitor;

impl<'de> Visitor<'de> for SaidVisitor {
    type Value = Said<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Said<'de>, E> {
        Ok(Said { text: Cow::Borrowed(text), ..Said::default() })
    }

    fn visit_str<E>(self, text: &str) -> Result<Said<'de>, E> {
        Ok(Said { text: Cow::Owned(text.to_owned()), ..Said::default() })
    }

    fn visit_unit<E>(self) -> Result<Said<'de>, E> {
        Ok(Said::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Said<'de>, A::Error> {
        Ok(Said { beside: BesideVisitor.visit_seq(items)?, ..Said::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Said<'de>, A::Error> {
        Ok(Said { beside: BesideVisitor.visit_map(members)?, ..Said::default() })
    }
}

/// What there is in a value that is no text.
#[derive(Debug, Default)]
struct Beside {
    /// Text at any depth; ids, types and roles are none.
    text: String,
    /// Whether it is anything but null, false, empty text, or empty in all its parts.
    is_something: bool,
}

impl Beside {
    fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), is_something: !text.is_empty() }
    }

    const fn of_number() -> Self {
        Self { text: String::new(), is_something: true }
    }

    fn add(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.is_something |= other.is_something;
    }
}

impl<'de> Deserialize<'de> for Beside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BesideVisitor)
    }
}

struct BesideVisitor;

impl<'de> Visitor<'de> for BesideVisitor {
    type Value = Beside;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Beside, E> {
        Ok(Beside::of_text(text))
    }

    fn visit_unit<E>(self) -> Result<Beside, E> {
        Ok(Beside::default())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Beside, E> {
        Ok(Beside { text: String::new(), is_something: value })
    }

    fn visit_u64<E>(self, _: u64) -> Result<Beside, E> {
        Ok(Beside::of_number())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Beside, E> {
        Ok(Beside::of_number())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Beside, E> {
        Ok(Beside::of_number())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Beside, A::Error> {
        let mut sum = Beside::default();
        while let Some(inside) = items.next_element()? {
            sum.add(&inside);
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Beside, A::Error> {
        let mut sum = Beside::default();
        while let Some(Key { is_text }) = members.next_key()? {
            let mut inside: Beside = members.next_value()?;
            if !is_text {
                inside.text.clear();
            }
            sum.add(&inside);
        }
        Ok(sum)
    }
}

/// A key, and whether what it names is text that a model has made.
struct Key {
    is_text: bool,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                let is_text = !matches!(
                    name,
                    "role" | "id" | "type" | "index" | "format" | "data" | "signature"
                );
                Ok(Key { is_text })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
