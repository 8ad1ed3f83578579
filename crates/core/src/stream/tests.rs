//! Splits never matter, a cut never looks whole, and a joined answer is one answer.

mod answer;
mod fixtures;
mod recordings;
mod recovery;
mod splits;

/// Properties are tried on the same values each time; another seed may be given to look further.
pub(super) fn properties(cases: u32) -> proptest::test_runner::Config {
    let seed =
        std::env::var("TOLLHOUSE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    println!("seed {seed}");
    proptest::test_runner::Config {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
