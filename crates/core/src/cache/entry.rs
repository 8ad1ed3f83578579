//! A reply as it is kept: bytes that any isolate of the same version can read back.
//!
//! The form is a version byte, a CRC-32 of all that follows it, the length of a JSON head, the head,
//! and the body as it is; numbers are 32 bits, little-endian. Bytes of another version, cut short or
//! damaged are an error, which the cache treats as a miss.

use serde::{Deserialize, Serialize};

use crate::{
    price::Usage,
    units::{DurationMs, Tokens, UnixMs},
};

/// The version of the form.
const VERSION: u8 = 2;

/// A complete 200 of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The id of the target that answered.
    pub target: String,
    /// The content type for callers.
    pub content_type: String,
    /// The body.
    pub body: Body,
    /// What it once cost to make.
    pub usage: Option<Usage>,
    /// When it was kept.
    pub stored_at: UnixMs,
    /// How long it may be used.
    pub ttl: DurationMs,
}

/// A body as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A JSON reply.
    Whole(Vec<u8>),
    /// A stream's events, usage included.
    Stream(Vec<u8>),
}

impl Body {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::Stream(bytes) => bytes,
        }
    }
}

/// Bytes that are no entry of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no cached reply of version {VERSION}")]
pub struct NotAnEntry;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    target: String,
    content_type: String,
    streamed: bool,
    usage: Option<[u64; 5]>,
    estimated: bool,
    stored_at: u64,
    ttl: u64,
}

impl Entry {
    /// Whether it may still be used.
    pub fn is_fresh(&self, now: UnixMs) -> bool {
        now.since(self.stored_at) < self.ttl
    }

    /// How long it may still be used.
    pub fn left(&self, now: UnixMs) -> DurationMs {
        self.ttl.saturating_sub(now.since(self.stored_at))
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let body = self.body.bytes();
        let head = Head {
            target: self.target.clone(),
            content_type: self.content_type.clone(),
            streamed: matches!(self.body, Body::Stream(_)),
            usage: self.usage.map(|usage| {
                [
                    usage.prompt.0,
                    usage.cached.0,
                    usage.cache_write.0,
                    usage.completion.0,
                    usage.reasoning.0,
                ]
            }),
            estimated: self.usage.is_some_and(|usage| usage.estimated),
            stored_at: self.stored_at.0,
            ttl: self.ttl.0,
        };
        // A struct of texts and numbers always has a JSON form.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut sum = crc32fast::Hasher::new();
        for part in [&length, head.as_slice(), body] {
            sum.update(part);
        }
        [&[VERSION], sum.finalize().to_le_bytes().as_slice(), &length, &head, body].concat()
    }

    /// Reads bytes that [`Self::encode`] has written.
    ///
    /// # Errors
    /// For all others.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAnEntry> {
        let (version, rest) = bytes.split_first().ok_or(NotAnEntry)?;
        let (sum, rest) = rest.split_first_chunk::<4>().ok_or(NotAnEntry)?;
        if *version != VERSION || crc32fast::hash(rest) != u32::from_le_bytes(*sum) {
            return Err(NotAnEntry);
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(NotAnEntry)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| NotAnEntry)?;
        let (head, body) = rest.split_at_checked(length).ok_or(NotAnEntry)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| NotAnEntry)?;
        let estimated = head.estimated;
        let usage = head.usage.map(|[prompt, cached, cache_write, completion, reasoning]| Usage {
            prompt: Tokens(prompt),
            cached: Tokens(cached),
            cache_write: Tokens(cache_write),
            completion: Tokens(completion),
            reasoning: Tokens(reasoning),
            estimated,
        });
        let body = body.to_vec();
        Ok(Self {
            target: head.target,
            content_type: head.content_type,
            body: if head.streamed { Body::Stream(body) } else { Body::Whole(body) },
            usage,
            stored_at: UnixMs(head.stored_at),
            ttl: DurationMs(head.ttl),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(body: Vec<u8>, streamed: bool, usage: Option<(u64, bool)>) -> Entry {
        Entry {
            target: "openai/gpt".into(),
            content_type: "application/json".into(),
            body: if streamed { Body::Stream(body) } else { Body::Whole(body) },
            usage: usage.map(|(prompt, estimated)| Usage {
                prompt: Tokens(prompt),
                estimated,
                ..Usage::default()
            }),
            stored_at: UnixMs(1_000),
            ttl: DurationMs(60_000),
        }
    }

    #[test]
    fn an_entry_is_fresh_until_its_time_is_up() {
        let entry = entry(vec![], false, None);
        assert!(entry.is_fresh(UnixMs(60_999)));
        assert!(!entry.is_fresh(UnixMs(61_000)));
        assert_eq!(entry.left(UnixMs(31_000)), DurationMs(30_000));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(body: Vec<u8>, streamed: bool, usage: Option<(u64, bool)>) {
            let entry = entry(body, streamed, usage);
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn an_entry_cut_short_is_none(body: Vec<u8>, at: prop::sample::Index) {
            let bytes = entry(body, false, Some((1, true))).encode();
            let cut = at.index(bytes.len());
            prop_assert_eq!(Entry::decode(&bytes[..cut]), Err(NotAnEntry));
        }

        #[test]
        fn a_damaged_byte_is_noticed_wherever_it_is(
            body: Vec<u8>,
            at: prop::sample::Index,
            damage in 1..=u8::MAX,
        ) {
            let mut bytes = entry(body, true, Some((1, false))).encode();
            let at = at.index(bytes.len());
            bytes[at] ^= damage;
            prop_assert_eq!(Entry::decode(&bytes), Err(NotAnEntry));
        }

        #[test]
        fn other_bytes_are_no_entry_even_with_a_version_and_a_sum(rest: Vec<u8>) {
            let sum = crc32fast::hash(&rest).to_le_bytes();
            let bytes = [&[VERSION], sum.as_slice(), rest.as_slice()].concat();
            prop_assert_eq!(Entry::decode(&bytes), Err(NotAnEntry));
            prop_assert_eq!(Entry::decode(&rest), Err(NotAnEntry));
        }
    }
}
