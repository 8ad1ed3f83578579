//! How many tokens a prompt has, guessed from its bytes.
//!
//! The guess needs no tokenizer, as each provider has its own. It is in quarters of a token, so
//! that many short texts are not each rounded up.

use crate::openai::endpoint::Endpoint;
use crate::openai::json::{Envelope, Kind, Value};
use crate::units::Tokens;

/// The frame around each message: role and separators.
const MESSAGE: Quarters = Quarters::tokens(4);
/// The start of the answer, which the provider counts as prompt.
const ANSWER_START: Quarters = Quarters::tokens(3);
/// An image in full detail; OpenAI's formula gives 765 to 1,445 for common sizes.
const IMAGE: Quarters = Quarters::tokens(1500);
/// An image at `detail: low`, OpenAI's formula.
const SMALL_IMAGE: Quarters = Quarters::tokens(85);
/// A file known by its id or of few bytes: a page with its picture.
const FILE: Quarters = Quarters::tokens(1500);
/// Base64 bytes of a file for one token: a page of 64 KiB has about a thousand.
const FILE_BYTES_PER_TOKEN: u64 = 64;
/// Base64 bytes of audio for one token: ten tokens a second, compressed at 32 kbit/s.
const AUDIO_BYTES_PER_TOKEN: u64 = 500;

/// Fields of a chat, beside its messages, that the model reads.
const READ_TOO: [&str; 3] = ["tools", "functions", "response_format"];

pub(super) fn prompt(endpoint: Endpoint, body: &Envelope) -> Tokens {
    let quarters = match endpoint {
        Endpoint::ChatCompletions => chat(body),
        Endpoint::Completions => body.present("prompt").map_or(Quarters(0), prompt_or_input),
        Endpoint::Embeddings => body.present("input").map_or(Quarters(0), prompt_or_input),
    };
    Tokens(quarters.0.div_ceil(4))
}

/// How many prompts a batch of completions holds.
pub(super) fn prompts(body: &Envelope) -> u64 {
    let items = || body.present("prompt").map(Value::items).into_iter().flatten();
    // An array of tokens is one prompt.
    if items().next().is_none_or(|first| first.kind() == Kind::Number) {
        return 1;
    }
    wide(items().count())
}

fn chat(body: &Envelope) -> Quarters {
    let messages = body.present("messages").map(Value::items).into_iter().flatten();
    let said = messages.map(message).sum::<Quarters>();
    let read = READ_TOO.into_iter().filter_map(|name| body.present(name)).map(text).sum();
    ANSWER_START.plus(said).plus(read)
}

fn message(message: Value<'_>) -> Quarters {
    let fields = message.members().filter(|member| !member.key.is_str("role"));
    fields.fold(MESSAGE, |sum, member| {
        sum.plus(if member.key.is_str("content") {
            content(member.value)
        } else {
            text(member.value)
        })
    })
}

fn content(content: Value<'_>) -> Quarters {
    match content.kind() {
        Kind::Array => content.items().map(part).sum(),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Object => text(content),
    }
}

fn part(part: Value<'_>) -> Quarters {
    let inside = |outer: &str, inner: &str| part.get(outer).and_then(|outer| outer.get(inner));
    let is = |name: &str| part.get("type").is_some_and(|kind| kind.is_str(name));
    if is("text") {
        return part.get("text").map_or(Quarters(0), text);
    }
    if is("image_url") {
        let low = inside("image_url", "detail").is_some_and(|detail| detail.is_str("low"));
        return if low { SMALL_IMAGE } else { IMAGE };
    }
    if is("input_audio") {
        let bytes = inside("input_audio", "data").map_or(0, |data| wide(data.raw().len()));
        return Quarters::tokens(bytes.div_ceil(AUDIO_BYTES_PER_TOKEN));
    }
    if is("file") {
        let bytes = inside("file", "file_data").map_or(0, |data| wide(data.raw().len()));
        return FILE.plus(Quarters::tokens(bytes.div_ceil(FILE_BYTES_PER_TOKEN)));
    }
    text(part)
}

/// A string, an array of strings, of tokens, or of arrays of tokens.
fn prompt_or_input(value: Value<'_>) -> Quarters {
    match value.kind() {
        Kind::Array => value.items().map(prompt_or_input).sum(),
        Kind::Number => Quarters::tokens(1),
        Kind::Null | Kind::Bool | Kind::String | Kind::Object => text(value),
    }
}

/// A value's bytes as they were sent: four of ASCII are a token, and two of anything else, as
/// scripts beyond ASCII have fewer characters to a token.
fn text(value: Value<'_>) -> Quarters {
    let raw = value.raw().as_bytes();
    let quotes = if value.kind() == Kind::String { 2 } else { 0 };
    let beyond_ascii = raw.iter().filter(|byte| !byte.is_ascii()).count();
    Quarters(wide(raw.len() + beyond_ascii - quotes))
}

/// Quarters of a token.
#[derive(Debug, Clone, Copy)]
struct Quarters(u64);

impl Quarters {
    const fn tokens(tokens: u64) -> Self {
        Self(tokens.saturating_mul(4))
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Quarters {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self(0), Self::plus)
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
