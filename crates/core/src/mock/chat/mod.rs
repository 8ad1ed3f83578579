//! Chat completions: what each choice says.

mod written;

use serde_json::{Value, json};

use super::{
    conversation::{Conversation, repeated},
    digest::Digest,
    prompt,
    reply::{Answer, Complaint, Setting},
    request::Request,
    said::Said,
    schema,
    tools::{self, Tool},
    wire::Usage,
};
use crate::openai::Delivery;

pub(super) fn answer(request: &Request, setting: &Setting) -> Result<Answer, Complaint> {
    let conversation = Conversation::read(request.list("messages"));
    let tools = match setting.text {
        Some(_) => vec![],
        None => tools::called(request, &conversation)?,
    };
    let said: Vec<_> = (0..request.choices())
        .map(|index| say(request, setting, &conversation, &tools, request.digest().branch(index)))
        .collect();
    let completion = said.iter().map(Said::count).sum();
    let usage = Usage::new(prompt::of_chat(request), completion);
    Ok(match request.delivery() {
        Delivery::Whole => written::whole(request, setting, &said, usage),
        Delivery::Stream { usage_asked } => {
            written::stream(request, setting, said, setting.stream_usage(usage, usage_asked))
        }
    })
}

fn say(
    request: &Request,
    setting: &Setting,
    conversation: &Conversation,
    tools: &[Tool<'_>],
    digest: Digest,
) -> Said {
    let most = request.max_tokens();
    if !tools.is_empty() {
        let calls = (0..).zip(tools).map(|(position, tool)| tool.call(digest, position));
        return Said::calls(calls.collect(), most);
    }
    let text = setting.text.clone().unwrap_or_else(|| match format(request) {
        Format::Text => sentence(conversation, digest),
        Format::Json => json!({"answer": sentence(conversation, digest)}).to_string(),
        Format::Schema(schema) => schema::instance(schema, digest.dice()).to_string(),
    });
    Said::text(&text, &request.stops(), most)
}

fn sentence(conversation: &Conversation, digest: Digest) -> String {
    let repeated = match &conversation.result {
        Some(result) => repeated("The tool", result),
        None => repeated("You", &conversation.user),
    };
    format!("{}This is a mock answer ({}).", repeated.unwrap_or_default(), digest.hex(8))
}

/// What an answer is written in.
enum Format<'r> {
    Text,
    Json,
    Schema(&'r Value),
}

fn format(request: &Request) -> Format<'_> {
    let Some(format) = request.get("response_format") else { return Format::Text };
    let kind = format.get("type").and_then(Value::as_str);
    match (kind, format.pointer("/json_schema/schema")) {
        (Some("json_schema"), Some(schema)) => Format::Schema(schema),
        (Some("json_schema" | "json_object"), _) => Format::Json,
        (Some(_) | None, _) => Format::Text,
    }
}
