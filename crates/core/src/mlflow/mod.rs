//! Experiments kept track of in MLflow: a run for each variant, written by the ledger's alarm.
//!
//! Sums are read off the aggregate of all isolates (`sums`) and put into a queue, one [`Snapshot`]
//! after the other; the [`Tracker`] says what is to be sent next and learns what came of it. It is
//! kept as rows, with everything that the server has not taken yet, so that neither a restart nor a
//! server that is away for hours loses anything. What is written are totals with a step: sent twice,
//! they are the same points. What the calls look like is in `api`. Source:
//! <https://mlflow.org/docs/latest/rest-api.html>.

mod api;
mod runs;
mod sums;
mod tracker;

#[cfg(test)]
mod tests;

use base64::{Engine, prelude::BASE64_STANDARD};

pub use api::{Body, Request};
pub use sums::{Snapshot, snapshots};
pub use tracker::{Call, Reply, Tracker};

/// The value of `authorization` for a name and a password (RFC 7617).
pub fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}
