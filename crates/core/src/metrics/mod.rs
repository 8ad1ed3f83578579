//! Metrics: counted in each isolate, added up in the ledger object, written as Prometheus text.
//!
//! An isolate's [`Registry`] takes one [`Record`](crate::record::Record) a request and every few
//! seconds cuts a [`Delta`]: what was counted since the last one. The object `LEDGER` merges deltas
//! into an [`Aggregate`], keeps it as rows and writes the text. Everything counted is an integer
//! (milliseconds, bytes, tokens, micro-dollars), so adding is exact and its order does not matter;
//! a delta carries its isolate and a sequence number, so that one sent twice is counted once.
//!
//! What there is to count is one closed table, [`Family`]. Labels are names from the configuration
//! and from closed lists, which bounds the number of series; [`MAX_SERIES`] bounds it again.
//! Nothing here has a clock: the caller says when.

mod aggregate;
mod buckets;
mod delta;
mod family;
mod names;
mod observe;
mod registry;
mod report;
mod rows;
mod seen;
mod store;
mod text;
mod timeline;

#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, MAX_SERIES, Merged};
pub use delta::{Delta, DeltaError};
pub use family::{Facts, Family, Kind, Unit};
pub(crate) use names::NameId;
pub use registry::{CallResult, IsolateId, MAX_PENDING, Registry};
pub use rows::{Changes, Restored, Row, Table};
pub use text::Format;
pub use timeline::{Calls, Point, Step, Tries};
