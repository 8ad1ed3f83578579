//! How many retries a model may have: a share of its requests, and a few for quiet times.
//!
//! In any time, an isolate retries a model at most `share` × its requests then, plus one a second,
//! plus what was saved up before: 20 at most. A first call to another target is no retry. A share of
//! zero leaves the floor; `max_attempts = 1` turns retries off.

use std::collections::BTreeMap;

use crate::units::{DurationMs, UnixMs};

/// Thousandths of a retry.
type Milli = u64;

/// One retry a second is always earned, so that a model with little traffic is retried too.
const FLOOR_PER_MS: Milli = 1;
/// The most that is saved.
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
        budget.earn(now);
        budget
    }
}

impl Budget {
    fn earn(&mut self, now: UnixMs) {
        let DurationMs(passed) = now.since(self.at);
        self.at = self.at.max(now);
        self.balance = self.balance.saturating_add(passed.saturating_mul(FLOOR_PER_MS)).min(MOST);
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
    use proptest::prelude::*;

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

    #[test]
    fn models_do_not_spend_each_others_retries() {
        let mut budgets = RetryBudgets::default();
        while budgets.take("m", UnixMs(0)) {}
        assert!(budgets.take("other", UnixMs(0)));
    }

    proptest! {
        #[test]
        fn retries_never_exceed_what_was_earned_in_any_stretch_of_time(
            share in 0.0..=1.0_f64,
            steps in prop::collection::vec((0..3_u8, 0..2000_u64), 1..200),
            from: prop::sample::Index,
        ) {
            let mut budgets = RetryBudgets::default();
            let from = from.index(steps.len());
            let (mut now, mut since) = (UnixMs(0), UnixMs(0));
            let (mut requests, mut retries) = (0_u32, 0_u32);
            for (index, (step, pause)) in steps.into_iter().enumerate() {
                now = now.plus(DurationMs(pause));
                if index == from {
                    (since, requests, retries) = (now, 0, 0);
                }
                if step == 0 {
                    budgets.request("m", share, now);
                    requests += 1;
                } else if budgets.take("m", now) {
                    retries += 1;
                }
            }
            let earned = share * f64::from(requests);
            let seconds = f64::from(u32::try_from(now.since(since).0).unwrap()) / 1000.0;
            prop_assert!(f64::from(retries) <= earned + seconds + 20.0);
        }
    }
}
