//! OTLP's JSON as OTLP's protobuf, for receivers that take nothing else.
//!
//! Each message is a table of its fields: the name in JSON, the number in protobuf, and how its value
//! is written. What no table names is left out. Sources:
//! <https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto>,
//! <https://protobuf.dev/programming-guides/encoding/>.

use serde_json::Value;

/// A field: its name, its number and its kind.
type Field = (&'static str, u32, Kind);

/// How a value is written.
#[derive(Clone, Copy)]
enum Kind {
    /// A text.
    Text,
    /// Bytes, which are hexadecimal digits in OTLP's JSON.
    Hex,
    /// An integer of any length, a flag or a number of an enumeration.
    Varint,
    /// Eight bytes; the integer is a text in JSON.
    Fixed64,
    /// A double.
    Double,
    /// A message; a list of them is written one by one.
    Message(&'static [Field]),
}

const TRACES: &[Field] = &[("resourceSpans", 1, Kind::Message(RESOURCE_SPANS))];
const RESOURCE_SPANS: &[Field] =
    &[("resource", 1, Kind::Message(RESOURCE)), ("scopeSpans", 2, Kind::Message(SCOPE_SPANS))];
const RESOURCE: &[Field] = &[("attributes", 1, Kind::Message(KEY_VALUE))];
const SCOPE_SPANS: &[Field] =
    &[("scope", 1, Kind::Message(SCOPE)), ("spans", 2, Kind::Message(SPAN))];
const SCOPE: &[Field] = &[("name", 1, Kind::Text), ("version", 2, Kind::Text)];
const SPAN: &[Field] = &[
    ("traceId", 1, Kind::Hex),
    ("spanId", 2, Kind::Hex),
    ("parentSpanId", 4, Kind::Hex),
    ("name", 5, Kind::Text),
    ("kind", 6, Kind::Varint),
    ("startTimeUnixNano", 7, Kind::Fixed64),
    ("endTimeUnixNano", 8, Kind::Fixed64),
    ("attributes", 9, Kind::Message(KEY_VALUE)),
    ("events", 11, Kind::Message(EVENT)),
    ("status", 15, Kind::Message(STATUS)),
];
const EVENT: &[Field] = &[
    ("timeUnixNano", 1, Kind::Fixed64),
    ("name", 2, Kind::Text),
    ("attributes", 3, Kind::Message(KEY_VALUE)),
];
const STATUS: &[Field] = &[("message", 2, Kind::Text), ("code", 3, Kind::Varint)];
const KEY_VALUE: &[Field] = &[("key", 1, Kind::Text), ("value", 2, Kind::Message(ANY_VALUE))];
const ANY_VALUE: &[Field] = &[
    ("stringValue", 1, Kind::Text),
    ("boolValue", 2, Kind::Varint),
    ("intValue", 3, Kind::Varint),
    ("doubleValue", 4, Kind::Double),
];

/// The body of a POST to `/v1/traces`, from JSON to protobuf; `None` for what is no JSON.
pub fn traces(json: &[u8]) -> Option<Vec<u8>> {
    let request: Value = serde_json::from_slice(json).ok()?;
    let mut out = Vec::with_capacity(json.len() / 2);
    write_message(TRACES, &request, &mut out);
    Some(out)
}

fn write_message(fields: &[Field], message: &Value, out: &mut Vec<u8>) {
    for (name, number, kind) in fields {
        match message.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for item in items {
                    write_field(*number, *kind, item, out);
                }
            }
            Some(value) => write_field(*number, *kind, value, out),
        }
    }
}

fn write_field(number: u32, kind: Kind, value: &Value, out: &mut Vec<u8>) {
    match kind {
        Kind::Text => write_bytes(number, value.as_str().unwrap_or_default().as_bytes(), out),
        Kind::Hex => write_bytes(number, &from_hex(value.as_str().unwrap_or_default()), out),
        Kind::Varint => {
            write_varint(u64::from(number) << 3, out);
            write_varint(integer(value), out);
        }
        Kind::Fixed64 => {
            write_varint(u64::from(number) << 3 | 1, out);
            out.extend_from_slice(&integer(value).to_le_bytes());
        }
        Kind::Double => {
            write_varint(u64::from(number) << 3 | 1, out);
            out.extend_from_slice(&value.as_f64().unwrap_or_default().to_le_bytes());
        }
        Kind::Message(fields) => {
            let mut inner = Vec::new();
            write_message(fields, value, &mut inner);
            write_bytes(number, &inner, out);
        }
    }
}

fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(u64::from(number) << 3 | 2, out);
    write_varint(u64::try_from(bytes.len()).unwrap_or_default(), out);
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or_default()
}

/// 64-bit integers are texts in protobuf's JSON.
fn integer(value: &Value) -> u64 {
    match value {
        Value::Bool(flag) => u64::from(*flag),
        Value::String(text) => text.parse().unwrap_or_default(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.as_u64().unwrap_or_default()
        }
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map_while(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_is_written_as_protobufs_own_tools_write_it() {
        let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": "0af7", "name": "x", "kind": 2, "startTimeUnixNano": "300",
            "attributes": [
                {"key": "a", "value": {"intValue": "300"}}, {"key": "b", "value": {"boolValue": true}},
                {"key": "c", "value": {"doubleValue": 0.5}},
            ],
        }]}]}]});
        // By `protoc --encode` of opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest.
        let expected = "0a39123712350a020af72a017830023\
                        92c010000000000004a080a0161120318ac024a070a01621202100\
                        14a0e0a016312092100000000000\
                        0e03f";
        let bytes = traces(request.to_string().as_bytes()).unwrap();
        assert_eq!(crate::record::hex(&bytes), expected);
        assert_eq!(traces(b"nothing"), None);
    }

    proptest! {
        #[test]
        fn a_varint_says_what_it_was_made_of(value in any::<u64>()) {
            let mut bytes = Vec::new();
            write_varint(value, &mut bytes);
            let read = bytes.iter().rev().fold(0_u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
            prop_assert_eq!(read, value);
            prop_assert!(bytes.iter().rev().skip(1).all(|byte| byte & 0x80 != 0));
        }
    }
}
