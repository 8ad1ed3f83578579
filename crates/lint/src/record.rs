//! Facts and reports as bytes, for a cache: compact, and readable only by the build that wrote them.
//!
//! The bytes carry no checksum; whoever stores them holds them to one.

use crate::engine::Report;
use crate::facts::FileFacts;

impl FileFacts {
    /// The facts as bytes; nothing where they cannot be written.
    pub fn to_record(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// The facts that [`FileFacts::to_record`] wrote; nothing where the bytes are something else.
    pub fn from_record(bytes: &[u8]) -> Option<Self> {
        whole(postcard::take_from_bytes(bytes).ok()?)
    }
}

impl Report {
    /// The report as bytes; nothing where it cannot be written.
    pub fn to_record(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// The report that [`Report::to_record`] wrote; nothing where the bytes are something else.
    pub fn from_record(bytes: &[u8]) -> Option<Self> {
        whole(postcard::take_from_bytes(bytes).ok()?)
    }
}

/// A value after which nothing is left.
fn whole<T>((value, rest): (T, &[u8])) -> Option<T> {
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect;
    use proptest::prelude::*;

    #[test]
    fn facts_survive_their_record() {
        let facts = collect("src/engine/mod.rs", include_str!("engine/mod.rs"));
        assert!(facts.nodes.len() > 100);
        let record = facts.to_record().unwrap();
        let again = FileFacts::from_record(&record).unwrap();
        assert_eq!(format!("{facts:?}"), format!("{again:?}"));
        assert!(FileFacts::from_record(record.get(1..).unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_record_are_refused_or_read_but_never_trip(bytes: Vec<u8>) {
            drop(FileFacts::from_record(&bytes));
            drop(Report::from_record(&bytes));
        }
    }
}
