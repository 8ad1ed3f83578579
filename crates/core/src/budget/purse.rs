//! The isolate's side of budgets: what a call may spend, whom to ask, what to bring back.
//!
//! The pipeline drives it; nothing here waits. For each call, [`Purse::hold`] sets its worst case
//! aside in every budget that covers it, or in none, and [`Purse::settle`] says what it really cost.
//!
//! On [`Step::Ask`] the pipeline sends the message to the group's object, feeds the outcome to
//! [`Purse::answered`] and takes the same step again *before it yields to other calls*, so that what
//! was taken out for a call is still there. On [`Step::Wait`] it waits until `answered` was called
//! for that group, at most as long as the step says, and takes the step again.
//!
//! When an object cannot be reached, `limits.on_unreachable` decides for one second, after which one
//! call asks again: `refuse` makes every call [`Step::Unreachable`] that the sums held do not cover;
//! `admit` lets them through uncounted by that budget.

use std::collections::BTreeMap;

use super::{
    Refused,
    charge::{Charge, Draw},
    pot::{Look, Pot},
    wire::Answer,
};
use crate::{
    config::valid::{GatewayLimits, Unreachable},
    rate::Unavailable,
    units::{DurationMs, MicroUsd, UnixMs},
};

/// What one isolate holds of all budgets.
#[derive(Debug, Clone)]
pub struct Purse {
    life: DurationMs,
    on_unreachable: Unreachable,
    pots: BTreeMap<String, Pot>,
    seq: u64,
}

/// What to do for a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The money is set aside.
    Ready(Hold),
    /// Send `message` to the object of `group`, feed [`Purse::answered`], take the step again.
    Ask {
        /// The object's name.
        group: String,
        /// What to send it.
        message: Vec<u8>,
    },
    /// A message to `group` is out: wait for its answer, then take the step again.
    Wait {
        /// The object's name.
        group: String,
        /// After this long, take the step again even without an answer.
        at_most: DurationMs,
    },
    /// A budget has no room; nothing was set aside.
    Refused(Refused),
    /// A budget could not be asked and the configuration refuses unchecked calls.
    Unreachable,
}

/// Money set aside for a running call. Ends in [`Purse::settle`], which takes it away, so it is
/// settled once at most; one that is dropped counts as spent in full.
#[must_use = "money that is not settled counts as spent"]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hold {
    amount: u64,
    /// Group and number of each sum that bears it.
    shares: Vec<(String, u64)>,
    unchecked: bool,
}

impl Hold {
    /// What is set aside.
    pub const fn amount(&self) -> MicroUsd {
        MicroUsd(self.amount)
    }

    /// Whether a budget that covers the call could not be asked.
    pub const fn is_unchecked(&self) -> bool {
        self.unchecked
    }
}

impl Purse {
    /// An isolate that holds nothing.
    pub fn new(limits: &GatewayLimits) -> Self {
        let GatewayLimits { max_body_bytes: _, lease, on_unreachable } = *limits;
        Self { life: lease, on_unreachable, pots: BTreeMap::new(), seq: 0 }
    }

    /// Takes up a changed configuration.
    pub fn configure(&mut self, limits: &GatewayLimits) {
        self.life = limits.lease;
        self.on_unreachable = limits.on_unreachable;
        self.pots.values_mut().for_each(Pot::reconsider);
    }

    /// Sets the charge's amount aside in every budget that covers it, or in none.
    pub fn hold(&mut self, charge: &mut Charge, now: UnixMs) -> Step {
        let amount = charge.amount.0;
        let mut ask = None;
        for draw in charge.draws() {
            if amount > draw.limit.0 {
                return Step::Refused(refused(draw, amount, (draw.limit.0, 0)));
            }
            let pot = self.pot(draw, now);
            match (pot.look(amount, now), pot.is_down(now)) {
                (Look::Enough, _) => {}
                (Look::Dry { left, out }, _) => {
                    return Step::Refused(refused(draw, amount, (left, out)));
                }
                (Look::Ask, true) => match self.on_unreachable {
                    Unreachable::Refuse => return Step::Unreachable,
                    Unreachable::Admit => {}
                },
                (Look::Ask, false) => ask = ask.or_else(|| Some(draw.clone())),
            }
        }
        match ask {
            None => Step::Ready(self.set_aside(charge, now)),
            Some(draw) => self.obtain(charge, &draw, now),
        }
    }

    /// Ends a call that cost `actual`: what was set aside beyond that is free again, what it cost
    /// beyond it is spent all the same.
    pub fn settle(&mut self, hold: Hold, actual: MicroUsd) {
        let Hold { amount, shares, unchecked: _ } = hold;
        for (group, lease) in shares {
            if let Some(pot) = self.pots.get_mut(&group) {
                pot.settle(lease, amount, actual.0);
            }
        }
    }

    /// Takes in what came of sending a message to the object of `group`. An answer that cannot be
    /// read is none.
    pub fn answered(&mut self, group: &str, reply: Result<&[u8], Unavailable>, now: UnixMs) {
        let Some(pot) = self.pots.get_mut(group) else { return };
        match reply.ok().and_then(|bytes| serde_json::from_slice::<Answer>(bytes).ok()) {
            Some(answer) => pot.answered(&answer, self.life, now),
            None => pot.unanswered(now),
        }
    }

    /// Whether `group` is a budget's.
    pub fn is_group(group: &str) -> bool {
        group.starts_with(super::GROUP_PREFIX)
    }

    /// The messages (group and text) that are worth sending without a question. To be called after
    /// replies and as [`Self::due_in`] says; what comes of each goes to [`Self::answered`].
    pub fn due(&mut self, now: UnixMs) -> Vec<(String, Vec<u8>)> {
        self.pots.retain(|_, pot| !pot.is_forgotten(now));
        let mut messages = Vec::new();
        for (group, pot) in &mut self.pots {
            if let Some(message) = pot.report(self.seq + 1, now) {
                self.seq += 1;
                messages.push((group.clone(), message));
            }
        }
        messages
    }

    /// How long until [`Self::due`] is worth calling; `None` when nothing is left to say.
    pub fn due_in(&self, now: UnixMs) -> Option<DurationMs> {
        let first = self.pots.values().filter_map(|pot| pot.due_at(now)).min();
        first.map(|due| due.since(now))
    }

    fn pot(&mut self, draw: &Draw, now: UnixMs) -> &mut Pot {
        self.pots.entry(draw.group.clone()).or_insert_with(|| Pot::new(draw.per, now))
    }

    /// Asks for what the call lacks, or waits for the answer that is on its way.
    fn obtain(&mut self, charge: &mut Charge, draw: &Draw, now: UnixMs) -> Step {
        if !charge.next_round() {
            // Others were quicker every time: this is as undecided as an outage.
            return match self.on_unreachable {
                Unreachable::Refuse => Step::Unreachable,
                Unreachable::Admit => Step::Ready(self.set_aside(charge, now)),
            };
        }
        let (amount, group) = (charge.amount.0, draw.group.clone());
        if let Some(at_most) = self.pot(draw, now).answer_within(now) {
            return Step::Wait { group, at_most };
        }
        self.seq += 1;
        let terms = (self.seq, self.life);
        let message = self.pot(draw, now).question(draw, amount, terms, now);
        Step::Ask { group, message }
    }

    /// Takes from each pot that has enough; the rest are unchecked.
    fn set_aside(&mut self, charge: &Charge, now: UnixMs) -> Hold {
        let mut hold = Hold { amount: charge.amount.0, ..Hold::default() };
        for draw in charge.draws() {
            match self.pot(draw, now).set_aside(charge.amount.0, now) {
                Some(lease) => hold.shares.push((draw.group.clone(), lease)),
                None => hold.unchecked = true,
            }
        }
        hold
    }
}

fn refused(draw: &Draw, needed: u64, (left, out): (u64, u64)) -> Refused {
    Refused {
        scope: draw.scope,
        limit: draw.limit,
        per: draw.per,
        needed: MicroUsd(needed),
        left: MicroUsd(left),
        may_come_back: left.saturating_add(out) >= needed && out > 0,
        cheaper: draw.cheaper.clone(),
    }
}
