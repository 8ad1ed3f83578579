//! The state machine inside the Durable Object `LIMITER`: messages in, answers and rows out.
//!
//! It is the only place that takes pieces out of a bucket, and it takes them before anybody may use
//! them; so however many isolates there are, and whatever becomes of its answers, nobody admits
//! what was not deducted here. It knows no configuration: limits come with the question.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    account::Account,
    bounded_life,
    bucket::PerMinute,
    clock::{Clock, Tick},
    rows,
    wire::{Answer, Line, Message, Outcome, Position},
};
use crate::gather::Gather;
use crate::units::{DurationMs, UnixMs};

/// The buckets of one group, for all isolates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limiter {
    clock: Clock,
    next_lease: u64,
    accounts: BTreeMap<String, Account>,
    changed: BTreeSet<String>,
}

/// A message that is not one of an isolate's; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// It cannot be read.
    #[error("not a limiter message: {0}")]
    Unreadable(String),
    /// It asks a bucket for more than it can ever hold.
    #[error("{need} asked of bucket `{bucket}`, whose limit is {limit}")]
    AboveLimit {
        /// The bucket's name in its group.
        bucket: String,
        /// How many pieces the call needs.
        need: u64,
        /// How many the bucket holds when full.
        limit: u64,
    },
}

/// A stored row that this object did not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row `{row}` of the limiter cannot be read: {problem}")]
pub struct BadRow {
    /// The row's name.
    pub row: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The object's wall clock may lag behind itself this much before it counts as set back.
const TOLERANCE: DurationMs = DurationMs::from_secs(60);

impl Limiter {
    /// The object as its rows (name and text, in any order) left it.
    ///
    /// # Errors
    /// [`BadRow`] names the first row that was not written by [`Self::changed_rows`]; an object
    /// that cannot tell what is spent must not give anything out.
    pub fn restore(rows: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadRow> {
        let mut limiter = Self::default();
        for (name, text) in rows {
            match rows::read(&name, &text)? {
                rows::Row::Group { clock, next_lease } => {
                    limiter.clock = clock;
                    limiter.next_lease = next_lease;
                }
                rows::Row::Bucket { name, account } => {
                    limiter.accounts.insert(name, account);
                }
            }
        }
        Ok(limiter)
    }

    /// The rows (name and text) that changed since the last call. They must be stored before the
    /// answer leaves, so that no restart forgets what was given out.
    pub fn changed_rows(&mut self) -> Vec<(String, String)> {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return Vec::new();
        }
        let accounts = changed.iter().filter_map(|name| {
            self.accounts.get(name).map(|account| rows::write_bucket(name, account))
        });
        std::iter::once(rows::write_group(self.clock, self.next_lease)).chain(accounts).collect()
    }

    /// Answers one message of an isolate. `now` is the wall clock; it may step back.
    ///
    /// # Errors
    /// [`BadMessage`] when it cannot be read or asks for more than a limit.
    pub fn handle(&mut self, message: &[u8], now: UnixMs) -> Result<Vec<u8>, BadMessage> {
        let message: Message = serde_json::from_slice(message).map_err(unreadable)?;
        refuse_impossible(&message)?;
        if self.next_lease == 0 {
            // An object that has lost its rows must not give out an old lease's number again.
            self.next_lease = now.0;
        }
        let now = match self.clock.read(now, TOLERANCE) {
            Tick::Steady(now) | Tick::SetBack(now) => now,
        };
        self.settle(&message, now);
        self.open_accounts(&message.asks, now);
        let expires = now.plus(bounded_life(DurationMs(message.life)));
        let buckets = if self.all_have(&message.asks) {
            self.lease(&message.asks, expires)
        } else {
            self.decline(&message.asks)
        };
        serde_json::to_vec(&Answer { seq: message.seq, buckets }).map_err(unreadable)
    }

    /// By bucket: limit, what is available at `now`, what is on lease.
    #[cfg(test)]
    pub(super) fn overview(&self, now: UnixMs) -> Vec<(String, (u64, u64, u64))> {
        let now = self.clock.peek(now);
        let accounts = self.accounts.iter().map(|(name, account)| {
            let mut account = account.clone();
            account.advance(now);
            let (_, held) = account.bucket.contents();
            (name.clone(), (account.bucket.limit().0, account.available(), held))
        });
        accounts.collect()
    }

    /// What a bucket holds, in pieces; below zero where it is in debt.
    #[cfg(test)]
    pub(super) fn level(&self, bucket: &str) -> i128 {
        self.accounts[bucket].bucket.contents().0 / 60_000
    }

    fn settle(&mut self, message: &Message, now: UnixMs) {
        for said in &message.said {
            if let Some(account) = self.accounts.get_mut(&said.bucket) {
                account.advance(now);
                account.settle(said);
                self.changed.insert(said.bucket.clone());
            }
        }
    }

    /// Brings the buckets that are asked for up to date, and makes those that are new.
    fn open_accounts(&mut self, asks: &BTreeMap<String, Line>, now: UnixMs) {
        for (name, line) in asks {
            let limit = PerMinute(line.limit);
            let account =
                self.accounts.entry(name.clone()).or_insert_with(|| Account::new(limit, now));
            account.advance(now);
            account.bucket.set_limit(limit);
            self.changed.insert(name.clone());
        }
    }

    fn all_have(&self, asks: &BTreeMap<String, Line>) -> bool {
        asks.iter().all(|(name, line)| self.available(name) >= line.need)
    }

    fn available(&self, name: &str) -> u64 {
        self.accounts.get(name).map_or(0, Account::available)
    }

    /// Leases from every bucket; the caller knows that all of them have what is needed.
    fn lease(
        &mut self,
        asks: &BTreeMap<String, Line>,
        expires: UnixMs,
    ) -> BTreeMap<String, Position> {
        let mut positions = BTreeMap::new();
        for (name, line) in asks {
            let Some(account) = self.accounts.get_mut(name) else { continue };
            self.next_lease = self.next_lease.saturating_add(1);
            let id = self.next_lease;
            if let Some(size) = account.lease(id, (line.need, line.also, line.want), expires) {
                positions.insert(name.clone(), position(account, Outcome::Lease { id, size }));
            }
        }
        positions
    }

    /// Says how long the buckets that are dry will be so.
    fn decline(&self, asks: &BTreeMap<String, Line>) -> BTreeMap<String, Position> {
        let declined = asks.iter().filter_map(|(name, line)| {
            let account = self.accounts.get(name)?;
            let outcome = if account.available() >= line.need {
                Outcome::Spared
            } else {
                let wait = account.wait_for(line.need).map_or(u64::MAX, |wait| wait.0);
                Outcome::Dry { need: line.need, wait }
            };
            Some((name.clone(), position(account, outcome)))
        });
        declined.gather()
    }
}

fn position(account: &Account, outcome: Outcome) -> Position {
    let (level, held) = account.bucket.contents();
    Position { level, held, outcome }
}

fn refuse_impossible(message: &Message) -> Result<(), BadMessage> {
    let Some((bucket, line)) = message.asks.iter().find(|(_, line)| line.need > line.limit) else {
        return Ok(());
    };
    Err(BadMessage::AboveLimit { bucket: bucket.clone(), need: line.need, limit: line.limit })
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of `map_err`")]
fn unreadable(problem: serde_json::Error) -> BadMessage {
    BadMessage::Unreadable(problem.to_string())
}

#[cfg(test)]
mod tests;
