//! Tables of numbers and characters: `[0x00, 0x01, …]`, `[('a', 'z'), …]`. They are a good part of generated code, and say
//! nothing of models.

use super::Span;

/// Shorter ones are not worth the trouble.
const LEAST: usize = 128;

/// What a table that begins with the bracket at `open` holds after its first element; nothing where it is no table.
pub(crate) fn rest_of_table(bytes: &[u8], open: usize) -> Option<Span> {
    let mut cursor = Cursor { bytes, at: open + 1, depth: 1 };
    let mut first = None;
    while cursor.depth > 0 {
        cursor.blank();
        match cursor.peek() {
            b'(' | b'[' => cursor.go(1),
            b')' | b']' => cursor.go(-1),
            b',' => {
                cursor.at += 1;
                if cursor.depth == 1 {
                    first.get_or_insert(cursor.at);
                }
            }
            b'-' => cursor.at += 1,
            b'0'..=b'9' => cursor.number(),
            b'\'' => cursor.character()?,
            _ => return None,
        }
    }
    let (start, end) = (first?, cursor.at.checked_sub(1)?);
    (end.checked_sub(start)? >= LEAST).then(|| Span::new(start, end))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte; at the end one that stands in no table.
    fn peek(&self) -> u8 {
        self.rest().first().copied().unwrap_or_default()
    }

    fn go(&mut self, by: isize) {
        self.depth = self.depth.saturating_add_signed(by);
        self.at += 1;
    }

    fn blank(&mut self) {
        let ends = |b: &u8| !matches!(b, b' ' | b'\n' | b'\t' | b'\r');
        self.at += self.rest().iter().position(ends).unwrap_or(self.rest().len());
    }

    fn number(&mut self) {
        let ends = |b: &u8| !(matches!(b, b'_' | b'.') || b.is_ascii_alphanumeric());
        self.at += self.rest().iter().position(ends).unwrap_or(self.rest().len());
    }

    /// `'a'`, `'\n'`, `'\u{1f600}'`; a lifetime, or a character of several bytes, ends the table.
    fn character(&mut self) -> Option<()> {
        let length = match self.rest() {
            [_, b'\\', _, rest @ ..] => 4 + rest.iter().take(10).position(|b| *b == b'\'')?,
            [_, character, b'\'', ..] if character.is_ascii() => 3,
            _ => return None,
        };
        self.at += length;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(text: &str) -> Option<&str> {
        rest_of_table(text.as_bytes(), 0).map(|span| span.of(text))
    }

    #[test]
    fn a_table_is_all_numbers_characters_and_brackets() {
        let numbers = "0x1f_u8, -1.5e3, ('a', '\\u{1f600}', '\\''), [2],\n".repeat(9);
        assert_eq!(rest(&format!("[7, {numbers}]")), Some(format!(" {numbers}").as_str()));
        for other in ["a, ", "\"a\", ", "'é', ", "0; ", "{}, ", "&0, ", "'a, "] {
            assert_eq!(rest(&format!("[7, {numbers}{other}]")), None, "{other}");
        }
    }

    #[test]
    fn what_is_short_or_never_closed_is_no_table() {
        assert_eq!(rest("[1, 2, 3]"), None);
        assert_eq!(rest(&format!("[{}", "1, ".repeat(99))), None);
    }
}
