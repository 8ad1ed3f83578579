//! Whether memory is flat after the warm-up.

use crate::workerd::Probe;

/// The share of the samples that are the warm-up.
const WARM_UP: f64 = 0.4;
/// How much resident memory may grow, in MiB a minute: less than a leak of a kilobyte a call.
pub const RESIDENT_LIMIT: f64 = 12.0;
/// How much the Rust instances' memory may grow together, in MiB a minute.
pub const WASM_LIMIT: f64 = 2.0;

/// One look at the process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Minutes since the soak began.
    pub minute: f64,
    /// Resident memory of the workerd process, in MiB.
    pub resident: f64,
    /// Linear memory of all Rust instances, in MiB.
    pub wasm: f64,
}

/// The linear memory of these isolates' Rust instances together, in MiB.
pub fn wasm_mib(probes: &[Probe]) -> f64 {
    let bytes: u64 = probes.iter().map(|probe| probe.wasm_bytes).sum();
    // Wasm memory is at most 4 GiB an instance.
    u32::try_from(bytes / 1024).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// How much memory grows after the warm-up, in MiB a minute: resident and of the Rust instances.
///
/// The median of the slopes between all pairs of samples, which single garbage collections do not
/// move (Theil and Sen).
pub fn growth(samples: &[Sample]) -> (f64, f64) {
    let last = samples.last().map_or(0.0, |sample| sample.minute);
    let warm: Vec<Sample> =
        samples.iter().filter(|sample| sample.minute >= last * WARM_UP).copied().collect();
    let slope = |value: fn(&Sample) -> f64| {
        let pairs = warm
            .iter()
            .enumerate()
            .flat_map(|(index, one)| warm.iter().skip(index + 1).map(move |other| (one, other)));
        let mut slopes: Vec<f64> = pairs
            .filter(|(one, other)| other.minute > one.minute)
            .map(|(one, other)| (value(other) - value(one)) / (other.minute - one.minute))
            .collect();
        slopes.sort_by(f64::total_cmp);
        slopes.get(slopes.len() / 2).copied().unwrap_or(0.0)
    };
    (slope(|sample| sample.resident), slope(|sample| sample.wasm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(f64) -> f64) -> Vec<Sample> {
        let sample = |second: u32| {
            let minute = f64::from(second) / 60.0;
            Sample { minute, resident: resident(minute), wasm: 4.0 }
        };
        (0..180).step_by(10).map(sample).collect()
    }

    #[test]
    fn a_leak_is_seen_and_a_warm_up_and_collections_are_not() {
        let (leak, wasm) = growth(&samples(|minute| 500.0 + 30.0 * minute));
        assert!((leak - 30.0).abs() < 1e-6 && wasm.abs() < 1e-6);
        let (warm_up, _) = growth(&samples(|minute| 700.0 - 400.0 * (-6.0 * minute).exp()));
        assert!(warm_up < RESIDENT_LIMIT / 2.0, "{warm_up}");
        let (saw, _) = growth(&samples(|minute| 700.0 + 40.0 * (minute * 40.0).sin()));
        assert!(saw.abs() < RESIDENT_LIMIT, "{saw}");
    }
}
