//! A placement as people and machines read it.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollhouse_core::placement::{Limits, WASM_RATIO};

use super::{Placed, Problem, calibrate::Speed};

/// A few lines a model.
pub(super) fn text(placed: &Placed) -> String {
    let Placed { path, name, profile, basis, decision } = placed;
    let mut out = format!("{path}: {} ({name})\n", decision.verdict.name());
    let mut row = |what: &str, value: String| {
        let _ = writeln!(out, "  {what:<22}{value}");
    };
    row("format", profile.format.name().to_owned());
    row("parameters", grouped(profile.parameters));
    row("bytes", grouped(profile.bytes));
    row("multiply-adds a token", format!("{} (by {basis})", grouped(profile.macs_per_token)));
    if profile.lookups_per_token > 0 {
        row("look-ups a token", grouped(profile.lookups_per_token));
    }
    row("window", format!("{} tokens", grouped(profile.window)));
    row("unsupported operators", none_or(&profile.unsupported));
    row("peak memory", format!("{} bytes", grouped(profile.peak_memory)));
    row("estimated at the edge", format!("{:.2} ms a window", decision.edge_ms));
    for (at, reason) in decision.reasons.iter().enumerate() {
        row(if at == 0 { "because" } else { "and" }, reason.to_string());
    }
    out
}

fn none_or(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// One object.
pub(super) fn json(placed: &Placed, limits: &Limits, speed: &Speed) -> Value {
    let Placed { path, name, profile, basis, decision } = placed;
    let reasons: Vec<Value> = decision
        .reasons
        .iter()
        .map(|reason| json!({ "code": reason.code(), "message": reason.to_string() }))
        .collect();
    json!({
        "path": path,
        "name": name,
        "format": profile.format.name(),
        "parameters": profile.parameters,
        "bytes": profile.bytes,
        "macs_per_token": profile.macs_per_token,
        "lookups_per_token": profile.lookups_per_token,
        "counted_by": basis,
        "window_tokens": profile.window,
        "unsupported_operators": profile.unsupported,
        "peak_memory_bytes": profile.peak_memory,
        "edge_ms": decision.edge_ms,
        "verdict": decision.verdict.name(),
        "reasons": reasons,
        "limits": {
            "memory_bytes": limits.memory,
            "bytes": limits.bytes,
            "cpu_ms": limits.cpu_ms,
        },
        "calibration": {
            "measured_here": speed.native.is_some(),
            "edge_macs_per_ms": speed.edge.macs_per_ms,
            "edge_lookups_per_ms": speed.edge.lookups_per_ms,
            "native_macs_per_ms": speed.native.map(|native| native.macs_per_ms),
            "wasm_ratio": WASM_RATIO,
        },
    })
}

/// A model that could not be measured.
pub(super) fn json_problem(path: &str, problem: &Problem) -> Value {
    json!({ "path": path, "error": { "code": problem.code(), "message": problem.to_string() } })
}

/// What was measured here, and what the step to the edge rests on.
pub(super) fn calibration(speed: &Speed) -> String {
    let native = speed.native.map_or(f64::NAN, |native| native.macs_per_ms);
    format!(
        "this machine: {:.1} million multiply-adds a ms native; the edge is taken to do {:.1}, as the same \
         transformer took {WASM_RATIO} times as long under workerd as native when both were measured",
        native / 1e6,
        speed.edge.macs_per_ms / 1e6
    )
}

/// A number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
