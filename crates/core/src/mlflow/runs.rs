//! One run: what the server has of it, and what it still has to get.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    api::{self, KnownRun, METRICS_A_BATCH, Request},
    sums::{Metrics, Snapshot},
};
use crate::{gather::Gather, units::UnixMs};

/// How many points may wait. Beyond that the youngest takes up what follows: totals stay whole, only
/// their course in time gets coarser.
const MOST_POINTS: usize = 300;

/// Totals at one moment; those that did not change since the point before are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Point {
    #[serde(with = "millis")]
    pub(super) at: UnixMs,
    /// Seconds since the run began, or one more than the step before where that is more.
    pub(super) step: u64,
    pub(super) metrics: Metrics,
}

/// The run of one version of a variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// The experiment's name at the server.
    pub(super) experiment: String,
    /// Its own name there.
    pub(super) name: String,
    pub(super) began_ms: u64,
    /// Its id there, once it has one, and where its files lie.
    pub(super) id: Option<String>,
    pub(super) artifacts: String,
    /// What the variant does; written once.
    pub(super) settings: Vec<(String, String)>,
    pub(super) has_settings: bool,
    /// What should be there, and what is.
    pub(super) tags: BTreeMap<String, String>,
    pub(super) told_tags: BTreeMap<String, String>,
    /// The digest of the configuration whose file is there.
    pub(super) told_config: String,
    /// When the variant was no longer configured, and what the server was told of that.
    pub(super) ended_ms: Option<u64>,
    pub(super) told_ended_ms: Option<u64>,
    /// The totals of the last point.
    pub(super) last: Metrics,
    /// The least step that the next point may have.
    pub(super) step: u64,
    pub(super) points: VecDeque<Point>,
    /// Whether the server was asked for it, and has none.
    #[serde(skip)]
    pub(super) is_absent: bool,
    #[serde(skip)]
    pub(super) not_before_ms: u64,
    #[serde(skip)]
    pub(super) refusals: u32,
}

/// What is to be done for a run that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Errand {
    /// So many points are written, with the tags and settings that are not there yet.
    Log { points: usize, tags: BTreeMap<String, String> },
    /// The configuration of this digest is put beside it.
    Upload { digest: String },
    /// It is ended, or gone on with.
    Update { ended_ms: Option<u64> },
}

impl Run {
    /// Takes up what is known now.
    pub(super) fn note(&mut self, snapshot: &Snapshot, at: UnixMs) {
        let changed = snapshot.metrics.iter().filter(|(name, value)| {
            self.last.get(*name).is_none_or(|known| known.to_bits() != value.to_bits())
        });
        let metrics: Metrics = changed.map(|(name, value)| (name.clone(), *value)).gather();
        if metrics.is_empty() {
            return;
        }
        self.last.extend(metrics.clone());
        let is_full = self.points.len() >= MOST_POINTS;
        if let Some(youngest) = self.points.back_mut().filter(|_| is_full) {
            youngest.metrics.extend(metrics);
            return;
        }
        let step = self.step.max(at.since(UnixMs(self.began_ms)).0 / 1000);
        self.points.push_back(Point { at, step, metrics });
        self.step = step.saturating_add(1);
    }

    /// The server has it. What it has of it may be from before it was forgotten here: the points that
    /// wait come after that, as what the server shows is the point with the largest step.
    pub(super) fn is_known(&mut self, known: KnownRun) {
        let KnownRun { id, artifacts, began_ms, is_over } = known;
        (self.id, self.artifacts, self.is_absent) = (Some(id), artifacts, false);
        let began_ms = began_ms.unwrap_or(self.began_ms).min(self.began_ms);
        let before = (self.began_ms - began_ms) / 1000;
        for step in self.points.iter_mut().map(|point| &mut point.step).chain([&mut self.step]) {
            *step = step.saturating_add(before);
        }
        self.began_ms = began_ms;
        if is_over {
            self.told_ended_ms = Some(0);
        }
    }

    /// What is to be done next, where `config` is the digest of the configuration in force.
    pub(super) fn errand(&self, config: &str) -> Option<Errand> {
        let news = self.tags.iter().filter(|(key, value)| self.told_tags.get(*key) != Some(value));
        let tags: BTreeMap<_, _> = news.map(|(key, value)| (key.clone(), value.clone())).gather();
        if !self.points.is_empty() || !tags.is_empty() || !self.has_settings {
            return Some(Errand::Log { points: self.points_a_batch(), tags });
        }
        if self.told_config != config && self.ended_ms.is_none() {
            return Some(Errand::Upload { digest: config.to_owned() });
        }
        let is_told = self.told_ended_ms == self.ended_ms;
        (!is_told).then_some(Errand::Update { ended_ms: self.ended_ms })
    }

    /// As many points as fit into one batch.
    fn points_a_batch(&self) -> usize {
        let mut metrics = 0;
        let fits = |point: &&Point| {
            metrics += point.metrics.len();
            metrics <= METRICS_A_BATCH
        };
        self.points.iter().take_while(fits).count()
    }

    /// The request that does the errand; `None` where the server does not keep the run's files.
    pub(super) fn request(&self, errand: &Errand, config_text: &str) -> Option<Request> {
        let id = self.id.as_deref()?;
        match errand {
            Errand::Log { points, tags } => {
                let points: Vec<Point> = self.points.iter().take(*points).cloned().collect();
                let settings = if self.has_settings { &[][..] } else { &self.settings };
                let tags: Vec<_> = tags.clone().into_iter().collect();
                Some(api::log_batch(id, settings, &tags, &points))
            }
            Errand::Upload { digest: _ } => {
                api::upload(&self.artifacts, "config.json", config_text.as_bytes().to_vec())
            }
            Errand::Update { ended_ms } => Some(api::update_run(id, ended_ms.map(UnixMs))),
        }
    }

    /// The server has done it.
    pub(super) fn done(&mut self, errand: Errand) {
        self.refusals = 0;
        match errand {
            Errand::Log { points, tags } => {
                self.points.drain(..points.min(self.points.len()));
                self.told_tags.extend(tags);
                self.has_settings = true;
            }
            Errand::Upload { digest } => self.told_config = digest,
            Errand::Update { ended_ms } => self.told_ended_ms = ended_ms,
        }
    }

    /// The server has it no longer: it is made anew, with everything that is known.
    pub(super) fn lost(&mut self, at: UnixMs) {
        self.id = None;
        self.is_absent = false;
        self.has_settings = false;
        self.told_tags.clear();
        self.told_config.clear();
        self.told_ended_ms = None;
        self.points.clear();
        let all = Snapshot { metrics: std::mem::take(&mut self.last), ..Snapshot::default() };
        self.note(&all, at);
    }
}

mod millis {
    //! A moment as a number.

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::units::UnixMs;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(at: &UnixMs, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(at.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixMs, D::Error> {
        u64::deserialize(from).map(UnixMs)
    }
}
