//! What operators are told, and where telemetry goes.

use super::SecretName;
use crate::units::DurationMs;

/// Which alerts there are, and where they are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts {
    /// Where they are sent; none keeps them to the log.
    pub receivers: Vec<Receiver>,
    /// How often rules are looked at.
    pub every: DurationMs,
    /// What is worth an alert.
    pub rules: AlertRules,
}

/// Somebody who takes alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The name in logs.
    pub name: String,
    /// How it wants them.
    pub kind: ReceiverKind,
    /// Where it takes them.
    pub address: Address,
    /// `PagerDuty`'s key of the service that is alerted, a Worker secret.
    pub routing_key: Option<SecretName>,
}

/// How a receiver wants its alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiverKind {
    /// One JSON object an event.
    Json,
    /// Slack's incoming webhooks, which others understand too.
    Slack,
    /// `PagerDuty`'s Events API v2.
    PagerDuty,
}

/// An address, or the name of the Worker secret that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// As written.
    Plain(String),
    /// Whoever knows it may write there.
    Secret(SecretName),
}

/// What is worth an alert; `None` is switched off.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRules {
    /// Too many of a model's calls fail, for which the caller is not to blame.
    pub error_share: Option<ErrorShare>,
    /// A model answers slowly.
    pub latency: Option<SlowAnswers>,
    /// Whether a target that is rested by its breaker is worth an alert.
    pub breaker_open: bool,
    /// A provider answers no call.
    pub provider_down: Option<ProviderDown>,
    /// Shares of a budget, above 0, of which each is worth an alert once a period.
    pub budget_shares: Vec<f64>,
    /// A guard acts far more often than before.
    pub guard_spike: Option<GuardSpike>,
    /// Whether a configuration that is refused is worth an alert.
    pub config_rejected: bool,
}

/// Too many of a model's calls fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorShare {
    /// The share above which it is too many, 0 to 1.
    pub above: f64,
    /// Over which time.
    pub window: DurationMs,
    /// With fewer calls in that time nothing is said.
    pub at_least: u64,
}

/// A model answers slowly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowAnswers {
    /// Which quantile, 0 to 1.
    pub quantile: f64,
    /// The length above which it is slow.
    pub above: DurationMs,
    /// Over which time.
    pub window: DurationMs,
    /// With fewer calls in that time nothing is said.
    pub at_least: u64,
}

/// A provider answers no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderDown {
    /// Over which time.
    pub window: DurationMs,
    /// With fewer calls in that time nothing is said.
    pub at_least: u64,
}

/// A guard acts far more often than before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardSpike {
    /// So many times as often as in the hour before.
    pub times: f64,
    /// Over which time.
    pub window: DurationMs,
    /// With fewer acts in that time nothing is said.
    pub at_least: u64,
}

/// What is logged, kept and sent on.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// One log line a request.
    pub log_requests: bool,
    /// How often an isolate hands its counts to the ledger.
    pub flush: DurationMs,
    /// How many objects share the ledger, from 1.
    pub ledger_shards: u32,
    /// How many days usage is kept.
    pub retention_days: u32,
    /// Where metrics and traces are sent by OTLP.
    pub otlp: Option<Otlp>,
}

/// An OTLP/HTTP receiver that takes JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// The base, without a slash at its end; `/v1/metrics` and `/v1/traces` are below it.
    pub endpoint: String,
    /// Further headers; values are not secret.
    pub headers: Vec<(String, String)>,
    /// Headers whose values are Worker secrets.
    pub secret_headers: Vec<(String, SecretName)>,
    /// How often metrics are sent; `None` sends none.
    pub metrics_every: Option<DurationMs>,
    /// The share of requests whose trace is sent, 0 to 1; those whose callers record them always are,
    /// unless it is 0.
    pub trace_share: f64,
}
