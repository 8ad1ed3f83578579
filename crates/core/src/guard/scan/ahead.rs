//! What follows a place in the text, as far as it has come.

/// It depends on text that has not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::guard) struct More;

/// What is found at a place: how many bytes of it, or nothing, or nothing that can be told yet.
///
/// An answer that is given stays the same whatever follows; the split of a stream must not matter.
pub(in crate::guard) type Look = Result<Option<usize>, More>;

/// The text from a place on, folded for reading.
#[derive(Debug, Clone, Copy)]
pub(in crate::guard) struct Ahead<'a> {
    bytes: &'a [u8],
    is_all: bool,
}

impl<'a> Ahead<'a> {
    /// `bytes`, after which nothing comes when they are `is_all`.
    pub(in crate::guard) const fn new(bytes: &'a [u8], is_all: bool) -> Self {
        Self { bytes, is_all }
    }

    /// The byte at `at`; `None` is the end of the text.
    pub(super) fn at(&self, at: usize) -> Result<Option<u8>, More> {
        match self.bytes.get(at) {
            Some(byte) => Ok(Some(*byte)),
            None if self.is_all => Ok(None),
            None => Err(More),
        }
    }

    /// Whether the byte at `at` is there and is `belongs`.
    pub(super) fn is(&self, at: usize, belongs: impl Fn(u8) -> bool) -> Result<bool, More> {
        Ok(self.at(at)?.is_some_and(belongs))
    }

    /// How many bytes from `from` on are `belongs`, counted up to `most`.
    pub(super) fn run(
        &self,
        from: usize,
        most: usize,
        belongs: impl Fn(u8) -> bool,
    ) -> Result<usize, More> {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let length = rest.iter().take(most).take_while(|byte| belongs(**byte)).count();
        if length < most && length == rest.len() && !self.is_all { Err(More) } else { Ok(length) }
    }

    /// Whether `mark` stands at `from`, whatever the case of its ASCII letters.
    pub(super) fn starts(&self, from: usize, mark: &[u8]) -> Result<bool, More> {
        for (at, expected) in mark.iter().enumerate() {
            if !self.is(from + at, |byte| byte.eq_ignore_ascii_case(expected))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The bytes in `from..to`, as far as they are there.
    pub(super) fn part(&self, from: usize, to: usize) -> &'a [u8] {
        let to = to.min(self.bytes.len());
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// The bytes that are there.
    pub(super) const fn here(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Whether a byte belongs to a word: an ASCII letter or digit, or part of a Latin, Greek or Cyrillic
/// letter. Parts of other characters (of Chinese, of emoji) begin with a byte that does not.
pub(super) const fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, 0x80..=0xBF | 0xC3..=0xD6)
}
