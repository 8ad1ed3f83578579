//! A JSON object of which one member is changed and every other stays as it was written.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of an object in their order, each value as it was written.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Object<'a> {
    /// Reads the object that `json` is, one level deep.
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The value of `name` as it is written.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// Replaces the value of `name`, where there is one, by `json`.
    pub(super) fn replace(&mut self, name: &str, json: impl Into<Cow<'a, str>>) {
        if let Some((_, value)) = self.0.iter_mut().find(|(key, _)| key == name) {
            *value = json.into();
        }
    }

    /// Takes `name` out.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// The object without white space between its members.
    pub(super) fn write(&self) -> String {
        let mut out = String::from("{");
        for (at, (key, value)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        out
    }
}

/// `text` as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    members.push((key, Cow::Borrowed(value.get())));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_stays_as_it_was_written() {
        let mut object =
            Object::parse(r#" {"a" : 1.50e0, "b\u0062":[ 1 ], "usage":{"x":1}} "#).unwrap();
        assert_eq!(object.get("bb"), Some("[ 1 ]"));
        object.replace("usage", "null");
        object.replace("absent", "1");
        object.remove("bb");
        assert_eq!(object.write(), r#"{"a":1.50e0,"usage":null}"#);
    }

    #[test]
    fn text_is_quoted() {
        assert_eq!(quoted("a\"\n\u{1}ü"), r#""a\"\n\u0001ü""#);
    }

    #[test]
    fn only_objects_are_read() {
        for json in ["[]", "1", "{", "{}x", ""] {
            assert!(Object::parse(json).is_none(), "{json}");
        }
    }
}
