//! The configuration as written: every key that is read, what it takes, and what it is for.
//!
//! Every field is optional here, as a value that cannot be read is reported and passed over, so that
//! one reading finds everything. Defaults stand in `base.toml`; what belongs together is checked in
//! `build`. The doc comments are the descriptions in the JSON Schema.

#[macro_use]
mod read;
mod auth;
mod choice;
mod classifier;
mod experiment;
mod guard;
mod model;
mod operations;
mod policy;
mod provider;
mod scalar;
#[cfg(feature = "schema")]
mod schema;

pub(crate) use auth::{RawAuth, RawBudget, RawBudgets, RawKey, RawRateLimits, RawTeam};
pub(crate) use choice::{AuthMode, ClassifierPlacement, GuardAction, GuardWord, Kind};
pub(crate) use classifier::RawClassifier;
pub(crate) use experiment::{RawExperiment, RawFeedback, RawMlflow, RawVariant};
pub(crate) use guard::RawGuard;
pub(crate) use model::{RawModel, RawPrice, RawTarget, RawTensors};
pub(crate) use operations::{
    RawAlerts, RawBreaker, RawGatewayLimits, RawOtlp, RawReceiver, RawTelemetry,
};
pub(crate) use policy::{RawBounds, RawCache, RawDefaults, RawParams, RawRetry, RawTimeout};
pub(crate) use provider::{RawFault, RawPool, RawProvider};
pub(crate) use read::{List, Named, Read};
pub(crate) use scalar::{Pair, Real, Secret, Status, Whole};

raw! {
    /// The configuration of a Tollhouse gateway.
    RawConfig {
        /// The version of this contract: 1.
        #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = 1)))]
        version: Whole<0, 1_000_000>,
        /// Who may call.
        auth: RawAuth,
        /// Where models are run, by a name of your choice.
        providers: Named<RawProvider>,
        /// What every model inherits, key by key.
        defaults: RawDefaults,
        /// Models by the name that callers use.
        models: Named<RawModel>,
        /// Guards, by a name of your choice.
        guards: Named<RawGuard>,
        /// Where classifiers judge, by the classifier's name; one that is not named here judges at the edge.
        classifiers: Named<RawClassifier>,
        /// Teams, by a name of your choice: keys that spend from one budget.
        teams: Named<RawTeam>,
        /// What holds for every budget.
        budgets: RawBudgets,
        /// Limits of the gateway itself.
        limits: RawGatewayLimits,
        /// When a failing target is rested.
        breaker: RawBreaker,
        /// Which alerts there are, and where they are sent.
        alerts: RawAlerts,
        /// What is logged, kept and sent on.
        telemetry: RawTelemetry,
        /// Experiments, by a name of your choice: calls of one model, dealt out to variants of it.
        experiments: Named<RawExperiment>,
        /// What callers may say of the answers they got.
        feedback: RawFeedback,
        /// Where experiments are kept track of; without it, nowhere but here.
        mlflow: RawMlflow,
    }
}
