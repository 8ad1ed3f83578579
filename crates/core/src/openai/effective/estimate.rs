//! How many tokens a prompt has: guessed from its bytes before it is sent, counted by a tokenizer
//! where the provider does not say afterwards.

use crate::openai::endpoint::Endpoint;
use crate::openai::json::{Envelope, Kind, Value};
use crate::tokens::{self, Millitokens};
use crate::units::Tokens;

/// The frame around each message: role and separators.
const MESSAGE: Millitokens = Millitokens::whole(4);
/// The start of the answer, which the provider counts as prompt.
const ANSWER_START: Millitokens = Millitokens::whole(3);
/// An image in full detail; OpenAI's formula gives 765 to 1,445 for common sizes.
const IMAGE: Millitokens = Millitokens::whole(1500);
/// An image at `detail: low`, OpenAI's formula.
const SMALL_IMAGE: Millitokens = Millitokens::whole(85);
/// A file known by its id or of few bytes: a page with its picture.
const FILE: Millitokens = Millitokens::whole(1500);
/// Base64 bytes of a file for one token: a page of 64 KiB has about a thousand.
const FILE_BYTES_PER_TOKEN: u64 = 64;
/// Base64 bytes of audio for one token: ten tokens a second, compressed at 32 kbit/s.
const AUDIO_BYTES_PER_TOKEN: u64 = 500;

/// Fields of a chat, beside its messages, that the model reads.
const READ_TOO: [&str; 3] = ["tools", "functions", "response_format"];

/// How the text of a prompt is measured.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// By its bytes, fast and never less for a longer text.
    Bytes,
    /// By a tokenizer.
    Tokenizer,
}

impl Measure {
    /// The tokens of a whole prompt.
    pub(super) fn prompt(self, endpoint: Endpoint, body: &Envelope) -> Tokens {
        let batch = |name| body.present(name).map_or(Millitokens(0), |value| self.batch(value));
        let tokens = match endpoint {
            Endpoint::ChatCompletions => self.chat(body),
            Endpoint::Completions => batch("prompt"),
            Endpoint::Embeddings => batch("input"),
        };
        tokens.round_up()
    }

    fn chat(self, body: &Envelope) -> Millitokens {
        let messages = body.present("messages").map(Value::items).into_iter().flatten();
        let said = messages.map(|item| self.message(item)).sum::<Millitokens>();
        let read = READ_TOO
            .into_iter()
            .filter_map(|name| body.present(name))
            .map(|value| self.text(value))
            .sum();
        ANSWER_START.plus(said).plus(read)
    }

    fn message(self, message: Value<'_>) -> Millitokens {
        let fields = message.members().filter(|member| !member.key.is_str("role"));
        fields.fold(MESSAGE, |sum, member| {
            sum.plus(if member.key.is_str("content") {
                self.content(member.value)
            } else {
                self.text(member.value)
            })
        })
    }

    fn content(self, content: Value<'_>) -> Millitokens {
        match content.kind() {
            Kind::Array => content.items().map(|item| self.part(item)).sum(),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Object => {
                self.text(content)
            }
        }
    }

    fn part(self, part: Value<'_>) -> Millitokens {
        let inside = |outer: &str, inner: &str| part.get(outer).and_then(|outer| outer.get(inner));
        let is = |name: &str| part.get("type").is_some_and(|kind| kind.is_str(name));
        if is("text") {
            return part.get("text").map_or(Millitokens(0), |value| self.text(value));
        }
        if is("image_url") {
            let low = inside("image_url", "detail").is_some_and(|detail| detail.is_str("low"));
            return if low { SMALL_IMAGE } else { IMAGE };
        }
        if is("input_audio") {
            let bytes = inside("input_audio", "data").map_or(0, |data| wide(data.raw().len()));
            return Millitokens::whole(bytes.div_ceil(AUDIO_BYTES_PER_TOKEN));
        }
        if is("file") {
            let bytes = inside("file", "file_data").map_or(0, |data| wide(data.raw().len()));
            return FILE.plus(Millitokens::whole(bytes.div_ceil(FILE_BYTES_PER_TOKEN)));
        }
        self.text(part)
    }

    /// A string, an array of strings, of tokens, or of arrays of tokens.
    fn batch(self, value: Value<'_>) -> Millitokens {
        match value.kind() {
            Kind::Array => value.items().map(|item| self.batch(item)).sum(),
            Kind::Number => Millitokens::whole(1),
            Kind::Null | Kind::Bool | Kind::String | Kind::Object => self.text(value),
        }
    }

    fn text(self, value: Value<'_>) -> Millitokens {
        match self {
            Self::Bytes => of_bytes(value),
            Self::Tokenizer => match value.as_str() {
                Some(text) => tokens::count(&text),
                None => tokens::count(value.raw()),
            },
        }
    }
}

/// A value's bytes as they were sent: four of ASCII are a token, and two of anything else, as
/// scripts beyond ASCII have fewer characters to a token.
fn of_bytes(value: Value<'_>) -> Millitokens {
    let raw = value.raw().as_bytes();
    let quotes = if value.kind() == Kind::String { 2 } else { 0 };
    let beyond_ascii = raw.iter().filter(|byte| !byte.is_ascii()).count();
    Millitokens(wide(raw.len() + beyond_ascii - quotes).saturating_mul(250))
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

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
