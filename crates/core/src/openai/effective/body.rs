//! The body that a target is sent.
//!
//! Fields stay in the order of the caller, and every value that the gateway has no business with
//! is copied byte for byte. Defaults are added at the end.

use std::borrow::Cow;

use super::{Delivery, Effective, Generation, Part};
use crate::config::valid::{Dialect, Target};
use crate::openai::endpoint::Endpoint;
use crate::openai::json::{Kind, Member, Value};

/// Room for the fields that may be added, so that the body is allocated once.
const ADDED: usize = 160;

impl Effective {
    /// The JSON to send to a target: its model name, the defaults, in its dialect.
    ///
    /// A target that refuses sampling parameters gets none, the caller's own included; where no
    /// target of the model takes them, validation has refused values that ask for something.
    pub fn body_for(&self, target: &Target) -> Vec<u8> {
        let length = self.body.text().len() + target.model.len() + ADDED;
        let mut object = ObjectWriter(Vec::with_capacity(length));
        for member in self.body.root().members() {
            self.write(member, target, &mut object);
        }
        self.write_defaults(&target.dialect, &mut object);
        object.finish()
    }

    fn write(&self, member: Member<'_>, target: &Target, object: &mut ObjectWriter) {
        let Member { key, value } = member;
        let dialect = &target.dialect;
        let is_null = value.kind() == Kind::Null;
        match Part::of(self.endpoint, key) {
            Part::Model => object.text("model", &target.model),
            Part::Temperature | Part::TopP => {
                if dialect.sampling && !is_null {
                    object.raw(key.raw(), value.raw());
                }
            }
            Part::MaxTokens => {
                if !is_null {
                    object.field(self.limit_name(dialect), value.raw());
                }
            }
            Part::StreamOptions if self.delivery.is_stream() => {
                if dialect.stream_usage && !is_null {
                    object.field("stream_options", &self.with_usage(value));
                }
            }
            Part::StreamOptions | Part::Stream | Part::Choices | Part::Rest => {
                object.raw(key.raw(), value.raw());
            }
        }
    }

    fn write_defaults(&self, dialect: &Dialect, object: &mut ObjectWriter) {
        let Some(Generation { temperature, top_p, max_tokens, choices: _ }) = self.generation
        else {
            return;
        };
        let absent = |name| self.body.present(name).is_none();
        for (name, value) in [("temperature", temperature), ("top_p", top_p)] {
            if let Some(value) = value.filter(|_| dialect.sampling && absent(name)) {
                object.field(name, &value.to_string());
            }
        }
        if !self.has_limit() {
            object.field(self.limit_name(dialect), &max_tokens.to_string());
        }
        if self.delivery.is_stream() && dialect.stream_usage && absent("stream_options") {
            object.field("stream_options", r#"{"include_usage":true}"#);
        }
    }

    /// The caller's stream options, with the usage asked for.
    fn with_usage<'e>(&self, options: Value<'e>) -> Cow<'e, str> {
        if self.delivery == (Delivery::Stream { usage_asked: true }) {
            return options.raw().into();
        }
        let mut object = ObjectWriter(Vec::with_capacity(options.raw().len() + ADDED));
        object.field("include_usage", "true");
        for member in options.members().filter(|member| !member.key.is_str("include_usage")) {
            object.raw(member.key.raw(), member.value.raw());
        }
        String::from_utf8(object.finish()).unwrap_or_default().into()
    }

    fn has_limit(&self) -> bool {
        self.body.root().members().any(|member| {
            Part::of(self.endpoint, member.key) == Part::MaxTokens
                && member.value.kind() != Kind::Null
        })
    }

    /// Completions know the older name only.
    const fn limit_name(&self, dialect: &Dialect) -> &'static str {
        match self.endpoint {
            Endpoint::ChatCompletions if dialect.max_completion_tokens => "max_completion_tokens",
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
                "max_tokens"
            }
        }
    }
}

/// An object being written, field by field.
struct ObjectWriter(Vec<u8>);

impl ObjectWriter {
    /// Adds a field whose key and value are JSON already.
    fn raw(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(b':');
        self.0.extend_from_slice(value.as_bytes());
    }

    /// Adds a field whose name needs no escape and whose value is JSON already.
    fn field(&mut self, name: &'static str, value: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        self.0.extend_from_slice(value.as_bytes());
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.field(name, &serde_json::Value::from(text).to_string());
    }

    fn finish(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        self.0
    }
}
