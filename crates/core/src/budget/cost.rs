//! What a call can cost at most, before anybody knows which target will answer it.

use std::sync::Arc;

use crate::{
    config::valid::{Placement, ProviderKind, Target},
    price::{Price, Usage},
    units::{MicroUsd, Tokens},
};

/// A target that may be asked is billed by somebody at a price that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpriced {
    /// The target, as `provider/model`.
    pub target: String,
}

/// Whether what calls to `target` cost is known: it has a price, or nobody bills for it.
pub fn has_known_cost(target: &Target) -> bool {
    target.price.is_some() || !is_billed(target)
}

/// The cost of the dearest of `targets` for a prompt of this many tokens, none of them cached, and
/// the longest answer. Targets without a price cost nothing here.
///
/// # Errors
/// [`Unpriced`] names the first target whose cost is not known, beside the cost of the others.
pub fn worst_cost<'a>(
    targets: impl IntoIterator<Item = &'a Arc<Target>>,
    prompt: Tokens,
    longest_answer: Tokens,
) -> Result<MicroUsd, (Unpriced, MicroUsd)> {
    let mut worst = MicroUsd(0);
    let mut unpriced = None;
    for target in targets {
        match target.price {
            Some(price) => worst = worst.max(most(price, prompt, longest_answer)),
            None if unpriced.is_none() && is_billed(target) => {
                unpriced = Some(Unpriced { target: target.id.clone() });
            }
            None => {}
        }
    }
    unpriced.map_or(Ok(worst), |unpriced| Err((unpriced, worst)))
}

fn most(price: Price, prompt: Tokens, longest_answer: Tokens) -> MicroUsd {
    // Written to the provider's cache, a prompt may cost more than a plain one.
    let input = price.input.max(price.cached_input).max(price.cache_write);
    let usage = Usage { prompt, completion: longest_answer, ..Usage::default() };
    Price { input, ..price }.cost(usage)
}

/// Whether somebody sends a bill for it: not for hardware of one's own, and not for the mock.
fn is_billed(target: &Target) -> bool {
    let is_mock = matches!(target.provider.kind, ProviderKind::Mock(_));
    match target.provider.placement {
        Placement::Api => !is_mock,
        Placement::Gpu | Placement::Edge => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::valid::{Endpoint, Provider},
        price::PicoUsdPerToken,
        record::sample,
    };

    fn target(placement: Placement, price: Option<Price>) -> Arc<Target> {
        let kind = ProviderKind::OpenAi(Endpoint {
            base_url: "https://api.example.com/v1".into(),
            api_key: None,
            headers: vec![],
        });
        let provider = Arc::new(Provider {
            name: "p".into(),
            kind,
            placement,
            pool: crate::config::valid::Pool::default(),
        });
        Arc::new(Target { provider, price, ..(*sample::target("p", "m")).clone() })
    }

    fn price(input: u64, output: u64) -> Price {
        let input = PicoUsdPerToken(input);
        Price { input, cached_input: input, cache_write: input, output: PicoUsdPerToken(output) }
    }

    #[test]
    fn the_dearest_target_decides_and_own_hardware_is_free() {
        let targets = [
            target(Placement::Api, Some(price(150_000, 600_000))),
            target(Placement::Api, Some(price(2_500_000, 10_000_000))),
            target(Placement::Gpu, None),
        ];
        assert_eq!(worst_cost(&targets, Tokens(100), Tokens(10)), Ok(MicroUsd(350)));
        assert_eq!(worst_cost(&targets[2..], Tokens(100), Tokens(10)), Ok(MicroUsd(0)));
    }

    #[test]
    fn a_price_that_nobody_knows_is_told_apart_from_no_price() {
        let targets = [
            target(Placement::Api, None),
            target(Placement::Api, Some(price(1_000_000, 1_000_000))),
        ];
        let (unpriced, others) = worst_cost(&targets, Tokens(1), Tokens(1)).unwrap_err();
        assert_eq!((unpriced.target.as_str(), others), ("p/m", MicroUsd(2)));
        assert!(!has_known_cost(&targets[0]) && has_known_cost(&targets[1]));
    }

    proptest! {
        #[test]
        fn no_call_within_its_bounds_costs_more(
            prices in prop::array::uniform4(0_u64..50_000_000),
            prompt in 0_u64..100_000, answer in 0_u64..100_000,
            cached in 0_u64..100_000, written in 0_u64..100_000,
        ) {
            let [input, cached_input, cache_write, output] = prices.map(PicoUsdPerToken);
            let price = Price { input, cached_input, cache_write, output };
            let cached = cached.min(prompt);
            let usage = Usage {
                prompt: Tokens(prompt),
                cached: Tokens(cached),
                cache_write: Tokens(written.min(prompt - cached)),
                completion: Tokens(answer),
                ..Usage::default()
            };
            let worst = worst_cost(&[target(Placement::Api, Some(price))], Tokens(prompt), Tokens(answer));
            prop_assert!(price.cost(usage) <= worst.unwrap());
        }
    }
}
