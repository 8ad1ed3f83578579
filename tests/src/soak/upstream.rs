//! The misbehaving provider, and its own count of what it was asked and what it reported.

use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;

use super::kind::Kind;
use crate::provider::{Provider, Seen, Step};

/// The provider of a soak.
#[derive(Debug)]
pub struct Upstream {
    provider: Provider,
    books: Arc<Books>,
}

#[derive(Debug, Default)]
struct Books {
    calls: AtomicU64,
    tokens: AtomicU64,
    /// How often each call under way was seen.
    attempts: Mutex<HashMap<u64, u32>>,
    came: Condvar,
}

impl Upstream {
    /// Starts it.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn start() -> Result<Self> {
        let books = Arc::new(Books::default());
        let inner = books.clone();
        let provider = Provider::start_forgetting(move |seen| inner.answer(seen))?;
        Ok(Self { provider, books })
    }

    /// The base address for a configuration.
    pub fn base_url(&self) -> String {
        self.provider.base_url()
    }

    /// How many calls came in.
    pub fn calls(&self) -> u64 {
        self.books.calls.load(Ordering::Relaxed)
    }

    /// How many tokens its replies have reported.
    pub fn tokens(&self) -> u64 {
        self.books.tokens.load(Ordering::Relaxed)
    }

    /// Waits until the call of this number has come, at most `limit`; returns whether it has.
    pub fn wait_for(&self, number: u64, limit: Duration) -> bool {
        let attempts = self.books.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let absent = |attempts: &mut HashMap<u64, u32>| !attempts.contains_key(&number);
        let waited = self.books.came.wait_timeout_while(attempts, limit, absent);
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }

    /// The call of this number is over.
    pub fn forget(&self, number: u64) {
        self.books.attempts.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

impl Books {
    fn answer(&self, seen: &Seen) -> Vec<Step> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Some((kind, number)) = Kind::read(&seen.body) else { return vec![Step::Close] };
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            let attempt = attempts.entry(number).or_default();
            *attempt += 1;
            *attempt - 1
        };
        self.came.notify_all();
        let steps = kind.answer(attempt);
        let sent = steps.iter().filter_map(|step| match step {
            Step::Send(bytes) => reported(bytes),
            Step::Wait(_) | Step::Stall | Step::Reset | Step::Close => None,
        });
        // A caller who leaves never hears the end of it.
        if kind != Kind::LeftAtAWord {
            self.tokens.fetch_add(sent.sum(), Ordering::Relaxed);
        }
        steps
    }
}

/// The `total_tokens` in a piece of a reply.
fn reported(bytes: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(bytes);
    let (_, rest) = text.split_once("\"total_tokens\":")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // A body cut in the middle of the number has reported nothing.
    if rest.len() == digits.len() { None } else { digits.parse().ok() }
}
