//! Numbers, texts and arrays as GGUF writes them, little-endian, each length checked before it is used.

use std::io::{self, Read};

use super::super::{MeasureError, safetensors::read, wide};

/// Arrays inside arrays.
const DEEPEST: u32 = 4;
/// The longest text that is kept.
const LONGEST_TEXT: u64 = 1 << 24;

/// A value, as far as anything here wants it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Whole(u64),
    Text(String),
    Other,
}

/// A file with a count of what was read.
#[derive(Debug)]
pub(super) struct Reader<R> {
    file: R,
    length: u64,
    at: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(file: R, length: u64) -> Self {
        Self { file, length, at: 0 }
    }

    pub(super) fn read_so_far(&self) -> u64 {
        self.at
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], MeasureError> {
        let mut bytes = [0; N];
        self.room(wide(N), what)?;
        read(&mut self.file, &mut bytes, what, self.length)?;
        self.at += wide(N);
        Ok(bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, MeasureError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, MeasureError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A number of things, of which no file has more than `limit`.
    pub(super) fn count(&mut self, what: &str, limit: u64) -> Result<u64, MeasureError> {
        let found = self.u64(what)?;
        if found > limit {
            return Err(MeasureError::Length { what: what.to_owned(), found, limit });
        }
        Ok(found)
    }

    pub(super) fn text(&mut self, what: &str) -> Result<String, MeasureError> {
        self.short_text(what, LONGEST_TEXT)
    }

    /// A text of at most `limit` bytes.
    pub(super) fn short_text(&mut self, what: &str, limit: u64) -> Result<String, MeasureError> {
        let length = self.count(&format!("the length of {what}"), limit)?;
        self.room(length, what)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        read(&mut self.file, &mut bytes, what, self.length)?;
        self.at += length;
        String::from_utf8(bytes)
            .map_err(|_| MeasureError::Malformed(format!("{what} is not UTF-8")))
    }

    /// The value of the pair `key`.
    pub(super) fn value(&mut self, key: &str) -> Result<Value, MeasureError> {
        let kind = self.u32("the type of a value")?;
        self.of_kind(kind, key, 0)
    }

    fn of_kind(&mut self, kind: u32, key: &str, depth: u32) -> Result<Value, MeasureError> {
        let what = format!("the value of `{key}`");
        Ok(match kind {
            4 => Value::Whole(self.u32(&what)?.into()),
            10 => Value::Whole(self.u64(&what)?),
            8 => Value::Text(self.text(&what)?),
            9 => self.elements(key, depth)?,
            kind => {
                let Some(width) = width(kind) else {
                    let message = format!("{what} has the type {kind}, which is unknown");
                    return Err(MeasureError::Malformed(message));
                };
                self.skip(width, &what)?;
                Value::Other
            }
        })
    }

    /// Passes over an array.
    fn elements(&mut self, key: &str, depth: u32) -> Result<Value, MeasureError> {
        if depth >= DEEPEST {
            let what = format!("the depth of `{key}`");
            let (found, limit) = (u64::from(depth) + 1, u64::from(DEEPEST));
            return Err(MeasureError::Length { what, found, limit });
        }
        let kind = self.u32("the type of an array")?;
        let what = format!("the array `{key}`");
        // Every element takes a byte at least.
        let count = self.count(&what, self.length)?;
        if let Some(width) = width(kind) {
            self.skip(count.saturating_mul(width), &what)?;
            return Ok(Value::Other);
        }
        for _ in 0..count {
            self.of_kind(kind, key, depth + 1)?;
        }
        Ok(Value::Other)
    }

    fn skip(&mut self, bytes: u64, what: &str) -> Result<(), MeasureError> {
        self.room(bytes, what)?;
        let skipped = io::copy(&mut (&mut self.file).take(bytes), &mut io::sink());
        self.at += skipped.map_err(|error| MeasureError::Malformed(error.to_string()))?;
        Ok(())
    }

    fn room(&self, bytes: u64, what: &str) -> Result<(), MeasureError> {
        let wanted = self.at.saturating_add(bytes);
        if wanted > self.length {
            let (what, found) = (what.to_owned(), self.length);
            return Err(MeasureError::Truncated { what, wanted, found });
        }
        Ok(())
    }
}

/// Bytes of a value that always takes the same; `None` for texts, arrays and the unknown.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}
