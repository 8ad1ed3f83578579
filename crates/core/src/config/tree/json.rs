//! JSON with positions.

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{ObjectProp, ObjectPropName, Value as Ast},
    common::Ranged,
    parse_to_ast,
};

use super::{Node, Origin, SyntaxError, Table, Value};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Parses a document; after a mistake the tree is empty, after a key written twice it is whole.
pub(crate) fn parse(text: &str) -> (Node, Vec<SyntaxError>) {
    let mut errors = Vec::new();
    let root = match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(result) => result.value.map(|value| node(0..0, value, &mut errors)),
        Err(error) => {
            let range = error.range();
            errors.push(SyntaxError {
                span: range.start..range.end,
                message: lower_first(&error.kind().to_string()),
                duplicate: false,
            });
            None
        }
    };
    let origin = Origin::Text { key: 0..0, value: 0..text.len() };
    (root.unwrap_or_else(|| Node::new(Value::Table(Table::new()), origin)), errors)
}

fn node(key: std::ops::Range<usize>, value: Ast<'_>, errors: &mut Vec<SyntaxError>) -> Node {
    let range = value.range();
    let value = match value {
        Ast::NullKeyword(_) => Value::Null,
        Ast::BooleanLit(flag) => Value::Bool(flag.value),
        Ast::StringLit(text) => Value::Text(text.value.into_owned()),
        Ast::NumberLit(number) => match number.value.parse() {
            Ok(int) => Value::Int(int),
            Err(_) => Value::Float(number.value.parse().unwrap_or(f64::NAN)),
        },
        Ast::Array(array) => {
            let elements = array.elements.into_iter().map(|element| {
                let range = element.range();
                node(range.start..range.end, element, errors)
            });
            Value::List(elements.collect())
        }
        Ast::Object(object) => Value::Table(entries(object.properties, errors)),
    };
    Node::new(value, Origin::Text { key, value: range.start..range.end })
}

fn entries(properties: Vec<ObjectProp<'_>>, errors: &mut Vec<SyntaxError>) -> Table {
    let mut table = Table::new();
    for property in properties {
        let range = property.name.range();
        let span = range.start..range.end;
        let name = match property.name {
            ObjectPropName::String(text) => text.value.into_owned(),
            ObjectPropName::Word(word) => word.value.to_owned(),
        };
        let value = node(span.clone(), property.value, errors);
        if table.contains_key(&name) {
            errors.push(SyntaxError { span, message: "duplicate key".to_owned(), duplicate: true });
            continue;
        }
        table.insert(name, value);
    }
    table
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
