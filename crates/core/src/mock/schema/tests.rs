//! Instances against an independent checker, formats included.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{MOST_STEPS, instance};
use crate::mock::digest::Digest;

fn made(schema: &Value, seed: u64) -> Value {
    instance(schema, Digest::of(&seed.to_le_bytes()).dice())
}

#[track_caller]
fn satisfies(schema: &Value, instance: &Value) {
    let checker = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let errors: Vec<_> = checker.iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{instance} is no instance of {schema}: {errors:?}");
}

/// Schemas that people write, each with a dozen seeds.
#[track_caller]
fn can_be_satisfied(schema: &Value) {
    for seed in 0..12 {
        satisfies(schema, &made(schema, seed));
    }
}

#[test]
fn schemas_of_pydantic_models_are_satisfied() {
    can_be_satisfied(&json!({
        "$defs": {
            "Color": {"enum": ["red", "green"], "title": "Color", "type": "string"},
            "Item": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 8},
                    "price": {"exclusiveMinimum": 0, "maximum": 1, "type": "number"},
                    "color": {"$ref": "#/$defs/Color", "description": "beside a reference"},
                },
                "required": ["name", "price", "color"],
            },
        },
        "type": "object", "additionalProperties": false,
        "properties": {
            "items": {"items": {"$ref": "#/$defs/Item"}, "type": "array", "minItems": 2, "maxItems": 4},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
            "when": {"format": "date-time", "type": "string"},
            "scores": {"additionalProperties": {"type": "integer"}, "type": "object"},
        },
        "required": ["items", "note", "when", "scores"],
    }));
}

#[test]
fn recursion_ends() {
    let node = |next: Value| {
        json!({
            "$defs": {"Node": {
                "type": "object", "additionalProperties": false,
                "properties": {"value": {"type": "integer"}, "next": next, "other": next},
                "required": ["value", "next", "other"],
            }},
            "$ref": "#/$defs/Node",
        })
    };
    let to = json!({"$ref": "#/$defs/Node"});
    can_be_satisfied(&node(json!({"anyOf": [to, {"type": "null"}]})));
    can_be_satisfied(&node(json!({"type": "array", "items": to})));
    can_be_satisfied(&json!({
        "type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": false,
    }));
}

#[test]
fn alternatives_of_objects_are_told_apart_by_their_constants() {
    let shape = |kind: &str, size: &str| {
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {"kind": {"const": kind}, size: {"type": "number"}},
            "required": ["kind", size],
        })
    };
    can_be_satisfied(&json!({"oneOf": [shape("circle", "radius"), shape("square", "side")]}));
}

#[test]
fn demands_from_several_places_are_met_together() {
    can_be_satisfied(&json!({
        "$defs": {"Low": {"minimum": 10}, "Named": {
            "properties": {"name": {"type": "string", "maxLength": 4}}, "required": ["name", "token"],
        }},
        "required": ["other"],
        "allOf": [
            {"$ref": "#/$defs/Named"},
            {"anyOf": [{"required": ["age"]}, {"required": ["size"]}]},
        ],
        "type": "object",
        "properties": {
            "name": {"minLength": 4},
            "age": {"minimum": 1, "maximum": 99, "allOf": [
                {"type": ["integer", "string"]}, {"type": "number"},
                {"$ref": "#/$defs/Low"}, {"minimum": 2, "maximum": 11}, {"maximum": 50},
            ]},
            "size": {"type": "integer", "enum": [1, 2, 3], "allOf": [{"enum": [3, 4]}]},
        },
    }));
}

#[test]
fn a_value_of_an_enumeration_is_of_the_type_too() {
    can_be_satisfied(&json!({"type": "string", "enum": [null, 1, "a"]}));
    can_be_satisfied(&json!({"type": ["integer", "null"], "enum": [null, 1.0, "a"]}));
}

#[test]
fn a_schema_made_to_take_long_does_not() {
    // Every alternative demands the whole again, and none of them ends.
    let again = json!({"$ref": "#", "minProperties": 1});
    let fields: Map<_, _> = (0..200)
        .map(|index| (format!("field{index}"), json!({"anyOf": vec![&again; 20]})))
        .collect();
    let names: Vec<_> = fields.keys().cloned().collect();
    let schema = json!({"type": "object", "required": names, "properties": fields});
    assert_eq!(made(&schema, 1), json!({}));
}

#[test]
fn lists_are_tuples_or_sets_where_asked() {
    can_be_satisfied(&json!({
        "type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "items": false,
        "minItems": 2,
    }));
    can_be_satisfied(&json!({
        "type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": true, "minItems": 3,
    }));
    can_be_satisfied(&json!({"type": "array", "items": {"type": "boolean"}, "uniqueItems": true}));
    can_be_satisfied(&json!({"type": "object", "minProperties": 3, "maxProperties": 3}));
}

#[test]
fn every_format_is_written_as_its_standard_says() {
    for format in [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "json-pointer",
        "uuid",
        "something-else",
    ] {
        can_be_satisfied(&json!({"type": "string", "format": format}));
    }
}

#[test]
fn patterns_are_matched() {
    for pattern in [
        "^[A-Z]{3}-\\d{4}$",
        "^(?:red|green|blue)$",
        "^[^@\\s]+@[\\w.-]+\\.(com|org)$",
        "^\\+?[1-9]\\d{1,14}$",
        "^a.b\\.c\\/d$",
        "^(?<year>[0-9]{4})(-(0[1-9]|1[0-2]))?$",
        "^[\\]\\-a-c\\x41-\\u0043]+$",
        "^\\S\\D\\W{2,}?$",
        "x*",
        "^$",
    ] {
        can_be_satisfied(&json!({"type": "string", "pattern": pattern}));
    }
    can_be_satisfied(
        &json!({"type": "string", "pattern": "^[a-z]+$", "minLength": 30, "maxLength": 30}),
    );
}

#[test]
fn a_pattern_that_is_not_followed_still_gets_a_text() {
    for pattern in ["^(?=a)a$", "(a)\\1", "^\\p{L}+$", "a{2", "(", "[", "*", "[z-a]"] {
        assert!(made(&json!({"type": "string", "pattern": pattern}), 1).is_string(), "{pattern}");
    }
}

#[test]
fn numbers_of_an_older_draft_keep_their_flags() {
    let schema = json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true, "maximum": 4});
    assert_eq!(made(&schema, 1), json!(4));
}

#[test]
fn what_cannot_be_satisfied_is_an_empty_object() {
    for schema in [
        json!(false),
        json!({"type": "string", "minLength": 1_000_000_000_u64}),
        json!({"type": "array", "minItems": 1_000_000_000_u64}),
        json!({"type": "object", "minProperties": 1_000_000_000_u64}),
        json!({"type": "string", "pattern": "^(a{9999}){9999}$"}),
        json!({"$ref": "#"}),
        json!({"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"}),
        json!({"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]}),
        json!({"type": "integer", "minimum": 5, "maximum": 4}),
        json!({"type": "whole"}),
        json!({"enum": []}),
    ] {
        assert_eq!(made(&schema, 1), json!({}), "{schema}");
    }
}

#[test]
fn seeds_differ() {
    let schema =
        json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    assert_ne!(made(&schema, 1), made(&schema, 2));
    assert_eq!(made(&schema, 1), made(&schema, 1));
}

fn depth(value: &Value) -> u32 {
    let inside: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return 0,
    };
    1 + inside.map(depth).max().unwrap_or_default()
}

fn leaves() -> impl Strategy<Value = Value> {
    let text = (0_u64..12, 0_u64..12).prop_map(
        |(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more}),
    );
    let integer = (-1000_i64..1000, 0_i64..50, 1_u64..7).prop_map(|(from, more, step)| {
        let step_fits = i64::try_from(step).unwrap() <= more + 1;
        let mut schema = json!({"type": "integer", "minimum": from, "maximum": from + more});
        if step_fits {
            schema["multipleOf"] = json!(step);
        }
        schema
    });
    let number = (-100_i32..100, 1_i32..50).prop_map(|(from, tenths)| {
        let to = f64::from(from * 10 + tenths) / 10.0;
        json!({"type": "number", "exclusiveMinimum": from, "exclusiveMaximum": to})
    });
    let stepped = prop_oneof![Just(0.1), Just(0.01), Just(0.25), Just(1e-7), Just(3.0)].prop_map(
        |step| json!({"type": "number", "minimum": -1, "maximum": 9, "multipleOf": step}),
    );
    let format = prop_oneof![Just("date-time"), Just("uuid"), Just("email"), Just("ipv4")]
        .prop_map(|format| json!({"type": "string", "format": format}));
    let pattern = prop_oneof![Just("^[a-f]{2,5}$"), Just("^(on|off)-\\d+$")]
        .prop_map(|pattern| json!({"type": "string", "pattern": pattern}));
    prop_oneof![
        text,
        integer,
        number,
        stepped,
        format,
        pattern,
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        Just(json!({"type": ["integer", "null"], "exclusiveMinimum": 4, "exclusiveMaximum": 6})),
        Just(json!({"enum": ["a", 1, null, {"x": []}]})),
        Just(json!({"const": {"deep": [1]}})),
        Just(json!({"$ref": "#/$defs/Tree"})),
        Just(json!({"multipleOf": 0.5, "type": "integer"})),
        Just(json!(true)),
    ]
}

/// Schemas that can be satisfied.
fn schemas() -> impl Strategy<Value = Value> {
    let nested = leaves().prop_recursive(4, 24, 4, |inner| {
        let fields = proptest::collection::vec((inner.clone(), any::<bool>()), 0..4);
        let object = (fields, any::<bool>()).prop_map(|(fields, closed)| {
            let name = |index: usize| format!("field{index}");
            let required: Vec<_> = fields
                .iter()
                .enumerate()
                .filter(|(_, (_, required))| *required)
                .map(|(index, _)| name(index))
                .collect();
            let properties: Map<_, _> =
                fields.into_iter().enumerate().map(|(index, (schema, _))| (name(index), schema)).collect();
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": !closed})
        });
        let array = (inner.clone(), 0_u64..3, 0_u64..3).prop_map(|(items, least, more)| {
            json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})
        });
        let any_of = proptest::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({"anyOf": any}));
        let all_of = inner.prop_map(|inner| json!({"allOf": [{"description": "x"}, inner]}));
        prop_oneof![object, array, any_of, all_of]
    });
    nested.prop_map(|schema| {
        let tree = json!({"type": "object", "additionalProperties": false, "required": ["leaves"],
            "properties": {"leaves": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}});
        json!({"$defs": {"Tree": tree}, "allOf": [schema]})
    })
}

proptest! {
    #[test]
    fn an_instance_satisfies_its_schema(schema in schemas(), seed: u64) {
        let instance = made(&schema, seed);
        satisfies(&schema, &instance);
        prop_assert!(depth(&instance) <= MOST_STEPS);
    }
}
