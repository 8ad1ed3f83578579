//! Two accounts, some isolates and a clock; messages are delivered or lost as the test says.

use std::collections::BTreeMap;

use crate::{
    budget::{
        Account, Charge, Hold, Purse, Scope, Step,
        charge::Draw,
        wire::{Answer, Envelope, Outcome},
    },
    config::valid::{GatewayLimits, Period, Unreachable},
    rate::Unavailable,
    units::{DurationMs, MicroUsd, UnixMs},
};

/// Noon on 22 November 2026, a Sunday.
pub(super) const NOON: UnixMs = UnixMs(1_795_348_800_000);

pub(super) const LIMITS: GatewayLimits = GatewayLimits {
    max_body_bytes: 1,
    lease: DurationMs::from_secs(5),
    on_unreachable: Unreachable::Refuse,
};

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    /// The object never sees it.
    Lost,
    /// The object acts on it, the isolate never hears.
    AnswerLost,
}

pub(super) struct World {
    pub(super) now: UnixMs,
    pub(super) per: Period,
    pub(super) limit: u64,
    pub(super) purses: Vec<Purse>,
    pub(super) accounts: BTreeMap<String, Account>,
    /// Calls that run: their isolate, what is set aside.
    pub(super) running: Vec<(usize, Hold)>,
    /// What settled calls cost, what of it was above what they had set aside, and what went lost
    /// with answers.
    pub(super) cost: u64,
    pub(super) excess: u64,
    pub(super) lost: u64,
    /// Messages sent in all.
    pub(super) messages: usize,
}

/// How a call fared.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fared {
    Held,
    Refused { left: u64, may_come_back: bool },
    Unreachable,
}

pub(super) const KEY: &str = "budget:key:team-a:day";
pub(super) const MODEL: &str = "budget:model:fast:day";

impl World {
    pub(super) fn new(limit: u64, isolates: usize) -> Self {
        Self {
            now: NOON,
            per: Period::Day,
            limit,
            purses: (0..isolates).map(|_| Purse::new(&LIMITS)).collect(),
            accounts: BTreeMap::new(),
            running: Vec::new(),
            cost: 0,
            excess: 0,
            lost: 0,
            messages: 0,
        }
    }

    pub(super) fn pass(&mut self, length: DurationMs) {
        self.now = self.now.plus(length);
    }

    /// A call that a key's budget covers.
    pub(super) fn call(&mut self, isolate: usize, amount: u64, fate: Fate) -> Fared {
        let draws = vec![self.draw(Scope::Key, KEY)];
        self.call_on(isolate, draws, amount, fate)
    }

    pub(super) fn draw(&self, scope: Scope, group: &str) -> Draw {
        let (limit, per) = (MicroUsd(self.limit), self.per);
        Draw { scope, group: group.to_owned(), limit, per, cheaper: None }
    }

    pub(super) fn call_on(
        &mut self,
        isolate: usize,
        draws: Vec<Draw>,
        amount: u64,
        fate: Fate,
    ) -> Fared {
        let mut charge = Charge::drawing(draws, MicroUsd(amount));
        loop {
            match self.purses[isolate].hold(&mut charge, self.now) {
                Step::Ready(hold) => {
                    self.running.push((isolate, hold));
                    return Fared::Held;
                }
                Step::Ask { group, message } => self.send(isolate, &group, &message, fate),
                Step::Wait { .. } => panic!("nobody else asks in this world"),
                Step::Refused(refused) => {
                    let (left, may_come_back) = (refused.left.0, refused.may_come_back);
                    return Fared::Refused { left, may_come_back };
                }
                Step::Unreachable => return Fared::Unreachable,
            }
        }
    }

    /// Ends the running call at `index` of those that run.
    pub(super) fn settle(&mut self, index: usize, actual: u64) {
        let (isolate, hold) = self.running.remove(index % self.running.len());
        self.cost += actual;
        self.excess += actual.saturating_sub(hold.amount().0);
        self.purses[isolate].settle(hold, MicroUsd(actual));
    }

    /// Isolates say what they have to say.
    pub(super) fn tend(&mut self, fate: Fate) {
        for isolate in 0..self.purses.len() {
            for (group, message) in self.purses[isolate].due(self.now) {
                self.send(isolate, &group, &message, fate);
            }
        }
    }

    /// Everything settled comes to the accounts: what isolates hold runs out and is brought back.
    pub(super) fn quiet(&mut self) {
        for _ in 0..4 {
            self.pass(DurationMs::from_secs(7));
            self.tend(Fate::Delivered);
        }
    }

    /// The object forgets everything but its row.
    pub(super) fn restart(&mut self, rows: &BTreeMap<String, String>) {
        for (group, account) in &mut self.accounts {
            *account = Account::restore(rows.get(group).map(String::as_str)).unwrap();
        }
    }

    pub(super) fn rows(&self) -> BTreeMap<String, String> {
        let row = |account: &Account| {
            let mut account = account.clone();
            account.touch();
            account.changed_row().unwrap()
        };
        self.accounts.iter().map(|(group, account)| (group.clone(), row(account))).collect()
    }

    pub(super) fn gone(&self, group: &str) -> u64 {
        self.accounts.get(group).map_or(0, Account::gone)
    }

    pub(super) fn set_aside(&self) -> u64 {
        self.running.iter().map(|(_, hold)| hold.amount().0).sum()
    }

    fn send(&mut self, isolate: usize, group: &str, message: &[u8], fate: Fate) {
        self.messages += 1;
        let reply = match fate {
            Fate::Lost => Err(Unavailable),
            Fate::Delivered | Fate::AnswerLost => {
                let account = self.accounts.entry(group.to_owned()).or_default();
                Ok(account.handle(message, self.now).unwrap())
            }
        };
        let reply = match (fate, reply) {
            (Fate::AnswerLost, Ok(reply)) => {
                self.lost += lost_with(&reply);
                Err(Unavailable)
            }
            (_, reply) => reply,
        };
        self.purses[isolate].answered(group, reply.as_deref().map_err(|_| Unavailable), self.now);
    }
}

/// The sum that an answer gives out.
fn lost_with(reply: &[u8]) -> u64 {
    let answer: Answer = serde_json::from_slice(reply).unwrap();
    match answer.outcome {
        Some(Outcome::Lease { size, .. }) => size,
        Some(Outcome::Short { .. }) | None => 0,
    }
}

/// What a message says, for tests of its form.
pub(super) fn read(message: &[u8]) -> Envelope {
    serde_json::from_slice(message).unwrap()
}
