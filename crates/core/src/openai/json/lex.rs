//! Strings, numbers and literals: where each ends, and whether it is well formed.
//!
//! Every function takes the text and the place where the token starts, and gives the place after
//! it. Nothing is decoded here.

use memchr::memchr2;

use super::fault::{Fault, Flaw};

/// Where a string ends, and whether anything in it is escaped.
pub(super) struct StringEnd {
    pub(super) after: usize,
    pub(super) escaped: bool,
}

/// Reads a string whose opening quote is at `start`.
pub(super) fn string(text: &[u8], start: usize) -> Result<StringEnd, Fault> {
    let mut at = start + 1;
    let mut escaped = false;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(length) = memchr2(b'"', b'\\', rest) else {
            return Err(Fault::new(text.len(), Flaw::Ends("a string")));
        };
        plain(rest.get(..length).unwrap_or_default(), at)?;
        at += length;
        if text.get(at) == Some(&b'"') {
            return Ok(StringEnd { after: at + 1, escaped });
        }
        escaped = true;
        at = escape(text, at)?;
    }
}

/// Refuses control characters; the fold has no early exit, so that it runs over many bytes at once.
fn plain(run: &[u8], at: usize) -> Result<(), Fault> {
    if run.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < 0x20 {
        let offset = run.iter().position(|byte| *byte < 0x20).unwrap_or_default();
        return Err(Fault::new(at + offset, Flaw::ControlCharacter));
    }
    Ok(())
}

/// Reads an escape whose backslash is at `at`; a surrogate is read with its other half.
fn escape(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match unit(text, at)? {
            0xD800..=0xDBFF => low_surrogate(text, at),
            0xDC00..=0xDFFF => Err(Fault::new(at, Flaw::LoneSurrogate)),
            _ => Ok(at + 6),
        },
        Some(_) => Err(Fault::new(at, Flaw::Escape)),
        None => Err(Fault::new(text.len(), Flaw::Ends("a string"))),
    }
}

fn low_surrogate(text: &[u8], high: usize) -> Result<usize, Fault> {
    let at = high + 6;
    let follows = text.get(at) == Some(&b'\\') && text.get(at + 1) == Some(&b'u');
    if follows && matches!(unit(text, at)?, 0xDC00..=0xDFFF) {
        return Ok(at + 6);
    }
    Err(Fault::new(high, Flaw::LoneSurrogate))
}

/// The four hex digits of a `\u` escape at `at`.
fn unit(text: &[u8], at: usize) -> Result<u32, Fault> {
    let digits = text.get(at + 2..at + 6).unwrap_or_default();
    let well_formed = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| well_formed)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or(Fault::new(at, Flaw::Escape))
}

/// Reads a number that starts at `start` with a digit or a minus.
pub(super) fn number(text: &[u8], start: usize) -> Result<usize, Fault> {
    let malformed = |at: usize| Fault::new(at, Flaw::Number);
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    at = match text.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(text, at),
        _ => return Err(malformed(at)),
    };
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1).ok_or(malformed(at))?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = some_digits(text, at + 1 + sign).ok_or(malformed(at))?;
    }
    // `01` and `1a` would otherwise be told as a missing comma.
    match text.get(at) {
        Some(byte) if byte.is_ascii_alphanumeric() => Err(malformed(at)),
        _ => Ok(at),
    }
}

fn some_digits(text: &[u8], at: usize) -> Option<usize> {
    let after = digits(text, at);
    (after > at).then_some(after)
}

fn digits(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// Reads `true`, `false` or `null`, told apart by `word`.
pub(super) fn literal(text: &[u8], start: usize, word: &'static str) -> Result<usize, Fault> {
    let after = start + word.len();
    let ends = !matches!(text.get(after), Some(byte) if byte.is_ascii_alphanumeric());
    if ends && text.get(start..after) == Some(word.as_bytes()) {
        return Ok(after);
    }
    Err(Fault::new(start, Flaw::Expected("a value")))
}

/// The place of the next byte that is not whitespace.
pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}
