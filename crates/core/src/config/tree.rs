//! A configuration as a tree in which every value knows where it came from.
//!
//! TOML, JSON, environment variables, the price table and the built-in defaults all become the same
//! nodes, so that one reader, one digest and one listing serve them all.

mod json;
mod lookup;
mod toml;

use std::{collections::BTreeMap, ops::Range};

pub(crate) use json::parse as parse_json;
pub(crate) use lookup::Path;
pub(crate) use toml::{parse as parse_toml, parse_value as parse_toml_value};

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// What TOML and JSON have in common.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// JSON's `null`, which no key takes.
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A TOML date or time, as written.
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// Entries by key.
pub(crate) type Table = BTreeMap<String, Node>;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The configuration's text, in bytes; the key of an array's element is the element itself.
    Text { key: Range<usize>, value: Range<usize> },
    /// An environment variable; `text` is what it holds when it gave this very value.
    Variable { name: String, text: Option<String> },
    /// `rules/prices.toml`.
    Prices,
    /// The built-in defaults.
    Default,
}

/// A mistake in the text itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    /// True for a key written twice: the rest of the tree is whole.
    pub(crate) duplicate: bool,
}

impl Node {
    pub(crate) const fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn list_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes from `lower` what is absent here; tables are filled key by key.
    pub(crate) fn fill(&mut self, lower: &Self) {
        let (Value::Table(upper), Value::Table(lower)) = (&mut self.value, &lower.value) else {
            return;
        };
        for (key, node) in lower {
            match upper.get_mut(key) {
                Some(present) => present.fill(node),
                None => {
                    upper.insert(key.clone(), node.clone());
                }
            }
        }
    }

    /// Gives every node in it the same origin.
    pub(crate) fn set_origin(&mut self, origin: &Origin) {
        self.origin = origin.clone();
        match &mut self.value {
            Value::List(list) => {
                for node in list {
                    node.set_origin(origin);
                }
            }
            Value::Table(table) => {
                for node in table.values_mut() {
                    node.set_origin(origin);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Date(_) => {}
        }
    }
}

impl Value {
    /// What it is, for messages: `a string`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Text(_) => "a string",
            Self::Date(_) => "a date",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}
