//! Values that are not tables of known keys.

use std::fmt::Display;

use super::read::{Read, known_keys, read_key, wrong_type};
use crate::config::{
    findings::{Found, Notes},
    problem::Rule,
    secrets,
    tree::{Node, Origin, Path, Value},
};

/// A whole number within bounds, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub(crate) u64);

/// A number within bounds, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Real<const MIN: u32, const MAX: u32>(pub(crate) f64);

/// A lower and an upper end, as an array of two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<T>(pub(crate) T, pub(crate) T);

/// A reference to a Worker secret: `{ env = "NAME" }`.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) env: Option<String>,
}

/// An HTTP status, or a whole class as `"5xx"`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status {
    One(u16),
    /// By its first digit.
    Class(u16),
}

impl Read for bool {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        match node.value {
            Value::Bool(flag) => Some(flag),
            _ => wrong_type("true or false", node, at, notes),
        }
    }
}

impl Read for String {
    /// A variable's text is taken as it stands, whatever TOML would make of it.
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        match (&node.value, &node.origin) {
            (Value::Text(text) | Value::Date(text), _)
            | (
                Value::Bool(_) | Value::Int(_) | Value::Float(_),
                Origin::Variable { text: Some(text), .. },
            ) => Some(text.clone()),
            _ => wrong_type("a string", node, at, notes),
        }
    }
}

impl<const MIN: u64, const MAX: u64> Read for Whole<MIN, MAX> {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        let Value::Int(found) = node.value else {
            return wrong_type("a whole number", node, at, notes);
        };
        match u64::try_from(found) {
            Ok(whole) if (MIN..=MAX).contains(&whole) => Some(Self(whole)),
            Ok(_) | Err(_) => {
                report_range(&found, &MIN, &MAX, at, notes);
                None
            }
        }
    }
}

impl<const MIN: u32, const MAX: u32> Read for Real<MIN, MAX> {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        let found = match node.value {
            Value::Float(number) => number,
            // Beyond 2⁵³ the nearest float is as far out of range as the integer.
            Value::Int(int) => int_to_f64(int),
            _ => return wrong_type("a number", node, at, notes),
        };
        if f64::from(MIN) <= found && found <= f64::from(MAX) {
            return Some(Self(found));
        }
        report_range(&found, &MIN, &MAX, at, notes);
        None
    }
}

impl<T: Read> Read for Pair<T> {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        match &node.value {
            Value::List(list) => match list.as_slice() {
                [low, high] => {
                    let low = T::read(low, &at.index(0), notes);
                    let high = T::read(high, &at.index(1), notes);
                    Some(Self(low?, high?))
                }
                _ => wrong_type("an array of two, `[lowest, highest]`", node, at, notes),
            },
            _ => wrong_type("an array of two, `[lowest, highest]`", node, at, notes),
        }
    }
}

impl Read for Secret {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        if let Value::Text(text) = &node.value {
            notes.at_value(at, secrets::found(text));
            return None;
        }
        let table = known_keys(&["env"], node, at, notes)?;
        notes.missing(&at.key("env"), "write `{ env = \"NAME\" }`, the name of a Worker secret");
        Some(Self { env: read_key(table, "env", at, notes) })
    }
}

impl Read for Status {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) => match text.as_bytes() {
                [digit @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => {
                    Some(Self::Class(u16::from(digit - b'0')))
                }
                _ => wrong_type("a status such as 503, or \"5xx\"", node, at, notes),
            },
            Value::Int(_) => {
                let Whole::<100, 599>(status) = Whole::read(node, at, notes)?;
                u16::try_from(status).ok().map(Self::One)
            }
            _ => wrong_type("a status such as 503, or \"5xx\"", node, at, notes),
        }
    }
}

#[cold]
fn report_range(
    found: &dyn Display,
    low: &dyn Display,
    high: &dyn Display,
    at: &Path<'_>,
    notes: &Notes<'_>,
) {
    let message = format!("`{}` is {found}; it takes {low} to {high}", at.name());
    notes.at_value(at, Found::new(Rule::OutOfRange, message));
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "only compared with a range"
)]
const fn int_to_f64(int: i64) -> f64 {
    int as f64
}
