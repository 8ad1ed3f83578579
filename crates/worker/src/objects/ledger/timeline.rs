//! The table of what happened when: one row for each step of time in which anything did.

use tollhouse_core::{
    metrics::{Delta, Point, Step},
    units::UnixMs,
};
use worker::{Result, SqlStorageValue};

use super::usage::whole;
use crate::objects::rows::Rows;

/// Makes the table.
pub(super) fn table(rows: &Rows) -> Result<()> {
    let statement =
        "CREATE TABLE IF NOT EXISTS timeline (step INTEGER, at INTEGER, point TEXT NOT NULL,
         PRIMARY KEY (step, at))";
    rows.run(statement, vec![]).map(drop)
}

/// Adds what a delta counted to the steps in which it was cut.
pub(super) fn add(rows: &Rows, delta: &Delta, now: UnixMs) -> Result<()> {
    let counted = Point::of(delta);
    for step in Step::ALL.into_iter().filter(|step| now.since(delta.at()) < step.kept()) {
        let at = step.start(delta.at());
        let found = rows.run(
            "SELECT point FROM timeline WHERE step = ? AND at = ?",
            vec![number(step.length().0), number(at.0)],
        )?;
        let row = found.into_iter().flatten().next();
        let is_new = row.is_none();
        let mut point = row.as_ref().and_then(text).map(Point::restore).unwrap_or_default();
        point.add(&counted);
        rows.run(
            "INSERT OR REPLACE INTO timeline (step, at, point) VALUES (?, ?, ?)",
            vec![number(step.length().0), number(at.0), point.row().into()],
        )?;
        if is_new {
            forget(rows, step, now)?;
        }
    }
    Ok(())
}

/// The steps of this length from a moment on, each with its point as text.
pub(super) fn from(rows: &Rows, step_ms: u64, from: u64) -> Result<Vec<(u64, String)>> {
    let statement = "SELECT at, point FROM timeline WHERE step = ? AND at >= ?";
    let found = rows.run(statement, vec![number(step_ms), number(from)])?;
    let read = |values: Vec<SqlStorageValue>| match values.as_slice() {
        [at, point] => Some((whole(at)?, text(point)?.to_owned())),
        _ => None,
    };
    Ok(found.into_iter().filter_map(read).collect())
}

fn forget(rows: &Rows, step: Step, now: UnixMs) -> Result<()> {
    let kept_from = now.0.saturating_sub(step.kept().0);
    let statement = "DELETE FROM timeline WHERE step = ? AND at < ?";
    rows.run(statement, vec![number(step.length().0), number(kept_from)]).map(drop)
}

fn text(value: &SqlStorageValue) -> Option<&str> {
    if let SqlStorageValue::String(text) = value { Some(text) } else { None }
}

fn number(number: u64) -> SqlStorageValue {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
