//! The `tollhouse-mock` header: what one request wants to go wrong.
//!
//! Instructions are separated by `;`, each at most once, at most one fault among them:
//!
//! | instruction | effect |
//! |---|---|
//! | `status=429` | answers with this status, 400 to 599, and an OpenAI error body |
//! | `retry-after=2` | with `status`: the header of that name, verbatim |
//! | `cut-after=3` | the connection ends after so many chunks, the answer unfinished |
//! | `stall-after=2` | nothing more comes after so many chunks; 0: no headers either |
//! | `reset` | the connection breaks before headers |
//! | `silent` | nothing comes, the same as `stall-after=0` |
//! | `latency-ms=50` | the time before anything happens |
//! | `chunk-interval-ms=20` | the time between two chunks |
//! | `text=Hello` | the answer's text, in place of a tool call or JSON too; `%3B` is a `;` |
//! | `usage=off` | the reply does not say what was used |

use crate::{config::valid::MockEffect, units::DurationMs};

/// What a request scripts for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// The fault to play.
    pub(super) effect: Option<MockEffect>,
    /// In place of the configured latency.
    pub(super) latency: Option<DurationMs>,
    /// In place of the configured interval.
    pub(super) chunk_interval: Option<DurationMs>,
    /// In place of the answer's text.
    pub(super) text: Option<String>,
    /// Whether the reply says what was used.
    pub(super) usage: bool,
}

impl Script {
    /// Reads the header.
    ///
    /// # Errors
    /// A sentence that names the word which is not understood.
    pub(super) fn parse(header: &str) -> Result<Self, String> {
        let mut reader = Reader::default();
        for instruction in header.split(';').map(str::trim).filter(|word| !word.is_empty()) {
            reader.read(instruction)?;
        }
        reader.finish()
    }
}

#[derive(Debug, Default)]
struct Reader<'a> {
    seen: Vec<&'a str>,
    fault: Option<(&'a str, MockEffect)>,
    retry_after: Option<String>,
    latency: Option<DurationMs>,
    chunk_interval: Option<DurationMs>,
    text: Option<String>,
    usage_off: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self, instruction: &'a str) -> Result<(), String> {
        let (name, value) = match instruction.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (instruction, None),
        };
        if self.seen.contains(&name) {
            return Err(format!("`{name}` is there twice"));
        }
        self.seen.push(name);
        match (name, value) {
            ("status", Some(value)) => {
                let status = number(name, value, 400, 599)?;
                self.play(name, MockEffect::Status { status, retry_after: None })?;
            }
            ("cut-after", Some(value)) => {
                let after_chunks = number(name, value, 0, u32::MAX)?;
                self.play(name, MockEffect::Cut { after_chunks })?;
            }
            ("stall-after", Some(value)) => {
                let after_chunks = number(name, value, 0, u32::MAX)?;
                self.play(name, MockEffect::Stall { after_chunks })?;
            }
            ("reset", None) => self.play(name, MockEffect::Reset)?,
            ("silent", None) => self.play(name, MockEffect::Stall { after_chunks: 0 })?,
            ("retry-after", Some(value)) => self.retry_after = Some(value.to_owned()),
            ("latency-ms", Some(value)) => self.latency = Some(milliseconds(name, value)?),
            ("chunk-interval-ms", Some(value)) => {
                self.chunk_interval = Some(milliseconds(name, value)?);
            }
            ("text", Some(value)) => self.text = Some(decoded(value)?),
            ("usage", Some("off")) => self.usage_off = true,
            ("usage", Some(value)) => {
                return Err(format!("`usage` is `{value}`, it can only be `off`"));
            }
            ("reset" | "silent", Some(_)) => return Err(format!("`{name}` takes no value")),
            (name, None) if VALUED.contains(&name) => return Err(format!("`{name}` has no value")),
            (name, _) => {
                let known = VALUED.join("`, `");
                return Err(format!(
                    "`{name}` is not understood; known are `reset`, `silent`, `{known}`"
                ));
            }
        }
        Ok(())
    }

    fn play(&mut self, name: &'a str, effect: MockEffect) -> Result<(), String> {
        match self.fault.replace((name, effect)) {
            None => Ok(()),
            Some((other, _)) => Err(format!("`{other}` and `{name}` cannot be played together")),
        }
    }

    fn finish(self) -> Result<Script, String> {
        let effect = match (self.fault.map(|(_, effect)| effect), self.retry_after) {
            (Some(MockEffect::Status { status, .. }), retry_after) => {
                Some(MockEffect::Status { status, retry_after })
            }
            (_, Some(_)) => return Err("`retry-after` is only taken with `status`".to_owned()),
            (effect, None) => effect,
        };
        Ok(Script {
            effect,
            latency: self.latency,
            chunk_interval: self.chunk_interval,
            text: self.text,
            usage: !self.usage_off,
        })
    }
}

/// The instructions that take a value.
const VALUED: [&str; 8] = [
    "status",
    "retry-after",
    "cut-after",
    "stall-after",
    "latency-ms",
    "chunk-interval-ms",
    "text",
    "usage",
];

/// Ten minutes, above every timeout of the gateway.
const LONGEST_WAIT: u32 = 600_000;

fn milliseconds(name: &str, value: &str) -> Result<DurationMs, String> {
    Ok(DurationMs(u64::from(number::<u32>(name, value, 0, LONGEST_WAIT)?)))
}

fn number<N>(name: &str, value: &str, from: N, to: N) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    match value.parse() {
        Ok(number) if from <= number && number <= to => Ok(number),
        Ok(_) | Err(_) => {
            Err(format!("`{name}` is `{value}`, it takes a number from {from} to {to}"))
        }
    }
}

/// Undoes percent-encoding; a `%` without two hexadecimal digits after it stands for itself.
fn decoded(value: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'%', [high, low, after @ ..]) if is_hex(*high) && is_hex(*low) => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "`text` is not UTF-8 once decoded".to_owned())
}

const fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit, 0 to 15.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => digit & 0x0f,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Script =
        Script { effect: None, latency: None, chunk_interval: None, text: None, usage: true };

    #[track_caller]
    fn says(header: &str, problem: &str) {
        assert_eq!(Script::parse(header).unwrap_err(), problem);
    }

    #[test]
    fn every_instruction_is_read() {
        let status = |status, retry_after: Option<&str>| MockEffect::Status {
            status,
            retry_after: retry_after.map(str::to_owned),
        };
        let fault = |effect| Script { effect: Some(effect), ..NOTHING };
        for (header, script) in [
            ("", NOTHING),
            (" ; ;", NOTHING),
            ("status=429; retry-after=2", fault(status(429, Some("2")))),
            ("retry-after=Wed, 21 Oct 2026 07:28:00 GMT;status = 503", {
                fault(status(503, Some("Wed, 21 Oct 2026 07:28:00 GMT")))
            }),
            ("cut-after=3", fault(MockEffect::Cut { after_chunks: 3 })),
            ("stall-after=2", fault(MockEffect::Stall { after_chunks: 2 })),
            ("silent", fault(MockEffect::Stall { after_chunks: 0 })),
            ("reset", fault(MockEffect::Reset)),
            ("latency-ms=50", Script { latency: Some(DurationMs(50)), ..NOTHING }),
            ("chunk-interval-ms=20", Script { chunk_interval: Some(DurationMs(20)), ..NOTHING }),
            ("usage=off", Script { usage: false, ..NOTHING }),
            ("text=a = b%3B 100% sure, gr%C3%BCn", {
                Script { text: Some("a = b; 100% sure, grün".to_owned()), ..NOTHING }
            }),
        ] {
            assert_eq!(Script::parse(header), Ok(script), "{header}");
        }
    }

    #[test]
    fn a_word_that_is_not_understood_is_named() {
        let known = "known are `reset`, `silent`, `status`, `retry-after`, `cut-after`, \
                     `stall-after`, `latency-ms`, `chunk-interval-ms`, `text`, `usage`";
        says("latency=5", &format!("`latency` is not understood; {known}"));
        says("status=429; explode", &format!("`explode` is not understood; {known}"));
        says("status", "`status` has no value");
        says("reset=1", "`reset` takes no value");
        says("status=200", "`status` is `200`, it takes a number from 400 to 599");
        says("cut-after=-1", "`cut-after` is `-1`, it takes a number from 0 to 4294967295");
        says("latency-ms=1e9", "`latency-ms` is `1e9`, it takes a number from 0 to 600000");
        says("usage=on", "`usage` is `on`, it can only be `off`");
        says("text=%ff", "`text` is not UTF-8 once decoded");
    }

    #[test]
    fn instructions_that_contradict_each_other_are_refused() {
        says("reset; silent", "`reset` and `silent` cannot be played together");
        says("usage=off; usage=off", "`usage` is there twice");
        says("retry-after=2", "`retry-after` is only taken with `status`");
        says("reset; retry-after=2", "`retry-after` is only taken with `status`");
    }
}
