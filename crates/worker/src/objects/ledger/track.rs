//! Experiments at the tracking server: what `core::mlflow` decides is carried out here, by the alarm.

use std::collections::BTreeMap;

use serde_json::Value;
use tollhouse_core::{
    config::{show, valid::Mlflow},
    experiments::feedback::Feedback,
    metrics::Aggregate,
    mlflow::{Reply, Tracker, snapshots},
    telemetry,
    units::UnixMs,
};
use worker::{Result, State};

use super::{Ledger, chief::Chief, opinions, post};
use crate::{clock::read as now, glue, objects::rows::Rows};

/// How many calls are made at one alarm; what is left waits for the next, which is soon.
const CALLS_A_TIME: u32 = 40;

/// The tracker with its rows.
#[derive(Debug)]
pub(super) struct Track {
    rows: Rows,
    tracker: Tracker,
    planned_at: UnixMs,
}

impl Track {
    pub(super) fn open(state: &State) -> Result<Self> {
        let rows = Rows::open(state)?;
        opinions::tables(&rows)?;
        let own = rows.all()?.into_iter().filter(|(key, _)| Tracker::owns(key));
        Ok(Self { tracker: Tracker::restore(own), planned_at: UnixMs(0), rows })
    }

    /// Whether what is known is to be put down for the server again.
    pub(super) fn is_due(&self, mlflow: &Mlflow, at: UnixMs) -> bool {
        at.since(self.planned_at) >= mlflow.every
    }

    /// When there is something to do again.
    pub(super) fn next(&self, mlflow: &Mlflow) -> UnixMs {
        let planned = self.planned_at.plus(mlflow.every);
        self.tracker.due_at().map_or(planned, |due| due.min(planned))
    }

    /// The configuration in force is another one: its experiments are begun at once.
    pub(super) const fn reconsider(&mut self) {
        self.planned_at = UnixMs(0);
    }

    /// Puts down what is known of every variant.
    pub(super) fn plan(
        &mut self,
        chief: &Chief,
        aggregate: &mut Aggregate,
        at: UnixMs,
    ) -> Result<()> {
        self.planned_at = at;
        let Some(loaded) = chief.loaded() else { return Ok(()) };
        let Some(mlflow) = &loaded.config.mlflow else { return Ok(()) };
        self.show(aggregate)?;
        let known: BTreeMap<_, _> = snapshots(aggregate);
        let experiments = loaded.config.experiments.values().map(AsRef::as_ref);
        let shown = serde_json::to_string_pretty(&show::json(loaded))?;
        self.tracker.plan(mlflow, experiments, (loaded.config.digest, shown), &known, at);
        self.keep()
    }

    /// Adds what callers have said to what is counted.
    pub(super) fn show(&self, aggregate: &mut Aggregate) -> Result<()> {
        aggregate.set_feedback(opinions::all(&self.rows)?);
        Ok(())
    }

    /// Takes in what a caller said.
    pub(super) fn say(&mut self, said: &Feedback, mlflow: Option<&Mlflow>) -> Result<()> {
        let at = now();
        opinions::put(&self.rows, said, at)?;
        let is_kept =
            mlflow.is_some_and(|mlflow| telemetry::keeps(&said.trace, mlflow.trace_share));
        if is_kept {
            self.tracker.add_feedback(said, at);
        }
        self.keep()
    }

    /// Takes in spans, for the alarm to send.
    pub(super) fn add_spans(&mut self, spans: &[u8]) -> Result<()> {
        self.tracker.add_spans(spans, now());
        self.keep()
    }

    /// Lets what was said before `moment` go.
    pub(super) fn forget_before(&self, moment: UnixMs) -> Result<()> {
        opinions::forget_before(&self.rows, moment)
    }

    fn keep(&mut self) -> Result<()> {
        self.rows.write(self.tracker.changed_rows())
    }
}

impl Ledger {
    /// Tells the tracking server what it has not got yet.
    pub(super) async fn track(&self) -> Result<()> {
        let mlflow = self.with_chief(|chief| Ok(chief.mlflow().cloned()))?;
        let Some(mlflow) = mlflow else { return Ok(()) };
        for _ in 0..CALLS_A_TIME {
            let next = self.with_track(|track| Ok(track.tracker.next(now())))?;
            let Some((call, request)) = next else { return Ok(()) };
            let reply = match post::track(&mlflow, &request).await {
                Some((status, body)) => Reply::Answered(status, read(&body)),
                None => Reply::Silent,
            };
            let said = self.with_track(|track| {
                let said = track.tracker.answered(call, reply, now());
                track.keep()?;
                Ok(said)
            })?;
            if let Some(message) = said {
                let line = serde_json::json!({
                    "level": "warn", "event": "mlflow", "message": message,
                });
                glue::log(&line.to_string());
            }
        }
        Ok(())
    }
}

fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or(Value::Null)
}
