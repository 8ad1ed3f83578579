//! How the mock provider behaves.

use super::Site;
use crate::{
    config::{
        findings::Found,
        problem::Rule,
        raw::{RawFault, RawProvider, Whole},
        tree::Path,
        valid::{MockEffect, MockFault, MockPolicy},
    },
    units::DurationMs,
};

impl Site<'_> {
    pub(super) fn mock(&self, raw: &RawProvider, at: &Path<'_>) -> Option<MockPolicy> {
        let at = at.key("faults");
        let faults = raw.faults.as_ref().map(|faults| {
            let built: Vec<_> = faults
                .iter()
                .filter_map(|(index, fault)| self.fault(fault, &at.index(index)))
                .collect();
            (built.len() == faults.0.len()).then_some(built)
        });
        Some(MockPolicy {
            latency: DurationMs(raw.latency_ms?.0),
            chunk_interval: DurationMs(raw.chunk_interval_ms?.0),
            faults: faults??,
            scripted_by_header: raw.scripted_by_header?,
        })
    }

    fn fault(&self, raw: &RawFault, at: &Path<'_>) -> Option<MockFault> {
        if raw.retry_after.is_some() && raw.status.is_none() {
            let found = Found::new(Rule::MisplacedKey, "`retry_after` goes with `status`");
            self.notes.at_key(&at.key("retry_after"), found.help("add `status = 429`"));
        }
        let chunks = |chunks: Option<Whole<0, 1_000_000>>| u32::try_from(chunks?.0).ok();
        let effects = [
            raw.status
                .and_then(|status| u16::try_from(status.0).ok())
                .map(|status| MockEffect::Status { status, retry_after: raw.retry_after.clone() }),
            chunks(raw.cut_after_chunks).map(|after_chunks| MockEffect::Cut { after_chunks }),
            chunks(raw.stall_after_chunks).map(|after_chunks| MockEffect::Stall { after_chunks }),
            raw.reset.filter(|reset| *reset).map(|_| MockEffect::Reset),
        ];
        let effect = self.only_effect(effects, at);
        let times = match raw.times {
            Some(times) => Some(times.0),
            None if self.notes.tree.at(&at.key("times")).is_some() => return None,
            None => None,
        };
        Some(MockFault { every: raw.every?.0, times, effect: effect? })
    }

    fn only_effect(&self, effects: [Option<MockEffect>; 4], at: &Path<'_>) -> Option<MockEffect> {
        const KEYS: [&str; 4] = ["status", "cut_after_chunks", "stall_after_chunks", "reset"];
        let written = KEYS.iter().filter(|key| self.notes.tree.at(&at.key(key)).is_some()).count();
        let help =
            "write one of `status`, `cut_after_chunks`, `stall_after_chunks` and `reset = true`";
        if written > 1 {
            self.report(at, Rule::MisplacedKey, "a fault does one thing", help);
            return None;
        }
        let effect = effects.into_iter().flatten().next();
        let is_silent = written == 0 || self.notes.tree.at(&at.key("reset")).is_some();
        if effect.is_none() && is_silent {
            self.report(at, Rule::Missing, "the fault does nothing", help);
        }
        effect
    }
}
