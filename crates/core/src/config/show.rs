//! The effective configuration, each value with where it came from.
//!
//! A configuration holds no secrets; still, digests are shortened and webhooks cut to their hosts,
//! as the listing is served to operators and pasted into tickets.

use std::fmt::Write as _;

use serde_json::{Map, json};

use super::{
    Loaded,
    findings::Lines,
    tree::{Node, Origin, Path, Value},
};
use crate::gather::Gather;

/// One line a value, as TOML with dotted keys, the source behind it as a comment.
///
/// ```text
/// auth.mode = "open"                                # tollhouse.toml:4
/// breaker.failures = 5                              # default
/// ```
pub fn text(loaded: &Loaded) -> String {
    let values = values(loaded);
    let width = values.iter().map(|value| value.line().chars().count()).filter(|w| *w < 72).max();
    let mut out = String::new();
    for value in values {
        let line = value.line();
        let _ = writeln!(out, "{line:<width$}  # {}", value.source, width = width.unwrap_or(0));
    }
    out
}

/// An object with `digest`, `source`, `values` (nested), `sources` (by dotted key) and `warnings`.
pub fn json(loaded: &Loaded) -> serde_json::Value {
    let sources: Map<_, _> = values(loaded)
        .into_iter()
        .map(|value| (value.path, serde_json::Value::String(value.source)))
        .gather();
    json!({
        "digest": hex(&loaded.config.digest),
        "source": loaded.source_name,
        "values": nested(&loaded.effective, &Path::Root),
        "sources": sources,
        "warnings": loaded.warnings.iter().map(|problem| json!({
            "rule": problem.rule.name(),
            "path": problem.path,
            "message": problem.message,
            "help": problem.help,
        })).collect::<Vec<_>>(),
    })
}

struct Shown {
    path: String,
    value: String,
    source: String,
}

impl Shown {
    fn line(&self) -> String {
        format!("{} = {}", self.path, self.value)
    }
}

fn values(loaded: &Loaded) -> Vec<Shown> {
    let mut all = Vec::new();
    let lines = Lines::of(&loaded.text);
    let source = |origin: &Origin| match origin {
        Origin::Text { value, .. } => {
            format!("{}:{}", loaded.source_name, lines.position(value.start).line)
        }
        Origin::Variable { name, .. } => name.clone(),
        Origin::Prices => "rules/prices.toml".to_owned(),
        Origin::Default => "default".to_owned(),
    };
    collect(&loaded.effective, &Path::Root, &source, &mut all);
    all
}

fn collect(node: &Node, at: &Path<'_>, source: &dyn Fn(&Origin) -> String, all: &mut Vec<Shown>) {
    match &node.value {
        Value::Table(table) if !table.is_empty() => {
            for (key, item) in table {
                collect(item, &at.key(key), source, all);
            }
        }
        Value::List(list) if list.iter().any(|item| matches!(item.value, Value::Table(_))) => {
            for (index, item) in list.iter().enumerate() {
                collect(item, &at.index(index), source, all);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Table(_) => all.push(Shown {
            path: at.to_string(),
            value: inline(node, at),
            source: source(&node.origin),
        }),
    }
}

fn inline(node: &Node, at: &Path<'_>) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Float(float) => format!("{float:?}"),
        Value::Text(text) | Value::Date(text) => json!(masked(text, at)).to_string(),
        Value::List(list) => {
            let items = list.iter().enumerate().map(|(index, item)| inline(item, &at.index(index)));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::Table(_) => "{}".to_owned(),
    }
}

fn nested(node: &Node, at: &Path<'_>) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => json!(flag),
        Value::Int(int) => json!(int),
        Value::Float(float) => json!(float),
        Value::Text(text) | Value::Date(text) => json!(masked(text, at)),
        Value::List(list) => {
            list.iter().enumerate().map(|(index, item)| nested(item, &at.index(index))).collect()
        }
        Value::Table(table) => serde_json::Value::Object(
            table.iter().map(|(key, item)| (key.clone(), nested(item, &at.key(key)))).gather(),
        ),
    }
}

fn masked(text: &str, at: &Path<'_>) -> String {
    match at {
        Path::Key(_, "sha256") => format!("{}…", text.get(..8).unwrap_or_default()),
        Path::Index(Path::Key(_, "webhooks"), _) => {
            let host_end = text.find("://").map_or(0, |scheme| scheme + 3);
            let path = text.get(host_end..).and_then(|rest| rest.find('/'));
            match path.and_then(|path| text.get(..=host_end + path)) {
                Some(start) if start.len() < text.len() => format!("{start}…"),
                Some(_) | None => text.to_owned(),
            }
        }
        Path::Root | Path::Key(..) | Path::Index(..) => text.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
