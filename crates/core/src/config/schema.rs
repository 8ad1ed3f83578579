//! The JSON Schema of the configuration as written.
//!
//! Types, bounds and descriptions come from the raw types, defaults from `base.toml`. A key that
//! something else stands in for when it is absent (nothing at all, for a required one) has the
//! default `null`; a table that is filled key by key has `{}`.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    layers::Base,
    raw::RawConfig,
    tree::{self, Node},
};

/// Which defaults hold for which definition: a path from the root of `base.toml`.
const DEFAULTS: [(&str, &[&str]); 36] = [
    ("Auth", &["auth"]),
    ("Key", &["each", "key"]),
    ("RateLimits", &["defaults", "limits"]),
    ("Budget", &["each", "budget"]),
    ("Provider", &["each", "openai"]),
    ("Provider", &["each", "oip"]),
    ("Provider", &["each", "mock"]),
    ("Pool", &["each", "pool"]),
    ("Tensors", &["each", "tensors"]),
    ("Fault", &["each", "fault"]),
    ("Defaults", &["defaults"]),
    ("Params", &["defaults", "params"]),
    ("Bounds", &["defaults", "bounds"]),
    ("Retry", &["defaults", "retry"]),
    ("Timeout", &["defaults", "timeout"]),
    ("Cache", &["defaults", "cache"]),
    ("Model", &["each", "model"]),
    ("Model", &["defaults"]),
    ("Target", &["each", "target"]),
    ("GatewayLimits", &["limits"]),
    ("Budgets", &["budgets"]),
    ("Breaker", &["breaker"]),
    ("Alerts", &["alerts"]),
    ("ErrorShare", &["alerts", "error_share"]),
    ("Latency", &["alerts", "latency"]),
    ("Switch", &["alerts", "breaker_open"]),
    ("Switch", &["alerts", "config_rejected"]),
    ("ProviderDown", &["alerts", "provider_down"]),
    ("BudgetShare", &["alerts", "budget_share"]),
    ("GuardSpike", &["alerts", "guard_spike"]),
    ("Telemetry", &["telemetry"]),
    ("Otlp", &["each", "otlp"]),
    ("Classifier", &["each", "classifier"]),
    ("Feedback", &["feedback"]),
    ("Mlflow", &["each", "mlflow"]),
    ("Variant", &["each", "variant"]),
];

/// The schema, JSON Schema draft 2020-12.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<RawConfig>().to_value();
    plain(&mut schema);
    let base = Base::read();
    set_defaults(&mut schema, &table_at(&base, &[]));
    let definitions = schema.get_mut("$defs").and_then(Value::as_object_mut);
    for (name, definition) in definitions.into_iter().flatten() {
        let mut defaults = Map::new();
        for (_, path) in DEFAULTS.iter().filter(|(known, _)| known == name) {
            for (key, value) in table_at(&base, path) {
                defaults.entry(key).or_insert(value);
            }
        }
        set_defaults(definition, &defaults);
    }
    schema
}

/// Takes out what comes of the raw types being optional everywhere: `null`, and their names.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            plain_object(object);
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn plain_object(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get("type")
        && let Some(only) = types.iter().find(|name| *name != "null").cloned()
    {
        object.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf")
        && choices.last() == Some(&json!({ "type": "null" }))
    {
        let first = choices.first().and_then(Value::as_object).cloned();
        object.remove("anyOf");
        object.extend(first.unwrap_or_default());
    }
    if let Some(Value::String(reference)) = object.get_mut("$ref") {
        *reference = reference.replace("/Raw", "/");
    }
    if let Some(Value::Object(definitions)) = object.get_mut("$defs") {
        let renamed = std::mem::take(definitions)
            .into_iter()
            .map(|(name, definition)| (name.trim_start_matches("Raw").to_owned(), definition));
        definitions.extend(renamed);
    }
    if object.get("title").and_then(Value::as_str) == Some("RawConfig") {
        object.insert("title".to_owned(), json!("Tollhouse"));
    }
}

fn set_defaults(definition: &mut Value, defaults: &Map<String, Value>) {
    let properties = definition.get_mut("properties").and_then(Value::as_object_mut);
    for (key, property) in properties.into_iter().flatten() {
        let is_named = property.get("additionalProperties").is_some_and(Value::is_object);
        let absent = if is_named { json!({}) } else { Value::Null };
        let default = defaults.get(key).cloned().unwrap_or(absent);
        if let Some(property) = property.as_object_mut() {
            property.insert("default".to_owned(), default);
        }
    }
}

fn table_at(base: &Base, path: &[&str]) -> Map<String, Value> {
    let (root, path) = match path {
        ["each", rest @ ..] => (&base.each, rest),
        _ => (&base.root, path),
    };
    let node = path.iter().try_fold(root, |node, key| node.table()?.get(*key));
    let table = node.and_then(Node::table);
    table.into_iter().flatten().map(|(key, node)| (key.clone(), default_of(node))).collect()
}

fn default_of(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(flag) => json!(flag),
        tree::Value::Int(int) => json!(int),
        tree::Value::Float(float) => json!(float),
        tree::Value::Text(text) | tree::Value::Date(text) => json!(text),
        tree::Value::List(list) => list.iter().map(default_of).collect(),
        tree::Value::Table(_) => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every property in `schema`, by its path.
    fn properties<'a>(schema: &'a Value, path: &str, all: &mut Vec<(String, &'a Value)>) {
        match schema {
            Value::Object(object) => {
                for (name, property) in
                    object.get("properties").and_then(Value::as_object).into_iter().flatten()
                {
                    all.push((format!("{path}.{name}"), property));
                }
                for (key, item) in object {
                    properties(item, &format!("{path}/{key}"), all);
                }
            }
            Value::Array(items) => {
                for item in items {
                    properties(item, path, all);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_property_has_a_description_and_a_default() {
        let schema = json_schema();
        let mut all = Vec::new();
        properties(&schema, "", &mut all);
        assert!(all.len() > 90, "{} properties", all.len());
        for (path, property) in all {
            let description = property.get("description").and_then(Value::as_str);
            assert!(
                description.is_some_and(|text| text.ends_with(['.', '`'])),
                "{path}: {description:?}"
            );
            assert!(property.get("default").is_some(), "{path} has no default");
        }
    }

    /// The tables below `node` that hold values, by their paths.
    fn tables(node: &Node, path: &[String], found: &mut Vec<Vec<String>>) {
        for (key, inner) in node.table().into_iter().flatten() {
            let path = [path, &[key.clone()]].concat();
            if inner.table().is_some_and(|table| table.values().any(|of| of.table().is_none())) {
                found.push(path.clone());
            }
            tables(inner, &path, found);
        }
    }

    #[test]
    fn every_table_of_base_is_the_default_of_a_definition() {
        let base = Base::read();
        let mut found = Vec::new();
        tables(&base.root, &[], &mut found);
        tables(&base.each, &["each".to_owned()], &mut found);
        assert!(found.len() > 30, "{found:?}");
        for path in found {
            assert!(DEFAULTS.iter().any(|(_, known)| *known == path), "{path:?}");
        }
    }

    #[test]
    fn every_definition_takes_its_defaults_from_base() {
        let schema = json_schema();
        let definitions = schema["$defs"].as_object().unwrap();
        for (name, _) in DEFAULTS {
            assert!(definitions.contains_key(name), "{name}");
        }
        assert_eq!(definitions["Retry"]["properties"]["max_attempts"]["default"], 3);
        assert_eq!(definitions["Model"]["properties"]["deprecated"]["default"], "warn");
        assert_eq!(definitions["Provider"]["properties"]["latency_ms"]["default"], 0);
        assert_eq!(definitions["Target"]["properties"]["price"]["default"], Value::Null);
    }
}
