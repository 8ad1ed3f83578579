//! When are two requests the same? When nothing that could change the answer differs.
//!
//! The key is SHA-256 over who shares the answer, the model's name, variant and targets, the configuration,
//! the endpoint and the effective request in canonical form: keys of objects sorted at every depth,
//! no whitespace, strings decoded, numbers as exact decimals. Everything is written with its length
//! or count before it, so no two requests spell the same bytes.
//!
//! In the key: defaults as filled in (so that silence equals asking for them), `n`, seed, tools,
//! response format, user, and every field that the gateway does not know. `stream` too, because a
//! stored stream is replayed as it was. Not in it: whether a stream's usage was asked for, since
//! the provider is always asked and the caller shown it or not; `null` where it means absent.

use sha2::{Digest, Sha256};

use crate::openai::Endpoint;
use crate::openai::effective::{Delivery, Effective, Generation, Part};
use crate::openai::json::{Kind, Member, Value, number};
use crate::openai::validate::null_is_absent;

/// Marks the form below; a change to it starts the cache anew.
const FORM: &[u8] = b"tollhouse cache key 2";

/// The identity of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub [u8; 32]);

/// Who shares an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant<'a> {
    /// The holder of this caller key, by its id.
    Key(&'a str),
    /// Everyone.
    Everyone,
}

/// What a request is answered under.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Who shares the answer.
    pub tenant: Tenant<'a>,
    /// The model's name for callers.
    pub alias: &'a str,
    /// The variant of an experiment that answers, and its version.
    pub variant: Option<(&'a str, &'a str)>,
    /// The ids of the targets that may answer, in their order.
    pub targets: &'a [&'a str],
    /// The digest of the configuration, guards and policies included.
    pub policy: &'a [u8; 32],
}

impl CacheKey {
    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            for digit in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
            hex
        })
    }
}

/// The key of the answer to `request`.
pub fn cache_key(setting: &Setting<'_>, request: &Effective) -> CacheKey {
    let Setting { tenant, alias, variant, targets, policy } = *setting;
    let Effective { endpoint, body, delivery, generation } = request;
    let mut form = Form { bytes: Vec::with_capacity(body.text().len() + 512), keys: Vec::new() };
    form.bytes.extend_from_slice(FORM);
    match tenant {
        Tenant::Key(id) => {
            form.tag(b'k');
            form.text(id);
        }
        Tenant::Everyone => form.tag(b'e'),
    }
    form.text(alias);
    match variant {
        Some((variant, version)) => {
            form.tag(b'v');
            form.text(variant);
            form.text(version);
        }
        None => form.tag(b'-'),
    }
    form.count(targets.len());
    for target in targets {
        form.text(target);
    }
    form.bytes.extend_from_slice(policy);
    form.text(endpoint.path());
    form.delivery(*delivery);
    form.generation(*generation);
    form.rest(*endpoint, body.root());
    CacheKey(Sha256::digest(&form.bytes).into())
}

/// The canonical form as it grows.
struct Form<'e> {
    bytes: Vec<u8>,
    /// Members of the objects being written, outermost first; kept for its memory.
    keys: Vec<(std::borrow::Cow<'e, str>, Value<'e>)>,
}

impl<'e> Form<'e> {
    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    fn count(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.bytes.extend_from_slice(&count.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn delivery(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Whole => self.tag(b'w'),
            Delivery::Stream { usage_asked: _ } => self.tag(b's'),
        }
    }

    fn generation(&mut self, generation: Option<Generation>) {
        let Some(Generation { temperature, top_p, max_tokens, choices }) = generation else {
            return self.tag(b'-');
        };
        self.tag(b'g');
        for parameter in [temperature, top_p] {
            match parameter {
                None => self.tag(b'-'),
                Some(value) => {
                    self.tag(b'#');
                    // Adding zero makes one zero of two.
                    self.bytes.extend_from_slice(&(value + 0.0).to_bits().to_le_bytes());
                }
            }
        }
        self.bytes.extend_from_slice(&max_tokens.to_le_bytes());
        self.bytes.extend_from_slice(&choices.to_le_bytes());
    }

    /// What is not written already: every other field of the body.
    fn rest(&mut self, endpoint: Endpoint, body: Value<'e>) {
        let kept = body.members().filter(|member| match Part::of(endpoint, member.key) {
            Part::Model
            | Part::Stream
            | Part::Temperature
            | Part::TopP
            | Part::MaxTokens
            | Part::Choices => false,
            Part::StreamOptions => options_beside_usage(member.value).next().is_some(),
            Part::Rest => !is_absent(endpoint, *member),
        });
        self.object(kept, |form, key, value| {
            if key == "stream_options" && endpoint != Endpoint::Embeddings {
                form.object(options_beside_usage(value), |form, _, value| form.value(value));
            } else {
                form.value(value);
            }
        });
    }

    fn value(&mut self, value: Value<'e>) {
        match value.kind() {
            Kind::Null => self.tag(b'n'),
            Kind::Bool => self.tag(if value.as_bool() == Some(true) { b't' } else { b'f' }),
            Kind::Number => {
                self.tag(b'#');
                number::write_canonical(value.raw(), &mut self.bytes);
                self.tag(b';');
            }
            Kind::String => {
                self.tag(b'"');
                self.text(&value.as_str().unwrap_or_default());
            }
            Kind::Array => {
                self.tag(b'[');
                self.count(value.items().count());
                // As deep as the body is nested, which parsing has limited.
                value.items().for_each(|item| self.value(item));
            }
            Kind::Object => self.object(value.members(), |form, _, value| form.value(value)),
        }
    }

    /// Writes members sorted by their keys.
    fn object(
        &mut self,
        members: impl Iterator<Item = Member<'e>>,
        write: impl Fn(&mut Self, &str, Value<'e>),
    ) {
        let outer = self.keys.len();
        self.keys
            .extend(members.map(|member| (member.key.as_str().unwrap_or_default(), member.value)));
        if let Some(own) = self.keys.get_mut(outer..) {
            own.sort_unstable_by(|(first, _), (second, _)| first.cmp(second));
        }
        self.tag(b'{');
        self.count(self.keys.len() - outer);
        for index in outer..self.keys.len() {
            let Some((key, value)) = self.keys.get(index).cloned() else { break };
            self.text(&key);
            write(self, &key, value);
        }
        self.keys.truncate(outer);
    }
}

fn options_beside_usage(options: Value<'_>) -> impl Iterator<Item = Member<'_>> {
    options.members().filter(|member| !member.key.is_str("include_usage"))
}

fn is_absent(endpoint: Endpoint, member: Member<'_>) -> bool {
    member.value.kind() == Kind::Null
        && member.key.as_str().is_some_and(|name| null_is_absent(endpoint, &name))
}

#[cfg(test)]
mod tests;
