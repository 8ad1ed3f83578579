//! What has been told: each trouble once when it begins, once when it has ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Finding, Rule, Severity};
use crate::{gather::Gather, units::UnixMs};

/// The troubles that have been told and have not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    active: BTreeMap<(Rule, String), Trouble>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Trouble {
    since: u64,
    critical: bool,
    summary: String,
    /// How often in a row it was looked for and not found.
    missed: u32,
}

/// What receivers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether it has begun or ended.
    pub phase: Phase,
    /// The trouble, in the words of when it was last seen.
    pub finding: Finding,
    /// When it began.
    pub since: UnixMs,
    /// When this was found out.
    pub at: UnixMs,
}

/// Whether a trouble has begun or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has begun.
    Firing,
    /// It has ended.
    Resolved,
}

/// A trouble that comes and goes is one: it has ended when it was looked for this often in vain.
const MISSES: u32 = 2;

impl Event {
    /// What tells troubles apart, and the end of one to its beginning: `error_share fast`.
    pub fn key(&self) -> String {
        format!("{} {}", self.finding.rule.name(), self.finding.subject)
    }
}

impl Phase {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Board {
    /// Takes in everything that is wrong at `now`, and returns what is news.
    pub fn update(&mut self, found: Vec<Finding>, now: UnixMs) -> Vec<Event> {
        for trouble in self.active.values_mut() {
            trouble.missed = trouble.missed.saturating_add(1);
        }
        let mut events = Vec::new();
        for finding in found {
            let key = (finding.rule, finding.subject.clone());
            let critical = finding.severity == Severity::Critical;
            let summary = finding.summary.clone();
            if let Some(known) = self.active.get_mut(&key) {
                (known.missed, known.critical, known.summary) = (0, critical, summary);
            } else {
                self.active.insert(key, Trouble { since: now.0, critical, summary, missed: 0 });
                events.push(Event { phase: Phase::Firing, finding, since: now, at: now });
            }
        }
        let ended = self.active.extract_if(.., |_, trouble| trouble.missed >= MISSES);
        events
            .extend(ended.map(|((rule, subject), trouble)| resolved(rule, subject, trouble, now)));
        events
    }

    /// Everything that is wrong, in the words of when it was last seen, and since when.
    pub fn active(&self) -> impl Iterator<Item = (Finding, UnixMs)> {
        self.active.iter().map(|((rule, subject), trouble)| {
            (finding(*rule, subject.clone(), trouble.clone()), UnixMs(trouble.since))
        })
    }

    /// Whether nothing is wrong.
    pub fn is_clear(&self) -> bool {
        self.active.is_empty()
    }

    /// The board as text for [`Self::restore`].
    pub fn row(&self) -> String {
        let rows: Vec<_> = self
            .active
            .iter()
            .map(|((rule, subject), trouble)| (rule.name(), subject, trouble))
            .collect();
        // Texts and numbers cannot fail to be written.
        serde_json::to_string(&rows).unwrap_or_default()
    }

    /// The board that [`Self::row`] wrote; empty where it cannot be read, which tells everything
    /// that is wrong once more.
    pub fn restore(row: &str) -> Self {
        let rows: Vec<(String, String, Trouble)> = serde_json::from_str(row).unwrap_or_default();
        let known = rows
            .into_iter()
            .filter_map(|(rule, subject, trouble)| Some(((Rule::named(&rule)?, subject), trouble)));
        Self { active: known.gather() }
    }
}

fn resolved(rule: Rule, subject: String, trouble: Trouble, now: UnixMs) -> Event {
    let since = UnixMs(trouble.since);
    Event { phase: Phase::Resolved, finding: finding(rule, subject, trouble), since, at: now }
}

fn finding(rule: Rule, subject: String, trouble: Trouble) -> Finding {
    let severity = if trouble.critical { Severity::Critical } else { Severity::Warning };
    Finding { rule, subject, severity, summary: trouble.summary }
}
