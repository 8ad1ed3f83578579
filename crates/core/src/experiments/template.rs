//! What a variant writes around the caller's texts.
//!
//! The guards have read what the caller wrote before this is done, so a template neither hides nor
//! thins out what they look for. Every other byte of the body stays as it is.

use crate::{
    config::valid::Template,
    openai::{
        Endpoint,
        json::{Envelope, Kind, Value},
    },
};

/// Whether there is a text to write around: a chat whose user has spoken, or a completion of texts.
///
/// A call that has none is no part of an experiment with templates, whichever variant it would get,
/// so that all variants are compared over calls of one kind.
pub fn fits(endpoint: Endpoint, body: &Envelope) -> bool {
    match endpoint {
        Endpoint::ChatCompletions => users_last(body).is_some(),
        Endpoint::Completions => body.present("prompt").is_some_and(|prompt| match prompt.kind() {
            Kind::String => true,
            Kind::Array => prompt.items().all(|item| item.kind() == Kind::String),
            Kind::Null | Kind::Bool | Kind::Number | Kind::Object => false,
        }),
        Endpoint::Embeddings => false,
    }
}

/// The body with `template` around its texts; `None` where nothing changes.
pub fn apply(template: &Template, endpoint: Endpoint, body: &Envelope) -> Option<String> {
    if template.is_empty() || !fits(endpoint, body) {
        return None;
    }
    let (name, written) = match endpoint {
        Endpoint::ChatCompletions => ("messages", messages(template, body)?),
        Endpoint::Completions => ("prompt", prompt(template, body.present("prompt")?)?),
        Endpoint::Embeddings => return None,
    };
    let members = body.root().members().map(|member| {
        let value = if member.key.is_str(name) { &written } else { member.value.raw() };
        format!("{}:{value}", member.key.raw())
    });
    Some(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

/// The place and the content of the last message that the user wrote.
fn users_last(body: &Envelope) -> Option<(usize, Value<'_>)> {
    let messages = body.present("messages")?.items().enumerate();
    let users =
        messages.filter(|(_, message)| message.get("role").is_some_and(|role| role.is_str("user")));
    let (place, message) = users.last()?;
    let content = message.get("content")?;
    matches!(content.kind(), Kind::String | Kind::Array).then_some((place, content))
}

fn messages(template: &Template, body: &Envelope) -> Option<String> {
    let (last, content) = users_last(body)?;
    let system = template
        .system
        .as_deref()
        .map(|text| format!(r#"{{"role":"system","content":{}}}"#, quoted(text)));
    let messages = body.present("messages")?.items().enumerate().map(|(place, message)| {
        if place != last || template.around.is_none() {
            return message.raw().to_owned();
        }
        let members = message.members().map(|member| {
            let value = if member.key.is_str("content") {
                around(template, content)
            } else {
                member.value.raw().to_owned()
            };
            format!("{}:{value}", member.key.raw())
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    let all: Vec<_> = system.into_iter().chain(messages).collect();
    Some(format!("[{}]", all.join(",")))
}

/// A message's content with the template around it: a text, or parts between two parts of text.
fn around(template: &Template, content: Value<'_>) -> String {
    let Some((before, behind)) = &template.around else { return content.raw().to_owned() };
    if let Some(text) = content.as_str() {
        return quoted(&format!("{before}{text}{behind}"));
    }
    let part = |text: &String| {
        let part = format!(r#"{{"type":"text","text":{}}}"#, quoted(text));
        (!text.is_empty()).then_some(part)
    };
    let parts = content.items().map(|part| part.raw().to_owned());
    let all: Vec<_> = part(before).into_iter().chain(parts).chain(part(behind)).collect();
    format!("[{}]", all.join(","))
}

fn prompt(template: &Template, prompt: Value<'_>) -> Option<String> {
    let filled = |text: &str| {
        let (before, behind) = template.around.as_ref().map_or(("", ""), |(a, b)| (a, b));
        let system = template.system.as_ref().map_or(String::new(), |text| format!("{text}\n\n"));
        quoted(&format!("{system}{before}{text}{behind}"))
    };
    if let Some(text) = prompt.as_str() {
        return Some(filled(&text));
    }
    let all: Option<Vec<_>> =
        prompt.items().map(|item| item.as_str().map(|text| filled(&text))).collect();
    Some(format!("[{}]", all?.join(",")))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
