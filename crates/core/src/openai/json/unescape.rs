//! The characters of a string that has escapes, one by one and without a copy.

use std::str::Chars;

use memchr::memchr;

/// The characters inside a string's quotes; the scan has checked every escape.
pub(super) struct Unescaped<'t>(Chars<'t>);

impl<'t> Unescaped<'t> {
    /// `inside` is the string without its quotes.
    pub(super) fn new(inside: &'t str) -> Self {
        Self(inside.chars())
    }

    /// All of them; what stands between two escapes is copied in one go.
    pub(super) fn decode(inside: &'t str) -> String {
        let mut decoded = String::with_capacity(inside.len());
        let mut rest = inside;
        while let Some((plain, escape)) =
            memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
        {
            let mut characters = Self::new(escape);
            decoded.push_str(plain);
            decoded.extend(characters.next());
            rest = characters.0.as_str();
        }
        decoded.push_str(rest);
        decoded
    }

    /// The number after `\u`.
    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.0.next()?.to_digit(16)?))
    }

    /// The character of a `\u` escape, and of the one after it where both make one character.
    fn character(&mut self) -> Option<char> {
        let unit = self.unit()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        // The scan lets a high surrogate stand only before its low half.
        self.0.nth(1)?;
        let low = self.unit()?;
        char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low.checked_sub(0xDC00)?)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.0.next()? {
            '\\' => match self.0.next()? {
                'b' => Some('\u{8}'),
                'f' => Some('\u{c}'),
                'n' => Some('\n'),
                'r' => Some('\r'),
                't' => Some('\t'),
                'u' => self.character(),
                quote_or_slash => Some(quote_or_slash),
            },
            plain => Some(plain),
        }
    }
}
