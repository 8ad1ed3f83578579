//! Is this request one that the API documents and the model's bounds allow?
//!
//! The parameters are tables (`chat`, `completions`, `embeddings`) and one interpreter holds a
//! body against them. Every problem is told in a single refusal, in the order of the body, missing
//! fields of an object after those present, rules about several fields last. A field that no table
//! knows is let through. What passes becomes an [`Effective`] request, and nothing else can.

mod chat;
mod check;
mod completions;
mod cross;
mod embeddings;
mod messages;
mod problem;
mod rule;
mod sampling;

use std::borrow::Cow;
use std::sync::Arc;

use super::effective::Effective;
use super::endpoint::Endpoint;
use super::json::{Envelope, Value};
use crate::config::valid::{Bounds, Model};
use crate::refusal::{Code, Refusal};
use check::Check;
use problem::{At, Problems};
use rule::{Field, Need};

/// Bounds that only the API itself sets, for a request whose model is unknown.
const WIDEST: Bounds =
    Bounds { temperature: (0.0, 2.0), max_tokens: (1, u64::MAX), top_p: (0.0, 1.0) };

/// The name of the model that the caller asks for.
///
/// # Errors
/// `missing_required_parameter` or `invalid_type` where there is none, together with everything
/// else that is wrong with the request whatever its model.
pub fn requested_model(endpoint: Endpoint, body: &Envelope) -> Result<Cow<'_, str>, Refusal> {
    let model = body.root().get("model").and_then(Value::as_str);
    match model.filter(|name| !name.is_empty()) {
        Some(name) => Ok(name),
        None => Err(problems(endpoint, body, &WIDEST)
            .refusal()
            // The tables require a model, so there is at least that problem.
            .unwrap_or_else(|| Refusal::new(Code::MissingField, "`model` is required"))),
    }
}

/// Holds a request against the API and the model, and fills in what the caller left open.
///
/// The body is shared, so that a fallback model can be tried with the same one.
///
/// # Errors
/// One refusal that names every problem: `missing_required_parameter`, `invalid_type`,
/// `invalid_value` or `unsupported_parameter` by the first of them, `param` its field. Numbers are
/// quoted, strings never are.
pub fn validate(
    endpoint: Endpoint,
    body: Arc<Envelope>,
    model: &Model,
) -> Result<Effective, Refusal> {
    let mut problems = problems(endpoint, &body, &model.bounds);
    cross::sampling(endpoint, &body, model, &mut problems);
    match problems.refusal() {
        Some(refusal) => Err(refusal),
        None => Ok(Effective::filled(endpoint, body, model)),
    }
}

fn problems(endpoint: Endpoint, body: &Envelope, bounds: &Bounds) -> Problems {
    let mut check = Check { bounds, problems: Problems::default() };
    check.fields(body.root(), fields(endpoint), &At::BODY);
    cross::check(endpoint, body, &mut check.problems);
    check.problems
}

const fn fields(endpoint: Endpoint) -> &'static [Field] {
    match endpoint {
        Endpoint::ChatCompletions => chat::CHAT,
        Endpoint::Completions => completions::COMPLETIONS,
        Endpoint::Embeddings => embeddings::EMBEDDINGS,
    }
}

/// Whether `null` says the same as leaving the field out.
pub(crate) fn null_is_absent(endpoint: Endpoint, name: &str) -> bool {
    fields(endpoint).iter().any(|field| field.name == name && field.need == Need::Nullable)
}

/// Whether any target takes `temperature` and `top_p`.
pub(super) fn takes_sampling(model: &Model) -> bool {
    model.targets.iter().any(|target| target.dialect.sampling)
}

#[cfg(test)]
mod tests;
