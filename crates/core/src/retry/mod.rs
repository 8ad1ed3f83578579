//! What to try next after an attempt has failed.
//!
//! [`Attempts`] is a step machine over the targets of one request: it is told how each attempt ended
//! and says what follows. Targets that may still answer are first gone through once without a pause;
//! then rounds follow, with full-jitter exponential backoff between them. [`RetryBudgets`] keeps an
//! outage from multiplying load. Nothing here waits.

mod attempts;
mod budget;
mod candidates;
mod frame;
mod outcome;

pub use attempts::{Attempts, Next};
pub use budget::RetryBudgets;
pub use frame::{AttemptLimits, Frame};
pub use outcome::Outcome;

#[cfg(test)]
mod tests;
