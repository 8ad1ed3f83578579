//! The isolate's own replies: the least recently used go first, by count and by bytes.

use std::{collections::BTreeMap, rc::Rc};

use super::entry::Entry;
use crate::units::UnixMs;

/// How much an isolate keeps, out of its 128 MB.
pub const MAX_BYTES: usize = 8 << 20;
/// How many replies an isolate keeps.
pub const MAX_ENTRIES: usize = 1024;
/// Replies longer than this are left to the other level.
pub const MAX_ENTRY_BYTES: usize = 1 << 20;

/// Replies by key, with the time of their last use counted in uses.
#[derive(Debug)]
pub struct Store<K> {
    entries: BTreeMap<K, (u64, Rc<Entry>)>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
    bytes: usize,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0, bytes: 0 }
    }
}

impl<K: Ord + Copy> Store<K> {
    /// The reply under `key`, while it is fresh.
    pub fn get(&mut self, key: &K, now: UnixMs) -> Option<Rc<Entry>> {
        let entry = self.remove(key)?;
        if !entry.is_fresh(now) {
            return None;
        }
        self.put(*key, entry.clone());
        Some(entry)
    }

    /// Keeps a reply, if it is not too long, and lets go of the longest unused ones.
    pub fn insert(&mut self, key: K, entry: Rc<Entry>) {
        self.remove(&key);
        if entry.body.bytes().len() > MAX_ENTRY_BYTES {
            return;
        }
        self.put(key, entry);
        while self.bytes > MAX_BYTES || self.entries.len() > MAX_ENTRIES {
            let Some((_, oldest)) = self.by_use.first_key_value() else { return };
            self.remove(&{ *oldest });
        }
    }

    fn put(&mut self, key: K, entry: Rc<Entry>) {
        self.uses += 1;
        self.bytes += entry.body.bytes().len();
        self.by_use.insert(self.uses, key);
        self.entries.insert(key, (self.uses, entry));
    }

    fn remove(&mut self, key: &K) -> Option<Rc<Entry>> {
        let (used, entry) = self.entries.remove(key)?;
        self.by_use.remove(&used);
        self.bytes -= entry.body.bytes().len();
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{cache::entry::Body, units::DurationMs};

    fn entry(length: usize) -> Rc<Entry> {
        Rc::new(Entry {
            target: String::new(),
            content_type: String::new(),
            body: Body::Whole(vec![0; length]),
            usage: None,
            stored_at: UnixMs(0),
            ttl: DurationMs(1000),
        })
    }

    #[test]
    fn the_longest_unused_reply_goes_first() {
        let mut store = Store::default();
        for key in 0..9 {
            store.insert(key, entry(MAX_BYTES / 9));
        }
        assert!(store.get(&0, UnixMs(0)).is_some());
        store.insert(9, entry(MAX_BYTES / 9));
        assert!(store.get(&0, UnixMs(0)).is_some());
        assert!(store.get(&1, UnixMs(0)).is_none());
    }

    #[test]
    fn a_stale_reply_is_gone() {
        let mut store = Store::default();
        store.insert(1, entry(1));
        assert!(store.get(&1, UnixMs(1000)).is_none());
        assert_eq!(store.bytes, 0);
    }

    proptest! {
        #[test]
        fn bounds_hold_and_the_books_balance(
            steps in prop::collection::vec((0..40_u32, 0..MAX_ENTRY_BYTES + 9, 0..1500_u64), 0..80),
        ) {
            let mut store = Store::default();
            for (key, length, now) in steps {
                store.insert(key, entry(length));
                store.get(&(key / 2), UnixMs(now));
                let sum: usize = store.entries.values().map(|(_, entry)| entry.body.bytes().len()).sum();
                prop_assert_eq!(sum, store.bytes);
                prop_assert!(store.bytes <= MAX_BYTES);
                prop_assert_eq!(store.entries.len(), store.by_use.len());
            }
        }
    }
}
