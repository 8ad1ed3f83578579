//! How often the scanners are right: precision, recall and F1 of each shape over marked texts.
//!
//! ```sh
//! cargo run --release -p tollhouse-core --example shapes texts.jsonl [--misses]
//! ```
//!
//! The input is what `training/shapes.py` writes. A finding is true if it overlaps a span of its shape;
//! a span is found if a finding of its shape overlaps it. `--misses` prints each error.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    io::{Write as _, stdout},
    ops::Range,
};

use serde::Deserialize;
use tollhouse_core::guard::{Shape, Shapes, find};

#[derive(Deserialize)]
struct Marked {
    text: String,
    spans: Vec<Span>,
}

/// From code point to code point.
#[derive(Deserialize)]
struct Span {
    shape: String,
    start: usize,
    end: usize,
}

#[derive(Default)]
struct Counts {
    found: u64,
    missed: u64,
    false_findings: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let path = arguments.first().ok_or("which file of marked texts?")?;
    let tells_misses = arguments.iter().any(|argument| argument == "--misses");
    let mut out = stdout().lock();
    let mut counts: BTreeMap<Shape, Counts> = BTreeMap::new();
    for line in fs::read_to_string(path)?.lines() {
        let marked: Marked = serde_json::from_str(line)?;
        let mut errors = Vec::new();
        compare(&marked, &mut counts, &mut errors)?;
        for error in errors.iter().filter(|_| tells_misses) {
            writeln!(out, "{error}: {:?}", marked.text)?;
        }
    }
    writeln!(out, "| shape | texts | precision | recall | F1 |\n|---|---|---|---|---|")?;
    for (shape, Counts { found, missed, false_findings }) in counts {
        let share = |of: u64| if of == 0 { 1.0 } else { ratio(found, of) };
        let (precision, recall) = (share(found + false_findings), share(found + missed));
        let f1 = ratio(2 * found, (2 * found + missed + false_findings).max(1));
        let texts = found + missed;
        writeln!(out, "| `{}` | {texts} | {precision:.3} | {recall:.3} | {f1:.3} |", shape.name())?;
    }
    Ok(())
}

fn compare(
    marked: &Marked,
    counts: &mut BTreeMap<Shape, Counts>,
    errors: &mut Vec<String>,
) -> Result<(), Box<dyn Error>> {
    let mut spans: Vec<(Shape, Range<usize>)> = Vec::new();
    for Span { shape, start, end } in &marked.spans {
        let shape = Shape::named(shape).ok_or("a span of no known shape")?;
        spans.push((shape, byte(&marked.text, *start)..byte(&marked.text, *end)));
    }
    let found = find(&marked.text, Shapes::ALL);
    let meet = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    for (shape, place) in &spans {
        let is_found = found.iter().any(|it| it.shape == *shape && meet(&it.place, place));
        let counts = counts.entry(*shape).or_default();
        *(if is_found { &mut counts.found } else { &mut counts.missed }) += 1;
        if !is_found {
            errors.push(format!("missed {}", shape.name()));
        }
    }
    for it in &found {
        // What is marked as another shape is a value all the same, if by another name.
        if !spans.iter().any(|(_, place)| meet(&it.place, place)) {
            counts.entry(it.shape).or_default().false_findings += 1;
            errors.push(format!("no {} at {:?}", it.shape.name(), it.place));
        }
    }
    Ok(())
}

fn byte(text: &str, point: usize) -> usize {
    text.char_indices().nth(point).map_or(text.len(), |(at, _)| at)
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "counts of texts are small")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
