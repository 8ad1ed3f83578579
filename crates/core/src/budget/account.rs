//! The state machine inside a budget's Durable Object: messages in, answers and a row out.
//!
//! It is the only place that takes money out of a budget, and it takes it before anybody may pay
//! with it; so however many isolates there are, and whatever becomes of its answers, nobody spends
//! what was not deducted here. It knows no configuration: the budget comes with the question.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Span,
    wire::{Answer, Ask, Envelope, Message, Outcome, PeriodWire, Statement},
};
use crate::{
    config::valid::Period,
    units::{DurationMs, UnixMs},
};

/// One budget's account, for all isolates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// When the period began that the numbers below are of.
    period_start: UnixMs,
    /// Spent and taken out, in micro-dollars.
    gone: u64,
    last_lease: u64,
    leases: BTreeMap<u64, OpenLease>,
    changed: bool,
}

/// A sum taken out, of which more may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct OpenLease {
    size: u64,
    back: u64,
    over: u64,
    /// What of it may yet come back.
    out: u64,
    /// After this moment nothing more is heard of it: what did not come back is spent.
    until: u64,
}

/// A message that is not one of an isolate's; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a budget message: {0}")]
pub struct BadMessage(String);

/// The share of what is left that one isolate may take out beyond its need.
const SHARE: u64 = 16;

/// How long a sum's isolate may be silent; twice the longest call.
const SILENCE: DurationMs = DurationMs::from_secs(7200);

/// The account as it is stored.
#[derive(Serialize, Deserialize)]
struct Row {
    start: u64,
    gone: u64,
    last: u64,
    leases: BTreeMap<u64, OpenLease>,
}

impl Account {
    /// The row's name in the object's table.
    pub const ROW: &'static str = "budget";

    /// The account as its row left it.
    ///
    /// # Errors
    /// [`BadMessage`] when the row was not written by [`Self::changed_row`]: an account that cannot
    /// tell what is spent must not give anything out.
    pub fn restore(row: Option<&str>) -> Result<Self, BadMessage> {
        let Some(row) = row else { return Ok(Self::default()) };
        let row: Row = serde_json::from_str(row).map_err(unreadable)?;
        Ok(Self {
            period_start: UnixMs(row.start),
            gone: row.gone,
            last_lease: row.last,
            leases: row.leases,
            changed: false,
        })
    }

    /// The row, if it changed since the last call. It must be stored before the answer leaves, so
    /// that no restart forgets what was given out.
    pub fn changed_row(&mut self) -> Option<String> {
        let row = Row {
            start: self.period_start.0,
            gone: self.gone,
            last: self.last_lease,
            leases: self.leases.clone(),
        };
        std::mem::take(&mut self.changed).then(|| serde_json::to_string(&row).unwrap_or_default())
    }

    /// Answers one message of an isolate.
    ///
    /// # Errors
    /// [`BadMessage`] when it cannot be read.
    pub fn handle(&mut self, message: &[u8], now: UnixMs) -> Result<Vec<u8>, BadMessage> {
        let Envelope { budget: message } = serde_json::from_slice(message).map_err(unreadable)?;
        let Message { seq, per, said, ask } = message;
        let span = Span::of(Period::from(per), now);
        self.advance(span, now);
        for statement in said {
            self.settle(statement);
        }
        let outcome = ask.map(|ask| self.take_out(ask, now));
        let answer = Answer { seq, ends_in: span.end.since(now).0, outcome };
        serde_json::to_vec(&answer).map_err(unreadable)
    }

    /// What is spent or taken out in the current period, in micro-dollars.
    #[cfg(test)]
    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// Makes the row one to be written.
    #[cfg(test)]
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Begins a new period, and gives up those that were not heard of for too long. A clock set back
    /// over midnight opens no period anew.
    fn advance(&mut self, span: Span, now: UnixMs) {
        if span.start > self.period_start {
            // Numbers go on: a late word about an old sum must not be taken for one about a new sum.
            let last_lease = self.last_lease.max(now.0);
            *self = Self { period_start: span.start, last_lease, changed: true, ..Self::default() };
        }
        let before = self.leases.len();
        self.leases.retain(|_, lease| lease.until > now.0);
        self.changed |= self.leases.len() != before;
    }

    fn settle(&mut self, said: Statement) {
        let Some(lease) = self.leases.get_mut(&said.lease) else { return };
        let back = said.back.clamp(lease.back, lease.size);
        let over = said.over.max(lease.over);
        self.gone = self.gone.saturating_sub(back - lease.back).saturating_add(over - lease.over);
        (lease.back, lease.over) = (back, over);
        lease.out = said.open.min(lease.size - back);
        if said.done {
            self.leases.remove(&said.lease);
        }
        self.changed = true;
    }

    fn take_out(&mut self, ask: Ask, now: UnixMs) -> Outcome {
        let left = ask.limit.saturating_sub(self.gone);
        let Some(rest) = left.checked_sub(ask.need) else {
            let out = self.leases.values().map(|lease| lease.out).fold(0, u64::saturating_add);
            return Outcome::Short { left, out };
        };
        let size = ask.need.saturating_add(ask.want.min(rest / SHARE));
        self.last_lease = self.last_lease.saturating_add(1);
        self.gone = self.gone.saturating_add(size);
        let until = now.plus(SILENCE).0;
        self.leases.insert(self.last_lease, OpenLease { size, back: 0, over: 0, out: size, until });
        self.changed = true;
        Outcome::Lease { id: self.last_lease, size }
    }
}

impl From<PeriodWire> for Period {
    fn from(wire: PeriodWire) -> Self {
        match wire {
            PeriodWire::Day => Self::Day,
            PeriodWire::Week => Self::Week,
            PeriodWire::Month => Self::Month,
        }
    }
}

impl From<Period> for PeriodWire {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of `map_err`")]
fn unreadable(problem: serde_json::Error) -> BadMessage {
    BadMessage(problem.to_string())
}
