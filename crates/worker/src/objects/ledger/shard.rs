//! One shard: the counts and the usage of some isolates.

use serde::{Deserialize, Serialize};
use tollhouse_core::{
    ledger::{Day, UsageRow},
    metrics::{Aggregate, Delta, Merged, Row, Table},
    record::Failure,
    telemetry::data_points,
};
use worker::{AnalyticsEngineDataPointBuilder, Env, Result, State};

use super::{
    failures, timeline,
    usage::{self, UsageWire},
};
use crate::{clock::read as now, objects::rows::Rows};

/// The binding of an Analytics Engine dataset, which is used where there is one.
const ANALYTICS: &str = "ANALYTICS";

/// Counts and usage in this object's tables.
#[derive(Debug)]
pub(super) struct Shard {
    rows: Rows,
    aggregate: Aggregate,
    /// The day up to which usage was let go.
    pruned: Option<Day>,
}

/// What the chief asks a shard for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ExportAsked {
    /// Usage from this day on; none is all of it.
    pub(super) usage_from: Option<String>,
    /// Whether the counts are wanted too.
    pub(super) counts: bool,
    /// Usage of earlier days is let go.
    pub(super) keep_from: Option<String>,
    /// What happened when: a step's length and a moment, both in milliseconds.
    #[serde(default)]
    pub(super) points: Option<(u64, u64)>,
    /// Whether failed requests are wanted too.
    #[serde(default)]
    pub(super) failures: bool,
}

impl ExportAsked {
    /// A day on which there is no usage yet, for those who want none.
    pub(super) const NO_USAGE: &str = "9999-12-31";
}

/// What a shard holds, as rows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Export {
    /// Table letter with key, and value.
    rows: Vec<(String, String)>,
    usage: Vec<UsageWire>,
    /// Moments and points, as text.
    #[serde(default)]
    pub(super) points: Vec<(u64, String)>,
    #[serde(default)]
    pub(super) failures: Vec<Failure>,
}

impl Shard {
    pub(super) fn open(state: &State) -> Result<Self> {
        let rows = Rows::open(state)?;
        rows.run(&usage::table(), vec![])?;
        timeline::table(&rows)?;
        failures::table(&rows)?;
        let restored = Aggregate::restore(rows.all()?.into_iter().filter_map(row));
        Ok(Self { rows, aggregate: restored.aggregate, pruned: None })
    }

    /// Adds a delta. The reply leaves only after what changed is on disk, and says so to the isolate.
    pub(super) fn merge(&mut self, bytes: &[u8], env: &Env) -> Result<()> {
        let delta = Delta::decode(bytes).map_err(|error| error.to_string())?;
        let merged = self.aggregate.merge(&delta, now());
        self.aggregate.forget_silent(now());
        let is_booked = !self.aggregate.changes().usage.is_empty();
        self.store()?;
        if merged == Merged::Counted {
            timeline::add(&self.rows, &delta, now())?;
            failures::add(&self.rows, delta.failures())?;
        }
        if is_booked {
            write_points(env, &delta);
        }
        Ok(())
    }

    /// What the chief asked for in JSON.
    pub(super) fn export(&mut self, asked: &str) -> Result<Export> {
        self.export_for(&serde_json::from_str(asked)?)
    }

    /// What the chief asks for.
    pub(super) fn export_for(&mut self, asked: &ExportAsked) -> Result<Export> {
        if let Some(day) = asked.keep_from.as_deref().and_then(Day::parse)
            && self.pruned != Some(day)
        {
            usage::forget_before(&self.rows, day)?;
            self.pruned = Some(day);
        }
        let rows = if asked.counts { self.rows.all()? } else { Vec::new() };
        let rows = rows.into_iter().filter(|(key, _)| key.starts_with(['s', 'i'])).collect();
        let usage = usage::from(&self.rows, asked.usage_from.as_deref().unwrap_or_default())?;
        let points = match asked.points {
            Some((step_ms, from)) => timeline::from(&self.rows, step_ms, from)?,
            None => Vec::new(),
        };
        let failures = if asked.failures { failures::all(&self.rows)? } else { Vec::new() };
        Ok(Export { rows, usage: usage.iter().map(UsageWire::from).collect(), points, failures })
    }

    fn store(&mut self) -> Result<()> {
        let changes = self.aggregate.changes();
        let name = |table, key: &str| format!("{}{key}", letter(table));
        let put = changes.put.into_iter().map(|row| (name(row.table, &row.key), Some(row.value)));
        let delete = changes.delete.iter().map(|(table, key)| (name(*table, key), None));
        self.rows.write(put.chain(delete))?;
        for row in &changes.usage {
            usage::add(&self.rows, row)?;
        }
        self.aggregate.stored();
        Ok(())
    }
}

impl Export {
    /// Adds up what all shards hold.
    pub(super) fn join(exports: Vec<Self>) -> (Aggregate, Vec<UsageRow>) {
        let (mut rows, mut usage) = (Vec::new(), Vec::new());
        for export in exports {
            rows.extend(export.rows.into_iter().filter_map(row));
            usage.extend(export.usage.into_iter().filter_map(UsageWire::read));
        }
        (Aggregate::restore(rows).aggregate, usage)
    }
}

/// Rows of both tables of counts lie in one, told apart by the first letter of their keys.
const fn letter(table: Table) -> char {
    match table {
        Table::Series => 's',
        Table::Isolates => 'i',
    }
}

fn row((key, value): (String, String)) -> Option<Row> {
    let mut letters = key.chars();
    let table = match letters.next()? {
        's' => Table::Series,
        'i' => Table::Isolates,
        _ => return None,
    };
    Some(Row { table, key: letters.as_str().to_owned(), value })
}

/// Writes to Analytics Engine where it is bound. A point that is lost is lost: the ledger has it.
fn write_points(env: &Env, delta: &Delta) {
    let Ok(dataset) = env.analytics_engine(ANALYTICS) else { return };
    for point in data_points(delta) {
        let built = AnalyticsEngineDataPointBuilder::new()
            .indexes([point.index.as_str()])
            .blobs(point.blobs)
            .doubles(point.doubles)
            .build();
        if dataset.write_data_point(&built).is_err() {
            return;
        }
    }
}
