//! What one isolate counts, and the deltas that the ledger has not confirmed yet.
//!
//! A delta is kept and sent again, byte by byte the same, until it is confirmed. While
//! [`MAX_PENDING`] wait, nothing new is cut and counting goes on in place: a ledger that cannot be
//! reached costs memory for the configured names, not for the requests, and loses nothing.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
};

use super::{
    delta::Delta,
    family::Family,
    names::{NameId, Names},
    observe::Counting,
    report::Report,
    store::Series,
};
use crate::{
    gather::Gather,
    ledger::Slot,
    record::{BreakerState, Failures, Record, hex},
    units::{DurationMs, UnixMs},
};

/// How many deltas may wait for confirmation.
pub const MAX_PENDING: usize = 4;

/// The id of an isolate: 128 random bits, new with each isolate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IsolateId(u128);

/// How a call to one of our own objects ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// It was answered.
    Ok,
    /// It failed or was not answered in time.
    Failed,
}

/// The counts of one isolate.
#[derive(Debug)]
pub struct Registry {
    isolate: IsolateId,
    counting: Counting,
    in_flight: u64,
    config: Option<String>,
    breakers: BTreeMap<String, (UnixMs, BreakerState)>,
    failures: Failures,
    /// What the last delta reported.
    reported: Report,
    cut_at: UnixMs,
    next_sequence: u64,
    pending: VecDeque<(u64, Vec<u8>)>,
}

impl IsolateId {
    /// The id made of these random bits.
    pub const fn new(random: u128) -> Self {
        Self(random)
    }

    /// Which of so many shards of the ledger keeps its counts, from 0.
    pub fn shard(self, shards: u32) -> u32 {
        u32::try_from(self.0 % u128::from(shards.max(1))).unwrap_or_default()
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let id = u128::from_str_radix(text, 16).ok().map(Self)?;
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for IsolateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl CallResult {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

impl Registry {
    /// An isolate that has counted nothing.
    pub fn new(isolate: IsolateId) -> Self {
        Self {
            isolate,
            counting: Counting::new(),
            in_flight: 0,
            config: None,
            breakers: BTreeMap::new(),
            failures: Failures::default(),
            reported: Report::default(),
            cut_at: UnixMs(0),
            next_sequence: 0,
            pending: VecDeque::new(),
        }
    }

    /// Whose counts these are.
    pub const fn isolate(&self) -> IsolateId {
        self.isolate
    }

    /// A request is being served; [`Self::leave`] ends it.
    pub fn enter(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// A request that entered has ended, however it did.
    pub fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Counts a finished request.
    pub fn observe(&mut self, record: &Record) {
        self.counting.observe(record);
        self.failures.note(record);
        for event in &record.breaker_events {
            // Records come in the order in which requests end, events happened in another one.
            let (since, state) =
                self.breakers.entry(event.target.id.clone()).or_insert((event.at, event.state));
            if event.at >= *since {
                (*since, *state) = (event.at, event.state);
            }
        }
    }

    /// Counts a call to the limiter.
    pub fn count_lease_call(&mut self, result: CallResult) {
        self.counting.count_event(Family::LeaseCalls, result.name());
    }

    /// Counts a call to the ledger.
    pub fn count_ledger_call(&mut self, result: CallResult) {
        self.counting.count_event(Family::LedgerCalls, result.name());
    }

    /// A configuration of this digest was read and runs from now on.
    pub fn config_loaded(&mut self, digest: [u8; 32]) {
        self.counting.count_event(Family::ConfigLoads, "loaded");
        self.config = digest.get(..6).map(hex);
    }

    /// A configuration was read and refused.
    pub fn config_rejected(&mut self) {
        self.counting.count_event(Family::ConfigLoads, "rejected");
    }

    /// Whether the last delta was cut at least `every` ago and there is something new to report.
    pub fn is_due(&self, now: UnixMs, every: DurationMs) -> bool {
        now.since(self.cut_at) >= every && self.has_news()
    }

    /// Moves what was counted into a delta of [`Self::pending`], if there is anything new and room.
    pub fn cut(&mut self, now: UnixMs) {
        if !self.has_news() || self.pending.len() >= MAX_PENDING {
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        self.cut_at = now;
        self.reported = self.report();
        let mut delta = Delta::new(self.isolate, sequence, now, self.reported.clone());
        drain(&mut self.counting, &mut delta);
        delta.failures = self.failures.take();
        self.pending.push_back((sequence, delta.encode()));
    }

    /// Deltas that are not confirmed, oldest first: their sequence numbers and their bytes.
    pub fn pending(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pending.iter().map(|(sequence, bytes)| (*sequence, bytes.as_slice()))
    }

    /// The ledger has kept the delta of this number; confirming one twice does nothing.
    pub fn confirm(&mut self, sequence: u64) {
        self.pending.retain(|(pending, _)| *pending != sequence);
    }

    /// Whether anything was counted since the last delta.
    pub fn has_news(&self) -> bool {
        !self.counting.store.is_empty() || self.report() != self.reported
    }

    fn report(&self) -> Report {
        let breakers = self.breakers.iter();
        Report {
            in_flight: self.in_flight,
            config: self.config.clone(),
            breakers: breakers.map(|(id, (_, state))| (id.clone(), *state)).gather(),
        }
    }
}

/// Empties the counts into `delta`, whose names are only those that it needs. The maps keep their
/// room, so that counting on allocates nothing.
fn drain(counting: &mut Counting, delta: &mut Delta) {
    let Counting { names, store, usage } = counting;
    let mut places = Places { names, known: HashMap::new() };
    delta.counters = store.counters.drain().collect();
    delta.histograms = store.histograms.drain().collect();
    delta.usage = usage.drain().collect();
    // Sorted, so that each family's name is written once and equal counts are equal bytes.
    delta.counters.sort_unstable_by_key(|(series, _)| *series);
    delta.histograms.sort_unstable_by_key(|(series, _)| *series);
    delta.usage.sort_unstable_by_key(|(slot, _)| *slot);
    for series in delta.counters.iter_mut().map(|row| &mut row.0) {
        places.renumber(series, &mut delta.names);
    }
    for series in delta.histograms.iter_mut().map(|row| &mut row.0) {
        places.renumber(series, &mut delta.names);
    }
    for (slot, _) in &mut delta.usage {
        let Slot { day: _, key, model, target } = slot;
        for name in [key, model, target] {
            *name = places.of(*name, &mut delta.names);
        }
    }
}

/// Where the isolate's names stand in a delta's table.
struct Places<'a> {
    names: &'a Names,
    known: HashMap<NameId, NameId>,
}

impl Places<'_> {
    fn renumber(&mut self, series: &mut Series, table: &mut Vec<String>) {
        for label in &mut series.labels {
            *label = self.of(*label, table);
        }
    }

    fn of(&mut self, name: NameId, table: &mut Vec<String>) -> NameId {
        if name == NameId::ABSENT {
            return name;
        }
        *self.known.entry(name).or_insert_with(|| {
            let place = NameId(u32::try_from(table.len()).unwrap_or(u32::MAX));
            table.push(self.names.text(name).to_owned());
            place
        })
    }
}
