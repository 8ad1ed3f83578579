//! The scan: JSON text to a flat list of values, in one pass and without recursion.
//!
//! The list is in the order of the text. A container is followed by its contents, an object's
//! contents are key, value, key, value …; each entry knows where its successor at the same level
//! stands. Open containers are kept on a list of at most [`MAX_DEPTH`].

use std::borrow::Cow;

use super::fault::{Fault, Flaw};
use super::{Kind, lex};

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many values and keys a body may hold; at 16 bytes each, 16 MiB.
pub const MAX_VALUES: usize = 1 << 20;

/// A value or key, by its place in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The byte at which it starts, quotes and brackets included.
    pub(super) start: u32,
    /// The byte after it.
    pub(super) end: u32,
    /// The entry after it and all its contents.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// Whether it is a string with escapes.
    pub(super) escaped: bool,
}

impl Node {
    /// Stands where a list has no such entry; none is ever reached through [`super::Value`].
    pub(super) const NOTHING: Self =
        Self { start: 0, end: 0, next: u32::MAX, kind: Kind::Null, escaped: false };
}

/// An index into the text or the list; both are checked to fit 32 bits.
#[expect(clippy::as_conversions, reason = "every target has at least 32 bits")]
pub(super) const fn wide(index: u32) -> usize {
    index as usize
}

/// The same, the other way; the scan begins by refusing texts for which it would saturate.
pub(super) fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Reads one JSON value with nothing but whitespace around it.
pub(super) fn scan(text: &str) -> Result<Vec<Node>, Fault> {
    if text.len() >= wide(u32::MAX) {
        return Err(Fault::new(0, Flaw::TooLong));
    }
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(0, Flaw::ByteOrderMark));
    }
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::with_capacity((text.len() / 16).clamp(16, 256)),
        open: Vec::with_capacity(8),
        keys: Vec::new(),
    };
    scan.skip_space();
    if scan.peek().is_none() {
        return Err(Fault::new(0, Flaw::Empty));
    }
    scan.run()?;
    Ok(scan.nodes)
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// Kept between objects for its memory.
    keys: Vec<(Cow<'t, str>, u32)>,
}

/// A container that has not ended.
#[derive(Clone, Copy)]
struct Open {
    /// Its entry in the list.
    node: usize,
    /// The entry of the key whose value is being read; meaningless in an array.
    key: usize,
    /// How many items or members came before the one being read.
    count: usize,
    is_object: bool,
}

/// What a value turned out to be.
enum Began {
    /// A whole value.
    Whole,
    /// A container with something in it, which is read next.
    Inside,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        loop {
            match self.value()? {
                Began::Inside => continue,
                Began::Whole => {}
            }
            // A value is complete, and with it perhaps the containers around it.
            while let Some(open) = self.open.last().copied() {
                self.skip_space();
                match (self.peek(), open.is_object) {
                    (Some(b','), _) => break,
                    (Some(b'}'), true) | (Some(b']'), false) => self.close(open)?,
                    (None, true) => return self.ends("an object"),
                    (None, false) => return self.ends("an array"),
                    (Some(_), true) => return self.expected("`,` or `}`"),
                    (Some(_), false) => return self.expected("`,` or `]`"),
                }
            }
            if self.open.is_empty() {
                return self.end_of_text();
            }
            self.at += 1;
            self.following()?;
        }
    }

    /// After a comma: the next member's key, or just the next item.
    fn following(&mut self) -> Result<(), Fault> {
        self.skip_space();
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.count += 1;
        if open.is_object { self.key() } else { Ok(()) }
    }

    fn value(&mut self) -> Result<Began, Fault> {
        self.skip_space();
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{') => return self.open(Kind::Object),
            Some(b'[') => return self.open(Kind::Array),
            Some(b'-' | b'0'..=b'9') => {
                let after = lex::number(self.bytes, start)?;
                self.push(Kind::Number, after, false)?;
            }
            Some(b't') => self.literal("true", Kind::Bool)?,
            Some(b'f') => self.literal("false", Kind::Bool)?,
            Some(b'n') => self.literal("null", Kind::Null)?,
            Some(_) => return self.expected("a value"),
            None => return self.ends("an unfinished value"),
        }
        Ok(Began::Whole)
    }

    fn literal(&mut self, word: &'static str, kind: Kind) -> Result<(), Fault> {
        let after = lex::literal(self.bytes, self.at, word)?;
        self.push(kind, after, false)
    }

    fn string(&mut self) -> Result<(), Fault> {
        let lex::StringEnd { after, escaped } = lex::string(self.bytes, self.at)?;
        self.push(Kind::String, after, escaped)
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return self.expected("a key in double quotes"),
            None => return self.ends("an object"),
        }
        let node = self.nodes.len();
        if let Some(open) = self.open.last_mut() {
            open.key = node;
        }
        self.string()?;
        self.skip_space();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return self.expected("`:`"),
            None => return self.ends("an object"),
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind) -> Result<Began, Fault> {
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::new(self.at, Flaw::TooDeep));
        }
        let node = self.nodes.len();
        let is_object = kind == Kind::Object;
        self.push(kind, self.at + 1, false)?;
        let open = Open { node, key: node, count: 0, is_object };
        self.open.push(open);
        self.skip_space();
        match self.peek() {
            Some(b'}') if is_object => self.close(open).map(|()| Began::Whole),
            Some(b']') if !is_object => self.close(open).map(|()| Began::Whole),
            _ if is_object => self.key().map(|()| Began::Inside),
            _ => Ok(Began::Inside),
        }
    }

    /// Ends the innermost container, whose bracket is next.
    fn close(&mut self, open: Open) -> Result<(), Fault> {
        self.at += 1;
        let next = narrow(self.nodes.len());
        let end = narrow(self.at);
        if let Some(node) = self.nodes.get_mut(open.node) {
            node.next = next;
            node.end = end;
        }
        if open.is_object && open.count > 0 {
            self.refuse_duplicates(open)?;
        }
        self.open.pop();
        Ok(())
    }

    /// Sorts an object's keys, decoded, and looks at neighbours.
    fn refuse_duplicates(&mut self, object: Open) -> Result<(), Fault> {
        self.keys.clear();
        let mut at = object.node + 1;
        while let (Some(key), Some(value)) = (self.nodes.get(at), self.nodes.get(at + 1)) {
            let name = super::value::decoded(self.text, *key).unwrap_or_default();
            self.keys.push((name, key.start));
            at = wide(value.next);
        }
        self.keys.sort_unstable();
        for pair in self.keys.windows(2) {
            if let [(first, _), (second, start)] = pair
                && first == second
            {
                let path = self.path_to(second);
                return Err(Fault::new(wide(*start), Flaw::DuplicateKey { path }));
            }
        }
        Ok(())
    }

    /// The path of a key of the innermost open object: `messages[0].role`.
    fn path_to(&self, key: &str) -> String {
        let mut path = String::new();
        let (_, around) = self
            .open
            .split_last()
            .unwrap_or((&Open { node: 0, key: 0, count: 0, is_object: true }, &[]));
        for open in around {
            if open.is_object {
                let node = self.nodes.get(open.key).copied().unwrap_or(Node::NOTHING);
                let name = super::value::decoded(self.text, node).unwrap_or_default();
                super::path::push_key(&mut path, &name);
            } else {
                super::path::push_index(&mut path, open.count);
            }
        }
        super::path::push_key(&mut path, key);
        path
    }

    fn push(&mut self, kind: Kind, after: usize, escaped: bool) -> Result<(), Fault> {
        if self.nodes.len() == MAX_VALUES {
            return Err(Fault::new(self.at, Flaw::TooMany));
        }
        let next = narrow(self.nodes.len() + 1);
        let (start, end) = (narrow(self.at), narrow(after));
        self.nodes.push(Node { start, end, next, kind, escaped });
        self.at = after;
        Ok(())
    }

    fn end_of_text(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Fault::new(self.at, Flaw::Trailing)) }
    }

    fn skip_space(&mut self) {
        self.at = lex::skip_space(self.bytes, self.at);
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expected<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault::new(self.at, Flaw::Expected(what)))
    }

    fn ends<T>(&self, inside: &'static str) -> Result<T, Fault> {
        Err(Fault::new(self.at, Flaw::Ends(inside)))
    }
}
