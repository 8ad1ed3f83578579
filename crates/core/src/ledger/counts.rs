//! The amounts of a ledger row, and what one request adds to them.

use crate::record::{Aside, Bill, CacheResult, Record};

/// The amounts of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls.
    pub requests: u64,
    /// Of these, failed ones.
    pub errors: u64,
    /// Of these, answered from the cache.
    pub cache_hits: u64,
    /// Of these, with tokens whose price is unknown.
    pub unpriced: u64,
    /// Of these, with tokens that are our estimate.
    pub estimated: u64,
    /// Prompt tokens, cached ones included.
    pub prompt_tokens: u64,
    /// Of these, read from the provider's cache.
    pub cached_tokens: u64,
    /// Of these, written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Completion tokens, reasoning included.
    pub completion_tokens: u64,
    /// Of these, reasoning.
    pub reasoning_tokens: u64,
    /// Micro-dollars.
    pub cost_micro_usd: u64,
}

impl Counts {
    /// The names of the amounts, in the order of [`Self::numbers`]; columns of the table.
    pub const NAMES: [&'static str; 11] = [
        "requests",
        "errors",
        "cache_hits",
        "unpriced",
        "estimated",
        "prompt_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "completion_tokens",
        "reasoning_tokens",
        "cost_micro_usd",
    ];

    /// What one request adds, its bills apart.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            requests: 1,
            errors: record.code.is_some().into(),
            cache_hits: (record.cache == CacheResult::Hit).into(),
            ..Self::default()
        }
    }

    /// What a call on the gateway's own account adds, its bill apart.
    pub(crate) fn of_aside(aside: &Aside) -> Self {
        let errors = aside.attempt.failure.is_some().into();
        Self { requests: 1, errors, ..Self::default() }
    }

    /// What one provider's bill adds.
    pub(crate) fn of_bill(bill: &Bill<'_>) -> Self {
        let Bill { target: _, usage, cost } = bill;
        Self {
            unpriced: cost.is_none().into(),
            estimated: usage.estimated.into(),
            prompt_tokens: usage.prompt.0,
            cached_tokens: usage.cached.0,
            cache_write_tokens: usage.cache_write.0,
            completion_tokens: usage.completion.0,
            reasoning_tokens: usage.reasoning.0,
            cost_micro_usd: cost.unwrap_or_default().0,
            ..Self::default()
        }
    }

    /// Adds `other`; a sum stays at `u64::MAX`.
    pub fn add(&mut self, other: &Self) {
        let mut sums = self.numbers();
        for (sum, number) in sums.iter_mut().zip(other.numbers()) {
            *sum = sum.saturating_add(number);
        }
        *self = Self::from_array(sums);
    }

    /// The amounts in the order of [`Self::NAMES`].
    pub const fn numbers(&self) -> [u64; 11] {
        // Taken apart whole, so that an amount cannot be forgotten.
        let Self {
            requests,
            errors,
            cache_hits,
            unpriced,
            estimated,
            prompt_tokens,
            cached_tokens,
            cache_write_tokens,
            completion_tokens,
            reasoning_tokens,
            cost_micro_usd,
        } = *self;
        [
            requests,
            errors,
            cache_hits,
            unpriced,
            estimated,
            prompt_tokens,
            cached_tokens,
            cache_write_tokens,
            completion_tokens,
            reasoning_tokens,
            cost_micro_usd,
        ]
    }

    /// The amounts that [`Self::numbers`] listed; `None` if there are more or fewer of them.
    pub fn from_numbers(numbers: &[u64]) -> Option<Self> {
        numbers.try_into().ok().map(Self::from_array)
    }

    const fn from_array(numbers: [u64; 11]) -> Self {
        let [
            requests,
            errors,
            cache_hits,
            unpriced,
            estimated,
            prompt_tokens,
            cached_tokens,
            cache_write_tokens,
            completion_tokens,
            reasoning_tokens,
            cost_micro_usd,
        ] = numbers;
        Self {
            requests,
            errors,
            cache_hits,
            unpriced,
            estimated,
            prompt_tokens,
            cached_tokens,
            cache_write_tokens,
            completion_tokens,
            reasoning_tokens,
            cost_micro_usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn amounts_keep_their_places(numbers in any::<[u64; 11]>()) {
            prop_assert_eq!(Counts::from_numbers(&numbers).map(|counts| counts.numbers()), Some(numbers));
        }
    }
}
