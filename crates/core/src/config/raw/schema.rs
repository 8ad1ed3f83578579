//! How values that are not tables of known keys look in the JSON Schema.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{List, Named, Pair, Real, Secret, Status, Whole};

macro_rules! inline_schema {
    ([$($generic:tt)*] $type:ty, $name:literal, |$generator:ident| $schema:expr) => {
        impl<$($generic)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

inline_schema!([const MIN: u64, const MAX: u64] Whole<MIN, MAX>, "Whole", |_generator| {
    json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
});
inline_schema!([const MIN: u32, const MAX: u32] Real<MIN, MAX>, "Real", |_generator| {
    json_schema!({ "type": "number", "minimum": MIN, "maximum": MAX })
});
inline_schema!([T: JsonSchema] Pair<T>, "Pair", |generator| {
    let items = generator.subschema_for::<T>();
    json_schema!({ "type": "array", "items": items, "minItems": 2, "maxItems": 2 })
});
inline_schema!([] Status, "Status", |_generator| {
    json_schema!({ "anyOf": [
        { "type": "integer", "minimum": 408, "maximum": 599 },
        { "const": "5xx" },
    ]})
});
inline_schema!([] Secret, "Secret", |_generator| {
    json_schema!({
        "type": "object",
        "properties": { "env": {
            "type": "string",
            "description": "The name of a Worker secret.",
            "default": null,
        }},
        "required": ["env"],
        "additionalProperties": false,
    })
});
inline_schema!([T: JsonSchema] List<T>, "List", |generator| {
    json_schema!({ "type": "array", "items": generator.subschema_for::<T>() })
});
inline_schema!([T: JsonSchema] Named<T>, "Named", |generator| {
    json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
});
