//! Token-bucket limits on requests and tokens, exact over any number of isolates.
//!
//! A bucket lives in the Durable Object `LIMITER` ([`Limiter`]), one object per *group*: `key:<id>`
//! holds what the key may use altogether and of each model, `model:<alias>` what all callers
//! together may use of that model. Isolates ([`Lessee`]) do not ask for every call: they lease a
//! batch, spend it without asking, and hand back what they did not need.
//!
//! What is promised, for requests and for tokens and for every bucket of limit `L` a minute: in any
//! window of `T` minutes at most `L + L·T` are admitted. It holds because what is in the bucket and
//! what is on lease are together never more than `L`:
//!
//! - a lease is deducted before anybody may use it, and the bucket refills only as far as `L` less
//!   what is on lease, until the lease is handed back, accounted for or has expired;
//! - an isolate counts the life of a lease from before it asked and stops a margin early, so a
//!   lease is dead in the isolate before it is dead in the object;
//! - what is handed back after its lease is over is worth only what it would be worth had it never
//!   been taken ([`account`]).
//!
//! Nothing here reads a clock, sends a message or waits: steps say what to do.

pub mod account;
pub mod bucket;
mod clock;
mod demand;
mod group;
mod holding;
mod lease;
pub mod lessee;
pub mod limiter;
pub mod refused;
mod rows;
pub mod standing;
pub mod step;
pub mod subject;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    bucket::PerMinute,
    lessee::Lessee,
    limiter::Limiter,
    refused::{Refused, Retry},
    standing::{Level, Standing},
    step::{Admission, Reservation, Step},
    subject::{Subject, SubjectLimits},
};
use crate::units::DurationMs;

/// The limiter object could not be reached, or did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// What a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Calls.
    Requests,
    /// Model tokens, prompt and completion.
    Tokens,
}

/// Whom a bucket holds to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A key, over all models.
    Key,
    /// A key's use of one model.
    KeyModel,
    /// All callers of one model.
    Model,
}

/// How long after a lease a refund for it is still taken; longer than any call may last.
const REFUND_WINDOW: DurationMs = DurationMs::from_secs(600);

/// The life of a lease as isolate and object both understand it: 1 second to 1 minute.
fn bounded_life(asked: DurationMs) -> DurationMs {
    asked.clamp(DurationMs::from_secs(1), DurationMs::from_secs(60))
}
