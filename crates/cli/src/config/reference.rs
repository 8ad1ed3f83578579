//! `tollhouse config reference`: the table of all keys, made from the JSON Schema.

use serde_json::Value;

/// A Markdown table with a row a key. `NAME` stands for a name of the operator's choice, `[]` for
/// each element of an array.
pub(super) fn markdown(schema: &Value) -> String {
    let mut rows =
        vec!["| key | takes | default | meaning |".to_owned(), "|---|---|---|---|".to_owned()];
    walk(schema, schema, "", &mut rows);
    rows.join("\n") + "\n"
}

fn walk(schema: &Value, table: &Value, path: &str, rows: &mut Vec<String>) {
    let properties = table.get("properties").and_then(Value::as_object);
    let required = table.get("required").and_then(Value::as_array);
    for (key, property) in properties.into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let is_required = required.is_some_and(|keys| keys.iter().any(|required| required == key));
        let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let cell = meaning.replace('|', "\\|");
        let default = default(property, is_required);
        rows.push(format!("| `{path}` | {} | {default} | {cell} |", takes(schema, property)));
        // What is inherited is explained once, under `defaults`.
        if !meaning.contains("inherits `") {
            walk_into(schema, property, &path, rows);
        }
    }
}

fn walk_into(schema: &Value, property: &Value, path: &str, rows: &mut Vec<String>) {
    let table = resolved(schema, property);
    walk(schema, table, path, rows);
    if let Some(named) = table.get("additionalProperties").filter(|named| named.is_object()) {
        walk(schema, resolved(schema, named), &format!("{path}.NAME"), rows);
    }
    if let Some(items) = table.get("items") {
        walk(schema, resolved(schema, items), &format!("{path}[]"), rows);
    }
}

/// What a `$ref` points to, else the schema itself.
fn resolved<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    let pointer = part.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix('#'));
    pointer.and_then(|pointer| schema.pointer(pointer)).unwrap_or(part)
}

fn default(property: &Value, is_required: bool) -> String {
    match property.get("default") {
        _ if is_required => "required".to_owned(),
        None | Some(Value::Null) => String::new(),
        Some(Value::Object(table)) if table.is_empty() => String::new(),
        Some(default) => format!("`{default}`"),
    }
}

fn takes(schema: &Value, property: &Value) -> String {
    let part = resolved(schema, property);
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = part.get(key).and_then(Value::as_array) {
            let choices: Vec<_> = choices.iter().map(|choice| takes(schema, choice)).collect();
            return choices.join(", ");
        }
    }
    if let Some(word) = part.get("const") {
        return format!("`{word}`");
    }
    let bound = |key: &str| part.get(key).map(ToString::to_string);
    match (part.get("type").and_then(Value::as_str), bound("minimum"), bound("maximum")) {
        (Some("integer"), Some(low), Some(high)) if low == high => low,
        (Some("integer"), Some(low), Some(high)) => format!("{low} to {high}"),
        (Some("number"), Some(low), Some(high)) => format!("{low}.0 to {high}.0"),
        (Some("array"), ..) => array(schema, part),
        (Some("object"), ..) => "table".to_owned(),
        (Some("boolean"), ..) => "`true`, `false`".to_owned(),
        (Some(other), ..) => other.to_owned(),
        (None, ..) => String::new(),
    }
}

fn array(schema: &Value, part: &Value) -> String {
    let items = part.get("items").map(|items| takes(schema, items)).unwrap_or_default();
    if part.get("maxItems").is_some() {
        format!("two of {items}")
    } else {
        format!("array of {items}")
    }
}
