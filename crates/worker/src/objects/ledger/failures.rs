//! The table of requests that failed lately: the newest of those that callers can mend, and the newest
//! of the others.

use tollhouse_core::record::Failure;
use worker::{Result, SqlStorageValue};

use crate::objects::rows::Rows;

/// How many of each kind are kept.
const KEPT: i64 = 100;

/// Makes the table.
pub(super) fn table(rows: &Rows) -> Result<()> {
    let statement = "CREATE TABLE IF NOT EXISTS failures (id TEXT PRIMARY KEY, at INTEGER NOT NULL,
         by_caller INTEGER NOT NULL, failure TEXT NOT NULL)";
    rows.run(statement, vec![]).map(drop)
}

/// Adds some, and lets those go that are too many.
pub(super) fn add(rows: &Rows, failures: &[Failure]) -> Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    for failure in failures {
        let at = i64::try_from(failure.at).unwrap_or(i64::MAX);
        rows.run(
            "INSERT OR REPLACE INTO failures (id, at, by_caller, failure) VALUES (?, ?, ?, ?)",
            vec![
                failure.id.as_str().into(),
                at.into(),
                i64::from(failure.is_by_caller()).into(),
                serde_json::to_string(failure)?.into(),
            ],
        )?;
    }
    for by_caller in [0_i64, 1] {
        rows.run(
            "DELETE FROM failures WHERE by_caller = ?1 AND id NOT IN
             (SELECT id FROM failures WHERE by_caller = ?1 ORDER BY at DESC LIMIT ?2)",
            vec![by_caller.into(), KEPT.into()],
        )?;
    }
    Ok(())
}

/// All of them as they were written, in no order.
pub(super) fn all(rows: &Rows) -> Result<Vec<Failure>> {
    let found = rows.run("SELECT failure FROM failures", vec![])?;
    let read = |value: SqlStorageValue| match value {
        SqlStorageValue::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    };
    Ok(found.into_iter().flatten().filter_map(read).collect())
}
