//! What a call would cost at each of several replicas, and the draw between two of them.
//!
//! Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE Transactions
//! on Parallel and Distributed Systems 12 (2001); the product of load and latency is Finagle's
//! "peak EWMA".

use std::sync::Arc;

use crate::{
    config::valid::Target,
    route::Latencies,
    units::{DurationMs, UnitInterval, UnixMs},
};

/// Below this, one replica is as fast as another.
const ALIKE: u64 = 10;

/// The cost of a call at each replica, `load` being the calls before it. A replica whose latency is
/// unknown is taken to be as fast as the others are on average; one that was not measured for a while
/// is taken to be faster than it was.
pub(super) fn all(
    replicas: &[Arc<Target>],
    latencies: &Latencies,
    now: UnixMs,
    load: impl Fn(&Target) -> u64,
) -> Vec<u64> {
    let known: Vec<Option<DurationMs>> =
        replicas.iter().map(|replica| latencies.faded(&replica.id, now)).collect();
    let measured = known.iter().flatten();
    let sum = measured.clone().fold(0_u64, |sum, length| sum.saturating_add(length.0));
    let count = u64::try_from(measured.count()).unwrap_or(u64::MAX);
    let typical = sum.checked_div(count).unwrap_or(0);
    let latency =
        known.into_iter().map(|length| length.map_or(typical, |length| length.0).max(ALIKE));
    replicas
        .iter()
        .zip(latency)
        .map(|(replica, latency)| load(replica).saturating_add(1).saturating_mul(latency))
        .collect()
}

/// Draws two, takes the cheaper one, and again with those that are left.
pub(super) fn cheaper_first<T>(
    mut left: Vec<(T, u64)>,
    dice: &mut impl FnMut() -> UnitInterval,
) -> Vec<T> {
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let first = drawn(left.len(), dice);
        let second = (first + 1 + drawn(left.len().saturating_sub(1).max(1), dice)) % left.len();
        let cost = |index: usize| left.get(index).map_or(u64::MAX, |(_, cost)| *cost);
        let chosen = if cost(second) < cost(first) { second } else { first };
        order.push(left.swap_remove(chosen).0);
    }
    order
}

/// A number below `length`.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a few replicas, and dice below 1"
)]
fn drawn(length: usize, dice: &mut impl FnMut() -> UnitInterval) -> usize {
    ((dice().get() * length as f64) as usize).min(length.saturating_sub(1))
}
