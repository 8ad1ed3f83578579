//! A value that satisfies a JSON Schema, the same for the same dice.
//!
//! Understood are `type` (one or several), `const`, `enum`, `properties`, `required`,
//! `additionalProperties`, `minProperties`, `items`, `prefixItems`, `minItems`, `maxItems`,
//! `uniqueItems`, bounds and `multipleOf` of numbers, lengths, `pattern` and the usual `format`s of
//! strings, `anyOf`, `oneOf`, `allOf`, and `$ref` within the schema, recursion included. What else
//! a schema demands (`not`, `if`, `contains`, `propertyNames`, `dependentRequired`…) is not looked
//! at. Where a schema cannot be satisfied, or only by a value too deep or too large, the value is
//! an empty object.

mod merge;
mod number;
mod object;
mod pattern;
mod string;

use serde_json::{Map, Value};

use super::digest::Dice;

/// A schema's keywords.
type Keywords = Map<String, Value>;

/// Below this depth only what must be there is made, and the simplest alternative of several.
const FULL_DEPTH: u32 = 4;
/// No value is nested deeper.
const MOST_DEPTH: u32 = 40;
/// How many values, made or tried, an instance may cost.
const MOST_VALUES: u32 = 5_000;

/// An instance of `schema`.
pub(super) fn instance(schema: &Value, dice: Dice) -> Value {
    let mut maker = Maker { root: schema, dice, left: MOST_VALUES };
    let place = Place { name: "text", depth: 0 };
    maker.value(schema, place).unwrap_or_else(|| Value::Object(Map::new()))
}

struct Maker<'s> {
    /// What `$ref`s point into.
    root: &'s Value,
    dice: Dice,
    /// How many more values may be made.
    left: u32,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Place<'n> {
    /// The property that the value belongs to, which texts mention.
    name: &'n str,
    depth: u32,
}

impl<'n> Place<'n> {
    const fn inside(self, name: &'n str) -> Self {
        Self { name, depth: self.depth + 1 }
    }

    const fn is_full(self) -> bool {
        self.depth < FULL_DEPTH
    }
}

impl Maker<'_> {
    /// A value for `schema`; `None` when there is none within the limits.
    fn value(&mut self, schema: &Value, place: Place<'_>) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        match schema {
            Value::Bool(false) => None,
            Value::Object(keywords) => self.described(keywords, place),
            _ => string::make(&Map::new(), place.name, &mut self.dice).map(Value::String),
        }
    }

    fn described(&mut self, keywords: &Keywords, place: Place<'_>) -> Option<Value> {
        if place.depth > MOST_DEPTH {
            return None;
        }
        if let Some(alternatives) = merge::alternatives(keywords, self.root) {
            return self.first_possible(alternatives, place);
        }
        if let Some(constant) = keywords.get("const") {
            return Some(constant.clone());
        }
        if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
            return self.dice.pick(values).cloned();
        }
        let mut types = types(keywords);
        self.shuffle(&mut types, place, |kind| simplicity(kind));
        types.into_iter().find_map(|kind| self.typed(kind, keywords, place))
    }

    fn first_possible(
        &mut self,
        mut alternatives: Vec<Keywords>,
        place: Place<'_>,
    ) -> Option<Value> {
        let root = self.root;
        self.shuffle(&mut alternatives, place, |keywords| merge::simplicity(keywords, root));
        let below = Place { depth: place.depth + 1, ..place };
        alternatives.iter().find_map(|keywords| {
            self.left = self.left.checked_sub(1)?;
            self.described(keywords, below)
        })
    }

    /// Begins at a random one of several; deep down, with the simplest.
    fn shuffle<T>(&mut self, choices: &mut [T], place: Place<'_>, simplicity: impl Fn(&T) -> u8) {
        if !place.is_full() {
            return choices.sort_by_key(simplicity);
        }
        let count = u64::try_from(choices.len()).unwrap_or(u64::MAX);
        let first = usize::try_from(self.dice.below(count)).unwrap_or_default();
        choices.rotate_left(first);
    }

    fn typed(&mut self, kind: &str, keywords: &Keywords, place: Place<'_>) -> Option<Value> {
        match kind {
            "null" => Some(Value::Null),
            "boolean" => Some(Value::Bool(self.dice.below(2) == 1)),
            "integer" => number::integer(keywords, &mut self.dice),
            "number" => number::number(keywords, &mut self.dice),
            "string" => string::make(keywords, place.name, &mut self.dice).map(Value::String),
            "array" => self.array(keywords, place).map(Value::Array),
            "object" => self.object(keywords, place).map(Value::Object),
            _ => None,
        }
    }

    fn array(&mut self, keywords: &Keywords, place: Place<'_>) -> Option<Vec<Value>> {
        let limit = |name: &str| keywords.get(name).and_then(number::count);
        let least = limit("minItems").unwrap_or(0);
        let most = limit("maxItems").unwrap_or(u64::MAX);
        let extra = if place.is_full() { 1 + self.dice.below(2) } else { 0 };
        let wanted = least.saturating_add(extra).min(most);
        let unique = keywords.get("uniqueItems").is_some_and(|unique| *unique == true);
        let prefix = keywords.get("prefixItems").and_then(Value::as_array);
        let mut schemas = prefix.into_iter().flatten();
        let rest = keywords.get("items").unwrap_or(&Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        for made in 0..wanted {
            let schema = schemas.next().unwrap_or(rest);
            let others: &[Value] = if unique { &items } else { &[] };
            match self.item(schema, others, place.inside(place.name)) {
                Some(item) => items.push(item),
                None if made < least => return None,
                None => break,
            }
        }
        Some(items)
    }

    /// An item that is not among `others`, if a few attempts bring one.
    fn item(&mut self, schema: &Value, others: &[Value], place: Place<'_>) -> Option<Value> {
        const ATTEMPTS: u32 = 30;
        (0..ATTEMPTS).find_map(|_| {
            let item = self.value(schema, place)?;
            (!others.contains(&item)).then_some(item)
        })
    }
}

/// The types that a value may have; where none is named, what the other keywords speak of.
fn types(keywords: &Keywords) -> Vec<&str> {
    match keywords.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => vec![implied(keywords)],
    }
}

fn implied(keywords: &Keywords) -> &'static str {
    const HINTS: [(&str, &[&str]); 3] = [
        ("object", &["properties", "required", "additionalProperties", "minProperties"]),
        ("array", &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let hinted =
        |(_, names): &&(&str, &[&str])| names.iter().any(|name| keywords.contains_key(*name));
    HINTS.iter().find(hinted).map_or("string", |(kind, _)| *kind)
}

/// How little a value of this type needs: what can nest comes last.
fn simplicity(kind: &str) -> u8 {
    match kind {
        "null" => 0,
        "array" => 2,
        "object" => 3,
        _ => 1,
    }
}
