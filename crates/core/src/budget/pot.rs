//! What one isolate holds of one budget.

use super::{
    charge::Draw,
    lease::Lease,
    wire::{Answer, Ask, Envelope, Message, Outcome, PeriodWire, Statement},
};
use crate::{
    config::valid::Period,
    units::{DurationMs, UnixMs},
};

/// The sums taken out of one budget, and the message that is out to its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pot {
    per: Period,
    /// Paid from now.
    current: Option<Lease>,
    /// Of which something is still to be said, or calls still run.
    old: Vec<Lease>,
    asking: Option<Asking>,
    short: Option<Short>,
    /// The object did not answer: it is not asked again before.
    down_until: UnixMs,
    /// Set aside since the last question, and when that was: what is wanted next goes by it.
    drawn: u64,
    asked_at: UnixMs,
    last_message: UnixMs,
    used_at: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asking {
    seq: u64,
    at: UnixMs,
    said: Vec<Statement>,
    asks: bool,
}

/// The object had too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short {
    left: u64,
    out: u64,
    until: UnixMs,
}

/// Whether a call can be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// From what is here.
    Enough,
    /// The object must be asked.
    Ask,
    /// The object had only `left` a moment ago, and so much `out` with calls that run.
    Dry { left: u64, out: u64 },
}

/// An answer is waited for so long.
const ANSWER_WITHIN: DurationMs = DurationMs::from_secs(6);
/// An object that did not answer is left alone so long.
const DOWN: DurationMs = DurationMs::from_secs(1);
/// A budget without room is asked again after this, while calls that run may bring something back…
const SHORT: DurationMs = DurationMs::from_secs(1);
/// … and after this when all of it is spent.
const SPENT: DurationMs = DurationMs::from_secs(10);
/// Two messages that ask nothing are at least so far apart.
const REPORT_EVERY: DurationMs = DurationMs::from_secs(1);
/// A call that was never settled is given up after this: what it had set aside is spent.
const LOST: DurationMs = DurationMs::from_secs(7200);
/// An empty pot is forgotten after this.
const FORGET: DurationMs = DurationMs::from_secs(60);

impl Pot {
    pub(super) fn new(per: Period, now: UnixMs) -> Self {
        Self {
            per,
            current: None,
            old: Vec::new(),
            asking: None,
            short: None,
            down_until: UnixMs(0),
            drawn: 0,
            asked_at: now,
            last_message: UnixMs(0),
            used_at: now,
        }
    }

    pub(super) fn look(&self, amount: u64, now: UnixMs) -> Look {
        if self.current.as_ref().is_some_and(|lease| lease.has(amount, now)) {
            return Look::Enough;
        }
        match self.short {
            Some(Short { left, out, until }) if now < until && amount > left => {
                Look::Dry { left, out }
            }
            Some(_) | None => Look::Ask,
        }
    }

    pub(super) fn is_down(&self, now: UnixMs) -> bool {
        now < self.down_until
    }

    /// Another configuration holds: a budget that had no room may have been raised.
    pub(super) fn reconsider(&mut self) {
        self.short = None;
    }

    /// Sets `amount` aside and returns the number of the sum that bears it; `None` when there is not
    /// enough.
    pub(super) fn set_aside(&mut self, amount: u64, now: UnixMs) -> Option<u64> {
        self.used_at = now;
        let lease = self.current.as_mut().filter(|lease| lease.has(amount, now))?;
        lease.set_aside(amount);
        self.drawn = self.drawn.saturating_add(amount);
        Some(lease.id)
    }

    pub(super) fn settle(&mut self, lease: u64, amount: u64, actual: u64) {
        let all = self.current.iter_mut().chain(&mut self.old);
        if let Some(lease) = all.into_iter().find(|known| known.id == lease) {
            lease.settle(amount, actual);
        }
    }

    /// How much longer the answer that is on its way is waited for.
    pub(super) fn answer_within(&self, now: UnixMs) -> Option<DurationMs> {
        let asking = self.asking.as_ref()?;
        let left = asking.at.plus(ANSWER_WITHIN).since(now);
        (left > DurationMs(0)).then_some(left)
    }

    /// The message that asks for `amount` and for what is expected to be needed within `life`.
    pub(super) fn question(
        &mut self,
        draw: &Draw,
        amount: u64,
        (seq, life): (u64, DurationMs),
        now: UnixMs,
    ) -> Vec<u8> {
        if let Some(mut lease) = self.current.take() {
            lease.retire(now);
            self.old.push(lease);
        }
        let elapsed = now.since(self.asked_at).0.max(1);
        let at_this_pace = u128::from(self.drawn) * u128::from(life.0) / u128::from(elapsed);
        let at_this_pace = u64::try_from(at_this_pace).unwrap_or(u64::MAX);
        let want = at_this_pace.max(amount.saturating_mul(3));
        (self.drawn, self.asked_at) = (0, now);
        self.message(seq, Some(Ask { limit: draw.limit.0, need: amount, want }), now)
    }

    /// The message that asks for nothing, if there is anything to say.
    pub(super) fn report(&mut self, seq: u64, now: UnixMs) -> Option<Vec<u8>> {
        let is_due = self.due_at(now).is_some_and(|due| due <= now);
        is_due.then(|| self.message(seq, None, now))
    }

    /// When [`Self::report`] has something to say, if nothing happens before.
    pub(super) fn due_at(&self, now: UnixMs) -> Option<UnixMs> {
        if let Some(asking) = &self.asking {
            return Some(asking.at.plus(ANSWER_WITHIN));
        }
        let old = self.old.iter().any(|lease| lease.is_due(now)).then_some(now);
        let current = self.current.as_ref().map(Lease::dies_at);
        let first = old.into_iter().chain(current).min()?;
        Some(first.max(self.last_message.plus(REPORT_EVERY)).max(self.down_until))
    }

    pub(super) fn answered(&mut self, answer: &Answer, life: DurationMs, now: UnixMs) {
        let Some(asking) = self.asking.take_if(|asking| asking.seq == answer.seq) else { return };
        for said in &asking.said {
            self.old.retain_mut(|lease| lease.id != said.lease || !lease.heard(answer.seq, *said));
        }
        match (asking.asks, answer.outcome) {
            (true, Some(Outcome::Lease { id, size })) => {
                let lives = life.min(DurationMs(answer.ends_in));
                self.old.extend(self.current.take());
                self.current = Some(Lease::new(id, size, asking.at.plus(lives)));
                self.short = None;
            }
            (true, Some(Outcome::Short { left, out })) => {
                let again = if out > 0 { SHORT } else { SPENT.min(DurationMs(answer.ends_in)) };
                self.short = Some(Short { left, out, until: now.plus(again) });
            }
            (true, None) => self.down_until = now.plus(DOWN),
            (false, _) => {}
        }
    }

    /// No answer came, or none that can be read.
    pub(super) fn unanswered(&mut self, now: UnixMs) {
        self.asking = None;
        self.down_until = now.plus(DOWN);
    }

    /// Whether nothing is held and nothing is left to say.
    pub(super) fn is_forgotten(&mut self, now: UnixMs) -> bool {
        self.old.retain(|lease| now.since(lease.dies_at()) < LOST);
        let is_empty = self.current.is_none() && self.old.is_empty() && self.asking.is_none();
        is_empty && now.since(self.used_at) > FORGET
    }

    fn message(&mut self, seq: u64, ask: Option<Ask>, now: UnixMs) -> Vec<u8> {
        if let Some(mut lease) = self.current.take_if(|lease| lease.is_dead(now)) {
            lease.retire(now);
            self.old.push(lease);
        }
        let said: Vec<_> =
            self.old.iter_mut().filter_map(|lease| lease.statement(seq, now)).collect();
        self.asking = Some(Asking { seq, at: now, said: said.clone(), asks: ask.is_some() });
        self.last_message = now;
        let budget = Message { seq, per: PeriodWire::from(self.per), said, ask };
        // Numbers and words cannot fail to be written.
        serde_json::to_vec(&Envelope { budget }).unwrap_or_default()
    }
}
