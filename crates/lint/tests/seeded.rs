//! Programs written with faults in them, of the kind one meets: which share of the faults is found.
//!
//! The programs were written before they were first linted. A fault that is not found says so (`//?`), so that it is
//! seen when that changes; what is found beyond what was planted is true as well (`//+`), and not counted.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod cases;

use cases::{Expected, counted, entries, folder, marked, name, run, texts, with_room};
use tollhouse_lint::{Linter, Severity};

/// The least share of planted faults to be found.
const LEAST: f64 = 0.85;

#[test]
fn planted_faults_are_found_or_said_to_be_missed() {
    with_room(check);
}

fn check() {
    let linter = Linter::new().unwrap();
    let (mut wrong, mut found, mut planted) = (Vec::new(), 0, 0);
    for case in entries(&folder("seeded")) {
        let texts = texts(&case);
        let (has, lacks) = (marked(&texts, '~'), marked(&texts, '?'));
        let beyond = marked(&texts, '+');
        let said = |at: &(String, u32, String)| has.contains(at) || lacks.contains(at);
        let report = run(&linter, &texts);
        let heavy = counted(&report, |of| of.severity >= Severity::Warn);
        let all: Expected = counted(&report, |_| true).into_iter().filter(said).collect();
        let seen: Expected = all.union(&heavy).cloned().collect();
        found += has.len();
        planted += has.len() + lacks.len();
        let missing: Vec<_> = has.difference(&seen).collect();
        let surplus: Vec<_> = seen.difference(&has).filter(|at| !beyond.contains(*at)).collect();
        if !missing.is_empty() || !surplus.is_empty() {
            wrong.push(format!("{}: missing {missing:?}, surplus {surplus:?}", name(&case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let share =
        f64::from(u32::try_from(found).unwrap()) / f64::from(u32::try_from(planted).unwrap());
    println!("{found} of {planted} planted faults found");
    assert!(share >= LEAST, "{found} of {planted}");
}
