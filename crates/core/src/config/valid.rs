//! A configuration that holds: every name resolves, every number is in its range.
//!
//! These types are made by `config::load` alone; the rest of the gateway never checks them again.
//! Inheritance is already applied: a [`Model`] carries its own complete policies.

mod classifier;
mod experiment;
mod guard;
mod operations;
mod pool;
mod recovery;
mod spending;

use std::{collections::BTreeMap, sync::Arc};

pub use classifier::Classifier;
pub use experiment::{Credentials, Experiment, FeedbackPolicy, Mlflow, Sticky, Template, Variant};
pub use guard::{
    Guard, GuardKind, GuardStages, Guards, OnError, OnFinding, OperatingPoint, Threshold,
};
pub use operations::{
    Address, AlertRules, Alerts, ErrorShare, GuardSpike, Otlp, ProviderDown, Receiver,
    ReceiverKind, SlowAnswers, Telemetry,
};
pub use pool::{Activation, Pool, Probe, Tensors};
pub use recovery::{Prefill, Recovery};
pub use spending::{Budget, BudgetPolicy, Period, RateLimits, Team, UnknownPrice};

use crate::units::{DurationMs, Tokens};

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// SHA-256 of the effective configuration; part of every cache key and of `/admin/config`.
    pub digest: [u8; 32],
    /// Who may call.
    pub auth: Auth,
    /// Providers by name.
    pub providers: BTreeMap<String, Arc<Provider>>,
    /// Models by the name that callers use.
    pub models: BTreeMap<String, Arc<Model>>,
    /// Guards by name, and those of callers' keys.
    pub guards: Guards,
    /// Where classifiers judge, by the classifier's name.
    pub classifiers: BTreeMap<String, Classifier>,
    /// Teams by name.
    pub teams: BTreeMap<String, Team>,
    /// What holds for every budget.
    pub budgets: BudgetPolicy,
    /// Limits of the gateway itself.
    pub limits: GatewayLimits,
    /// When a failing target is rested.
    pub breaker: BreakerPolicy,
    /// Which alerts there are, and where they are sent.
    pub alerts: Alerts,
    /// What is logged, kept and sent on.
    pub telemetry: Telemetry,
    /// Experiments by the model whose calls they deal out.
    pub experiments: BTreeMap<String, Arc<Experiment>>,
    /// What callers may say of the answers they got.
    pub feedback: FeedbackPolicy,
    /// Where experiments are kept track of.
    pub mlflow: Option<Mlflow>,
}

/// Who may call.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Anyone: for local use only.
    Open,
    /// Callers with one of these keys.
    Keys(Vec<Arc<CallerKey>>),
}

/// A caller's key, known by its digest alone.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// The name in logs, metrics and the ledger.
    pub id: String,
    /// SHA-256 of the key.
    pub digest: [u8; 32],
    /// Which models it may use.
    pub models: ModelAccess,
    /// What it may use of all models together.
    pub limits: RateLimits,
    /// What it may use of one model, by model name.
    pub model_limits: BTreeMap<String, RateLimits>,
    /// What it may spend.
    pub budget: Option<Budget>,
    /// The team whose budget it spends too, a name in [`Config::teams`].
    pub team: Option<String>,
    /// After this moment the key is refused.
    pub expires: Option<crate::units::UnixMs>,
}

/// Which models a key may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelAccess {
    /// All of them, those added later included.
    All,
    /// These.
    Only(Vec<String>),
}

/// Where models are run.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The name in the configuration, logs and metrics.
    pub name: String,
    /// How to speak to it.
    pub kind: ProviderKind,
    /// Where its models run.
    pub placement: Placement,
    /// Its replicas, where it has several.
    pub pool: Pool,
}

/// How to speak to a provider.
#[derive(Debug, Clone)]
pub enum ProviderKind {
    /// Any server with OpenAI's API.
    OpenAi(Endpoint),
    /// Any server with the Open Inference Protocol, version 2, over HTTP.
    Oip(Endpoint),
    /// The provider inside the Worker: deterministic answers, no network.
    Mock(MockPolicy),
}

impl ProviderKind {
    /// Where it is on the network; `None` inside the Worker.
    pub const fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::OpenAi(endpoint) | Self::Oip(endpoint) => Some(endpoint),
            Self::Mock(_) => None,
        }
    }

    /// Its address on the network.
    pub fn address(&self) -> Option<&str> {
        self.endpoint().map(|endpoint| endpoint.base_url.as_str())
    }
}

/// A provider on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The base, without a slash at its end: `https://api.openai.com/v1`, for `oip` what stands before
    /// `/v2`.
    pub base_url: String,
    /// The name of the Worker secret that holds the key; `None` sends no key.
    pub api_key: Option<SecretName>,
    /// Further headers, such as `openai-organization`; values are not secret.
    pub headers: Vec<(String, String)>,
}

/// The name of a secret; the secret itself is nowhere in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(pub String);

/// Where a provider's models run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Behind somebody's API.
    Api,
    /// On a GPU of our own.
    Gpu,
    /// In the Worker.
    Edge,
}

/// How the mock provider behaves.
#[derive(Debug, Clone, Default)]
pub struct MockPolicy {
    /// Time to the first byte.
    pub latency: DurationMs,
    /// Time between two chunks of a stream.
    pub chunk_interval: DurationMs,
    /// Faults, in order; the first whose turn has come is played.
    pub faults: Vec<MockFault>,
    /// Whether a request may script its own fault with the `tollhouse-mock` header.
    pub scripted_by_header: bool,
}

/// A fault that the mock plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockFault {
    /// Plays on every `every`-th call to this provider, counted from 1; 1 is every call.
    pub every: u64,
    /// How many times it plays in all; `None` is without end.
    pub times: Option<u64>,
    /// What happens.
    pub effect: MockEffect,
}

/// What a mock fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MockEffect {
    /// Answers with this status and an OpenAI error body, and `retry-after` where given (verbatim).
    Status {
        /// The status, 400 to 599.
        status: u16,
        /// The header's text: seconds or an HTTP date.
        retry_after: Option<String>,
    },
    /// Ends the stream without a finish after this many chunks.
    Cut {
        /// How many chunks are sent first.
        after_chunks: u32,
    },
    /// Sends nothing more after this many chunks (0: not even headers), until it is cancelled.
    Stall {
        /// How many chunks are sent first.
        after_chunks: u32,
    },
    /// Fails before headers, as a reset connection does.
    Reset,
}

/// A model as callers name it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The name that callers use.
    pub name: String,
    /// How a target is chosen.
    pub strategy: Strategy,
    /// Where it can be run, at least one.
    pub targets: Vec<Arc<Target>>,
    /// The model that is asked when every target has failed, as a name in [`Config::models`].
    pub fallback: Option<String>,
    /// Filled in where the caller is silent.
    pub params: Params,
    /// What callers may ask for.
    pub bounds: Bounds,
    /// How failures are retried.
    pub retry: RetryPolicy,
    /// How long things may take.
    pub timeout: Timeouts,
    /// What is cached.
    pub cache: CachePolicy,
    /// What all callers together may use of it.
    pub limits: RateLimits,
    /// What all callers together may spend on it.
    pub budget: Option<Budget>,
    /// What happens to a model past its retirement date.
    pub deprecated: DeprecationPolicy,
    /// What happens when a stream breaks midway.
    pub recovery: Recovery,
    /// Which guards judge its texts, for every caller.
    pub guards: Vec<Arc<Guard>>,
    /// The classifier at the edge that answers `/v1/classify` where no target does.
    pub edge: Option<String>,
}

/// One place where a model runs.
#[derive(Debug, Clone)]
pub struct Target {
    /// `provider/model`, the name in logs, metrics and breakers; of a replica `provider/model@host`.
    pub id: String,
    /// The provider.
    pub provider: Arc<Provider>,
    /// The model as the provider names it.
    pub model: String,
    /// Its share under [`Strategy::Weighted`], at least 1.
    pub weight: u32,
    /// What it costs; `None` is unknown, never zero.
    pub price: Option<crate::price::Price>,
    /// What this model takes.
    pub dialect: Dialect,
    /// When the provider retires it, and what follows it.
    pub retirement: Option<Retirement>,
    /// What goes in and comes out, for kind `oip`.
    pub tensors: Tensors,
    /// The same model at each replica of the provider; none where there is one server only.
    pub replicas: Vec<Arc<Self>>,
    /// For a replica, the id of the target that it belongs to.
    pub replica_of: Option<String>,
}

impl Target {
    /// The target's id; of a replica, that of the target that it belongs to.
    pub fn whole_id(&self) -> &str {
        self.replica_of.as_deref().unwrap_or(&self.id)
    }
}

/// What a provider's model takes, where models differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// True for models that take `max_completion_tokens` and refuse `max_tokens`.
    pub max_completion_tokens: bool,
    /// False for reasoning models, which refuse `temperature` and `top_p`.
    pub sampling: bool,
    /// False for servers that refuse `stream_options`.
    pub stream_usage: bool,
    /// How it goes on with another target's answer.
    pub prefill: Prefill,
    /// The context window, prompt and completion together.
    pub context: Option<Tokens>,
}

/// When a model is retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// Midnight UTC at the start of the day.
    pub on: crate::units::UnixMs,
    /// The same day as written: `2026-10-23`.
    pub date: String,
    /// The model to use instead.
    pub successor: Option<String>,
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The first healthy one, in the order written.
    Ordered,
    /// By chance, by weight.
    Weighted,
    /// The one with the shortest recent time to first byte.
    Fastest,
}

/// Sampling parameters filled in where the caller is silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// 0 to 2.
    pub temperature: f64,
    /// At least 1.
    pub max_tokens: u64,
    /// 0 to 1.
    pub top_p: f64,
}

/// Inclusive bounds on what a caller may ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Within 0 to 2.
    pub temperature: (f64, f64),
    /// From 1.
    pub max_tokens: (u64, u64),
    /// Within 0 to 1.
    pub top_p: (f64, f64),
}

/// How failures are retried.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, over every target, 1 to 10.
    pub max_attempts: u32,
    /// The first delay's ceiling.
    pub base_delay: DurationMs,
    /// Every delay's ceiling.
    pub max_delay: DurationMs,
    /// The longest `Retry-After` that is waited for; above it the next target is asked at once.
    pub max_retry_after: DurationMs,
    /// Which statuses are retried: 408, 409, 429 and 5xx unless configured.
    pub statuses: Vec<u16>,
    /// Retries as a share of requests, 0 to 1, so that an outage does not multiply load.
    pub budget: f64,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection is made.
    pub connect: DurationMs,
    /// Until the first event of a stream.
    pub first_token: DurationMs,
    /// Until the first byte of a reply that is not streamed. Such a reply comes when all of it is
    /// made, so the bound for a first token would be too tight.
    pub reply: DurationMs,
    /// Between two chunks.
    pub idle: DurationMs,
    /// The whole request, retries included.
    pub total: DurationMs,
}

/// What is cached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CachePolicy {
    /// False bypasses the cache.
    pub enabled: bool,
    /// How long a reply is kept.
    pub ttl: DurationMs,
    /// Who shares replies.
    pub scope: CacheScope,
    /// Requests above this temperature are cached only when the caller asks.
    pub max_temperature: f64,
    /// Whether requests with tools are cached unasked.
    pub tools: bool,
}

/// Who shares cached replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// Each key has its own.
    Key,
    /// All keys share.
    Shared,
}

/// What happens to a model past its retirement date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeprecationPolicy {
    /// It is called, and the reply carries a `warning` header that names the successor.
    Warn,
    /// It is refused with `model_deprecated`.
    Refuse,
    /// It is called, in silence.
    Allow,
}

/// Limits of the gateway itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayLimits {
    /// The longest body that is read.
    pub max_body_bytes: u64,
    /// How long a lease of requests or tokens lasts.
    pub lease: DurationMs,
    /// What happens when the limiter cannot be reached.
    pub on_unreachable: Unreachable,
}

/// What happens when a store cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// The call is refused.
    Refuse,
    /// The call is let through, uncounted.
    Admit,
}

/// When a failing target is rested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerPolicy {
    /// Failures in a row that open the breaker.
    pub failures: u32,
    /// How long it stays open before one probe is let through.
    pub open: DurationMs,
}
