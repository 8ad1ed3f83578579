//! An object's state as rows of one table: loaded once, and written as it changes.

use worker::{Result, SqlStorage, SqlStorageValue, State};

/// The tables of one object.
#[derive(Debug)]
pub(super) struct Rows {
    sql: SqlStorage,
}

impl Rows {
    /// Opens the table `state`, which the first use creates.
    pub(super) fn open(state: &State) -> Result<Self> {
        let rows = Self { sql: state.storage().sql() };
        rows.run(
            "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
            vec![],
        )?;
        Ok(rows)
    }

    /// Every row of `state`, in no order.
    pub(super) fn all(&self) -> Result<Vec<(String, String)>> {
        let found = self.run("SELECT key, value FROM state", vec![])?;
        Ok(found.into_iter().filter_map(pair).collect())
    }

    /// One row of `state`.
    pub(super) fn get(&self, key: &str) -> Result<Option<String>> {
        let found = self.run("SELECT key, value FROM state WHERE key = ?", vec![key.into()])?;
        Ok(found.into_iter().find_map(pair).map(|(_, value)| value))
    }

    /// Writes rows of `state`; a value of `None` deletes its row.
    pub(super) fn write(
        &self,
        rows: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<()> {
        for (key, value) in rows {
            match value {
                Some(value) => self.run(
                    "INSERT INTO state (key, value) VALUES (?, ?)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    vec![key.into(), value.into()],
                )?,
                None => self.run("DELETE FROM state WHERE key = ?", vec![key.into()])?,
            };
        }
        Ok(())
    }

    /// Runs a statement and returns its rows.
    pub(super) fn run(
        &self,
        statement: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<Vec<SqlStorageValue>>> {
        self.sql.exec(statement, values)?.raw().collect()
    }
}

fn pair(row: Vec<SqlStorageValue>) -> Option<(String, String)> {
    let mut values = row.into_iter();
    match (values.next()?, values.next()?) {
        (SqlStorageValue::String(key), SqlStorageValue::String(value)) => Some((key, value)),
        _ => None,
    }
}
