//! The usage ledger: what each key spent with each model at each target, by UTC day.
//!
//! Isolates count rows like metrics and hand them over in the same [`Delta`](crate::metrics::Delta);
//! the object adds them to a table and asks it by [`group`]. A call is booked on the day on which it
//! arrived. Tokens are what the provider reported (or our estimate, counted apart), money is in
//! micro-dollars, and a call of unknown price is counted as such and costs nothing here.

mod counts;
mod day;
mod query;
mod text;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use day::Day;
pub use query::{Column, Group, group};
pub use text::{to_csv, to_json};

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use crate::metrics::NameId;

/// One row of the ledger: amounts to add to what the table has for this day, key, model and target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The day on which the calls arrived.
    pub day: Day,
    /// The caller's key id; empty for calls without one.
    pub key: String,
    /// The model as callers name it; empty where the call named none that is configured.
    pub model: String,
    /// The target, as `provider/model`; empty where none was asked.
    pub target: String,
    /// What was counted.
    pub counts: Counts,
}

/// A row's key while its texts are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) day: Day,
    pub(crate) key: NameId,
    pub(crate) model: NameId,
    pub(crate) target: NameId,
}

/// Amounts by row, while texts are numbers.
pub(crate) type Usages = HashMap<Slot, Counts, FxBuildHasher>;
