//! The body that a target is sent.
//!
//! Fields stay in the order of the caller, and every value that the gateway has no business with
//! is copied byte for byte. Defaults are added at the end.

use std::borrow::Cow;

use super::{Delivery, Effective, Generation, Part};
use crate::config::valid::{Dialect, Prefill, Target};
use crate::openai::endpoint::Endpoint;
use crate::openai::json::{Kind, Member, Value};
use crate::units::Tokens;

/// Room for the fields that may be added, so that the body is allocated once.
const ADDED: usize = 160;

impl Effective {
    /// The JSON to send to a target: its model name, the defaults, in its dialect.
    ///
    /// A target that refuses sampling parameters gets none, the caller's own included; where no
    /// target of the model takes them, validation has refused values that ask for something.
    pub fn body_for(&self, target: &Target) -> Vec<u8> {
        self.body_with(target, |member, object| self.write(member, target, object))
    }

    /// The JSON that asks a target to go on after `begun`, the beginning of an answer that another
    /// one has given; `None` where it cannot be asked to. Of the limit of tokens `used` are gone, and
    /// at least one is left.
    pub fn body_after(&self, target: &Target, begun: &str, used: Tokens) -> Option<Vec<u8>> {
        let left = self.generation?.max_tokens.saturating_sub(used.0).max(1);
        let (name, begun) = match self.endpoint {
            Endpoint::ChatCompletions => ("messages", self.messages_and(target, begun)?),
            Endpoint::Completions => ("prompt", self.prompt_and(begun)?),
            Endpoint::Embeddings => return None,
        };
        let body = self.body_with(target, |member, object| {
            if member.key.is_str(name) {
                object.field(name, &begun);
            } else if Part::of(self.endpoint, member.key) == Part::MaxTokens {
                if member.value.kind() != Kind::Null {
                    object.field(self.limit_name(&target.dialect), &left.to_string());
                }
            } else {
                self.write(member, target, object);
            }
        });
        let flags = r#","continue_final_message":true,"add_generation_prompt":false}"#;
        match (target.dialect.prefill, self.endpoint) {
            (Prefill::None, _) => None,
            (Prefill::ContinueFinalMessage, Endpoint::ChatCompletions) => {
                let (_, open) = body.split_last()?;
                Some([open, flags.as_bytes()].concat())
            }
            (Prefill::Assistant | Prefill::Prefix | Prefill::ContinueFinalMessage, _) => Some(body),
        }
    }

    fn body_with(
        &self,
        target: &Target,
        mut write: impl FnMut(Member<'_>, &mut ObjectWriter),
    ) -> Vec<u8> {
        let length = self.body.text().len() + target.model.len() + ADDED;
        let mut object = ObjectWriter(Vec::with_capacity(length));
        for member in self.body.root().members() {
            write(member, &mut object);
        }
        self.write_defaults(&target.dialect, &mut object);
        object.finish()
    }

    /// The caller's messages and one more, the assistant's.
    fn messages_and(&self, target: &Target, begun: &str) -> Option<String> {
        let messages = self.body.present("messages")?.raw().trim_end();
        let open = messages.strip_suffix(']')?.trim_end();
        let comma = if open == "[" { "" } else { "," };
        let prefix =
            if target.dialect.prefill == Prefill::Prefix { r#","prefix":true"# } else { "" };
        let begun = serde_json::Value::from(begun);
        Some(format!(r#"{open}{comma}{{"role":"assistant","content":{begun}{prefix}}}]"#))
    }

    /// The caller's prompt, continued; one only, and one that is text.
    fn prompt_and(&self, begun: &str) -> Option<String> {
        let prompt: String = serde_json::from_str(self.body.present("prompt")?.raw()).ok()?;
        Some(serde_json::Value::from(prompt + begun).to_string())
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
