//! What the limits tell the pipeline to do, and what they hand it to keep.

#[cfg(doc)]
use super::Lessee;
use super::Refused;
use crate::units::DurationMs;

/// What to do for a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// The limits let it through.
    Ready(T),
    /// Send `message` to the object of `group`, feed [`Lessee::answered`], take the step again.
    Ask {
        /// The object's name.
        group: String,
        /// What to send it.
        message: Vec<u8>,
    },
    /// A message to `group` is out: wait for its answer, then take the step again.
    Wait {
        /// The object's name.
        group: String,
        /// After this long, take the step again even without an answer.
        at_most: DurationMs,
    },
    /// A limit is reached; nothing was taken.
    Refused(Refused),
    /// The limits could not be checked and the configuration refuses unchecked calls.
    Unreachable,
}

/// Whether a call that was let through was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By every bucket that applies.
    Counted,
    /// Not by every one: an object was unreachable and the configuration admits.
    Uncounted,
}

/// Tokens set aside for a running call. Ends in [`Lessee::settle`] or [`Lessee::cancel`], each of
/// which takes it away, so it is settled once at most; one that is dropped counts as used in full.
#[must_use = "tokens that are not settled count as used"]
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Tokens reserved of each bucket.
    pub(super) pieces: u64,
    pub(super) shares: Vec<Share>,
    pub(super) admission: Admission,
}

/// The part of a reservation that one lease bears.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) group: String,
    pub(super) bucket: String,
    pub(super) lease: u64,
}

impl Reservation {
    /// Whether every bucket counted it.
    pub fn admission(&self) -> Admission {
        self.admission
    }
}

impl<T> Step<T> {
    /// The same step, with what comes of it made by `then`.
    pub(super) fn map<U>(self, then: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Ready(value) => Step::Ready(then(value)),
            Self::Ask { group, message } => Step::Ask { group, message },
            Self::Wait { group, at_most } => Step::Wait { group, at_most },
            Self::Refused(refused) => Step::Refused(refused),
            Self::Unreachable => Step::Unreachable,
        }
    }
}
