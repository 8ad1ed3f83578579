//! A second opinion: a larger model is asked about a text that is in doubt.
//!
//! It is asked as guard models are (Llama Guard, `ShieldGemma` and their like): the text is the user's
//! message, and the answer begins with `safe` or `unsafe`.

use std::sync::Arc;

use serde_json::json;

use super::super::{
    Gate, Stop, classify, course,
    exchange::{Outbound, SendFailure, UpstreamBody},
    host::Host,
};
use crate::{
    config::valid::{Config, Endpoint as Address, Model, ProviderKind, Target},
    openai::json::{Envelope, Value},
    record::{Endpoint, Record, RequestId},
};

/// How many tokens an answer may have: the word, and the names of categories.
const ANSWER_TOKENS: u64 = 32;

/// Whether the model `to` calls `text` unsafe; `None` where no target of it says either.
pub(super) async fn ask<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    to: &str,
    text: &str,
) -> Result<Option<bool>, Stop> {
    let Some(model) = config.models.get(to) else { return Ok(None) };
    if classify::classifies(model) {
        return classified(host, gate, config, model, text).await;
    }
    let Ok(targets) = course::order(host, gate, config, model) else { return Ok(None) };
    for target in &targets {
        let ProviderKind::OpenAi(address) = &target.provider.kind else { continue };
        let Some(headers) = headers(gate, address) else { continue };
        let body = question(target, text);
        let outbound = Outbound {
            url: &[address.base_url.as_str(), "/chat/completions"].concat(),
            headers: &headers,
            body: body.as_bytes(),
            connect: model.timeout.connect,
            head: model.timeout.first_token,
            idle: model.timeout.idle,
            whole: model.timeout.reply,
        };
        match host.send(outbound).await {
            Ok(upstream) if upstream.status == 200 => match upstream.body {
                UpstreamBody::Whole(body) => {
                    if let Some(verdict) = verdict(body) {
                        return Ok(Some(verdict));
                    }
                }
                UpstreamBody::Stream(_) => {}
            },
            Err(SendFailure::CallerLeft) => return Err(Stop::CallerLeft),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(None)
}

/// What a classifier says: a text is unsafe when its surest class is not the harmless one.
async fn classified<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
    text: &str,
) -> Result<Option<bool>, Stop> {
    // Whoever is asked here is none of those that answer the caller.
    let mut calls = Record::new(RequestId::new(0), host.now(), Endpoint::Classify);
    let answered =
        classify::classify(host, gate, config, model, &[text.to_owned()], &mut calls).await;
    gate.aside.borrow_mut().append(&mut calls.breaker_events);
    match answered {
        Ok((target, scored)) => {
            let surest = scored.first().and_then(|classes| classes.first());
            Ok(surest.map(|surest| target.tensors.harmless() != Some(surest.label.as_str())))
        }
        Err(Stop::Refused(_)) => Ok(None),
        Err(Stop::CallerLeft) => Err(Stop::CallerLeft),
    }
}

/// The head of the question; `None` where the key that it needs is not set.
fn headers(gate: &Gate, address: &Address) -> Option<String> {
    let mut headers = String::from("content-type:application/json");
    if let Some(name) = &address.api_key {
        headers.push_str("\nauthorization:Bearer ");
        headers.push_str(&gate.secret(name)?);
    }
    for (name, value) in &address.headers {
        headers.extend(["\n", name, ":", value]);
    }
    Some(headers)
}

fn question(target: &Target, text: &str) -> String {
    let limit =
        if target.dialect.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
    let mut question = json!({
        "model": target.model,
        "messages": [{ "role": "user", "content": text }],
        "stream": false,
    });
    if let Some(members) = question.as_object_mut() {
        members.insert(limit.to_owned(), ANSWER_TOKENS.into());
        if target.dialect.sampling {
            members.insert("temperature".to_owned(), 0.into());
        }
    }
    question.to_string()
}

/// What the first word of the answer says.
fn verdict(body: Vec<u8>) -> Option<bool> {
    let body = Envelope::parse(body).ok()?;
    let choice = body.present("choices")?.items().next()?;
    let content = choice.get("message")?.get("content").and_then(Value::as_str)?;
    let content = content.trim_start().to_ascii_lowercase();
    let word = content.split(|character: char| !character.is_ascii_alphabetic()).next()?;
    match word {
        "unsafe" => Some(true),
        "safe" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_words_are_a_verdict() {
        for (content, expected) in [
            ("safe", Some(false)),
            ("\n\nunsafe\nS2", Some(true)),
            ("Safe.", Some(false)),
            ("I think it is safe", None),
            ("unsafely", None),
            ("", None),
        ] {
            let body = json!({ "choices": [{ "message": { "content": content } }] });
            assert_eq!(verdict(body.to_string().into_bytes()), expected, "{content}");
        }
        assert_eq!(verdict(b"<html>".to_vec()), None);
    }
}
