//! What an isolate counted between two moments, as it is handed to the ledger object.
//!
//! Encoded as JSON, where texts stand once in a table and everything else is numbers:
//! `{"v":1,"isolate":"…","seq":7,"at":…,"names":["","fast",…],"report":{…},
//! "counters":[["tollhouse_requests_total",[[[1,2,3,4,0],12],…]],…],"histograms":[…],"usage":[…]}`.
//! A row is its label values as places in `names`, then what was counted. An isolate may for a moment
//! be a version ahead of the object: families that the reader does not know, or knows in another
//! shape, are left out and counted, and the rest is read.

use serde::{Deserialize, Serialize};

use super::{
    family::{Family, Kind},
    names::NameId,
    registry::IsolateId,
    report::{Report, ReportWire},
    store::{Histogram, Series},
};
use crate::{
    ledger::{Counts, Day, Slot, UsageRow},
    record::Failure,
    units::UnixMs,
};

/// What an isolate counted since its last delta, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    pub(super) isolate: IsolateId,
    pub(super) sequence: u64,
    pub(super) at: UnixMs,
    /// The texts behind the ids below; the first is empty.
    pub(super) names: Vec<String>,
    pub(super) counters: Vec<(Series, u64)>,
    pub(super) histograms: Vec<(Series, Histogram)>,
    pub(super) usage: Vec<(Slot, Counts)>,
    pub(super) failures: Vec<Failure>,
    pub(super) report: Report,
    skipped: usize,
}

/// Why bytes are not a delta.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// Not the JSON that it should be.
    #[error("the delta is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a version whose form is another.
    #[error("the delta has form {found}, this version reads form {VERSION}")]
    Version {
        /// The form it says it has.
        found: u32,
    },
    /// The isolate's id is not 32 hexadecimal digits.
    #[error("the isolate of the delta has no id")]
    Isolate,
    /// A row names a text that is not in the table.
    #[error("a row of `{family}` names text {place}, there are {texts}")]
    Name {
        /// Where the row stands.
        family: String,
        /// The text it names.
        place: u32,
        /// How many there are.
        texts: usize,
    },
}

/// The form of the encoding; it changes when old readers would misread it.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u32,
    isolate: String,
    seq: u64,
    at: u64,
    names: Vec<String>,
    report: ReportWire,
    counters: Vec<Group<u64>>,
    histograms: Vec<Group<Vec<u64>>>,
    /// Day; key, model and target; counts.
    usage: Vec<(u32, [u32; 3], Vec<u64>)>,
    /// Absent in the deltas of older versions.
    #[serde(default)]
    failures: Vec<Failure>,
}

/// A family's name and its rows: label values, and what was counted.
type Group<T> = (String, Vec<(Vec<u32>, T)>);

impl Delta {
    /// A delta in which nothing is counted yet.
    pub(super) fn new(isolate: IsolateId, sequence: u64, at: UnixMs, report: Report) -> Self {
        Self {
            isolate,
            sequence,
            at,
            names: vec![String::new()],
            counters: Vec::new(),
            histograms: Vec::new(),
            usage: Vec::new(),
            failures: Vec::new(),
            report,
            skipped: 0,
        }
    }

    /// Which isolate it comes from.
    pub const fn isolate(&self) -> IsolateId {
        self.isolate
    }

    /// Its place among the deltas of its isolate, from 0.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What was booked: the amounts of each day, key, model and target.
    pub fn usage_rows(&self) -> Vec<UsageRow> {
        let text = |name| self.text(name).to_owned();
        let rows = self.usage.iter().map(|(slot, counts)| UsageRow {
            day: slot.day,
            key: text(slot.key),
            model: text(slot.model),
            target: text(slot.target),
            counts: *counts,
        });
        rows.collect()
    }

    /// Some of the requests that failed: the first few of each interval.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// When it was cut.
    pub const fn at(&self) -> UnixMs {
        self.at
    }

    /// The label values and the counts of every series of a counter.
    pub(super) fn counters(&self, family: Family) -> impl Iterator<Item = (Vec<&str>, u64)> {
        let rows = self.counters.iter().filter(move |(series, _)| series.family == family);
        rows.map(|(series, count)| (self.texts(series), *count))
    }

    /// The label values and the counts by bucket of every series of a histogram.
    pub(super) fn histograms(&self, family: Family) -> impl Iterator<Item = (Vec<&str>, Vec<u64>)> {
        let boundaries = family.boundaries().unwrap_or_default();
        let rows = self.histograms.iter().filter(move |(series, _)| series.family == family);
        rows.map(|(series, histogram)| {
            (self.texts(series), histogram.numbers(boundaries).skip(1).collect())
        })
    }

    fn texts(&self, series: &Series) -> Vec<&str> {
        series.values().map(|name| self.text(name)).collect()
    }

    fn text(&self, name: NameId) -> &str {
        let place = usize::try_from(name.0).unwrap_or(usize::MAX);
        self.names.get(place).map_or("", String::as_str)
    }

    /// How many rows were left out on reading, because this version does not know their family.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }

    /// The delta as bytes for [`Self::decode`].
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            v: VERSION,
            isolate: self.isolate.to_string(),
            seq: self.sequence,
            at: self.at.0,
            names: self.names.clone(),
            report: ReportWire::from(&self.report),
            counters: grouped(&self.counters, |_, count| *count),
            histograms: grouped(&self.histograms, |family, histogram| {
                histogram.numbers(family.boundaries().unwrap_or_default()).collect()
            }),
            usage: self.usage.iter().map(usage_to_wire).collect(),
            failures: self.failures.clone(),
        };
        // Strings, numbers and maps of strings cannot fail to be written.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads what [`Self::encode`] wrote: all of it or an error.
    ///
    /// # Errors
    /// [`DeltaError`] says what does not fit; nothing of such a delta may be counted.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        let wire: Wire = serde_json::from_slice(bytes)?;
        if wire.v != VERSION {
            return Err(DeltaError::Version { found: wire.v });
        }
        let isolate = IsolateId::parse(&wire.isolate).ok_or(DeltaError::Isolate)?;
        let mut delta = Self::new(isolate, wire.seq, UnixMs(wire.at), Report::from(wire.report));
        delta.names = wire.names;
        delta.counters = delta.ungrouped(wire.counters, |family, count| {
            (family.facts().kind == Kind::Counter).then_some(count)
        })?;
        delta.histograms = delta.ungrouped(wire.histograms, |family, numbers| {
            Histogram::from_numbers(family.boundaries()?, &numbers)
        })?;
        delta.usage = delta.usage_from_wire(wire.usage)?;
        delta.failures = wire.failures;
        Ok(delta)
    }

    /// The rows of all groups; `read` gives `None` for what its family does not hold.
    fn ungrouped<T, U>(
        &mut self,
        groups: Vec<Group<T>>,
        read: impl Fn(Family, T) -> Option<U>,
    ) -> Result<Vec<(Series, U)>, DeltaError> {
        let mut rows = Vec::new();
        for (name, group) in groups {
            let family = Family::named(&name);
            for (labels, counted) in group {
                self.check_names(&name, &labels)?;
                let fits = |family: &Family| family.facts().labels.len() == labels.len();
                let row =
                    family.filter(fits).and_then(|family| Some((family, read(family, counted)?)));
                match row {
                    Some((family, counted)) => rows.push((series(family, &labels), counted)),
                    None => self.skipped += 1,
                }
            }
        }
        Ok(rows)
    }

    fn usage_from_wire(
        &mut self,
        wire: Vec<(u32, [u32; 3], Vec<u64>)>,
    ) -> Result<Vec<(Slot, Counts)>, DeltaError> {
        let mut rows = Vec::with_capacity(wire.len());
        for (day, names, numbers) in wire {
            self.check_names("usage", &names)?;
            let [key, model, target] = names.map(NameId);
            match Counts::from_numbers(&numbers) {
                Some(counts) => rows.push((Slot { day: Day(day), key, model, target }, counts)),
                None => self.skipped += 1,
            }
        }
        Ok(rows)
    }

    fn check_names(&self, family: &str, places: &[u32]) -> Result<(), DeltaError> {
        let texts = self.names.len();
        let missing = |place: &&u32| usize::try_from(**place).map_or(true, |place| place >= texts);
        match places.iter().find(missing) {
            None => Ok(()),
            Some(place) => {
                Err(DeltaError::Name { family: family.to_owned(), place: *place, texts })
            }
        }
    }
}

fn series(family: Family, places: &[u32]) -> Series {
    let mut series = Series::new(family, &[]);
    for (label, place) in series.labels.iter_mut().zip(places) {
        *label = NameId(*place);
    }
    series
}

/// Rows by family, in the order in which families come first.
fn grouped<T, U>(rows: &[(Series, T)], write: impl Fn(Family, &T) -> U) -> Vec<Group<U>> {
    rows.chunk_by(|(a, _), (b, _)| a.family == b.family)
        .filter_map(|chunk| {
            let family = chunk.first()?.0.family;
            let row = |(series, counted): &(Series, T)| {
                (series.values().map(|name| name.0).collect(), write(family, counted))
            };
            Some((family.facts().name.to_owned(), chunk.iter().map(row).collect()))
        })
        .collect()
}

fn usage_to_wire((slot, counts): &(Slot, Counts)) -> (u32, [u32; 3], Vec<u64>) {
    (slot.day.0, [slot.key.0, slot.model.0, slot.target.0], counts.numbers().to_vec())
}
