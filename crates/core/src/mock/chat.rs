//! Chat completions: what each choice says, and how that is written whole or in chunks.

use serde_json::json;

use super::{
    conversation::{Conversation, repeated},
    digest::{Dice, Digest},
    logprobs, prompt,
    reply::{Answer, Complaint, Setting},
    request::Request,
    said::{Call, Finish, Head, Kind, Said, Token},
    schema,
    tools::{self, Tool},
    wire::{
        self, ChatChoice, ChatChunkChoice, ChatLogprobs, Custom, Delta, Field, Function, Message,
        Reply, ToolCall, Usage,
    },
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
        Delivery::Whole => whole(request, setting, &said, usage),
        Delivery::Stream { usage_asked } => {
            stream(request, setting, said, setting.stream_usage(usage, usage_asked))
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
    Schema(&'r serde_json::Value),
}

fn format(request: &Request) -> Format<'_> {
    let Some(format) = request.get("response_format") else { return Format::Text };
    let kind = format.get("type").and_then(serde_json::Value::as_str);
    match (kind, format.pointer("/json_schema/schema")) {
        (Some("json_schema"), Some(schema)) => Format::Schema(schema),
        (Some("json_schema" | "json_object"), _) => Format::Json,
        (Some(_) | None, _) => Format::Text,
    }
}

fn whole(request: &Request, setting: &Setting, said: &[Said], usage: Usage) -> Answer {
    let choices = (0..).zip(said).map(|(index, said)| whole_choice(request, index, said));
    Answer::whole(&Reply {
        id: &id(request),
        object: "chat.completion",
        created: setting.created(),
        model: request.model(),
        choices: choices.collect(),
        usage: setting.whole_usage(usage),
        system_fingerprint: wire::FINGERPRINT,
    })
}

fn whole_choice(request: &Request, index: u64, said: &Said) -> ChatChoice {
    let mut tool_calls = Vec::new();
    let mut function_call = None;
    for Call { head, arguments } in said.put_together() {
        match head.kind {
            Kind::Function | Kind::Custom => tool_calls.push(begun(None, head, arguments)),
            Kind::Legacy => function_call = Some(Function { name: Some(head.name), arguments }),
        }
    }
    let is_text = tool_calls.is_empty() && function_call.is_none();
    let mut dice = dice(request, index);
    let logprobs = is_text.then(|| logprobs(request, said.pieces(), &mut dice)).flatten();
    ChatChoice {
        index,
        message: Message {
            role: "assistant",
            content: is_text.then(|| said.pieces().collect()),
            refusal: None,
            annotations: [],
            tool_calls,
            function_call,
        },
        logprobs,
        finish_reason: said.finish.name(),
    }
}

/// Chunks of all choices in turn, then one with the usage where that is wanted.
fn stream(
    request: &Request,
    setting: &Setting,
    said: Vec<Said>,
    (meanwhile, at_last): (Field<Usage>, Option<Usage>),
) -> Answer {
    let id = id(request);
    let chunk = |choices, usage| Reply {
        id: &id,
        object: "chat.completion.chunk",
        created: setting.created(),
        model: request.model(),
        choices,
        usage,
        system_fingerprint: wire::FINGERPRINT,
    };
    let choices = (0..).zip(said).map(|(index, said)| chunk_choices(request, index, said));
    let events: Vec<_> = in_turn(choices.collect())
        .into_iter()
        .map(|choice| chunk(vec![choice], meanwhile))
        .collect();
    let last = at_last.map(|usage| chunk(vec![], Field::Is(usage)));
    Answer::stream(&events, last.as_ref())
}

/// The first of each list, then the second of each, until all are used up.
pub(super) fn in_turn<T>(lists: Vec<Vec<T>>) -> Vec<T> {
    let mut rows: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(rows.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

fn chunk_choices(request: &Request, index: u64, said: Said) -> Vec<ChatChunkChoice> {
    let mut dice = dice(request, index);
    let calls = said.tokens.iter().any(|token| !matches!(token, Token::Text(_)));
    let choice = |delta, logprobs, finish: Option<Finish>| ChatChunkChoice {
        index,
        delta,
        logprobs,
        finish_reason: finish.map(Finish::name),
    };
    let role = Delta {
        role: Some("assistant"),
        content: if calls { Field::Null } else { Field::Is(String::new()) },
        refusal: Field::Null,
        ..Delta::default()
    };
    let mut choices = vec![choice(role, None, None)];
    for token in said.tokens {
        let logprobs = match &token {
            Token::Text(piece) => logprobs(request, std::iter::once(piece.as_str()), &mut dice),
            Token::Call { .. } | Token::Arguments { .. } => None,
        };
        choices.push(choice(delta(token), logprobs, None));
    }
    choices.push(choice(Delta::default(), None, Some(said.finish)));
    choices
}

fn delta(token: Token) -> Delta {
    match token {
        Token::Text(piece) => Delta { content: Field::Is(piece), ..Delta::default() },
        Token::Call { position, head } => match head.kind {
            Kind::Function | Kind::Custom => calling(begun(Some(position), head, String::new())),
            Kind::Legacy => function(Function { name: Some(head.name), arguments: String::new() }),
        },
        Token::Arguments { position, kind, piece } => {
            let index = Some(position);
            match kind {
                Kind::Function => {
                    let function = Some(Function { name: None, arguments: piece });
                    calling(ToolCall { index, function, ..ToolCall::default() })
                }
                Kind::Custom => {
                    let custom = Some(Custom { name: None, input: piece });
                    calling(ToolCall { index, custom, ..ToolCall::default() })
                }
                Kind::Legacy => function(Function { name: None, arguments: piece }),
            }
        }
    }
}

fn calling(call: ToolCall) -> Delta {
    Delta { tool_calls: Some([call]), ..Delta::default() }
}

fn function(call: Function) -> Delta {
    Delta { function_call: Some(call), ..Delta::default() }
}

/// A call with its id and name.
fn begun(index: Option<usize>, head: Head, arguments: String) -> ToolCall {
    let Head { kind, id, name } = head;
    let call = ToolCall { index, id: Some(id), ..ToolCall::default() };
    match kind {
        Kind::Custom => ToolCall {
            kind: Some("custom"),
            custom: Some(Custom { name: Some(name), input: arguments }),
            ..call
        },
        Kind::Function | Kind::Legacy => ToolCall {
            kind: Some("function"),
            function: Some(Function { name: Some(name), arguments }),
            ..call
        },
    }
}

fn logprobs<'s>(
    request: &Request,
    pieces: impl Iterator<Item = &'s str>,
    dice: &mut Dice,
) -> Option<ChatLogprobs> {
    let top = request.count("top_logprobs").unwrap_or_default();
    let content = pieces.map(|piece| logprobs::chat(piece, top, dice));
    request.is_true("logprobs").then(|| ChatLogprobs { content: content.collect(), refusal: None })
}

fn dice(request: &Request, index: u64) -> Dice {
    request.digest().branch(index).with(b"logprobs").dice()
}

fn id(request: &Request) -> String {
    format!("chatcmpl-{}", request.digest().hex(24))
}
