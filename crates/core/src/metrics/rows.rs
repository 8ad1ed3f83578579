//! The aggregate as rows of a table, and back: only what changed is written, all of it is read.
//!
//! Series and isolates are texts under a key; what is written replaces what was there. Usage is
//! written as amounts to add. So the rows of one [`Changes`] belong in one transaction: then a crash
//! leaves either all of a delta or nothing of it, and what is sent again is counted once.

use serde::{Deserialize, Serialize};

use super::{
    aggregate::{Aggregate, Isolate},
    family::{Family, Kind},
    registry::IsolateId,
    report::{Report, ReportWire},
    seen::Sequences,
    store::{Histogram, Series},
};
use crate::{
    ledger::{Slot, UsageRow},
    units::UnixMs,
};

/// Which table a row belongs to. Each has a text key and a text value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Counts: one row a series.
    Series,
    /// Which deltas were counted, and the last report: one row an isolate.
    Isolates,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its table.
    pub table: Table,
    /// What finds it: a metric's name and its label values in JSON, or an isolate's id.
    pub key: String,
    /// JSON.
    pub value: String,
}

/// What must be stored, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Rows to insert, or to put in the place of those with the same key.
    pub put: Vec<Row>,
    /// Keys of rows to delete.
    pub delete: Vec<(Table, String)>,
    /// Usage to add to the row of the same day, key, model and target, or to insert.
    pub usage: Vec<UsageRow>,
}

/// An aggregate read back.
#[derive(Debug)]
pub struct Restored {
    /// What the rows hold.
    pub aggregate: Aggregate,
    /// Rows that this version cannot read; they are left as they are, and worth an alert.
    pub unread: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct IsolateWire {
    seen: Vec<(u64, u64)>,
    at: u64,
    sequence: u64,
    report: ReportWire,
}

impl Changes {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty() && self.usage.is_empty()
    }
}

impl Aggregate {
    /// What has changed since [`Self::stored`]; asking twice gives the same rows.
    pub fn changes(&self) -> Changes {
        let series = self.changed.series.iter().filter_map(|series| self.series_row(series));
        let mut changes = Changes { put: series.collect(), ..Changes::default() };
        for id in &self.changed.isolates {
            match self.isolates.get(id) {
                Some(isolate) => changes.put.push(isolate_row(*id, isolate)),
                None => changes.delete.push((Table::Isolates, id.to_string())),
            }
        }
        changes.usage = self.usage_rows();
        changes.put.sort_unstable_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        changes
    }

    /// The transaction with the last [`Self::changes`] went through.
    pub fn stored(&mut self) {
        self.changed.series.clear();
        self.changed.isolates.clear();
        self.changed.usage.clear();
    }

    /// The aggregate whose changes were stored as these rows; rows of the same series, as different
    /// shards have them, add up.
    pub fn restore(rows: impl IntoIterator<Item = Row>) -> Restored {
        let mut aggregate = Self::default();
        let unread = rows.into_iter().filter(|row| aggregate.read(row).is_none()).collect();
        Restored { aggregate, unread }
    }

    fn series_row(&self, series: &Series) -> Option<Row> {
        let facts = series.family.facts();
        let value = match facts.kind {
            Kind::Counter => self.store.counters.get(series)?.to_string(),
            Kind::Histogram(boundaries) => {
                let numbers = self.store.histograms.get(series)?.numbers(boundaries);
                json(&numbers.collect::<Vec<_>>())
            }
            Kind::Gauge => return None,
        };
        let labels: Vec<_> = series.values().map(|name| self.names.text(name)).collect();
        Some(Row { table: Table::Series, key: format!("{}{}", facts.name, json(&labels)), value })
    }

    fn usage_rows(&self) -> Vec<UsageRow> {
        let text = |name| self.names.text(name).to_owned();
        let row = |(slot, counts): (&Slot, &_)| UsageRow {
            day: slot.day,
            key: text(slot.key),
            model: text(slot.model),
            target: text(slot.target),
            counts: *counts,
        };
        let mut rows: Vec<_> = self.changed.usage.iter().map(row).collect();
        rows.sort_unstable_by(|a, b| {
            (a.day, &a.key, &a.model, &a.target).cmp(&(b.day, &b.key, &b.model, &b.target))
        });
        rows
    }

    fn read(&mut self, row: &Row) -> Option<()> {
        match row.table {
            Table::Series => self.read_series(row),
            Table::Isolates => self.read_isolate(row),
        }
    }

    fn read_series(&mut self, row: &Row) -> Option<()> {
        let (name, labels) = row.key.split_at_checked(row.key.find('[')?)?;
        let family = Family::named(name)?;
        let labels: Vec<String> = serde_json::from_str(labels).ok()?;
        if labels.len() != family.facts().labels.len() {
            return None;
        }
        let labels: Vec<_> = labels.iter().map(|text| self.names.id(text)).collect();
        let series = Series::new(family, &labels);
        let is_new = !self.store.counters.contains_key(&series)
            && !self.store.histograms.contains_key(&series);
        match family.facts().kind {
            Kind::Counter => {
                let count: u64 = row.value.parse().ok()?;
                let total = self.store.counters.entry(series).or_default();
                *total = total.saturating_add(count);
            }
            Kind::Histogram(boundaries) => {
                let numbers: Vec<u64> = serde_json::from_str(&row.value).ok()?;
                let histogram = Histogram::from_numbers(boundaries, &numbers)?;
                self.store.histograms.entry(series).or_default().merge(&histogram);
            }
            Kind::Gauge => return None,
        }
        *self.sizes.entry(family).or_default() += usize::from(is_new);
        Some(())
    }

    fn read_isolate(&mut self, row: &Row) -> Option<()> {
        let id = IsolateId::parse(&row.key)?;
        let wire: IsolateWire = serde_json::from_str(&row.value).ok()?;
        let isolate = Isolate {
            seen: Sequences::from_ranges(wire.seen),
            at: UnixMs(wire.at),
            sequence: wire.sequence,
            report: Report::from(wire.report),
        };
        self.isolates.insert(id, isolate);
        Some(())
    }
}

fn isolate_row(id: IsolateId, isolate: &Isolate) -> Row {
    let wire = IsolateWire {
        seen: isolate.seen.ranges().to_vec(),
        at: isolate.at.0,
        sequence: isolate.sequence,
        report: ReportWire::from(&isolate.report),
    };
    Row { table: Table::Isolates, key: id.to_string(), value: json(&wire) }
}

/// Numbers, strings and lists of them as JSON, which cannot fail.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
