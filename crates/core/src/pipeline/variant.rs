//! Which variant of an experiment answers, and what it writes around the caller's texts.

use std::sync::Arc;

use super::{
    exchange::Arrived,
    stages::{Authenticated, Guarded, Validated},
};
use crate::{
    config::valid::Config,
    experiments::{self, seal::seal, template},
    openai::{self, Envelope},
    record::Record,
    refusal::Refusal,
};

/// Deals a variant where the model is part of an experiment, and makes the reply's id one that says
/// whose answer it is.
pub(super) fn deal(
    config: &Config,
    arrived: &Arrived,
    mut authenticated: Authenticated,
    record: &mut Record,
) -> Authenticated {
    let Authenticated { parsed, caller, model, .. } = &mut authenticated;
    let experiment = config.experiments.get(&model.name).filter(|experiment| {
        !experiment.has_templates() || template::fits(parsed.endpoint, &parsed.body)
    });
    let variant = experiment.and_then(|experiment| {
        experiments::deal(experiment, caller.id(), |name| arrived.header(name))
    });
    let key = caller.key().map(AsRef::as_ref);
    record.id = seal(record.id, key, &model.name, variant.as_deref());
    if let Some(variant) = variant {
        *model = variant.model.clone();
        record.model = Some(model.clone());
        record.variant = Some(variant);
    }
    authenticated
}

/// Writes the variant's template around the texts that the guards let pass.
pub(super) fn write(guarded: Guarded, record: &Record) -> Result<Guarded, Refusal> {
    let Some(variant) = &record.variant else { return Ok(guarded) };
    let endpoint = guarded.0.request.endpoint();
    let written = template::apply(&variant.template, endpoint, guarded.0.request.body());
    let Some(written) = written else { return Ok(guarded) };
    let Guarded(validated, guards) = guarded;
    let body = Arc::new(Envelope::parse(written.into_bytes())?);
    let request = openai::validate(endpoint, body, &validated.model)?;
    Ok(Guarded(Validated { request, ..validated }, guards))
}
