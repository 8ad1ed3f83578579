//! The words in which the API's parameters are described: fields, their types, their ranges.
//!
//! Every description is a constant and finite, so that checking one never recurses without end.

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) rule: Rule,
}

/// Whether a field may be absent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be there.
    Required,
    /// It may be absent, and `null` is a value of the wrong type.
    Optional,
    /// It may be absent, and `null` says the same.
    Nullable,
}

pub(super) const fn required(name: &'static str, rule: Rule) -> Field {
    Field { name, need: Need::Required, rule }
}

pub(super) const fn optional(name: &'static str, rule: Rule) -> Field {
    Field { name, need: Need::Optional, rule }
}

pub(super) const fn nullable(name: &'static str, rule: Rule) -> Field {
    Field { name, need: Need::Nullable, rule }
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Rule {
    /// Only `null`; stands among the alternatives of [`Rule::Either`].
    Null,
    /// `true` or `false`.
    Bool,
    /// An integer in an inclusive range.
    Integer { from: i64, to: i64 },
    /// A number in an inclusive range.
    Number { from: f64, to: f64 },
    /// A number or integer within the model's bounds.
    Bounded(Bound),
    /// A string of so many characters, inclusive.
    Text { from: usize, to: usize },
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An array of so many items, inclusive. The first item decides which of the alternatives all
    /// of them follow.
    List { from: usize, to: usize, items: &'static [Rule] },
    /// An object with keys of the caller's choice.
    Map { most: usize, longest_key: usize, value: &'static Rule },
    /// An object with these fields, and any others.
    Object(&'static [Field]),
    /// An object whose field `tag` says which other fields it has.
    Tagged(&'static Tagged),
    /// The alternative that takes the value's JSON kind.
    Either(&'static [Rule]),
}

/// Objects told apart by the string in one of their fields.
#[derive(Debug)]
pub(super) struct Tagged {
    pub(super) tag: &'static str,
    pub(super) variants: &'static [(&'static str, &'static [Field])],
    pub(super) others: Others,
}

/// What happens to a tag that is not in the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// It is a value outside the range.
    Refused,
    /// It is a provider's own, and travels on unseen.
    PassedOn,
}

/// A parameter bounded by the model's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Temperature,
    TopP,
    MaxTokens,
}

/// A string of any length.
pub(super) const TEXT: Rule = Rule::Text { from: 0, to: usize::MAX };
/// A string with something in it.
pub(super) const FILLED: Rule = Rule::Text { from: 1, to: usize::MAX };
/// An object whose contents are the caller's own.
pub(super) const ANY_OBJECT: Rule = Rule::Object(&[]);
/// A token as a number in the model's vocabulary.
pub(super) const TOKEN: Rule = Rule::Integer { from: 0, to: 0xFFFF_FFFF };

/// An array of at least one item of one kind.
pub(super) const fn some_of(items: &'static [Rule]) -> Rule {
    Rule::List { from: 1, to: usize::MAX, items }
}
