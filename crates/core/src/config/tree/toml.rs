//! TOML with positions.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Node, Origin, SyntaxError, Table, Value};

/// Parses a document; after a mistake the tree holds what could be understood.
pub(crate) fn parse(text: &str) -> (Node, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors = errors
        .iter()
        .map(|error| SyntaxError {
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
            duplicate: error.message() == "duplicate key",
        })
        .collect();
    let origin = Origin::Text { key: 0..0, value: 0..text.len() };
    (Node::new(Value::Table(entries(table.into_inner())), origin), errors)
}

/// Parses a single value, as a variable holds it.
pub(crate) fn parse_value(text: &str) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    Some(node(0..0, value))
}

fn entries(table: DeTable<'_>) -> Table {
    let mut entries = Table::new();
    for (key, value) in table {
        let span = key.span();
        entries.insert(Cow::into_owned(key.into_inner()), node(span, value));
    }
    entries
}

fn node(key: Range<usize>, value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Integer(int) => match i64::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => Value::Int(int),
            Err(_) => Value::Float(int.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Array(array) => {
            Value::List(array.into_iter().map(|element| node(element.span(), element)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Node::new(value, Origin::Text { key, value: span })
}
