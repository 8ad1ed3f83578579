//! From bytes to a request that the API and the model's bounds allow.

use std::sync::Arc;

use super::{
    Stop,
    exchange::{Arrived, Received},
    host::Host,
    stages::{Authenticated, Guarded, Parsed, Validated},
};
use crate::{
    auth::{self, Caller},
    config::valid::{Config, DeprecationPolicy, Model, RateLimits},
    http::CallHeaders,
    openai::{self, Endpoint, Envelope},
    rate::{Subject, SubjectLimits},
    record::{CallerSpan, Record, TraceId},
    refusal::{Code, Refusal},
    units::UnixMs,
};

/// The longest head that is read, in bytes of names and values.
const MAX_HEADER_BYTES: usize = 32 << 10;

/// Reads what the headers ask for.
pub(super) fn headers<'a>(
    arrived: &'a Arrived,
    record: &mut Record,
) -> Result<CallHeaders<'a>, Refusal> {
    let length: usize = arrived.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if length > MAX_HEADER_BYTES {
        let message =
            format!("the headers are {length} bytes long, the limit is {MAX_HEADER_BYTES}");
        return Err(Refusal::new(Code::HeadersTooLarge, message));
    }
    let headers = CallHeaders::read(|name| arrived.header(name))?;
    record.trace = headers.trace.map(|trace| TraceId::new(trace.trace_id));
    record.caller_span =
        headers.trace.map(|trace| CallerSpan { id: trace.parent_id, sampled: trace.sampled });
    Ok(headers)
}

/// Reads the body, as much of it as is allowed.
pub(super) async fn body<H: Host>(
    host: &H,
    config: &Config,
    record: &mut Record,
) -> Result<Vec<u8>, Stop> {
    let limit = config.limits.max_body_bytes;
    match host.body(limit).await {
        Received::Body(bytes) => {
            record.bytes_in = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Ok(bytes)
        }
        Received::TooLong => {
            let message = format!("the body is longer than {limit} bytes, which is the limit");
            Err(Refusal::new(Code::BodyTooLarge, message).into())
        }
        Received::CallerLeft => Err(Stop::CallerLeft),
    }
}

/// Finds one JSON object in the body.
pub(super) fn parse(endpoint: Endpoint, body: Vec<u8>) -> Result<Parsed, Refusal> {
    Ok(Parsed { endpoint, body: Arc::new(Envelope::parse(body)?) })
}

/// Finds the caller by its key.
pub(super) fn caller(
    config: &Config,
    arrived: &Arrived,
    now: UnixMs,
    record: &mut Record,
) -> Result<Caller, Refusal> {
    let (bearer, plain) = (arrived.header("authorization"), arrived.header("x-api-key"));
    let caller = auth::authenticate(&config.auth, bearer, plain, now)?;
    record.key = caller.key().cloned();
    Ok(caller)
}

/// Finds the model that the caller names, if it may use it.
pub(super) fn authenticate(
    config: &Config,
    caller: Caller,
    parsed: Parsed,
    record: &mut Record,
) -> Result<Authenticated, Refusal> {
    let name = openai::requested_model(parsed.endpoint, &parsed.body)?;
    let model = caller.model(config, &name)?.clone();
    record.model = Some(model.clone());
    let subject = subject(&caller, &model.name, model.limits);
    Ok(Authenticated { parsed, caller, model, subject })
}

/// Which limits apply to this caller and model.
pub(super) fn subject(caller: &Caller, model: &str, model_limits: RateLimits) -> Subject {
    let key = caller.key();
    let limits = SubjectLimits {
        key: key.map_or_else(RateLimits::default, |key| key.limits),
        key_model: key.and_then(|key| key.model_limits.get(model).copied()).unwrap_or_default(),
        model: model_limits,
    };
    Subject::new(caller.id(), model, limits)
}

/// The limits of one model alone, for a caller who has been counted under its key already.
pub(super) fn subject_of_model(caller: &Caller, model: &Model) -> Subject {
    let key = caller.key();
    let limits = SubjectLimits {
        key: RateLimits::default(),
        key_model: key
            .and_then(|key| key.model_limits.get(&model.name).copied())
            .unwrap_or_default(),
        model: model.limits,
    };
    Subject::new(caller.id(), &model.name, limits)
}

/// The same request to another model.
pub(super) fn instead(guarded: Guarded, model: &Arc<Model>) -> Result<Validated, Refusal> {
    let Guarded(Validated { caller, model: _, subject: _, request }, _) = guarded;
    let request = openai::validate(request.endpoint(), request.into_body(), model)?;
    let subject = subject(&caller, &model.name, model.limits);
    Ok(Validated { caller, model: model.clone(), subject, request })
}

/// Holds the request against the API and the model.
pub(super) fn validate(
    authenticated: Authenticated,
    now: UnixMs,
    record: &mut Record,
) -> Result<Validated, Refusal> {
    let Authenticated { parsed, caller, model, subject } = authenticated;
    refuse_retired(&model, now)?;
    let request = openai::validate(parsed.endpoint, parsed.body, &model)?;
    record.streamed = request.is_streamed();
    Ok(Validated { caller, model, subject, request })
}

/// A model is retired when every target of it is.
fn refuse_retired(model: &Model, now: UnixMs) -> Result<(), Refusal> {
    match model.deprecated {
        DeprecationPolicy::Refuse => {}
        DeprecationPolicy::Warn | DeprecationPolicy::Allow => return Ok(()),
    }
    let retired: Vec<_> = model
        .targets
        .iter()
        .filter_map(|target| target.retirement.as_ref().filter(|retirement| retirement.on <= now))
        .collect();
    match retired.first() {
        Some(retirement) if retired.len() == model.targets.len() => {
            let successor = retirement.successor.as_ref();
            let advice = successor.map_or(String::new(), |name| format!("; use `{name}` instead"));
            let message = format!("the model was retired on {}{advice}", retirement.date);
            Err(Refusal::new(Code::ModelDeprecated, message).at("model"))
        }
        Some(_) | None => Ok(()),
    }
}
