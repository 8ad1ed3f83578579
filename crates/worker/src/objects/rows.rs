//! An object's state as rows of one table: loaded once, and written as it changes.

use worker::{SqlStorage, State};

/// The table of one object.
#[derive(Debug)]
pub(super) struct Rows {
    sql: SqlStorage,
}

impl Rows {
    /// Opens the table, which the first use creates.
    pub(super) fn open(state: &State) -> worker::Result<Self> {
        let sql = state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)", None)?;
        Ok(Self { sql })
    }

    /// Every row, in no order.
    pub(super) fn all(&self) -> worker::Result<Vec<(String, String)>> {
        let cursor = self.sql.exec("SELECT key, value FROM state", None)?;
        let mut rows = Vec::new();
        for row in cursor.raw() {
            if let [key, value] = row?.as_slice() {
                rows.extend(text(key).zip(text(value)));
            }
        }
        Ok(rows)
    }

    /// Writes rows; a value of `None` deletes its row.
    pub(super) fn write(&self, rows: Vec<(String, Option<String>)>) -> worker::Result<()> {
        for (key, value) in rows {
            match value {
                Some(value) => self.sql.exec(
                    "INSERT INTO state (key, value) VALUES (?, ?)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    vec![key.into(), value.into()],
                )?,
                None => self.sql.exec("DELETE FROM state WHERE key = ?", vec![key.into()])?,
            };
        }
        Ok(())
    }
}

fn text(value: &worker::SqlStorageValue) -> Option<String> {
    match value {
        worker::SqlStorageValue::String(text) => Some(text.clone()),
        _ => None,
    }
}
