//! Letters that receivers have not taken yet: sent again after ever longer pauses, given up after a
//! day, and never so many that they fill a store.

use serde::{Deserialize, Serialize};

use crate::units::{DurationMs, UnixMs};

/// A letter to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The receiver's name in the configuration.
    pub receiver: String,
    /// What is posted. A key that belongs into it stands as [`Self::KEY`], so that no store holds it.
    pub body: String,
    /// When it was written, in milliseconds since the Unix epoch.
    pub written: u64,
    /// How often it was sent in vain.
    pub tries: u32,
    /// When it is sent next, in milliseconds since the Unix epoch.
    pub next: u64,
}

/// Letters in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    letters: Vec<Letter>,
}

/// How many letters wait at most; the oldest makes room.
const MOST: usize = 500;
/// A letter that nobody took is given up after this.
const GIVEN_UP: DurationMs = DurationMs::from_secs(24 * 3600);
const FIRST_PAUSE: DurationMs = DurationMs::from_secs(2);
const LONGEST_PAUSE: DurationMs = DurationMs::from_secs(900);

impl Letter {
    /// What stands in a body in the place of a secret key until it is sent.
    pub const KEY: &'static str = "{{routing_key}}";
}

impl Outbox {
    /// Adds a letter, to be sent at once.
    pub fn put(&mut self, receiver: &str, body: String, now: UnixMs) {
        let receiver = receiver.to_owned();
        self.letters.push(Letter { receiver, body, written: now.0, tries: 0, next: now.0 });
        let surplus = self.letters.len().saturating_sub(MOST);
        self.letters.drain(..surplus);
    }

    /// The letters to be sent at `now`, taken out; those not taken by their receivers come back by
    /// [`Self::put_back`]. To one receiver they go in order: behind one that waits, all wait.
    pub fn due(&mut self, now: UnixMs) -> Vec<Letter> {
        let mut held: Vec<String> = Vec::new();
        let is_due = |letter: &mut Letter| {
            let waits = letter.next > now.0 || held.contains(&letter.receiver);
            if waits {
                held.push(letter.receiver.clone());
            }
            !waits
        };
        self.letters.extract_if(.., is_due).collect()
    }

    /// A letter was not taken: it is sent again later, unless it is a day old.
    pub fn put_back(&mut self, mut letter: Letter, now: UnixMs) {
        letter.tries = letter.tries.saturating_add(1);
        let doubled = FIRST_PAUSE.0.saturating_mul(1 << letter.tries.min(16).saturating_sub(1));
        letter.next = now.plus(DurationMs(doubled.min(LONGEST_PAUSE.0))).0;
        if now.0.saturating_sub(letter.written) < GIVEN_UP.0 {
            let place = self.letters.partition_point(|other| other.written <= letter.written);
            self.letters.insert(place, letter);
        }
    }

    /// When the next letter is due, if any waits.
    pub fn due_at(&self) -> Option<UnixMs> {
        self.letters.iter().map(|letter| UnixMs(letter.next)).min()
    }

    /// The outbox as text for [`Self::restore`].
    pub fn row(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The outbox that [`Self::row`] wrote; empty where it cannot be read.
    pub fn restore(row: &str) -> Self {
        serde_json::from_str(row).unwrap_or_default()
    }
}
