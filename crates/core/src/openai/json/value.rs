//! A look at one value of a body: its kind, its text, what it holds.

use std::borrow::Cow;

use super::Envelope;
use super::scan::{Node, narrow, wide};
use super::unescape::Unescaped;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kinds of JSON")]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// For messages: `a string`, `null`.
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A value in an [`Envelope`].
#[derive(Debug, Clone, Copy)]
pub struct Value<'e> {
    envelope: &'e Envelope,
    at: u32,
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Member<'e> {
    /// Its key, always a string.
    pub key: Value<'e>,
    /// Its value.
    pub value: Value<'e>,
}

impl<'e> Value<'e> {
    pub(super) const fn new(envelope: &'e Envelope, at: u32) -> Self {
        Self { envelope, at }
    }

    fn node(self) -> Node {
        self.envelope.nodes.get(wide(self.at)).copied().unwrap_or(Node::NOTHING)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its text as it was sent, quotes and inner whitespace included.
    pub fn raw(self) -> &'e str {
        let node = self.node();
        self.envelope.text.get(wide(node.start)..wide(node.end)).unwrap_or_default()
    }

    /// A string's characters; borrowed unless something in it was escaped.
    pub fn as_str(self) -> Option<Cow<'e, str>> {
        decoded(&self.envelope.text, self.node())
    }

    /// Whether it is this string; copies nothing.
    pub fn is_str(self, text: &str) -> bool {
        let node = self.node();
        let inside = unquoted(self.raw());
        match (node.kind, node.escaped) {
            (Kind::String, false) => inside == text,
            (Kind::String, true) => Unescaped::new(inside).eq(text.chars()),
            (Kind::Null | Kind::Bool | Kind::Number | Kind::Array | Kind::Object, _) => false,
        }
    }

    /// A boolean's value.
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// A number as the nearest double; beyond its range, infinite.
    pub fn as_f64(self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| self.raw().parse().ok()).flatten()
    }

    /// A number written as an integer (`7`, not `7.0` or `7e0`) that is not negative and fits.
    pub fn as_u64(self) -> Option<u64> {
        (self.kind() == Kind::Number).then(|| self.raw().parse().ok()).flatten()
    }

    /// The items of an array; none for anything else.
    pub fn items(self) -> Items<'e> {
        Items(self.contents(Kind::Array))
    }

    /// The members of an object, in the order of the text; none for anything else.
    pub fn members(self) -> Members<'e> {
        Members(self.contents(Kind::Object))
    }

    /// The value of a member.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().find(|member| member.key.is_str(name)).map(|member| member.value)
    }

    fn contents(self, kind: Kind) -> Walk<'e> {
        let node = self.node();
        let first = self.at.saturating_add(1);
        let end = if node.kind == kind { node.next } else { first };
        let end = end.min(narrow(self.envelope.nodes.len()));
        Walk { envelope: self.envelope, at: first, end }
    }
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'e>(Walk<'e>);

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'e>(Walk<'e>);

#[derive(Debug, Clone)]
struct Walk<'e> {
    envelope: &'e Envelope,
    at: u32,
    end: u32,
}

impl<'e> Walk<'e> {
    fn step(&mut self) -> Option<Value<'e>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value::new(self.envelope, self.at);
        self.at = value.node().next;
        Some(value)
    }
}

impl<'e> Iterator for Items<'e> {
    type Item = Value<'e>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step()
    }
}

impl<'e> Iterator for Members<'e> {
    type Item = Member<'e>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.step()?;
        let value = self.0.step()?;
        Some(Member { key, value })
    }
}

/// The characters of the string at `node`.
pub(super) fn decoded(text: &str, node: Node) -> Option<Cow<'_, str>> {
    if node.kind != Kind::String {
        return None;
    }
    let inside = unquoted(text.get(wide(node.start)..wide(node.end))?);
    if node.escaped {
        return Some(Cow::Owned(Unescaped::decode(inside)));
    }
    Some(Cow::Borrowed(inside))
}

fn unquoted(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}
