//! Environment variables over the text: `TOLLHOUSE__MODELS__FAST__CACHE__TTL_SECONDS=60`.
//!
//! Between double underscores stand the keys, in any case; what a variable's name cannot hold (`-`,
//! `.`, `/`) is written `_`, and an array's elements are counted from 0. The value is TOML, and where
//! it is not, a string.

use super::{
    findings::{Findings, Found, Spot},
    problem::Rule,
    tree::{Node, Origin, Table, Value, parse_toml_value},
};

/// What the names of all such variables begin with.
pub const PREFIX: &str = "TOLLHOUSE__";

/// No key of the configuration stands this deep.
const DEEPEST: usize = 16;

/// Lays the variables over `root`, in the order of their names, so that a table comes before its
/// keys; others than [`PREFIX`]'s are passed over.
pub(crate) fn apply(root: &mut Node, variables: &[(String, String)], findings: &Findings) {
    let mut ours: Vec<_> = variables
        .iter()
        .filter_map(|(name, text)| Some((name, name.strip_prefix(PREFIX)?, text)))
        .collect();
    ours.sort();
    for (name, way, text) in ours {
        if let Err(found) = set(root, way, name, text) {
            findings.push(Spot::Variable(name.clone()), String::new(), found);
        }
    }
}

fn set(root: &mut Node, way: &str, name: &str, text: &str) -> Result<(), Found> {
    if way.split("__").count() > DEEPEST {
        return Err(refused(format!("`{name}` goes deeper than any key")));
    }
    let mut node = root;
    for segment in way.split("__") {
        if segment.is_empty() {
            return Err(refused(format!("`{name}` has an empty key between its underscores")));
        }
        node = step(node, segment, name)?;
    }
    *node = value(name, text);
    Ok(())
}

/// The child that `segment` names, made where it is absent.
fn step<'a>(node: &'a mut Node, segment: &str, name: &str) -> Result<&'a mut Node, Found> {
    match &mut node.value {
        Value::Table(table) => {
            let key = matching_key(table, segment, name)?;
            Ok(table.entry(key).or_insert_with(|| empty_table(name)))
        }
        Value::List(list) => {
            let end = list.len();
            let index = segment.parse().ok().filter(|index: &usize| *index <= end);
            let Some(index) = index else {
                let message = format!("`{segment}` in `{name}` is no element of an array of {end}");
                return Err(refused(message).help("elements are counted from 0"));
            };
            if index == end {
                list.push(empty_table(name));
            }
            list.get_mut(index).ok_or_else(|| refused(format!("`{name}` names no element")))
        }
        other => {
            let message = format!("`{name}` goes on below {}, which has no keys", other.kind());
            Err(refused(message))
        }
    }
}

fn matching_key(table: &Table, segment: &str, name: &str) -> Result<String, Found> {
    let wanted = as_segment(segment);
    let mut matching = table.keys().filter(|key| as_segment(key) == wanted);
    match (matching.next(), matching.next()) {
        (None, _) => Ok(segment.to_ascii_lowercase()),
        (Some(key), None) => Ok(key.clone()),
        (Some(one), Some(other)) => {
            let message = format!("`{segment}` in `{name}` may be `{one}` or `{other}`");
            Err(refused(message).help("write the key in the configuration's text instead"))
        }
    }
}

/// A key as a variable's name would hold it.
fn as_segment(key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    key.chars().map(plain).collect()
}

fn value(name: &str, text: &str) -> Node {
    let origin = |text| Origin::Variable { name: name.to_owned(), text };
    let mut node = parse_toml_value(text.trim())
        .unwrap_or_else(|| Node::new(Value::Text(text.to_owned()), Origin::Default));
    node.set_origin(&origin(None));
    node.origin = origin(Some(text.to_owned()));
    node
}

fn empty_table(name: &str) -> Node {
    let origin = Origin::Variable { name: name.to_owned(), text: None };
    Node::new(Value::Table(Table::new()), origin)
}

fn refused(message: impl Into<String>) -> Found {
    Found::new(Rule::BadVariable, message)
}
