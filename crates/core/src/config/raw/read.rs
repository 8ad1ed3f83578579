//! Reads a tree into types, past every mistake.

use std::collections::BTreeMap;

use crate::config::{
    findings::{Found, Notes},
    nearest,
    problem::Rule,
    tree::{Node, Path, Table, Value},
};

/// Something that a node can hold.
pub(crate) trait Read: Sized {
    /// Reads `node`, which stands at `at`; what is wrong goes to `notes`.
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self>;
}

/// An array; an element that could not be read keeps its place.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<Option<T>>);

/// A table whose keys are names of the operator's choice.
#[derive(Debug)]
pub(crate) struct Named<T>(pub(crate) BTreeMap<String, Option<T>>);

/// Declares a table: its fields are the only keys it takes.
macro_rules! raw {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: Option<$type>,)*
        }

        impl $crate::config::raw::Read for $name {
            fn read(
                node: &$crate::config::tree::Node,
                at: &$crate::config::tree::Path<'_>,
                notes: &$crate::config::findings::Notes<'_>,
            ) -> Option<Self> {
                use $crate::config::raw::read::{known_keys, read_key};
                let table = known_keys(&[$(stringify!($field)),*], node, at, notes)?;
                Some(Self { $($field: read_key(table, stringify!($field), at, notes),)* })
            }
        }
    };
}

impl<T> List<T> {
    /// What could be read, with its place in the array.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.0.iter().enumerate().filter_map(|(index, item)| Some((index, item.as_ref()?)))
    }
}

impl<T> Named<T> {
    /// What could be read, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.0.iter().filter_map(|(name, item)| Some((name, item.as_ref()?)))
    }

    /// Whether the name is there, readable or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl<T: Read> Read for List<T> {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        let Value::List(list) = &node.value else {
            return wrong_type("an array", node, at, notes);
        };
        let items = list.iter().enumerate().map(|(i, item)| T::read(item, &at.index(i), notes));
        Some(Self(items.collect()))
    }
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            return wrong_type("a table", node, at, notes);
        };
        let mut named = BTreeMap::new();
        for (key, item) in table {
            named.insert(key.clone(), T::read(item, &at.key(key), notes));
        }
        Some(Self(named))
    }
}

/// The table at `node`, once its unknown keys are reported.
pub(crate) fn known_keys<'a>(
    keys: &[&str],
    node: &'a Node,
    at: &Path<'_>,
    notes: &Notes<'_>,
) -> Option<&'a Table> {
    let Value::Table(table) = &node.value else {
        return wrong_type("a table", node, at, notes);
    };
    for key in table.keys().filter(|key| !keys.contains(&key.as_str())) {
        report_unknown(key, keys, at, notes);
    }
    Some(table)
}

#[cold]
fn report_unknown(key: &str, keys: &[&str], at: &Path<'_>, notes: &Notes<'_>) {
    let found = Found::new(Rule::UnknownKey, format!("there is no key `{key}` here"));
    let help = nearest::key(key, keys).map_or_else(
        || format!("the keys here are {}", nearest::listing(keys)),
        |known| format!("did you mean `{known}`?"),
    );
    notes.at_key(&at.key(key), found.help(help));
}

pub(crate) fn read_key<T: Read>(
    table: &Table,
    key: &str,
    at: &Path<'_>,
    notes: &Notes<'_>,
) -> Option<T> {
    T::read(table.get(key)?, &at.key(key), notes)
}

/// Reports that `node` is not `expected`.
pub(crate) fn wrong_type<T>(
    expected: &str,
    node: &Node,
    at: &Path<'_>,
    notes: &Notes<'_>,
) -> Option<T> {
    report_type(expected, &node.value, at, notes);
    None
}

#[cold]
fn report_type(expected: &str, value: &Value, at: &Path<'_>, notes: &Notes<'_>) {
    let message = format!("`{}` takes {expected}, not {}", at.name(), value.kind());
    let found = Found::new(Rule::WrongType, message);
    let is_quoted = |text: &str| text.parse::<f64>().is_ok() || matches!(text, "true" | "false");
    let found = match value {
        Value::Text(text) if is_quoted(text) => found.help("write it without quotes"),
        Value::Text(_) | Value::Table(_) if expected == "an array" => {
            found.help("put it in square brackets, even where it is the only one")
        }
        Value::Null => found.help("leave the key out"),
        _ => found,
    };
    notes.at_value(at, found);
}
