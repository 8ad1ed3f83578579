//! In which order a model's targets are asked.
//!
//! The strategy decides: as written, by chance and weight, or by recent time to the first byte. Targets
//! whose breakers are open are left out here; whether one is really asked is the breaker's to say.

mod latency;

use std::sync::Arc;

pub use latency::Latencies;

use crate::{
    breaker::Breakers,
    config::valid::{Config, Model, Strategy, Target},
    pool::Pools,
    refusal::{Code, Refusal},
    units::{DurationMs, UnitInterval, UnixMs},
};

/// The targets of `model` by its strategy, then those of its fallbacks by theirs, none twice; resting
/// ones are left out. `dice` are thrown anew for every call.
///
/// # Errors
/// [`Code::CircuitOpen`] when all of them rest, with the time until the first is tried again.
pub fn order(
    config: &Config,
    model: &Arc<Model>,
    health: Health<'_>,
    latencies: &mut Latencies,
    now: UnixMs,
    mut dice: impl FnMut() -> UnitInterval,
) -> Result<Vec<Arc<Target>>, Refusal> {
    let Health { breakers, pools } = health;
    // Replicas of pools that are down stand behind all others: they may be back, but whoever is there
    // is asked first.
    let mut down: Vec<Arc<Target>> = Vec::new();
    let mut order: Vec<Arc<Target>> = Vec::with_capacity(model.targets.len());
    let mut first_back: Option<DurationMs> = None;
    for (depth, model) in chain(config, model).enumerate() {
        let mut well = Vec::with_capacity(model.targets.len());
        for target in &model.targets {
            let rest = rest(target, health, now);
            if rest > DurationMs(0) {
                first_back = Some(first_back.map_or(rest, |other| other.min(rest)));
            } else if !order.iter().chain(&down).any(|other| is_of(other, target)) {
                well.push(target.clone());
            }
        }
        let by_strategy = match model.strategy {
            Strategy::Ordered => well,
            Strategy::Weighted => drawn(well, &mut dice),
            // A fallback's targets are seldom asked, so nothing is found out by putting one first.
            Strategy::Fastest if depth > 0 => fastest(well, latencies),
            Strategy::Fastest => explored(fastest(well, latencies), latencies, now),
        };
        for target in by_strategy {
            if target.replicas.is_empty() {
                order.push(target);
                continue;
            }
            let mut ranked = pools.rank(&target, breakers, latencies, now, &mut dice);
            if ranked.expected { &mut order } else { &mut down }.append(&mut ranked.replicas);
        }
    }
    order.append(&mut down);
    if order.is_empty() {
        let refusal = Refusal::new(Code::CircuitOpen, Code::CircuitOpen.facts().meaning);
        return Err(refusal.after(first_back.unwrap_or_default()));
    }
    Ok(order)
}

/// What is known of the health of targets and their replicas.
#[derive(Debug, Clone, Copy)]
pub struct Health<'a> {
    /// Which of them rest.
    pub breakers: &'a Breakers,
    /// What is known of replicas.
    pub pools: &'a Pools,
}

/// How long until a call to the target may be let through; for one with replicas, to any of them.
fn rest(target: &Target, health: Health<'_>, now: UnixMs) -> DurationMs {
    if target.replicas.is_empty() {
        return health.breakers.rest(&target.id, now);
    }
    if health.pools.patience(&target.provider, now) > DurationMs(0) {
        return DurationMs(0);
    }
    let rests = target.replicas.iter().map(|replica| health.breakers.rest(&replica.id, now));
    rests.min().unwrap_or_default()
}

fn is_of(other: &Target, target: &Target) -> bool {
    other.whole_id() == target.id
}

/// Every target that may come to answer a call for `model`, whatever its breaker says; a target may
/// be there twice.
pub fn reachable<'a>(
    config: &'a Config,
    model: &'a Arc<Model>,
) -> impl Iterator<Item = &'a Arc<Target>> + 'a {
    chain(config, model).flat_map(|model| &model.targets)
}

/// The target of this id, among those of `model` and its fallbacks.
pub fn find(config: &Config, model: &Arc<Model>, id: &str) -> Option<Arc<Target>> {
    let find = |model: &Arc<Model>| {
        let all =
            model.targets.iter().flat_map(|target| std::iter::once(target).chain(&target.replicas));
        all.into_iter().find(|target| target.id == id).cloned()
    };
    chain(config, model).find_map(find)
}

/// The model and its fallbacks. The configuration has no cycles; a bound costs nothing.
fn chain<'a>(
    config: &'a Config,
    model: &'a Arc<Model>,
) -> impl Iterator<Item = &'a Arc<Model>> + 'a {
    let next = |model: &&'a Arc<Model>| config.models.get(model.fallback.as_ref()?);
    std::iter::successors(Some(model), next).take(config.models.len() + 1)
}

/// The fastest first; those never measured last, in the order written.
fn fastest(mut targets: Vec<Arc<Target>>, latencies: &Latencies) -> Vec<Arc<Target>> {
    targets.sort_by_cached_key(|target| {
        let average = latencies.average(&target.id);
        (average.is_none(), average)
    });
    targets
}

/// Puts the first target that is worth finding out about before the others.
fn explored(
    mut targets: Vec<Arc<Target>>,
    latencies: &mut Latencies,
    now: UnixMs,
) -> Vec<Arc<Target>> {
    let unknown = targets.iter().position(|target| latencies.explore(&target.id, now));
    if let Some(before) = unknown.and_then(|index| targets.get_mut(..=index)) {
        before.rotate_right(1);
    }
    targets
}

/// In an order drawn by weight: each place goes to one of those left, by their shares.
fn drawn(
    mut targets: Vec<Arc<Target>>,
    dice: &mut impl FnMut() -> UnitInterval,
) -> Vec<Arc<Target>> {
    let mut order = Vec::with_capacity(targets.len());
    while !targets.is_empty() {
        let drawn = draw(&targets, dice());
        order.push(targets.remove(drawn));
    }
    order
}

/// The place of one target, drawn by weight.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a sum of a few 32-bit weights is below 2^53"
)]
fn draw(targets: &[Arc<Target>], dice: UnitInterval) -> usize {
    let sum: u64 = targets.iter().map(|target| u64::from(target.weight)).sum();
    let mut left = (dice.get() * sum as f64) as u64;
    for (index, target) in targets.iter().enumerate() {
        match left.checked_sub(u64::from(target.weight)) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests;
