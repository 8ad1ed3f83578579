//! Schemas put together: `$ref`, `anyOf`, `oneOf` and `allOf` taken apart into plain keywords.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Keywords;
use crate::gather::Gather;

/// What a schema with one of these keywords can be instead: any one of the schemas returned, none
/// of which has that keyword on the same level. `None` when it has none of them.
///
/// `$ref` and choices go before `allOf`, as putting the latter together can bring further choices.
pub(super) fn alternatives<'s>(
    keywords: &'s Keywords,
    root: &'s Value,
) -> Option<Vec<Cow<'s, Keywords>>> {
    if let Some(pointer) = keywords.get("$ref") {
        let target = resolve(pointer, root);
        return Some(both(without(keywords, "$ref"), target).into_iter().collect());
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(Value::Array(schemas)) = keywords.get(choice) {
            let rest = without(keywords, choice);
            return Some(schemas.iter().filter_map(|schema| both(rest.clone(), schema)).collect());
        }
    }
    if let Some(Value::Array(schemas)) = keywords.get("allOf") {
        let rest: Cow<'_, Keywords> = Cow::Owned(without(keywords, "allOf"));
        let all = schemas.iter().try_fold(rest, |so_far, schema| both(so_far.into_owned(), schema));
        return Some(all.into_iter().collect());
    }
    None
}

/// What it costs to try these: each is one, and what was copied to put it together counts too.
pub(super) fn cost(alternatives: &[Cow<'_, Keywords>]) -> u32 {
    let cost = |keywords: &Cow<'_, Keywords>| match keywords {
        Cow::Borrowed(_) => 1,
        Cow::Owned(keywords) => keywords.values().map(size).sum::<u32>().saturating_add(1),
    };
    alternatives.iter().map(cost).sum()
}

fn size(value: &Value) -> u32 {
    let inside: u32 = match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    inside.saturating_add(1)
}

/// How little a value for these keywords needs: see [`super::simplicity`].
pub(super) fn simplicity(keywords: &Keywords, root: &Value) -> u8 {
    if keywords.contains_key("const") || keywords.contains_key("enum") {
        return 1;
    }
    let target = keywords.get("$ref").map(|pointer| resolve(pointer, root));
    match target {
        Some(Value::Object(target)) if !target.contains_key("$ref") => simplicity(target, root),
        Some(_) => 3,
        None if ["anyOf", "oneOf", "allOf"].iter().any(|name| keywords.contains_key(*name)) => 3,
        None => super::types(keywords).into_iter().map(super::simplicity).min().unwrap_or(3),
    }
}

/// The schema at `#/a/b` in `root`; what is not found, or elsewhere, demands nothing.
fn resolve<'s>(pointer: &Value, root: &'s Value) -> &'s Value {
    let path = pointer.as_str().and_then(|pointer| pointer.strip_prefix('#'));
    path.and_then(|path| root.pointer(path)).unwrap_or(&Value::Bool(true))
}

/// Keywords that demand nothing; definitions are found from the root.
const SILENT: [&str; 6] = ["$defs", "definitions", "title", "description", "default", "examples"];

/// The other keywords that demand something.
fn without(keywords: &Keywords, name: &str) -> Keywords {
    let demands = |other: &&String| *other != name && !SILENT.contains(&other.as_str());
    let rest = keywords.iter().filter(|(other, _)| demands(other));
    rest.map(|(name, value)| (name.clone(), value.clone())).gather()
}

/// The keywords that demand what both demand; `None` when the other one takes nothing.
fn both(keywords: Keywords, other: &Value) -> Option<Cow<'_, Keywords>> {
    match other {
        Value::Bool(false) => None,
        Value::Object(other) if keywords.is_empty() => Some(Cow::Borrowed(other)),
        Value::Object(other) => Some(Cow::Owned(merged(keywords, other))),
        _ => Some(Cow::Owned(keywords)),
    }
}

fn merged(mut keywords: Keywords, other: &Keywords) -> Keywords {
    for (name, value) in other {
        let Some(mine) = keywords.remove(name) else {
            keywords.insert(name.clone(), value.clone());
            continue;
        };
        match name.as_str() {
            "$ref" | "anyOf" | "oneOf" => {
                let later = Map::from_iter([(name.clone(), value.clone())]);
                let all = keywords.entry("allOf").or_insert_with(|| Value::Array(vec![]));
                if let Value::Array(all) = all {
                    all.push(Value::Object(later));
                }
                keywords.insert(name.clone(), mine);
            }
            _ => {
                keywords.insert(name.clone(), one(name, mine, value));
            }
        }
    }
    keywords
}

/// One keyword's value that demands what both values demand, where that can be told.
fn one(name: &str, mine: Value, other: &Value) -> Value {
    match (name, mine, other) {
        ("properties", Value::Object(mine), Value::Object(other)) => {
            Value::Object(properties(mine, other))
        }
        ("required", Value::Array(mut mine), Value::Array(other)) => {
            let new: Vec<_> = other.iter().filter(|name| !mine.contains(name)).cloned().collect();
            mine.extend(new);
            Value::Array(mine)
        }
        ("allOf", Value::Array(mut mine), Value::Array(other)) => {
            mine.extend_from_slice(other);
            Value::Array(mine)
        }
        ("enum", Value::Array(mut mine), Value::Array(other)) => {
            mine.retain(|value| other.contains(value));
            Value::Array(mine)
        }
        ("type", mine, other) => types(mine, other),
        ("items", mine, other) => all_of(mine, other),
        ("additionalProperties", mine, other) => {
            if mine == false {
                mine
            } else {
                other.clone()
            }
        }
        (name, mine, other) if name.starts_with("min") || name == "exclusiveMinimum" => {
            if mine.as_f64() > other.as_f64() { mine } else { other.clone() }
        }
        (name, mine, other) if name.starts_with("max") || name == "exclusiveMaximum" => {
            if mine.as_f64() < other.as_f64() { mine } else { other.clone() }
        }
        (_, _, other) => other.clone(),
    }
}

fn properties(mut mine: Keywords, other: &Keywords) -> Keywords {
    for (name, schema) in other {
        let schema = match mine.remove(name) {
            Some(mine) => all_of(mine, schema),
            None => schema.clone(),
        };
        mine.insert(name.clone(), schema);
    }
    mine
}

fn all_of(mine: Value, other: &Value) -> Value {
    let all = Value::Array(vec![mine, other.clone()]);
    Value::Object(Map::from_iter([("allOf".to_owned(), all)]))
}

/// The types that both name; an integer is a number.
fn types(mine: Value, other: &Value) -> Value {
    let list = |value: Value| match value {
        Value::Array(types) => types,
        one => vec![one],
    };
    let (mine, other) = (list(mine), list(other.clone()));
    let within = |kind: &Value, types: &[Value]| {
        types.contains(kind) || (kind == "integer" && types.iter().any(|other| other == "number"))
    };
    let mut common: Vec<_> = mine.iter().filter(|kind| within(kind, &other)).cloned().collect();
    let narrower = other.iter().filter(|kind| within(kind, &mine) && !mine.contains(kind));
    common.extend(narrower.cloned());
    Value::Array(common)
}
