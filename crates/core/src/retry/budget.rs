//! How many retries a model may have: a share of its requests, and a few for quiet times.

use std::collections::BTreeMap;

use crate::units::{DurationMs, UnixMs};

/// Thousandths of a retry.
type Milli = u64;

/// One retry a second is always earned, so that a model with little traffic is retried too.
const FLOOR_PER_MS: Milli = 1;
/// The most that is saved: ten seconds of the floor, and as much from traffic.
const MOST: Milli = 20_000;
/// What a model starts with.
const START: Milli = 10_000;

/// The budgets of all models of one isolate.
#[derive(Debug, Default)]
pub struct RetryBudgets {
    models: BTreeMap<String, Budget>,
}

#[derive(Debug, Clone, Copy)]
struct Budget {
    balance: Milli,
    at: UnixMs,
}

impl RetryBudgets {
    /// A request has come for `model`, which earns `share` (0 to 1) of a retry.
    pub fn request(&mut self, model: &str, share: f64, now: UnixMs) {
        let earned = thousandths(share);
        let budget = self.at(model, now);
        budget.balance = budget.balance.saturating_add(earned).min(MOST);
    }

    /// Takes one retry, if there is one.
    pub fn take(&mut self, model: &str, now: UnixMs) -> bool {
        let budget = self.at(model, now);
        match budget.balance.checked_sub(1000) {
            Some(rest) => {
                budget.balance = rest;
                true
            }
            None => false,
        }
    }

    fn at(&mut self, model: &str, now: UnixMs) -> &mut Budget {
        let budget =
            self.models.entry(model.to_owned()).or_insert(Budget { balance: START, at: now });
        let DurationMs(passed) = now.since(budget.at);
        budget.at = budget.at.max(now);
        budget.balance =
            budget.balance.saturating_add(passed.saturating_mul(FLOOR_PER_MS)).min(MOST);
        budget
    }
}

/// A share of one, in thousandths.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1000"
)]
const fn thousandths(share: f64) -> Milli {
    (share.clamp(0.0, 1.0) * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_outage_retries_are_a_share_of_requests() {
        let mut budgets = RetryBudgets::default();
        let mut retries = 0;
        // A thousand requests in ten seconds, each of which would be retried twice.
        for n in 0..1000 {
            let now = UnixMs(n * 10);
            budgets.request("m", 0.2, now);
            retries += (0..2).filter(|_| budgets.take("m", now)).count();
        }
        // A fifth of the requests, what was saved, and one a second.
        assert!((200..=221).contains(&retries), "{retries}");
    }

    #[test]
    fn a_quiet_model_is_always_retried() {
        let mut budgets = RetryBudgets::default();
        for minute in 0..100 {
            let now = UnixMs(minute * 60_000);
            budgets.request("m", 0.0, now);
            assert!(budgets.take("m", now) && budgets.take("m", now));
        }
    }
}
