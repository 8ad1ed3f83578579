//! What the tracking server is told next, and what follows from its answers.
//!
//! A step machine: [`Tracker::plan`] says what is known, [`Tracker::next`] what is to be sent,
//! [`Tracker::answered`] what came of it. A server that is silent, busy or lets nobody in is left
//! alone for a while, the longer the more often. A run that it refuses is left alone by itself, so
//! that it holds up no other.

mod answers;

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    api::{self, Request},
    runs::{Errand, Run},
    sums::Snapshot,
};
use crate::{
    config::valid::{Experiment, Mlflow, Variant},
    experiments::feedback::Feedback,
    record::{hex, rfc3339},
    units::{DurationMs, UnixMs},
};

const FIRST_PAUSE: DurationMs = DurationMs::from_secs(1);
const LONGEST_PAUSE: DurationMs = DurationMs::from_secs(300);
/// A run that was refused is tried again after this.
const REFUSED_PAUSE: DurationMs = DurationMs::from_secs(60);
/// After so many refusals in a row, what is refused is given up.
const MOST_REFUSALS: u32 = 10;
/// How many batches of spans and opinions may wait; the oldest make room.
const MOST_PARCELS: usize = 500;
/// An opinion of a trace that is not there is tried so often; the trace may be on its way.
const MOST_TRIES: u32 = 6;
/// A run that was ended is forgotten after this.
const FORGET_AFTER: DurationMs = DurationMs::from_secs(7 * 86_400);

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Call(What);

#[derive(Debug, Clone, PartialEq)]
enum What {
    FindExperiment(String),
    MakeExperiment(String),
    FindRun(String),
    MakeRun(String),
    Do(String, Errand),
    Parcel(u64),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The server answered with this status and body.
    Answered(u16, Value),
    /// It did not, or there is no secret to be let in with.
    Silent,
}

/// Something beside the runs that waits to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parcel {
    /// Spans as protobuf in base64, or an assessment of the trace.
    body: Value,
    trace: Option<String>,
    #[serde(default)]
    tries: u32,
    #[serde(default)]
    not_before: u64,
}

/// What the server has, and what it still has to get.
#[derive(Debug, Default)]
pub struct Tracker {
    experiments: BTreeMap<String, String>,
    runs: BTreeMap<String, Run>,
    parcels: BTreeMap<u64, Parcel>,
    /// The experiment of spans.
    home: String,
    /// The effective configuration with its digest.
    config: (String, String),
    absent: BTreeSet<String>,
    failures: u32,
    not_before: UnixMs,
    changed: BTreeSet<String>,
}

const EXPERIMENTS: &str = "t:experiments";
const RUN: &str = "t:run:";
const PARCEL: &str = "t:parcel:";

impl Tracker {
    /// The tracker whose [`Self::changed_rows`] were stored as these.
    pub fn restore(rows: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut tracker = Self::default();
        for (key, value) in rows {
            if key == EXPERIMENTS {
                tracker.experiments = serde_json::from_str(&value).unwrap_or_default();
            } else if let Some(name) = key.strip_prefix(RUN) {
                if let Ok(run) = serde_json::from_str(&value) {
                    tracker.runs.insert(name.to_owned(), run);
                }
            } else if let Some(number) = key.strip_prefix(PARCEL)
                && let (Ok(number), Ok(parcel)) = (number.parse(), serde_json::from_str(&value))
            {
                tracker.parcels.insert(number, parcel);
            }
        }
        tracker
    }

    /// Whether a row is one of the tracker's.
    pub fn owns(key: &str) -> bool {
        key.starts_with("t:")
    }

    /// Rows that changed since this was asked last; `None` deletes one.
    pub fn changed_rows(&mut self) -> Vec<(String, Option<String>)> {
        let row = |key: String| {
            let value = if key == EXPERIMENTS {
                text(&self.experiments)
            } else if let Some(name) = key.strip_prefix(RUN) {
                self.runs.get(name).and_then(text)
            } else {
                let number = key.strip_prefix(PARCEL).and_then(|number| number.parse().ok());
                number.and_then(|number: u64| self.parcels.get(&number)).and_then(text)
            };
            (key, value)
        };
        std::mem::take(&mut self.changed).into_iter().map(row).collect()
    }

    /// Takes up the experiments that are configured, the effective configuration (its digest and its
    /// text, secrets masked) and what is known of each version of each variant.
    pub fn plan<'e>(
        &mut self,
        mlflow: &Mlflow,
        experiments: impl Iterator<Item = &'e Experiment>,
        (digest, shown): ([u8; 32], String),
        snapshots: &BTreeMap<(String, String), Snapshot>,
        now: UnixMs,
    ) {
        let digest = digest.get(..6).map(hex).unwrap_or_default();
        self.config = (digest, shown);
        self.home.clone_from(&mlflow.experiment);
        let mut configured = BTreeSet::new();
        for variant in experiments.flat_map(|experiment| &experiment.variants) {
            configured.insert(self.expect(mlflow, variant, now));
        }
        for (name, run) in &mut self.runs {
            let before = run.clone();
            if configured.contains(name) {
                run.ended_ms = None;
            } else if run.ended_ms.is_none() {
                run.ended_ms = Some(now.0);
            }
            let which =
                name.rsplit_once('/').map(|(id, version)| (id.to_owned(), version.to_owned()));
            if let Some(snapshot) = which.and_then(|which| snapshots.get(&which)) {
                run.note(snapshot, now);
                run.tags.extend(snapshot.tags.clone());
            }
            if *run != before {
                self.changed.insert(format!("{RUN}{name}"));
            }
        }
        self.forget_ended(now);
    }

    /// Sees to it that there is a run for this variant, and says which.
    fn expect(&mut self, mlflow: &Mlflow, variant: &Variant, now: UnixMs) -> String {
        let name = format!("{}/{}", variant.id, variant.version);
        let run = self.runs.entry(name.clone()).or_insert_with(|| Run {
            experiment: format!("{}/{}", mlflow.experiment, variant.experiment),
            name: variant.name.clone(),
            began_ms: now.0,
            settings: variant.settings.clone(),
            ..Run::default()
        });
        let share = format!("{}.{:06}", variant.share / 1_000_000, variant.share % 1_000_000);
        let tags = [
            ("tollhouse.experiment", variant.experiment.clone()),
            ("tollhouse.variant", variant.name.clone()),
            ("tollhouse.version", variant.version.clone()),
            ("tollhouse.share", share),
            ("tollhouse.config", self.config.0.clone()),
        ];
        let before = run.tags.clone();
        run.tags.extend(tags.map(|(key, value)| (key.to_owned(), value)));
        if run.tags != before {
            self.changed.insert(format!("{RUN}{name}"));
        }
        name
    }

    fn forget_ended(&mut self, now: UnixMs) {
        let is_over = |run: &Run| {
            let ended = run.ended_ms.filter(|_| run.told_ended_ms == run.ended_ms);
            ended.is_some_and(|ended| now.since(UnixMs(ended)) > FORGET_AFTER)
        };
        let over: Vec<String> = self
            .runs
            .iter()
            .filter(|(_, run)| is_over(run))
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            self.runs.remove(&name);
            self.changed.insert(format!("{RUN}{name}"));
        }
    }

    /// Takes in spans, as the protobuf of an OTLP request.
    pub fn add_spans(&mut self, spans: &[u8], now: UnixMs) {
        let body = Value::from(BASE64_STANDARD.encode(spans));
        self.add(Parcel { body, trace: None, tries: 0, not_before: now.0 });
    }

    /// Takes in what a caller said of an answer whose trace is kept, each thing as an assessment.
    pub fn add_feedback(&mut self, said: &Feedback, now: UnixMs) {
        let written = rfc3339(now);
        let score = said.score.map(|score| ("score", json!(f64::from(score) / 1e6)));
        let rating = said.rating.map(|rating| ("rating", json!(rating.name())));
        let label = said.label.as_ref().map(|label| ("label", json!(label)));
        for (name, value) in score.into_iter().chain(rating).chain(label) {
            let mut assessment = json!({
                "assessment_name": name,
                "trace_id": format!("tr-{}", said.trace),
                "source": { "source_type": "HUMAN", "source_id": said.key },
                "create_time": written,
                "last_update_time": written,
                "feedback": { "value": value },
            });
            if let (Some(comment), Some(object)) = (&said.comment, assessment.as_object_mut()) {
                object.insert("rationale".to_owned(), json!(comment));
            }
            let trace = Some(said.trace.clone());
            let not_before = now.plus(FIRST_PAUSE).0;
            self.add(Parcel { body: assessment, trace, tries: 0, not_before });
        }
    }

    fn add(&mut self, parcel: Parcel) {
        let number = self.parcels.last_key_value().map_or(0, |(last, _)| last + 1);
        self.parcels.insert(number, parcel);
        self.changed.insert(format!("{PARCEL}{number}"));
        while self.parcels.len() > MOST_PARCELS
            && let Some((oldest, _)) = self.parcels.pop_first()
        {
            self.changed.insert(format!("{PARCEL}{oldest}"));
        }
    }

    /// What is to be sent now, if anything.
    pub fn next(&mut self, now: UnixMs) -> Option<(Call, Request)> {
        if now < self.not_before || self.home.is_empty() {
            return None;
        }
        self.next_of_runs(now).or_else(|| self.next_parcel(now))
    }

    /// When there is something to send, if ever.
    pub fn due_at(&self) -> Option<UnixMs> {
        let runs = self
            .runs
            .values()
            .filter(|run| run.id.is_none() || run.errand(&self.config.0).is_some());
        let runs = runs.map(|run| run.not_before_ms);
        let parcels = self.parcels.values().map(|parcel| parcel.not_before);
        let first = runs.chain(parcels).min().filter(|_| !self.home.is_empty());
        first.map(|first| UnixMs(first).max(self.not_before))
    }

    fn next_of_runs(&mut self, now: UnixMs) -> Option<(Call, Request)> {
        let mut kept_elsewhere = Vec::new();
        let mut found = None;
        for (name, run) in self.runs.iter().filter(|(_, run)| run.not_before_ms <= now.0) {
            let Some(experiment) = self.experiments.get(&run.experiment) else {
                found = Some(self.experiment(&run.experiment));
                break;
            };
            if run.id.is_none() {
                found = Some(if run.is_absent {
                    let began = UnixMs(run.began_ms);
                    (
                        What::MakeRun(name.clone()),
                        api::create_run(experiment, &run.name, name, began),
                    )
                } else {
                    (What::FindRun(name.clone()), api::run_tagged(experiment, name))
                });
                break;
            }
            let Some(errand) = run.errand(&self.config.0) else { continue };
            match run.request(&errand, &self.config.1) {
                Some(request) => {
                    found = Some((What::Do(name.clone(), errand), request));
                    break;
                }
                None => kept_elsewhere.push(name.clone()),
            }
        }
        for name in kept_elsewhere {
            self.keep_config_as_tag(&name);
        }
        found.map(|(what, request)| (Call(what), request))
    }

    /// Where the server does not take files, a tag has the configuration.
    fn keep_config_as_tag(&mut self, name: &str) {
        let (digest, shown) = &self.config;
        if let Some(run) = self.runs.get_mut(name) {
            run.tags.insert("tollhouse.config.json".to_owned(), shown.clone());
            run.told_config.clone_from(digest);
            self.changed.insert(format!("{RUN}{name}"));
        }
    }

    fn experiment(&self, name: &str) -> (What, Request) {
        if self.absent.contains(name) {
            (What::MakeExperiment(name.to_owned()), api::create_experiment(name))
        } else {
            (What::FindExperiment(name.to_owned()), api::experiment_named(name))
        }
    }

    fn next_parcel(&self, now: UnixMs) -> Option<(Call, Request)> {
        let mut due = self.parcels.iter().filter(|(_, parcel)| parcel.not_before <= now.0);
        let (number, parcel) = due.next()?;
        let (what, request) = match (&parcel.trace, self.experiments.get(&self.home)) {
            (Some(trace), _) => (What::Parcel(*number), api::assess(trace, &parcel.body)),
            (None, Some(home)) => {
                let encoded = parcel.body.as_str().unwrap_or_default();
                let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
                (What::Parcel(*number), api::traces(home, bytes))
            }
            (None, None) => self.experiment(&self.home),
        };
        Some((Call(what), request))
    }

    /// Learns what came of a call; says what is worth a line in the log.
    pub fn answered(&mut self, call: Call, reply: Reply, now: UnixMs) -> Option<String> {
        let (status, body) = match reply {
            Reply::Answered(status @ (200..=299 | 400 | 404..=428 | 430..=499), body) => {
                (status, body)
            }
            // It knows us not, or has no time.
            Reply::Answered(status, _) => {
                return Some(self.pause(&call, &status.to_string(), now));
            }
            Reply::Silent => return Some(self.pause(&call, "no answer", now)),
        };
        self.failures = 0;
        let is_done = status < 300;
        match call.0 {
            What::FindExperiment(name) => self.found_experiment(&name, is_done, &body, now),
            What::MakeExperiment(name) => self.made_experiment(&name, is_done, &body, now),
            What::FindRun(name) => self.found_run(&name, is_done, &body, now),
            What::MakeRun(name) => self.made_run(&name, is_done, &body, now),
            What::Do(name, errand) => self.did(&name, errand, is_done, &body, now),
            What::Parcel(number) => self.delivered(number, status, &body, now),
        }
    }

    fn pause(&mut self, call: &Call, why: &str, now: UnixMs) -> String {
        // It may have done what it did not answer, so it is asked again what there is.
        match &call.0 {
            What::MakeExperiment(name) => {
                self.absent.remove(name);
            }
            What::MakeRun(name) => {
                if let Some(run) = self.runs.get_mut(name) {
                    run.is_absent = false;
                }
            }
            What::FindExperiment(_) | What::FindRun(_) | What::Do(..) | What::Parcel(_) => {}
        }
        let pause = FIRST_PAUSE.0.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE.0);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.plus(DurationMs(pause));
        format!("the tracking server does not take what it is sent ({why})")
    }
}

/// Texts and numbers cannot fail to be written.
fn text<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}
