//! Attributes as OTLP's JSON has them.

use serde_json::{Value, json};

/// A list of attributes; those without a value are left out.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.push(json!({ "key": key, "value": { "stringValue": value } }));
        }
        self
    }

    /// 64-bit integers are strings in protobuf's JSON.
    pub(super) fn number(mut self, key: &str, value: u64) -> Self {
        self.0.push(json!({ "key": key, "value": { "intValue": value.to_string() } }));
        self
    }

    pub(super) fn real(mut self, key: &str, value: f64) -> Self {
        self.0.push(json!({ "key": key, "value": { "doubleValue": value } }));
        self
    }

    pub(super) fn flag(mut self, key: &str, value: bool) -> Self {
        self.0.push(json!({ "key": key, "value": { "boolValue": value } }));
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(self.0)
    }
}

/// Puts a member into an object.
pub(super) fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// What sends all of this.
pub(super) fn resource() -> Value {
    let attributes = Attributes::default()
        .text("service.name", "tollhouse")
        .text("service.version", env!("CARGO_PKG_VERSION"))
        .text("telemetry.sdk.name", "tollhouse")
        .text("telemetry.sdk.language", "rust");
    json!({ "attributes": attributes.into_value() })
}

/// What measured it.
pub(super) fn scope() -> Value {
    json!({ "name": "tollhouse", "version": env!("CARGO_PKG_VERSION") })
}

/// A moment in nanoseconds, as protobuf's JSON writes 64-bit integers.
pub(super) fn nanos(ms: u64) -> String {
    (u128::from(ms) * 1_000_000).to_string()
}
