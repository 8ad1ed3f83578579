//! Objects: what is required, and at the top what is allowed too.

use serde_json::{Map, Value};

use super::{Keywords, Maker, Place, number};

impl Maker<'_> {
    pub(super) fn object(
        &mut self,
        keywords: &Keywords,
        place: Place<'_>,
    ) -> Option<Map<String, Value>> {
        let none = Map::new();
        let properties = keywords.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = keywords
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let others = keywords.get("additionalProperties").unwrap_or(&Value::Bool(true));
        let limit = |name: &str| keywords.get(name).and_then(number::count);
        let least = limit("minProperties").unwrap_or(0);
        let most = limit("maxProperties").unwrap_or(u64::MAX);

        let mut object = Map::new();
        for name in required {
            let schema = properties.get(name).unwrap_or(others);
            object.insert(name.to_owned(), self.value(schema, place.inside(name))?);
        }
        for (name, schema) in properties {
            let wanted = place.is_full() && count(&object) < most || count(&object) < least;
            if !wanted || object.contains_key(name) {
                continue;
            }
            if let Some(value) = self.value(schema, place.inside(name)) {
                object.insert(name.clone(), value);
            }
        }
        // A map from names to values: show one.
        let is_map = properties.is_empty() && others.is_object() && place.is_full();
        let wanted = if is_map { least.max(1).min(most) } else { least };
        for number in 1_u64.. {
            if count(&object) >= wanted {
                break;
            }
            let name = format!("key{number}");
            if !object.contains_key(&name) {
                let value = self.value(others, place.inside(&name));
                match value {
                    Some(value) => object.insert(name, value),
                    None if count(&object) < least => return None,
                    None => break,
                };
            }
        }
        Some(object)
    }
}

fn count(object: &Map<String, Value>) -> u64 {
    u64::try_from(object.len()).unwrap_or(u64::MAX)
}
