//! In which order a model's targets are asked.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    breaker::Breakers,
    config::valid::{Config, Model, Strategy, Target},
    refusal::{Code, Refusal},
    units::{DurationMs, UnitInterval, UnixMs},
};

/// A measurement older than this no longer counts, so that a target that was slow once is tried
/// again.
const FORGET_AFTER: DurationMs = DurationMs(300_000);

/// How much a new measurement weighs against those before it, in eighths.
const WEIGHT_EIGHTHS: u64 = 2;

/// Recent times to the first byte, by target.
#[derive(Debug, Default)]
pub struct Latencies {
    targets: BTreeMap<String, (DurationMs, UnixMs)>,
}

impl Latencies {
    /// Adds a measurement to the target's moving average.
    pub fn measured(&mut self, target: &str, took: DurationMs, now: UnixMs) {
        let average = match self.recent(target, now) {
            None => took,
            Some(before) => DurationMs(
                (before.0.saturating_mul(8 - WEIGHT_EIGHTHS)
                    + took.0.saturating_mul(WEIGHT_EIGHTHS))
                    / 8,
            ),
        };
        self.targets.insert(target.to_owned(), (average, now));
    }

    /// The target's average, where one was measured lately.
    pub fn recent(&self, target: &str, now: UnixMs) -> Option<DurationMs> {
        let (average, at) = self.targets.get(target)?;
        (now.since(*at) < FORGET_AFTER).then_some(*average)
    }
}

/// The targets of `model` by its strategy, then those of its fallbacks; resting ones are left out.
///
/// # Errors
/// [`Code::CircuitOpen`] when all of them rest, with the time until the first is tried again.
pub fn order(
    config: &Config,
    model: &Arc<Model>,
    breakers: &Breakers,
    latencies: &Latencies,
    now: UnixMs,
    mut dice: impl FnMut() -> UnitInterval,
) -> Result<Vec<Arc<Target>>, Refusal> {
    let mut order: Vec<Arc<Target>> = Vec::new();
    for model in chain(config, model) {
        for target in arranged(&model, latencies, now, &mut dice) {
            if !order.iter().any(|other| other.id == target.id) {
                order.push(target);
            }
        }
    }
    let rest = order.iter().map(|target| breakers.rest(&target.id, now)).min();
    order.retain(|target| breakers.would_admit(&target.id, now));
    if order.is_empty() {
        let refusal = Refusal::new(Code::CircuitOpen, Code::CircuitOpen.facts().meaning);
        return Err(refusal.after(rest.unwrap_or_default()));
    }
    Ok(order)
}

/// The model and its fallbacks. The configuration has no cycles; a bound costs nothing.
fn chain(config: &Config, model: &Arc<Model>) -> Vec<Arc<Model>> {
    let mut chain = vec![model.clone()];
    while let Some(next) = chain.last().and_then(|last| config.models.get(last.fallback.as_ref()?))
    {
        if chain.len() > config.models.len() {
            break;
        }
        chain.push(next.clone());
    }
    chain
}

fn arranged(
    model: &Model,
    latencies: &Latencies,
    now: UnixMs,
    dice: &mut impl FnMut() -> UnitInterval,
) -> Vec<Arc<Target>> {
    let mut targets = model.targets.clone();
    match model.strategy {
        Strategy::Ordered => targets,
        // Unmeasured ones first, so that each is measured.
        Strategy::Fastest => {
            targets.sort_by_key(|target| latencies.recent(&target.id, now));
            targets
        }
        Strategy::Weighted => {
            let mut order = Vec::with_capacity(targets.len());
            while !targets.is_empty() {
                let drawn = draw(&targets, dice());
                order.push(targets.remove(drawn));
            }
            order
        }
    }
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
