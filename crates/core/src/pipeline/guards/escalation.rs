//! A second opinion: a larger model is asked about a text that is in doubt.
//!
//! It is asked as guard models are (Llama Guard, `ShieldGemma` and their like): the text is the user's
//! message, and the answer begins with `safe` or `unsafe`.

use std::sync::Arc;

use serde_json::json;

use super::super::{
    Gate, Stop,
    classify::{self, attempt},
    course::{self, Course},
    exchange::UpstreamBody,
    host::Host,
    provider::{Failure, Line, failed_reply, invalid, post, secret},
};
use crate::{
    config::valid::{Config, Model, ProviderKind, Target},
    openai::{
        self,
        json::{Envelope, Value},
        reply,
    },
    price::Usage,
    record::{Aside, Endpoint, Record, RequestId},
    retry::{AttemptLimits, Frame, Outcome},
};

/// How many tokens an answer may have: the word, and the names of categories.
const ANSWER_TOKENS: u64 = 32;

/// What the larger model says, and what asking it took.
#[derive(Debug, Default)]
pub(super) struct Opinion {
    /// Whether the text is unsafe; `None` where no target says either.
    pub(super) is_unsafe: Option<bool>,
    /// The calls made for it.
    pub(super) calls: Vec<Aside>,
}

/// What the model `to` says of `text`.
pub(super) async fn ask<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    to: &str,
    text: &str,
) -> Result<Opinion, Stop> {
    let Some(model) = config.models.get(to) else { return Ok(Opinion::default()) };
    // Whoever is asked here is none of those that answer the caller.
    let mut calls = Record::new(RequestId::new(0), host.now(), Endpoint::ChatCompletions);
    let answered = if classify::classifies(model) {
        classified(host, gate, config, model, text, &mut calls).await
    } else {
        judged(host, gate, config, model, text, &mut calls).await
    };
    gate.aside.borrow_mut().append(&mut calls.breaker_events);
    let is_unsafe = match answered {
        Ok(is_unsafe) => is_unsafe,
        Err(Stop::Refused(_)) => None,
        Err(Stop::CallerLeft) => return Err(Stop::CallerLeft),
    };
    let made = calls.attempts.into_iter().map(|attempt| Aside { model: model.clone(), attempt });
    Ok(Opinion { is_unsafe, calls: made.collect() })
}

/// What a classifier says: a text is unsafe when its surest class is not the harmless one.
async fn classified<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
    text: &str,
    calls: &mut Record,
) -> Result<Option<bool>, Stop> {
    let texts = [text.to_owned()];
    let (target, scored) = classify::classify(host, gate, config, model, &texts, calls).await?;
    let surest = scored.first().and_then(|classes| classes.first());
    Ok(surest.map(|surest| target.tensors.harmless() != Some(surest.label.as_str())))
}

/// What a model that answers in words says.
async fn judged<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
    text: &str,
    calls: &mut Record,
) -> Result<Option<bool>, Stop> {
    let mut targets = course::order(host, gate, config, model)?;
    targets.retain(|target| matches!(target.provider.kind, ProviderKind::OpenAi(_)));
    let (timeouts, started) = (model.timeout, host.now());
    let frame = Frame { timeouts, started, deadline: None, streamed: false };
    let mut course = Course::new(host, gate, config, model, targets, frame);
    let mut next = course.first();
    loop {
        let turn = course.turn(next, calls).await?;
        let target = Arc::clone(&turn.target);
        let put = async |target: &Arc<Target>, limits| put(host, gate, target, text, limits).await;
        match attempt(host, gate, turn, calls, put).await {
            Ok(is_unsafe) => {
                course.answered(&target, calls);
                return Ok(Some(is_unsafe));
            }
            Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
            Err(Failure::Failed(outcome)) => next = course.after(&target, &outcome, calls),
        }
    }
}

/// Puts the question to one target.
async fn put<H: Host>(
    host: &H,
    gate: &Gate,
    target: &Target,
    text: &str,
    limits: AttemptLimits,
) -> Result<(bool, Option<Usage>), Failure> {
    let ProviderKind::OpenAi(address) = &target.provider.kind else {
        return Err(invalid("only servers of kind `openai` are asked"));
    };
    let url = [address.base_url.as_str(), "/chat/completions"].concat();
    let (body, line) = (question(target, text), Line { limits, headers: None });
    let upstream = post(host, gate, address, &url, body.as_bytes(), line).await?;
    if upstream.status != 200 {
        let key = secret(gate, target);
        let failure = failed_reply(&upstream, key.as_deref(), host.now());
        return Err(Failure::Failed(Outcome::Refused(failure)));
    }
    let UpstreamBody::Whole(body) = upstream.body else {
        return Err(invalid("the provider streamed an answer that was asked for whole"));
    };
    let facts = reply::read(openai::Endpoint::ChatCompletions, &body);
    let usage = facts.map_err(|error| invalid(&error.to_string()))?.usage;
    let is_unsafe =
        verdict(body).ok_or_else(|| invalid("the answer is neither safe nor unsafe"))?;
    Ok((is_unsafe, usage))
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
