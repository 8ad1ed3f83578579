//! The table of usage: one row for each day, key, model and target.

use serde::{Deserialize, Serialize};
use tollhouse_core::ledger::{Counts, Day, UsageRow};
use worker::{Result, SqlStorageValue};

use crate::objects::rows::Rows;

/// A row as shards send it to the chief: day, key, model, target, amounts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UsageWire(String, String, String, String, Vec<u64>);

impl From<&UsageRow> for UsageWire {
    fn from(row: &UsageRow) -> Self {
        let UsageRow { day, key, model, target, counts } = row;
        let numbers = counts.numbers().to_vec();
        Self(day.to_string(), key.clone(), model.clone(), target.clone(), numbers)
    }
}

impl UsageWire {
    pub(super) fn read(self) -> Option<UsageRow> {
        let Self(day, key, model, target, numbers) = self;
        let (day, counts) = (Day::parse(&day)?, Counts::from_numbers(&numbers)?);
        Some(UsageRow { day, key, model, target, counts })
    }
}

/// The statement that makes the table.
pub(super) fn table() -> String {
    let columns = Counts::NAMES.join(" INTEGER NOT NULL, ");
    format!(
        "CREATE TABLE IF NOT EXISTS usage (day TEXT, key TEXT, model TEXT, target TEXT,
         {columns} INTEGER NOT NULL, PRIMARY KEY (day, key, model, target))"
    )
}

/// Adds to the row of the same day, key, model and target, or inserts it.
pub(super) fn add(rows: &Rows, usage: &UsageRow) -> Result<()> {
    let names = Counts::NAMES.join(", ");
    let marks = vec!["?"; Counts::NAMES.len()].join(", ");
    let sums: Vec<String> =
        Counts::NAMES.iter().map(|name| format!("{name} = {name} + excluded.{name}")).collect();
    let texts =
        [usage.day.to_string(), usage.key.clone(), usage.model.clone(), usage.target.clone()];
    let numbers = usage.counts.numbers().map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let values = texts.into_iter().map(SqlStorageValue::from);
    rows.run(
        &format!(
            "INSERT INTO usage (day, key, model, target, {names}) VALUES (?, ?, ?, ?, {marks})
             ON CONFLICT (day, key, model, target) DO UPDATE SET {}",
            sums.join(", ")
        ),
        values.chain(numbers.into_iter().map(SqlStorageValue::from)).collect(),
    )?;
    Ok(())
}

/// Rows from this day on; an empty text is all of them.
pub(super) fn from(rows: &Rows, day: &str) -> Result<Vec<UsageRow>> {
    let names = Counts::NAMES.join(", ");
    let statement = format!("SELECT day, key, model, target, {names} FROM usage WHERE day >= ?");
    let found = rows.run(&statement, vec![day.into()])?;
    Ok(found.iter().filter_map(|values| read(values)).collect())
}

/// Lets usage of days before `day` go.
pub(super) fn forget_before(rows: &Rows, day: Day) -> Result<()> {
    rows.run("DELETE FROM usage WHERE day < ?", vec![day.to_string().into()]).map(drop)
}

fn read(values: &[SqlStorageValue]) -> Option<UsageRow> {
    let (texts, numbers) = values.split_at_checked(4)?;
    let [
        SqlStorageValue::String(day),
        SqlStorageValue::String(key),
        SqlStorageValue::String(model),
        SqlStorageValue::String(target),
    ] = texts
    else {
        return None;
    };
    let numbers: Option<Vec<u64>> = numbers.iter().map(whole).collect();
    Some(UsageRow {
        day: Day::parse(day)?,
        key: key.clone(),
        model: model.clone(),
        target: target.clone(),
        counts: Counts::from_numbers(&numbers?)?,
    })
}

/// SQLite's integers come as JavaScript numbers, exact up to 2⁵³.
pub(super) fn whole(value: &SqlStorageValue) -> Option<u64> {
    match value {
        SqlStorageValue::Integer(number) => u64::try_from(*number).ok(),
        SqlStorageValue::Float(number) => Some(crate::host::whole(*number)),
        SqlStorageValue::Null
        | SqlStorageValue::Boolean(_)
        | SqlStorageValue::String(_)
        | SqlStorageValue::Blob(_) => None,
    }
}
