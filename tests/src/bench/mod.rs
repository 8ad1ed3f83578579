//! Benchmarks as ratios: the gateway against a ten-line JavaScript pass-through in the same workerd.
//!
//! Machines are noisy, so rounds are interleaved and CPU is read from the operating system for the
//! workerd process alone; a ratio compares medians of rounds of one run.

#![expect(clippy::cast_precision_loss, reason = "measurements are far below 2^53")]

pub mod cpu;
pub mod load;
pub mod upstream;
