//! Times every embedded model native: `speed TEXT-FILE…`, one JSON line a model and file.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a benchmark may fail loudly")]

mod models;

use std::{env, fs, hint::black_box, time::Instant};

use tollhouse_classify::shipped_names;

/// Rounds of each measurement, of which the median counts.
const ROUNDS: usize = 15;
const TIMES: u32 = 50;

fn main() {
    for name in shipped_names() {
        let started = Instant::now();
        let classifier = models::load(name);
        let load_ms = started.elapsed().as_secs_f64() * 1e3;
        for file in env::args().skip(1) {
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            let mut rounds: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let started = Instant::now();
                    black_box(models::judge(&classifier, &text, TIMES));
                    started.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
                })
                .collect();
            rounds.sort_by(f64::total_cmp);
            let line = serde_json::json!({
                "model": name,
                "file": file,
                "micros": rounds[ROUNDS / 2],
                "load_ms": load_ms,
            });
            println!("{line}");
        }
    }
}
