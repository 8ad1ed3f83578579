//! One pass of a tolerant lexer: comments, string literals, and how deeply a file nests.
//!
//! It never fails: an unterminated literal or comment ends with the text. What it finds serves suppressions, files that
//! do not parse, and the guard that keeps a recursive parser away from pathological input.

use super::table::rest_of_table;
use super::{Span, index};
use serde::{Deserialize, Serialize};

/// A comment, delimiters included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comment {
    /// Where it stands.
    pub(crate) span: Span,
    /// Whether it documents an item (`///`, `//!`, `/** */`).
    pub(crate) doc: bool,
}

/// What the lexer saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Scan {
    /// Comments, in order.
    pub(crate) comments: Vec<Comment>,
    /// String literals, quotes included, in order.
    pub(crate) strings: Vec<Span>,
    /// All but the first element of tables of numbers, in order.
    #[serde(skip)]
    pub(crate) tables: Vec<Span>,
    /// Deepest nesting of brackets of any kind.
    pub(crate) depth: usize,
    /// Longest run of operators with no separator between them: what a parser recurses over without brackets.
    pub(crate) run: usize,
    /// A bracket that closes nothing or is never closed.
    pub(crate) unbalanced: Option<Span>,
}

impl Scan {
    pub(crate) const NONE: Scan = Scan {
        comments: Vec::new(),
        strings: Vec::new(),
        tables: Vec::new(),
        depth: 0,
        run: 0,
        unbalanced: None,
    };
}

/// Lexes `text`.
pub(crate) fn scan(text: &str) -> Scan {
    let mut lexer = Lexer::of(text);
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    if let (None, Some((_, at))) = (lexer.out.unbalanced, lexer.open.last()) {
        lexer.out.unbalanced = Some(Span::new(*at, at + 1));
    }
    lexer.out
}

/// What stands between the bracket at `open` and the one that closes it, or the end of the text.
pub(crate) fn group(text: &str, open: usize) -> &str {
    let mut lexer = Lexer::of(text);
    lexer.at = open;
    lexer.step();
    while !lexer.open.is_empty() && lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    let end = if lexer.open.is_empty() { lexer.at.saturating_sub(1) } else { text.len() };
    text.get(open + 1..end).unwrap_or_default()
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<(u8, usize)>,
    runs: Vec<usize>,
    out: Scan,
}

impl<'a> Lexer<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            open: Vec::new(),
            runs: vec![0],
            out: Scan::default(),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        match self.peek(0) {
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'"' => self.string(self.at),
            b'\'' => self.quote(),
            b'(' | b'[' | b'{' => self.opened(),
            b')' | b']' | b'}' => self.closed(),
            b';' | b',' => self.separated(),
            b' ' | b'\n' | b'\t' | b'\r' => self.blank(),
            b if b == b'_' || b.is_ascii_alphabetic() || b >= 0x80 => self.word(),
            b if b.is_ascii_digit() => self.number(),
            b if b.is_ascii_punctuation() => self.operator(),
            _ => self.at += 1,
        }
    }

    fn blank(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let ends = |b: &u8| !matches!(b, b' ' | b'\n' | b'\t' | b'\r');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }

    fn operator(&mut self) {
        self.at += 1;
        self.count_operator();
    }

    fn count_operator(&mut self) {
        if let Some(run) = self.runs.last_mut() {
            *run += 1;
            self.out.run = self.out.run.max(*run);
        }
    }

    fn separated(&mut self) {
        self.at += 1;
        if let Some(run) = self.runs.last_mut() {
            *run = 0;
        }
    }

    fn opened(&mut self) {
        if self.peek(0) == b'[' {
            self.table();
        }
        self.open.push((self.peek(0), self.at));
        self.runs.push(0);
        self.out.depth = self.out.depth.max(self.open.len());
        self.at += 1;
    }

    fn table(&mut self) {
        let inside = self.out.tables.last().is_some_and(|last| self.at < index(last.end));
        if !inside {
            self.out.tables.extend(rest_of_table(self.bytes, self.at));
        }
    }

    fn closed(&mut self) {
        let wanted = match self.peek(0) {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        if self.open.last().is_some_and(|(open, _)| *open == wanted) {
            self.open.pop();
            self.runs.pop();
        } else if self.out.unbalanced.is_none() {
            self.out.unbalanced = Some(Span::new(self.at, self.at + 1));
        }
        self.at += 1;
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let doc =
            rest.starts_with(b"//!") || (rest.starts_with(b"///") && !rest.starts_with(b"////"));
        self.out.comments.push(Comment { span: Span::new(start, self.at), doc });
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let doc = matches!(self.peek(2), b'!' | b'*') && self.peek(3) != b'/';
        let mut depth = 0usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
            if depth == 0 || self.at >= self.bytes.len() {
                break;
            }
        }
        self.out.comments.push(Comment { span: Span::new(start, self.at), doc });
    }

    fn string(&mut self, start: usize) {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(found) if rest.get(found) == Some(&b'\\') => self.at += found + 2,
                Some(found) => {
                    self.at += found + 1;
                    break;
                }
                None => {
                    self.at = self.bytes.len();
                    break;
                }
            }
        }
        self.at = self.at.min(self.bytes.len());
        self.out.strings.push(Span::new(start, self.at));
    }

    fn raw_string(&mut self, start: usize, hashes: usize) {
        self.at += hashes + 1;
        let mut end = vec![b'"'];
        end.resize(hashes + 1, b'#');
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = memchr::memmem::find(rest, &end)
            .map_or(self.bytes.len(), |found| self.at + found + end.len());
        self.out.strings.push(Span::new(start, self.at));
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == b'\\' {
            self.at += 3;
            while self.at < self.bytes.len() && !matches!(self.peek(0), b'\'' | b'\n') {
                self.at += 1;
            }
            self.at += 1;
            return;
        }
        let width = match self.peek(1) {
            b if b < 0x80 => 1,
            b if b < 0xe0 => 2,
            b if b < 0xf0 => 3,
            _ => 4,
        };
        self.at += if self.peek(1 + width) == b'\'' { width + 2 } else { 1 };
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = |b: &u8| !(*b == b'_' || b.is_ascii_alphanumeric() || *b >= 0x80);
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        match self.bytes.get(start..self.at).unwrap_or_default() {
            b"r" | b"br" | b"cr" => {
                let hashes = (0..256).take_while(|ahead| self.peek(*ahead) == b'#').count();
                if self.peek(hashes) == b'"' {
                    self.raw_string(start, hashes);
                }
            }
            b"b" | b"c" if self.peek(0) == b'"' => self.string(start),
            b"b" if self.peek(0) == b'\'' => self.quote(),
            b"else" => self.count_operator(),
            _ => {}
        }
    }

    fn number(&mut self) {
        while matches!(self.peek(0), b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strings(text: &str) -> Vec<&str> {
        scan(text).strings.into_iter().map(|span| span.of(text)).collect()
    }

    #[test]
    fn a_slash_in_a_string_opens_no_comment() {
        let text = r##"let a = "// no"; let b = r#"/* "no" */"#; // yes"##;
        assert_eq!(scan(text).comments.len(), 1);
        assert_eq!(strings(text).len(), 2);
    }

    #[test]
    fn a_lifetime_opens_no_character_literal() {
        assert_eq!(
            strings("fn f<'a>(x: &'a str) -> char { '\"' } const B: u8 = b'\"'; // \"").len(),
            0
        );
    }

    #[test]
    fn nesting_and_runs_are_measured() {
        assert_eq!(scan("((()))").depth, 3);
        assert_eq!(scan("f(!!!!a, !b)").run, 4);
        assert!(scan("fn main( {").unbalanced.is_some());
        assert!(scan("fn main() {}").unbalanced.is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_lexed_to_its_end(text in "[\\PC\n\"'/*#r\\\\(){}]{0,80}") {
            let seen = scan(&text);
            for span in seen.strings.iter().chain(seen.comments.iter().map(|c| &c.span)) {
                prop_assert!(text.get(index(span.start)..index(span.end)).is_some());
            }
        }
    }
}
