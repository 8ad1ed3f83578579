//! What a call costs, in integer micro-dollars, rounded up once per call.
//!
//! Prices are integers too: picodollars (10⁻¹² USD) a token, so that 0.15 USD per million tokens is
//! 150 000 and nothing is lost. A model without a price has an unknown cost, never a zero one.

pub mod table;

use crate::units::{MicroUsd, Tokens};

/// Picodollars (10⁻¹² USD) for one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PicoUsdPerToken(pub u64);

/// What a model's tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// A prompt token.
    pub input: PicoUsdPerToken,
    /// A prompt token that the provider had cached.
    pub cached_input: PicoUsdPerToken,
    /// A prompt token that the provider wrote to its cache.
    pub cache_write: PicoUsdPerToken,
    /// A completion token, reasoning included.
    pub output: PicoUsdPerToken,
}

/// What a call used, as the provider reported it or as we estimated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub prompt: Tokens,
    /// Of these, read from the provider's cache.
    pub cached: Tokens,
    /// Of these, written to the provider's cache.
    pub cache_write: Tokens,
    /// Completion tokens, reasoning included.
    pub completion: Tokens,
    /// Of these, reasoning.
    pub reasoning: Tokens,
    /// True when the provider reported nothing and this is our estimate.
    pub estimated: bool,
}

impl Usage {
    /// Prompt and completion together.
    pub const fn total(self) -> Tokens {
        self.prompt.saturating_add(self.completion)
    }

    /// The sum of two calls' usage; an estimate where one of them is.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            prompt: self.prompt.saturating_add(other.prompt),
            cached: self.cached.saturating_add(other.cached),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            completion: self.completion.saturating_add(other.completion),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            estimated: self.estimated || other.estimated,
        }
    }
}

impl PicoUsdPerToken {
    /// A price as providers publish it, in US dollars per million tokens: exact to twelve decimals
    /// of a dollar per token, zero for what is negative or not a number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::as_conversions,
        reason = "the cast saturates, and a negative price or NaN is zero"
    )]
    pub const fn from_usd_per_million(usd: f64) -> Self {
        Self((usd * 1_000_000.0).round() as u64)
    }

    /// The price in US dollars per million tokens.
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "prices are far below 2^53 picodollars"
    )]
    pub const fn usd_per_million(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

impl Price {
    /// The cost of `usage`, rounded up to the next micro-dollar.
    pub fn cost(self, usage: Usage) -> MicroUsd {
        let plain = usage.prompt.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let pico = [
            (plain, self.input),
            (usage.cached, self.cached_input),
            (usage.cache_write, self.cache_write),
            (usage.completion, self.output),
        ]
        .into_iter()
        .map(|(tokens, price)| u128::from(tokens.0) * u128::from(price.0))
        .sum::<u128>();
        MicroUsd(u64::try_from(pico.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input: PicoUsdPerToken(150_000),
        cached_input: PicoUsdPerToken(75_000),
        cache_write: PicoUsdPerToken(150_000),
        output: PicoUsdPerToken(600_000),
    };

    #[test]
    fn cached_tokens_are_priced_as_such_and_charges_round_up() {
        let usage = Usage {
            prompt: Tokens(1000),
            cached: Tokens(400),
            completion: Tokens(1),
            ..Usage::default()
        };
        // 600 × 0.15 + 400 × 0.075 + 1 × 0.6 = 120.6 micro-dollars
        assert_eq!(PRICE.cost(usage), MicroUsd(121));
    }
}
