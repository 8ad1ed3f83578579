//! Experiments: calls of one model, dealt out to variants of it; and where they are kept track of.

use std::sync::Arc;

use super::{Model, SecretName};
use crate::units::DurationMs;

/// Calls of one model, dealt out to variants of it.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The name in the configuration, headers, metrics and logs.
    pub name: String,
    /// What a variant is dealt by.
    pub by: Sticky,
    /// By their names; their shares are 1 together at most.
    pub variants: Vec<Arc<Variant>>,
}

/// What a variant is dealt by: the same gets the same variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sticky {
    /// The caller's key.
    Key,
    /// The value of this header (its name in lower case); the caller's key where there is none.
    Header(String),
}

/// One way to answer the calls of a model.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The name of its experiment.
    pub experiment: String,
    /// Its name in the experiment.
    pub name: String,
    /// Both, with a slash between: `tone/warm`.
    pub id: String,
    /// Eight hexadecimal digits that change with what it does, its share left out.
    pub version: String,
    /// Its share of the calls, in millionths.
    pub share: u32,
    /// The model with what the variant changes of it.
    pub model: Arc<Model>,
    /// What is written around the caller's texts.
    pub template: Template,
    /// What it does, as names and values that can be shown side by side with another's.
    pub settings: Vec<(String, String)>,
}

/// What is written around the caller's texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// A system message before all others.
    pub system: Option<String>,
    /// What stands before and behind the last message of the user.
    pub around: Option<(String, String)>,
}

/// What callers may say of the answers they got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackPolicy {
    /// The labels that are taken.
    pub labels: Vec<String>,
    /// Whether comments are kept.
    pub comments: bool,
}

/// An MLflow tracking server.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlflow {
    /// Its address, without a slash at its end.
    pub url: String,
    /// The experiment of traces; before a slash, that of each experiment's runs.
    pub experiment: String,
    /// How it knows the gateway; `None` where it lets anyone in.
    pub credentials: Option<Credentials>,
    /// How often the numbers of each run are written.
    pub every: DurationMs,
    /// The share of requests whose trace is sent, 0 to 1.
    pub trace_share: f64,
}

/// How a server knows the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token.
    Bearer(SecretName),
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: SecretName,
    },
}

impl Template {
    /// Whether it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.system.is_none() && self.around.is_none()
    }
}

impl Experiment {
    /// Whether some variant writes around the caller's texts.
    pub fn has_templates(&self) -> bool {
        self.variants.iter().any(|variant| !variant.template.is_empty())
    }
}
