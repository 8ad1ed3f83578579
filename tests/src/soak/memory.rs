//! Whether memory is flat after the warm-up.
//!
//! The gateway is started so that garbage is collected at every chance: what JavaScript's engine has
//! not got round to freeing yet is no leak, and follows the load.

use std::{fmt, time::Instant};

use anyhow::Result;

use crate::{bench::cpu, workerd::Workerd};

/// The share of the samples that are the warm-up.
const WARM_UP: f64 = 0.4;

/// What of the memory is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Resident memory of the workerd process.
    Resident,
    /// The linear memories of all Rust instances.
    Rust,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 2] = [Self::Resident, Self::Rust];

    /// How much it may grow, in MiB a minute. The allocator's habits move resident memory; that of
    /// Rust would show a leak of a hundred bytes a call.
    pub const fn limit(self) -> f64 {
        match self {
            Self::Resident => 10.0,
            Self::Rust => 2.0,
        }
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Rust => "Rust instances",
        }
    }
}

/// One look at the process; sizes in MiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Minutes since the soak began.
    pub minute: f64,
    /// [`Part::Resident`].
    pub resident: f64,
    /// [`Part::Rust`].
    pub rust: f64,
}

impl Sample {
    /// Looks at a gateway of so many isolates.
    ///
    /// # Errors
    /// When the gateway is gone.
    pub fn take(gateway: &Workerd, isolates: usize, began: Instant) -> Result<Self> {
        let mut rust = 0;
        for index in 0..isolates {
            rust += gateway.probe(index)?.wasm_bytes;
        }
        let minute = began.elapsed().as_secs_f64() / 60.0;
        let resident = cpu::resident_mib(gateway.workerd_pid()?)?;
        Ok(Self { minute, resident, rust: mib(rust) })
    }

    fn part(&self, part: Part) -> f64 {
        match part {
            Part::Resident => self.resident,
            Part::Rust => self.rust,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minute, resident, rust } = self;
        let second = minute * 60.0;
        write!(f, "{second:>4.0} s; MiB: {resident:>5.0} resident, {rust:>5.1} Rust")
    }
}

fn mib(bytes: u64) -> f64 {
    u32::try_from(bytes / 1024).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// How much a part grows after the warm-up, in MiB a minute.
///
/// The median of the slopes between all pairs of samples, which single samples do not move (Theil and
/// Sen).
pub fn growth(samples: &[Sample], part: Part) -> f64 {
    let last = samples.last().map_or(0.0, |sample| sample.minute);
    let warm: Vec<(f64, f64)> = samples
        .iter()
        .filter(|sample| sample.minute >= last * WARM_UP)
        .map(|sample| (sample.minute, sample.part(part)))
        .collect();
    let mut slopes: Vec<f64> = warm
        .iter()
        .enumerate()
        .flat_map(|(index, one)| warm.iter().skip(index + 1).map(move |other| (one, other)))
        .filter(|(one, other)| other.0 > one.0)
        .map(|(one, other)| (other.1 - one.1) / (other.0 - one.0))
        .collect();
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident_growth(resident: impl Fn(f64) -> f64) -> f64 {
        let sample = |second: u32| {
            let minute = f64::from(second) / 60.0;
            Sample { minute, resident: resident(minute), rust: 4.0 }
        };
        let samples: Vec<Sample> = (0..180).step_by(10).map(sample).collect();
        assert!(growth(&samples, Part::Rust).abs() < 1e-6);
        growth(&samples, Part::Resident)
    }

    #[test]
    fn a_leak_is_seen_and_a_warm_up_and_a_restless_allocator_are_not() {
        let leak = resident_growth(|minute| 500.0 + 30.0 * minute);
        assert!((leak - 30.0).abs() < 1e-6, "{leak}");
        let warm_up = resident_growth(|minute| 700.0 - 400.0 * (-6.0 * minute).exp());
        assert!(warm_up < Part::Resident.limit() / 2.0, "{warm_up}");
        let restless = resident_growth(|minute| 700.0 + 40.0 * (minute * 40.0).sin());
        assert!(restless.abs() < Part::Resident.limit(), "{restless}");
    }
}
