//! Times a shipped model native: `speed MODEL TEXT-FILE…`, one JSON line a file.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a benchmark may fail loudly")]

mod stages;

use std::{env, fs, hint::black_box, time::Instant};

use stages::Gate;

/// Rounds of each measurement, of which the median counts.
const ROUNDS: usize = 15;

fn main() {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().unwrap_or_else(|| panic!("which model?"));
    let started = Instant::now();
    let linear = stages::load(&model, Gate::Shut).unwrap_or_else(|| panic!("no model {model}"));
    let both = stages::load(&model, Gate::Open);
    println!("{}", serde_json::json!({ "load_ms": started.elapsed().as_secs_f64() * 1e3 }));
    for file in arguments {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let time = |classifier, times: u32| {
            let mut rounds: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let started = Instant::now();
                    black_box(stages::judge(classifier, &text, times));
                    started.elapsed().as_secs_f64() * 1e6 / f64::from(times)
                })
                .collect();
            rounds.sort_by(f64::total_cmp);
            rounds[ROUNDS / 2]
        };
        let both = both.as_ref().map(|classifier| time(classifier, 20));
        println!(
            "{}",
            serde_json::json!({ "file": file, "linear": time(&linear, 200), "both": both })
        );
    }
}
