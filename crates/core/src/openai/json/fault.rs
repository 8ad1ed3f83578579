//! What is wrong with a body, and how it is said.

use super::Kind;
use super::scan::{MAX_DEPTH, MAX_VALUES};
use crate::refusal::{Code, Refusal};

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    at: usize,
    flaw: Flaw,
}

/// The ways in which a body is not one JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NotUtf8,
    Empty,
    ByteOrderMark,
    Ends(&'static str),
    Expected(&'static str),
    ControlCharacter,
    Escape,
    LoneSurrogate,
    Number,
    TooDeep,
    TooMany,
    TooLong,
    Trailing,
    NotAnObject(Kind),
    DuplicateKey { path: String },
}

impl Fault {
    pub(super) const fn new(at: usize, flaw: Flaw) -> Self {
        Self { at, flaw }
    }
}

/// The refusal that tells the caller; `body` need not be UTF-8.
pub(super) fn refusal(body: &[u8], fault: &Fault) -> Refusal {
    let place = Place::of(body, fault.at);
    let found = Found(body.get(fault.at..).unwrap_or_default());
    match &fault.flaw {
        Flaw::Empty => invalid("the body is empty, a JSON object is expected"),
        Flaw::NotUtf8 => invalid(format!("the body is not UTF-8 {place}")),
        Flaw::ByteOrderMark => {
            invalid("the body starts with a byte order mark, which JSON forbids")
        }
        Flaw::Ends(inside) => invalid(format!("the body ends inside {inside} {place}")),
        Flaw::Expected(what) => invalid(format!("expected {what}, found {found} {place}")),
        Flaw::ControlCharacter => {
            invalid(format!("a control character in a string must be escaped {place}"))
        }
        Flaw::Escape => {
            invalid(format!("a string holds an escape that JSON does not know {place}"))
        }
        Flaw::LoneSurrogate => invalid(format!(
            "a string holds half of a surrogate pair, which is no character {place}"
        )),
        Flaw::Number => invalid(format!("a number is malformed {place}")),
        Flaw::TooDeep => {
            invalid(format!("the body is nested deeper than {MAX_DEPTH} levels {place}"))
        }
        Flaw::TooMany => {
            invalid(format!("the body holds more than {MAX_VALUES} values and keys {place}"))
        }
        Flaw::TooLong => Refusal::new(Code::BodyTooLarge, "the body is longer than 4 GiB"),
        Flaw::Trailing => invalid(format!("the body goes on after its JSON value {place}")),
        Flaw::NotAnObject(kind) => Refusal::new(
            Code::InvalidType,
            format!("the body must be a JSON object, not {}", kind.with_article()),
        ),
        Flaw::DuplicateKey { path } => Refusal::new(
            Code::DuplicateKey,
            format!("`{path}` is given twice in the same object {place}"),
        )
        .at(path.clone()),
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidJson, message)
}

/// A place in the body as people count: lines and columns from 1, bytes from 0.
struct Place {
    line: usize,
    column: usize,
    byte: usize,
}

impl Place {
    fn of(body: &[u8], at: usize) -> Self {
        let before = body.get(..at).unwrap_or(body);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        Self {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: String::from_utf8_lossy(in_line).chars().count() + 1,
            byte: at,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at line {}, column {} (byte {})", self.line, self.column, self.byte)
    }
}

/// The first character of what was found.
struct Found<'b>(&'b [u8]);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
            None => f.write_str("the end of the body"),
            Some(character) if character.is_control() => f.write_str("a control character"),
            Some(character) => write!(f, "`{character}`"),
        }
    }
}
