//! How what a chat says is written: as a whole reply or in chunks.

use crate::mock::{
    digest::Dice,
    logprobs,
    reply::{Answer, Setting, in_turn},
    request::Request,
    said::{Call, Finish, Head, Kind, Said, Token},
    wire::{
        self, ChatChoice, ChatChunkChoice, ChatLogprobs, Custom, Delta, Field, Function, Message,
        Reply, ToolCall, Usage,
    },
};

pub(super) fn whole(request: &Request, setting: &Setting, said: &[Said], usage: Usage) -> Answer {
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
pub(super) fn stream(
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
