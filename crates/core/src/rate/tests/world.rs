//! A world in miniature: isolates, limiter objects, wires between them, and one true clock.
//!
//! Everything happens in the order of true time. Isolates and objects see clocks of their own.

use std::collections::BTreeMap;

use super::plans::{Admitted, Fate, Plan, policy};
use crate::{
    config::valid::Unreachable,
    rate::{
        Lessee, Limiter, Reservation, Resource, Step, Subject, SubjectLimits, Unavailable,
        subject::Draw,
    },
    units::{DurationMs, Tokens, UnixMs},
};

const START: u64 = 1_700_000_000_000;

pub(in crate::rate) struct World {
    pub(in crate::rate) now: u64,
    pub(in crate::rate) fate: Fate,
    /// How many messages reached an object.
    pub(in crate::rate) messages: u64,
    pub(in crate::rate) refused: u64,
    pub(in crate::rate) unreachable: u64,
    pub(in crate::rate) isolates: Vec<Isolate>,
    objects: BTreeMap<String, Object>,
    wires: Vec<Wire>,
    calls: BTreeMap<usize, Call>,
    started: usize,
    limits: SubjectLimits,
    log: BTreeMap<String, (u64, BTreeMap<usize, Admitted>)>,
    entries: usize,
}

pub(in crate::rate) struct Isolate {
    pub(in crate::rate) lessee: Lessee,
    /// Ahead of true time by this,
    pub(in crate::rate) skew: u64,
    /// and behind that by this.
    pub(in crate::rate) lag: u64,
    /// Whether it sends what is due.
    pub(in crate::rate) diligent: bool,
}

#[derive(Default)]
struct Object {
    limiter: Limiter,
    rows: BTreeMap<String, String>,
    lag: u64,
}

struct Wire {
    isolate: usize,
    group: String,
    call: Option<usize>,
    at: u64,
    cargo: Cargo,
}

enum Cargo {
    Message(Vec<u8>, Fate),
    Answer(Vec<u8>),
    Unavailable,
    Gone,
}

struct Call {
    plan: Plan,
    subject: Subject,
    state: State,
}

enum State {
    Admitting,
    Reserving,
    Running { reservation: Reservation, until: u64, entries: Vec<(String, usize)> },
    Waiting { reserving: bool, group: String, until: u64 },
    Asking { reserving: bool },
    Over,
}

impl World {
    pub(in crate::rate) fn new(isolates: usize, limits: SubjectLimits) -> Self {
        Self::with_policy(isolates, limits, Unreachable::Refuse)
    }

    pub(in crate::rate) fn with_policy(
        isolates: usize,
        limits: SubjectLimits,
        on_unreachable: Unreachable,
    ) -> Self {
        let isolate = |index: usize| Isolate {
            lessee: Lessee::new(&policy(on_unreachable)),
            skew: 1_234_567 * u64::try_from(index).unwrap(),
            lag: 0,
            diligent: true,
        };
        Self {
            now: START,
            fate: Fate::Arrives(5, 5),
            messages: 0,
            refused: 0,
            unreachable: 0,
            isolates: (0..isolates).map(isolate).collect(),
            objects: BTreeMap::new(),
            wires: Vec::new(),
            calls: BTreeMap::new(),
            started: 0,
            limits,
            log: BTreeMap::new(),
            entries: 0,
        }
    }

    pub(in crate::rate) fn subject(&self, key: usize, model: usize) -> Subject {
        Subject::new(&format!("k{key}"), &format!("m{model}"), self.limits)
    }

    /// Starts a call.
    pub(in crate::rate) fn call(&mut self, plan: Plan) {
        let subject = self.subject(plan.key, plan.model);
        self.started += 1;
        self.calls.insert(self.started, Call { plan, subject, state: State::Admitting });
        self.step(self.started);
    }

    /// Lets `ms` pass, with everything that happens in them.
    pub(in crate::rate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.happen();
            self.tidy();
        }
        self.now = end;
    }

    /// Restarts every object from its rows.
    pub(in crate::rate) fn restart_objects(&mut self) {
        for object in self.objects.values_mut() {
            let restored = Limiter::restore(object.rows.clone()).unwrap();
            assert_eq!(restored, object.limiter, "rows do not hold all of the object");
            object.limiter = restored;
        }
    }

    pub(in crate::rate) fn object_lags(&mut self, lag: u64) {
        self.objects.values_mut().for_each(|object| object.lag = lag);
    }

    /// Every isolate sends what is due.
    pub(in crate::rate) fn tidy(&mut self) {
        for index in 0..self.isolates.len() {
            let now = self.isolate_now(index);
            if self.isolates[index].diligent {
                for (group, message) in self.isolates[index].lessee.due(now) {
                    self.send(index, group, None, message);
                }
                let due = self.isolates[index].lessee.due_in(now);
                assert_ne!(due, Some(DurationMs(0)), "what is due is sent at once");
            }
        }
    }

    /// All that was admitted by one bucket, in order of time, and its limit.
    pub(in crate::rate) fn admitted(&self) -> impl Iterator<Item = (&str, u64, Vec<Admitted>)> {
        self.log.iter().map(|(bucket, (limit, entries))| {
            let mut entries: Vec<_> = entries.values().copied().collect();
            entries.sort_unstable();
            (bucket.as_str(), *limit, entries)
        })
    }

    pub(in crate::rate) fn total(&self, bucket: &str) -> u64 {
        self.log.get(bucket).map_or(0, |(_, entries)| entries.values().map(|(_, n)| n).sum())
    }

    pub(in crate::rate) fn running(&self) -> usize {
        self.calls.values().filter(|call| matches!(call.state, State::Running { .. })).count()
    }

    pub(in crate::rate) fn undecided(&self) -> usize {
        self.calls
            .values()
            .filter(|call| !matches!(call.state, State::Over | State::Running { .. }))
            .count()
    }

    /// What the objects hold of every bucket: `group bucket`, available, on lease.
    pub(in crate::rate) fn buckets(&mut self) -> Vec<(String, u64, u64, u64)> {
        let mut all = Vec::new();
        for (name, object) in &self.objects {
            for (bucket, (limit, available, held)) in
                object.limiter.overview(UnixMs(self.now - object.lag))
            {
                all.push((format!("{name} {bucket}"), limit, available, held));
            }
        }
        all
    }

    /// What an object has stored in a row.
    pub(in crate::rate) fn row(&self, group: &str, row: &str) -> &str {
        &self.objects[group].rows[row]
    }

    pub(in crate::rate) fn isolate_now(&self, index: usize) -> UnixMs {
        let isolate = &self.isolates[index];
        UnixMs(self.now + isolate.skew - isolate.lag)
    }

    fn next_event(&self) -> Option<u64> {
        let wires = self.wires.iter().map(|wire| wire.at);
        let calls = self.calls.values().filter_map(|call| match &call.state {
            State::Running { until, .. } | State::Waiting { until, .. } => Some(*until),
            State::Admitting | State::Reserving | State::Asking { .. } | State::Over => None,
        });
        let due = (0..self.isolates.len())
            .filter(|index| self.isolates[*index].diligent)
            .filter_map(|index| {
                let due = self.isolates[index].lessee.due_in(self.isolate_now(index))?;
                Some(self.now + due.0.max(1))
            });
        wires.chain(calls).chain(due).min()
    }

    fn happen(&mut self) {
        if let Some(index) = self.wires.iter().position(|wire| wire.at <= self.now) {
            let wire = self.wires.swap_remove(index);
            self.deliver(wire);
        }
        for index in self.calls.keys().copied().collect::<Vec<_>>() {
            match &self.calls[&index].state {
                State::Running { until, .. } if *until <= self.now => self.finish(index),
                State::Waiting { until, .. } if *until <= self.now => self.resume(index),
                _ => {}
            }
        }
        self.calls.retain(|_, call| !matches!(call.state, State::Over));
    }

    fn deliver(&mut self, wire: Wire) {
        let Wire { isolate, group, call, at: _, cargo } = wire;
        let now = self.isolate_now(isolate);
        match cargo {
            Cargo::Message(message, fate) => {
                let reply = self.at_object(&group, &message);
                let (after, cargo) = match fate {
                    Fate::Arrives(_, back) => (back, Cargo::Answer(reply)),
                    Fate::Lost | Fate::AnswerLost(_) => (300, Cargo::Unavailable),
                    Fate::AskerGone(_) => (1, Cargo::Gone),
                    Fate::Silence(_) => {
                        self.end(call);
                        return;
                    }
                };
                self.wires.push(Wire { isolate, group, call, at: self.now + after, cargo });
                return;
            }
            Cargo::Answer(reply) => {
                self.isolates[isolate].lessee.answered(&group, Ok(&reply), now);
            }
            Cargo::Unavailable => {
                self.isolates[isolate].lessee.answered(&group, Err(Unavailable), now);
            }
            Cargo::Gone => {
                self.isolates[isolate].lessee.abandoned(&group);
                self.end(call);
            }
        }
        if let Some(call) = call {
            self.resume(call);
        }
        for index in self.calls.keys().copied().collect::<Vec<_>>() {
            let call = &self.calls[&index];
            let waits =
                matches!(&call.state, State::Waiting { group: other, .. } if *other == group);
            if waits && call.plan.isolate == isolate {
                self.resume(index);
            }
        }
    }

    fn end(&mut self, call: Option<usize>) {
        if let Some(call) = call.and_then(|call| self.calls.get_mut(&call)) {
            call.state = State::Over;
        }
    }

    fn at_object(&mut self, group: &str, message: &[u8]) -> Vec<u8> {
        self.messages += 1;
        let object = self.objects.entry(group.into()).or_default();
        let reply = object.limiter.handle(message, UnixMs(self.now - object.lag)).unwrap();
        object.rows.extend(object.limiter.changed_rows());
        reply
    }

    fn resume(&mut self, index: usize) {
        let Some(call) = self.calls.get_mut(&index) else { return };
        let reserving = match &call.state {
            State::Waiting { reserving, .. } | State::Asking { reserving } => *reserving,
            State::Admitting | State::Reserving | State::Running { .. } | State::Over => return,
        };
        call.state = if reserving { State::Reserving } else { State::Admitting };
        self.step(index);
    }

    fn step(&mut self, index: usize) {
        if matches!(self.calls[&index].state, State::Admitting) {
            self.admit(index);
        }
        if matches!(self.calls[&index].state, State::Reserving) {
            self.reserve(index);
        }
    }

    fn admit(&mut self, index: usize) {
        let isolate = self.calls[&index].plan.isolate;
        let now = self.isolate_now(isolate);
        let Some(call) = self.calls.get_mut(&index) else { return };
        match self.isolates[isolate].lessee.admit(&mut call.subject, now) {
            Step::Ready(_) => {
                call.state =
                    if call.plan.tokens.is_some() { State::Reserving } else { State::Over };
                self.note(index, Resource::Requests, 1);
            }
            other => self.park(index, false, other),
        }
    }

    fn reserve(&mut self, index: usize) {
        let isolate = self.calls[&index].plan.isolate;
        let now = self.isolate_now(isolate);
        let Some(call) = self.calls.get_mut(&index) else { return };
        let Some(usage) = call.plan.tokens else { return };
        let tokens = Tokens(usage.reserve);
        match self.isolates[isolate].lessee.reserve(&mut call.subject, tokens, now) {
            Step::Ready(reservation) => {
                let entries = self.note(index, Resource::Tokens, usage.reserve);
                let until = self.now + usage.takes;
                if let Some(call) = self.calls.get_mut(&index) {
                    call.state = State::Running { reservation, until, entries };
                }
            }
            other => self.park(index, true, other),
        }
    }

    fn park<T>(&mut self, index: usize, reserving: bool, step: Step<T>) {
        let isolate = self.calls[&index].plan.isolate;
        let state = match step {
            Step::Ready(_) => unreachable!("the caller has dealt with it"),
            Step::Ask { group, message } => {
                self.send(isolate, group, Some(index), message);
                State::Asking { reserving }
            }
            Step::Wait { group, at_most } => {
                State::Waiting { reserving, group, until: self.now + at_most.0 }
            }
            Step::Refused(_) => {
                self.refused += 1;
                State::Over
            }
            Step::Unreachable => {
                self.unreachable += 1;
                State::Over
            }
        };
        if let Some(call) = self.calls.get_mut(&index) {
            call.state = state;
        }
    }

    fn finish(&mut self, index: usize) {
        let Some(call) = self.calls.get_mut(&index) else { return };
        let state = std::mem::replace(&mut call.state, State::Over);
        let State::Running { reservation, entries, .. } = state else { return };
        let isolate = call.plan.isolate;
        let Some(usage) = call.plan.tokens else { return };
        let Some(actual) = usage.actual else { return };
        for (bucket, entry) in entries {
            if let Some(admitted) =
                self.log.get_mut(&bucket).and_then(|(_, log)| log.get_mut(&entry))
            {
                admitted.1 = actual.min(usage.reserve);
            }
        }
        let now = self.isolate_now(isolate);
        self.isolates[isolate].lessee.settle(reservation, Tokens(actual), now);
    }

    fn send(&mut self, isolate: usize, group: String, call: Option<usize>, message: Vec<u8>) {
        let there = match self.fate {
            Fate::Arrives(there, _)
            | Fate::AnswerLost(there)
            | Fate::AskerGone(there)
            | Fate::Silence(there) => there,
            Fate::Lost => {
                let at = self.now + 300;
                self.wires.push(Wire { isolate, group, call, at, cargo: Cargo::Unavailable });
                return;
            }
        };
        let cargo = Cargo::Message(message, self.fate);
        self.wires.push(Wire { isolate, group, call, at: self.now + there, cargo });
    }

    /// Notes what was admitted, bucket by bucket, and where.
    fn note(&mut self, index: usize, resource: Resource, amount: u64) -> Vec<(String, usize)> {
        let subject = self.calls[&index].subject.clone();
        let mut noted = Vec::new();
        for Draw { group, bucket, limit, .. } in subject.draws(resource) {
            let name = format!("{group} {bucket}");
            self.entries += 1;
            let log = self.log.entry(name.clone()).or_insert_with(|| (limit.0, BTreeMap::new()));
            log.1.insert(self.entries, (self.now, amount));
            noted.push((name, self.entries));
        }
        noted
    }
}
