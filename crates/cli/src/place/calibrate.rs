//! How fast the edge is: as measured under workerd once, or as this machine says now.

use std::time::{Duration, Instant};

use tollhouse_classify::{Input, Source, measure::Workload, shipped};
use tollhouse_core::placement::Calibration;

use super::Failure;

/// Rounds of a measurement, of which the fastest counts: whatever else the machine does only adds.
const ROUNDS: u32 = 9;
/// How long a round takes at least.
const ROUND: Duration = Duration::from_millis(20);
/// The classifier whose look-ups are timed, and how many it makes a token.
const LINEAR: (&str, f64) = ("prompt-injection", 23.0);
/// Tokens of the text it judges.
const TOKENS: usize = 100;

/// The edge's speed, and what it rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    pub(super) edge: Calibration,
    /// This machine's own speed, where it was measured.
    pub(super) native: Option<Calibration>,
}

impl Speed {
    /// As measured under workerd.
    pub(super) const fn known() -> Self {
        Self { edge: Calibration::WORKERD, native: None }
    }
}

/// Measures this machine.
pub(super) fn measured() -> Result<Speed, Failure> {
    let work = Workload::new().map_err(Failure::Calibrate)?;
    let run = fastest(|| work.run())?;
    let macs_per_ms = real(Workload::macs()) / run;
    let lookups_per_ms = lookups()?;
    let native = Calibration { macs_per_ms, lookups_per_ms };
    Ok(Speed { edge: Calibration::from_native(macs_per_ms, lookups_per_ms), native: Some(native) })
}

/// Look-ups a millisecond.
fn lookups() -> Result<f64, Failure> {
    let (name, a_token) = LINEAR;
    let classifier =
        shipped(name).ok_or_else(|| Failure::Calibrate(format!("{name} is missing")))?;
    let classifier = classifier.map_err(|problem| Failure::Calibrate(problem.to_string()))?;
    let text = "words ".repeat(TOKENS);
    let input = [Input { text: &text, source: Source::Document }];
    let run =
        fastest(|| classifier.classify(&input).map(drop).map_err(|problem| problem.to_string()))?;
    Ok(a_token * real(u64::try_from(TOKENS).unwrap_or_default()) / run)
}

/// Milliseconds that `work` takes.
#[expect(clippy::disallowed_methods, reason = "the command is where the clock is read")]
fn fastest(work: impl Fn() -> Result<(), String>) -> Result<f64, Failure> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (started, mut runs) = (Instant::now(), 0_u32);
        while started.elapsed() < ROUND {
            work().map_err(Failure::Calibrate)?;
            runs += 1;
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e3 / f64::from(runs.max(1)));
    }
    Ok(best)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts of work, far below 2^53"
)]
fn real(count: u64) -> f64 {
    count as f64
}
