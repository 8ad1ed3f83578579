//! What callers said of their answers: one row an answer, which the next word on it replaces, and
//! totals that stay when old rows go.

use tollhouse_core::{
    experiments::feedback::{Feedback, Opinion, Say},
    units::UnixMs,
};
use worker::{Result, SqlStorageValue};

use super::usage::whole;
use crate::objects::rows::Rows;

/// Makes the tables.
pub(super) fn tables(rows: &Rows) -> Result<()> {
    rows.run(
        "CREATE TABLE IF NOT EXISTS feedback (id TEXT PRIMARY KEY, at INTEGER NOT NULL, said TEXT NOT NULL)",
        vec![],
    )?;
    rows.run(
        "CREATE TABLE IF NOT EXISTS opinions (model TEXT, variant TEXT, version TEXT, kind TEXT, value TEXT,
         count INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (model, variant, version, kind, value))",
        vec![],
    )?;
    Ok(())
}

/// Puts down what was said, in the place of what was said of the same answer before. Nothing is
/// awaited in between, so that all of it is written or none.
pub(super) fn put(rows: &Rows, said: &Feedback, now: UnixMs) -> Result<()> {
    if let Some(before) = get(rows, &said.id)? {
        for opinion in before.opinions() {
            add(rows, &opinion, -1)?;
        }
    }
    for opinion in said.opinions() {
        add(rows, &opinion, 1)?;
    }
    let at = i64::try_from(now.0).unwrap_or(i64::MAX);
    rows.run(
        "INSERT INTO feedback (id, at, said) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, said = excluded.said",
        vec![said.id.as_str().into(), at.into(), serde_json::to_string(said)?.into()],
    )?;
    Ok(())
}

/// Lets what was said before `moment` go; the totals stay.
pub(super) fn forget_before(rows: &Rows, moment: UnixMs) -> Result<()> {
    let at = i64::try_from(moment.0).unwrap_or(i64::MAX);
    rows.run("DELETE FROM feedback WHERE at < ?", vec![at.into()]).map(drop)
}

/// The totals.
pub(super) fn all(rows: &Rows) -> Result<Vec<Opinion>> {
    let statement =
        "SELECT model, variant, version, kind, value, count, sum FROM opinions WHERE count > 0";
    Ok(rows.run(statement, vec![])?.iter().filter_map(|values| read(values)).collect())
}

fn get(rows: &Rows, id: &str) -> Result<Option<Feedback>> {
    let found = rows.run("SELECT said FROM feedback WHERE id = ?", vec![id.into()])?;
    let text = found.into_iter().flatten().next();
    Ok(match text {
        Some(SqlStorageValue::String(text)) => serde_json::from_str(&text).ok(),
        Some(_) | None => None,
    })
}

fn add(rows: &Rows, opinion: &Opinion, sign: i64) -> Result<()> {
    let Opinion { model, variant, version, kind, value, count, sum } = opinion;
    let texts = [model.as_str(), variant, version, kind.name(), value];
    let numbers = [*count, *sum].map(|number| sign * i64::try_from(number).unwrap_or(i64::MAX));
    let values = texts.into_iter().map(SqlStorageValue::from);
    rows.run(
        "INSERT INTO opinions (model, variant, version, kind, value, count, sum) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (model, variant, version, kind, value)
         DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum",
        values.chain(numbers.into_iter().map(SqlStorageValue::from)).collect(),
    )
    .map(drop)
}

fn read(values: &[SqlStorageValue]) -> Option<Opinion> {
    let [
        SqlStorageValue::String(model),
        SqlStorageValue::String(variant),
        SqlStorageValue::String(version),
        SqlStorageValue::String(kind),
        SqlStorageValue::String(value),
        count,
        sum,
    ] = values
    else {
        return None;
    };
    Some(Opinion {
        model: model.clone(),
        variant: variant.clone(),
        version: version.clone(),
        kind: Say::named(kind)?,
        value: value.clone(),
        count: whole(count)?,
        sum: whole(sum)?,
    })
}
