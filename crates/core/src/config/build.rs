//! From the configuration as written to the valid one: what belongs together is checked here.
//!
//! Every builder looks at all its parts before it gives up, so that one pass finds everything; a
//! part that could not be read has been reported by the reader and is `None`.

mod alerts;
mod auth;
mod budget;
mod caller;
mod classifier;
mod experiment;
mod guard;
mod mlflow;
mod mock;
mod model;
mod names;
mod operations;
mod policy;
mod pool;
mod provider;
mod routes;
mod target;
mod telemetry;

use super::{
    Config,
    findings::{Found, Notes},
    problem::Rule,
    raw::RawConfig,
    tree::Path,
};
use crate::units::UnixMs;

/// What every builder is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    notes: Notes<'a>,
    today: UnixMs,
}

/// The valid configuration, if every part of it could be built.
pub(crate) fn config(
    raw: &RawConfig,
    notes: &Notes<'_>,
    today: UnixMs,
    digest: [u8; 32],
) -> Option<Config> {
    let site = Site { notes: *notes, today };
    site.check_version(raw);
    site.check_defaults(raw);
    let auth = site.auth(raw);
    let providers = site.providers(raw);
    let guards = site.guards(raw);
    let models = site.models(raw, providers.as_ref(), &guards);
    let classifiers = site.classifiers(raw);
    let experiments = site.experiments(raw, models.as_ref(), providers.as_ref());
    let guards = site.guards_of_keys(raw, guards);
    let teams = site.teams(raw);
    let budgets = budget::policy(raw);
    let limits = operations::gateway_limits(raw.limits.as_ref());
    let breaker = operations::breaker(raw.breaker.as_ref());
    let alerts = site.alerts(raw.alerts.as_ref());
    let telemetry = site.telemetry(raw.telemetry.as_ref());
    let feedback = site.feedback(raw.feedback.as_ref());
    let mlflow = site.mlflow(raw.mlflow.as_ref());
    let config = Config {
        digest,
        auth: auth?,
        providers: providers?,
        models: models?,
        guards: guards?,
        classifiers: classifiers?,
        teams: teams?,
        budgets: budgets?,
        limits: limits?,
        breaker: breaker?,
        alerts: alerts?,
        telemetry: telemetry?,
        experiments: experiments?,
        feedback: feedback?,
        mlflow: mlflow?,
    };
    site.check_routes(&config);
    Some(config)
}

impl Site<'_> {
    fn report(
        &self,
        at: &Path<'_>,
        rule: Rule,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.notes.at_value(at, Found::new(rule, message).help(help));
    }

    fn check_version(&self, raw: &RawConfig) {
        if let Some(version) = &raw.version
            && version.0 != 1
        {
            let message = format!("`version` is {}", version.0);
            self.report(
                &Path::Root.key("version"),
                Rule::UnsupportedVersion,
                message,
                "write `version = 1`",
            );
        }
    }
}
