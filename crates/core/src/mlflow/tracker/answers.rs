//! What follows from the server's answers, each read for the call that it answers.

use serde_json::Value;

use super::{
    super::{api, runs::Errand},
    EXPERIMENTS, FIRST_PAUSE, MOST_REFUSALS, MOST_TRIES, PARCEL, REFUSED_PAUSE, RUN, Tracker,
};
use crate::units::{DurationMs, UnixMs};

impl Tracker {
    pub(super) fn found_experiment(
        &mut self,
        name: &str,
        is_done: bool,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        if !is_done {
            self.absent.insert(name.to_owned());
            return None;
        }
        if let Some(id) = api::read_experiment(body) {
            self.knows_experiment(name, id);
            return None;
        }
        self.not_before = now.plus(REFUSED_PAUSE);
        Some(format!(
            "the experiment `{name}` was deleted at the server: restore it or rename ours"
        ))
    }

    pub(super) fn made_experiment(
        &mut self,
        name: &str,
        is_done: bool,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        self.absent.remove(name);
        if let Some(id) = api::read_experiment(body).filter(|_| is_done) {
            self.knows_experiment(name, id);
            return None;
        }
        // Somebody else was faster: it is found next time.
        if api::error_code(body) == "RESOURCE_ALREADY_EXISTS" {
            return None;
        }
        self.not_before = now.plus(REFUSED_PAUSE);
        Some(format!("the experiment `{name}` could not be made: {}", api::error_code(body)))
    }

    fn knows_experiment(&mut self, name: &str, id: String) {
        self.absent.remove(name);
        self.experiments.insert(name.to_owned(), id);
        self.changed.insert(EXPERIMENTS.to_owned());
    }

    pub(super) fn found_run(
        &mut self,
        name: &str,
        is_done: bool,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        if !is_done {
            return self.refused(name, body, now);
        }
        match api::read_run(body) {
            Some(found) => self.knows_run(name, found),
            None => {
                if let Some(run) = self.runs.get_mut(name) {
                    run.is_absent = true;
                }
            }
        }
        None
    }

    pub(super) fn made_run(
        &mut self,
        name: &str,
        is_done: bool,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        let Some(made) = api::read_run(body).filter(|_| is_done) else {
            return self.refused(name, body, now);
        };
        self.knows_run(name, made);
        None
    }

    fn knows_run(&mut self, name: &str, known: api::KnownRun) {
        if let Some(run) = self.runs.get_mut(name) {
            run.is_known(known);
            self.changed.insert(format!("{RUN}{name}"));
        }
    }

    pub(super) fn did(
        &mut self,
        name: &str,
        errand: Errand,
        is_done: bool,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        if !is_done {
            let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
            let is_upload = matches!(errand, Errand::Upload { .. });
            let is_lost = api::error_code(body) == "RESOURCE_DOES_NOT_EXIST"
                || message.contains("must be in the 'active' state");
            if is_upload {
                self.keep_config_as_tag(name);
                return Some(format!("the server took no file for the run `{name}`"));
            }
            if !is_lost {
                return self.refused(name, body, now);
            }
            if let Some(run) = self.runs.get_mut(name) {
                run.lost(now);
                self.changed.insert(format!("{RUN}{name}"));
            }
            return Some(format!("the run `{name}` is gone from the server and is made anew"));
        }
        if let Some(run) = self.runs.get_mut(name) {
            run.done(errand);
            self.changed.insert(format!("{RUN}{name}"));
        }
        None
    }

    /// Leaves a run alone for a while; what is refused over and over is given up.
    fn refused(&mut self, name: &str, body: &Value, now: UnixMs) -> Option<String> {
        let run = self.runs.get_mut(name)?;
        // The experiment may be another one by now.
        self.experiments.remove(&run.experiment);
        run.is_absent = false;
        run.refusals += 1;
        run.not_before_ms = now.plus(REFUSED_PAUSE).0;
        if run.refusals >= MOST_REFUSALS {
            run.refusals = 0;
            run.points.pop_front();
            run.has_settings = true;
        }
        self.changed.extend([format!("{RUN}{name}"), EXPERIMENTS.to_owned()]);
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
        let shown: String = message.chars().take(200).collect();
        Some(format!("the server refuses the run `{name}`: {} {shown}", api::error_code(body)))
    }

    pub(super) fn delivered(
        &mut self,
        number: u64,
        status: u16,
        body: &Value,
        now: UnixMs,
    ) -> Option<String> {
        self.changed.insert(format!("{PARCEL}{number}"));
        let parcel = self.parcels.get_mut(&number)?;
        // The trace may be on its way still.
        if status == 404 && parcel.trace.is_some() && parcel.tries + 1 < MOST_TRIES {
            parcel.tries += 1;
            let pause = FIRST_PAUSE.0.saturating_mul(1 << (2 * parcel.tries));
            parcel.not_before = now.plus(DurationMs(pause)).0;
            return None;
        }
        let parcel = self.parcels.remove(&number)?;
        if status < 300 {
            return None;
        }
        let what = if parcel.trace.is_some() { "an assessment" } else { "spans" };
        let code = api::error_code(body);
        Some(format!("the server refuses {what} ({status} {code}): thrown away"))
    }
}
