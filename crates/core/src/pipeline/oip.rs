//! Calls to a model that speaks the Open Inference Protocol: its metadata once, then inference.

use std::rc::Rc;

use super::{
    Gate,
    exchange::UpstreamBody,
    host::Host,
    provider::{Failure, Line, Whole, failed_reply, invalid, post},
};
use crate::{
    config::valid::{Endpoint as Address, Target},
    oip::{
        self, Inputs, Metadata, Mismatch, Rows,
        post::{Encoding, Scored, classes, embeddings},
    },
    openai::{
        Effective, Endpoint,
        json::{Kind, Value},
        upstream::UpstreamFailure,
    },
    refusal::Code,
    retry::{AttemptLimits, Outcome},
};

/// Answers a call for embeddings.
pub(super) async fn embed<H: Host>(
    host: &H,
    gate: &Gate,
    request: &Effective,
    address: &Address,
    target: &std::sync::Arc<Target>,
    line: Line<'_>,
) -> Result<Whole, Failure> {
    match request.endpoint() {
        Endpoint::Embeddings => {}
        Endpoint::ChatCompletions | Endpoint::Completions => {
            let message = "a model of the Open Inference Protocol answers embeddings and \
                           classification, and nothing else";
            return Err(refused(404, Code::UpstreamError, message.to_owned()));
        }
    }
    let inputs = match inputs(request).ok_or_else(|| invalid("the input could not be read"))? {
        Inputs::Texts(texts) => of_texts(gate, target, texts)?,
        tokens @ Inputs::Tokens { .. } => tokens,
    };
    let rows = infer(host, gate, address, target, &inputs, line).await?;
    let asked = request.body().present("dimensions").and_then(Value::as_u64);
    let width = rows.0.first().map_or(0, Vec::len);
    if let Some(asked) = asked.filter(|asked| usize::try_from(*asked) != Ok(width)) {
        let message = format!("`dimensions` is {asked}, and the model's vectors have {width}");
        return Err(refused(400, Code::UpstreamRejected, message));
    }
    let is_base64 =
        request.body().present("encoding_format").is_some_and(|format| format.is_str("base64"));
    let encoding = if is_base64 { Encoding::Base64 } else { Encoding::Floats };
    let body = embeddings(&rows, &target.model, encoding, request.prompt_tokens());
    Ok(Whole { target: target.clone(), body, usage: None, held_by_host: false })
}

/// The classes of each text, the surest first.
pub(super) async fn classify<H: Host>(
    host: &H,
    gate: &Gate,
    target: &Target,
    texts: &[String],
    limits: AttemptLimits,
) -> Result<Vec<Vec<Scored>>, Failure> {
    let inputs = of_texts(gate, target, texts.to_vec())?;
    let Some(address) = target.provider.kind.endpoint() else {
        return Err(invalid("the provider has no address"));
    };
    let line = Line { limits, headers: None };
    let rows = infer(host, gate, address, target, &inputs, line).await?;
    classes(&target.tensors, &rows).map_err(mismatch)
}

/// Texts as they are, or as the ids of the tokenizer that the target names.
fn of_texts(gate: &Gate, target: &Target, texts: Vec<String>) -> Result<Inputs, Failure> {
    let Some(name) = &target.tensors.tokenizer else { return Ok(Inputs::Texts(texts)) };
    let tokenized: Option<Vec<_>> = texts.iter().map(|text| gate.tokens(name, text)).collect();
    let tokenized = tokenized.ok_or_else(|| {
        mismatch(Mismatch::Asked(format!("no classifier `{name}` with a tokenizer is loaded")))
    })?;
    let padding = tokenized.first().map_or(0, |first| first.padding);
    Ok(Inputs::Tokens { ids: tokenized.into_iter().map(|text| text.ids).collect(), padding })
}

async fn infer<H: Host>(
    host: &H,
    gate: &Gate,
    address: &Address,
    target: &Target,
    inputs: &Inputs,
    line: Line<'_>,
) -> Result<Rows, Failure> {
    let began = host.now();
    let metadata = metadata(host, gate, address, target, line).await?;
    // Both calls share the time of one attempt.
    let line = Line { limits: line.limits.after(host.now().since(began)), ..line };
    let body = oip::question(&metadata, &target.tensors, inputs).map_err(mismatch)?;
    let url = [address.base_url.as_str(), &oip::infer_path(&target.model)].concat();
    let answered = call(host, gate, address, &url, &body, line).await;
    let rows = answered.and_then(|body| {
        oip::answer(&metadata, &target.tensors, &body, inputs.len()).map_err(mismatch)
    });
    if rows.is_err() {
        // The model may have been replaced by another one of its name.
        gate.metadata.borrow_mut().forget(&address.base_url, &target.model);
    }
    rows
}

/// What the model says of itself, read once from each server.
async fn metadata<H: Host>(
    host: &H,
    gate: &Gate,
    address: &Address,
    target: &Target,
    line: Line<'_>,
) -> Result<Rc<Metadata>, Failure> {
    if let Some(known) = gate.metadata.borrow().get(&address.base_url, &target.model) {
        return Ok(known);
    }
    let url = [address.base_url.as_str(), &oip::metadata_path(&target.model)].concat();
    let body = call(host, gate, address, &url, &[], line).await.map_err(unknown_model)?;
    let metadata = Rc::new(Metadata::read(&body).map_err(mismatch)?);
    gate.metadata.borrow_mut().learn(&address.base_url, &target.model, &metadata);
    Ok(metadata)
}

/// Triton answers 400 for a model that it does not have, others 404: neither is the caller's fault.
fn unknown_model(failure: Failure) -> Failure {
    match failure {
        Failure::Failed(Outcome::Refused(UpstreamFailure {
            status: 400 | 404, message, ..
        })) => refused(404, Code::UpstreamError, message),
        Failure::Failed(_) | Failure::CallerLeft => failure,
    }
}

/// Sends a body, or asks without one, and returns the body of a 200.
async fn call<H: Host>(
    host: &H,
    gate: &Gate,
    address: &Address,
    url: &str,
    body: &[u8],
    line: Line<'_>,
) -> Result<Vec<u8>, Failure> {
    let upstream = post(host, gate, address, url, body, line).await?;
    if upstream.status != 200 {
        let key = address.api_key.as_ref().and_then(|name| gate.secret(name));
        let failure = failed_reply(&upstream, key.as_deref(), host.now());
        return Err(Failure::Failed(Outcome::Refused(failure)));
    }
    match upstream.body {
        UpstreamBody::Whole(body) => Ok(body),
        UpstreamBody::Stream(_) => {
            Err(invalid("the server streamed an answer, which was not asked for"))
        }
    }
}

/// Texts, or token ids, as OpenAI's `input` has them.
fn inputs(request: &Effective) -> Option<Inputs> {
    let input = request.body().present("input")?;
    let text = |value: Value<'_>| value.as_str().map(std::borrow::Cow::into_owned);
    let tokens = |value: Value<'_>| value.items().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    if input.kind() == Kind::String {
        return Some(Inputs::Texts(vec![text(input)?]));
    }
    match input.items().next()?.kind() {
        Kind::String => Some(Inputs::Texts(input.items().map(text).collect::<Option<_>>()?)),
        Kind::Number => Some(Inputs::Tokens { ids: vec![tokens(input)?], padding: 0 }),
        Kind::Array => {
            let ids = input.items().map(tokens).collect::<Option<_>>()?;
            Some(Inputs::Tokens { ids, padding: 0 })
        }
        Kind::Null | Kind::Bool | Kind::Object => None,
    }
}

fn mismatch(mismatch: Mismatch) -> Failure {
    match mismatch {
        // As a server would that checks its inputs: another target may have another model.
        Mismatch::Asked(message) => refused(404, Code::UpstreamError, message),
        Mismatch::Answered(message) => invalid(&message),
    }
}

const fn refused(status: u16, code: Code, message: String) -> Failure {
    let quota_exhausted = false;
    Failure::Failed(Outcome::Refused(UpstreamFailure {
        status,
        code,
        message,
        retry_after: None,
        quota_exhausted,
    }))
}
