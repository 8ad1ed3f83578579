//! Helpers; the tests stand in the files beside this one.

mod counts;
mod life;
mod splits;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Aggregate, CallResult, Changes, Delta, DeltaError, Family, Format, IsolateId, MAX_PENDING,
    MAX_SERIES, Merged, Registry, Row, Table, aggregate::MEMORY,
};
use crate::{
    ledger::{Column, UsageRow, group, to_csv},
    record::{
        Record,
        sample::{EVENING, any_record, full, key},
    },
    units::{DurationMs, UnixMs},
};

/// So long after that no isolate's report holds any more: what is left was counted.
const LATER: DurationMs = DurationMs::from_secs(3600);

fn isolate(number: u128) -> Registry {
    Registry::new(IsolateId::new(number))
}

fn deltas(registry: &Registry) -> Vec<Delta> {
    registry.pending().map(|(_, bytes)| Delta::decode(bytes).unwrap()).collect()
}

/// The delta in which an isolate reports these records.
fn delta_of(number: u128, records: &[Record]) -> Delta {
    let mut registry = isolate(number);
    for record in records {
        registry.observe(record);
    }
    registry.cut(EVENING);
    deltas(&registry).remove(0)
}

fn merged(deltas: &[Delta]) -> Aggregate {
    let mut aggregate = Aggregate::default();
    for delta in deltas {
        aggregate.merge(delta, EVENING);
    }
    aggregate
}

/// A table as SQLite would keep it: rows by key, usage added up.
#[derive(Default)]
struct Stored {
    rows: BTreeMap<(Table, String), String>,
    usage: Vec<UsageRow>,
}

impl Stored {
    fn take(&mut self, aggregate: &mut Aggregate) {
        let Changes { put, delete, usage } = aggregate.changes();
        self.rows.extend(put.into_iter().map(|row| ((row.table, row.key), row.value)));
        for key in delete {
            self.rows.remove(&key);
        }
        self.usage.extend(usage);
        aggregate.stored();
    }

    fn restore(&self) -> Aggregate {
        let rows = self.rows.iter();
        let restored = Aggregate::restore(rows.map(|((table, key), value)| Row {
            table: *table,
            key: key.clone(),
            value: value.clone(),
        }));
        assert_eq!(restored.unread, vec![]);
        restored.aggregate
    }

    fn usage(&self) -> String {
        to_csv(&group(self.usage.clone(), &Column::ALL), &Column::ALL)
    }
}

/// Everything that must not depend on how records were split and deltas travelled.
fn everything(aggregate: &mut Aggregate) -> (String, String) {
    let mut stored = Stored::default();
    stored.take(aggregate);
    (aggregate.render(EVENING.plus(LATER), Format::Prometheus), stored.usage())
}
