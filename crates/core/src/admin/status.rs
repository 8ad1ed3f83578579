//! How the gateway stands, as `/admin/status` answers it.
//!
//! What happened stands in `points`, one for each step of the window that has any; adding points up
//! gives what happened in all of them. What holds now stands in `gauges`, under the names that
//! `/metrics` has for it: money there is in micro-dollars.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    alert::Board,
    metrics::{Aggregate, Family, Point, Step},
    units::{DurationMs, UnixMs},
};

/// How far back is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// An hour, by the minute.
    Hour,
    /// Three hours, by the minute.
    ThreeHours,
    /// A day, by the quarter of an hour.
    Day,
    /// Two days, by the quarter of an hour.
    TwoDays,
}

/// What the ledger knows.
#[derive(Debug)]
pub struct Status<'a> {
    /// The moment.
    pub now: UnixMs,
    /// When the ledger began to count.
    pub began: UnixMs,
    /// The counts of all isolates.
    pub aggregate: &'a Aggregate,
    /// How far back is looked.
    pub window: Window,
    /// What happened, by the beginning of the step.
    pub points: &'a BTreeMap<UnixMs, Point>,
    /// What is wrong.
    pub board: &'a Board,
    /// When a configuration was refused last, and why.
    pub rejected: Option<(UnixMs, &'a str)>,
}

/// The states that are shown.
const GAUGES: [Family; 8] = [
    Family::InFlight,
    Family::Isolates,
    Family::ConfigIsolates,
    Family::BreakerStates,
    Family::ReplicasReady,
    Family::ReplicasWaiting,
    Family::BudgetLimits,
    Family::BudgetSpent,
];

impl Window {
    /// Every window.
    pub const ALL: [Self; 4] = [Self::Hour, Self::ThreeHours, Self::Day, Self::TwoDays];

    /// Its name in the query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::ThreeHours => "3h",
            Self::Day => "24h",
            Self::TwoDays => "48h",
        }
    }

    /// The window of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.name() == name)
    }

    /// How finely it is divided.
    pub const fn step(self) -> Step {
        match self {
            Self::Hour | Self::ThreeHours => Step::Minute,
            Self::Day | Self::TwoDays => Step::Quarter,
        }
    }

    /// How long it is.
    pub const fn length(self) -> DurationMs {
        match self {
            Self::Hour => DurationMs::from_secs(3600),
            Self::ThreeHours => DurationMs::from_secs(3 * 3600),
            Self::Day => DurationMs::from_secs(24 * 3600),
            Self::TwoDays => DurationMs::from_secs(48 * 3600),
        }
    }

    /// The beginning of its first step; its last one is that of `now`, which goes on.
    pub const fn from(self, now: UnixMs) -> UnixMs {
        let last = self.step().start(now);
        UnixMs(last.0.saturating_add(self.step().length().0).saturating_sub(self.length().0))
    }
}

impl Status<'_> {
    /// The answer.
    pub fn json(&self) -> String {
        let Self { now, began, window, points, board, rejected, aggregate: _ } = self;
        let points: Vec<_> = points.iter().map(|(at, point)| json!([at.0, point])).collect();
        json!({
            "at": now.0,
            "since": began.0,
            "version": env!("CARGO_PKG_VERSION"),
            "window": window.name(),
            "from": window.from(*now).0,
            "step_ms": window.step().length().0,
            "boundaries_ms": Family::RequestDuration.boundaries(),
            "points": points,
            "gauges": self.gauges(),
            "alerts": board.active().map(|(finding, since)| json!({
                "rule": finding.rule.name(),
                "subject": finding.subject,
                "severity": finding.severity.name(),
                "summary": finding.summary,
                "since": since.0,
            })).collect::<Vec<_>>(),
            "rejected": rejected.map(|(at, problems)| json!({ "at": at.0, "problems": problems })),
        })
        .to_string()
    }

    fn gauges(&self) -> Value {
        let gauges = GAUGES.into_iter().map(|family| {
            let names = family.facts().labels;
            let states = self.aggregate.states(family, self.now);
            let rows = states.into_iter().map(|(values, amount)| {
                let labels = names
                    .iter()
                    .zip(values)
                    .map(|(name, value)| ((*name).to_owned(), Value::from(value)));
                labels.chain([("value".to_owned(), Value::from(amount))]).collect::<Value>()
            });
            (family.facts().name.to_owned(), rows.collect::<Value>())
        });
        gauges.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::{Finding, Rule, Severity},
        metrics::{Delta, IsolateId, Registry},
        record::sample::{EVENING, full},
    };

    fn delta() -> Delta {
        let mut registry = Registry::new(IsolateId::new(1));
        registry.observe(&full());
        registry.cut(EVENING);
        let delta = registry.pending().map(|(_, bytes)| Delta::decode(bytes).unwrap()).next();
        delta.unwrap()
    }

    fn status(window: Window) -> Value {
        let mut aggregate = Aggregate::default();
        aggregate.merge(&delta(), EVENING);
        let points = BTreeMap::from([(window.step().start(EVENING), Point::of(&delta()))]);
        let mut board = Board::default();
        let finding = Finding {
            rule: Rule::BreakerOpen,
            subject: "openai/gpt-4o-mini".to_owned(),
            severity: Severity::Warning,
            summary: "it is rested".to_owned(),
        };
        board.update(vec![finding], EVENING);
        let status = Status {
            now: EVENING,
            began: UnixMs(5),
            aggregate: &aggregate,
            window,
            points: &points,
            board: &board,
            rejected: Some((EVENING, "a.toml:1:1: no")),
        };
        serde_json::from_str(&status.json()).unwrap()
    }

    #[test]
    fn it_tells_what_happened_what_holds_and_what_is_wrong() {
        let said = status(Window::Hour);
        assert_eq!(said["points"][0][0], Step::Minute.start(EVENING).0);
        assert_eq!(said["points"][0][1]["models"]["fast"]["requests"], 1);
        let breaker = &said["gauges"]["tollhouse_breaker_isolates"][0];
        assert_eq!(
            breaker,
            &json!({ "target": "openai/gpt-4o-mini", "state": "open", "value": 1 })
        );
        assert_eq!(said["gauges"]["tollhouse_isolates"], json!([{ "value": 1 }]));
        assert_eq!(said["alerts"][0]["rule"], "breaker_open");
        assert_eq!(said["rejected"]["problems"], "a.toml:1:1: no");
        let boundaries = said["boundaries_ms"].as_array().unwrap();
        let buckets = said["points"][0][1]["models"]["fast"]["lengths"].as_array().unwrap();
        assert!(buckets.len() <= boundaries.len() + 1);
    }

    #[test]
    fn a_window_is_known_by_its_name_and_what_it_needs_is_kept() {
        for window in Window::ALL {
            assert_eq!(Window::named(window.name()), Some(window));
            assert!(window.length() <= window.step().kept());
            let from = window.from(EVENING);
            assert_eq!(window.step().start(from), from);
            assert!(EVENING.since(from) < window.length(), "{}", window.name());
        }
        assert_eq!(Window::named("1 h"), None);
    }
}
