//! Servers of one's own: replicas, how they are asked for their health, and the tensors of their
//! models.

use std::sync::Arc;

use super::Provider;
use crate::units::DurationMs;

/// The replicas of a provider.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    /// Each as a provider of its own, of the same name; none where there is one server only.
    pub replicas: Vec<Arc<Provider>>,
    /// Of a replica, what it is called: its host and port, or its address where another has the same.
    pub name: String,
    /// How long a call waits while the whole pool is being started; zero is not at all.
    pub patience: DurationMs,
    /// How replicas are asked whether they are ready; `None` is not at all.
    pub probe: Option<Probe>,
}

/// How replicas are asked whether they are ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// A path at the replica's host, or a whole address, that answers 200.
    pub path: String,
    /// Where its metrics are, in the same way; `None` where they are not read.
    pub metrics: Option<String>,
    /// How often.
    pub every: DurationMs,
}

/// What goes into a model of kind `oip`, and what comes out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensors {
    /// The input that takes texts; `None` is the only one of datatype BYTES.
    pub input: Option<String>,
    /// The output that is read; `None` is the only one.
    pub output: Option<String>,
    /// The classifier at the edge whose tokenizer makes ids of texts; `None` sends them as they are.
    pub tokenizer: Option<String>,
    /// The names of classes, in the order of the output's last dimension.
    pub labels: Vec<String>,
    /// Which of them means that nothing was found; `None` is the first.
    pub harmless: Option<String>,
    /// What makes scores of the output.
    pub activation: Activation,
}

impl Tensors {
    /// The class that means that nothing was found.
    pub fn harmless(&self) -> Option<&str> {
        self.harmless.as_deref().or_else(|| self.labels.first().map(String::as_str))
    }
}

/// What makes scores of logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Shares of one: exactly one class holds.
    #[default]
    Softmax,
    /// Each class by itself: several may hold, or none.
    Sigmoid,
    /// The output holds scores already.
    None,
}
