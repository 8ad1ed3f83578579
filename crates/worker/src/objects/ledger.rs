//! The object `LEDGER`: what all isolates have counted, for `/metrics` and `/admin/usage`.

use std::cell::RefCell;

use tollhouse_core::{
    ledger::{Column, Counts, Day, UsageRow, group, to_csv, to_json},
    metrics::{Aggregate, Delta, Format, Row, Table},
};
use worker::{
    DurableObject, Env, Headers, Request, Response, Result, SqlStorageValue, State, durable_object,
};

use super::rows::Rows;
use crate::clock::read as now;

/// Counts and usage.
#[durable_object(fetch)]
pub struct Ledger {
    state: State,
    loaded: RefCell<Option<(Rows, Aggregate)>>,
}

impl DurableObject for Ledger {
    fn new(state: State, _env: Env) -> Self {
        Self { state, loaded: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let path = request.path();
        match path.as_str() {
            "/delta" => self.merge(&body).map(|()| Response::empty())?,
            "/metrics" => self.metrics(&String::from_utf8_lossy(&body)),
            "/usage" => self.usage(&String::from_utf8_lossy(&body)),
            _ => Response::error("no such path", 404),
        }
    }
}

impl Ledger {
    /// Adds a delta. The reply leaves only after what changed is on disk, and says so to the isolate.
    fn merge(&self, bytes: &[u8]) -> Result<()> {
        let delta = Delta::decode(bytes).map_err(|error| error.to_string())?;
        self.with(|rows, aggregate| {
            aggregate.merge(&delta, now());
            aggregate.forget_silent(now());
            store(rows, aggregate)
        })
    }

    fn metrics(&self, accept: &str) -> Result<Response> {
        let format = Format::accepted(accept);
        let text = self.with(|_, aggregate| Ok(aggregate.render(now(), format)))?;
        text_response(&text, format.content_type())
    }

    /// The query is `group_by=key,model&format=json`.
    fn usage(&self, query: &str) -> Result<Response> {
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or_default()
        };
        let names = value("group_by").replace("%2C", ",");
        let columns = names.split(',').filter(|name| !name.is_empty()).map(Column::named);
        let Some(columns) = columns.collect::<Option<Vec<Column>>>() else {
            return Response::error(
                "`group_by` takes day, key, model and target, parted by commas",
                400,
            );
        };
        let rows = self.with(|rows, _| usage_rows(rows))?;
        let groups = group(rows, &columns);
        match value("format") {
            "" | "json" => text_response(&to_json(&groups, &columns), "application/json"),
            "csv" => text_response(&to_csv(&groups, &columns), "text/csv; charset=utf-8"),
            _ => Response::error("`format` is json or csv", 400),
        }
    }

    fn with<T>(&self, run: impl FnOnce(&Rows, &mut Aggregate) -> Result<T>) -> Result<T> {
        let mut loaded = self.loaded.borrow_mut();
        let (rows, aggregate) = if let Some(pair) = loaded.take() {
            loaded.insert(pair)
        } else {
            let rows = Rows::open(&self.state)?;
            rows.run(&usage_table(), vec![])?;
            let restored = Aggregate::restore(rows.all()?.into_iter().filter_map(row));
            loaded.insert((rows, restored.aggregate))
        };
        run(rows, aggregate)
    }
}

fn text_response(text: &str, content_type: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    Ok(Response::ok(text)?.with_headers(headers))
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

fn usage_table() -> String {
    let columns = Counts::NAMES.join(" INTEGER NOT NULL, ");
    format!(
        "CREATE TABLE IF NOT EXISTS usage (day TEXT, key TEXT, model TEXT, target TEXT,
         {columns} INTEGER NOT NULL, PRIMARY KEY (day, key, model, target))"
    )
}

fn store(rows: &Rows, aggregate: &mut Aggregate) -> Result<()> {
    let changes = aggregate.changes();
    let name = |table, key: &str| format!("{}{key}", letter(table));
    let put = changes.put.into_iter().map(|row| (name(row.table, &row.key), Some(row.value)));
    let delete = changes.delete.iter().map(|(table, key)| (name(*table, key), None));
    rows.write(put.chain(delete))?;
    for usage in &changes.usage {
        add_usage(rows, usage)?;
    }
    aggregate.stored();
    Ok(())
}

fn add_usage(rows: &Rows, usage: &UsageRow) -> Result<()> {
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

fn usage_rows(rows: &Rows) -> Result<Vec<UsageRow>> {
    let names = Counts::NAMES.join(", ");
    let found = rows.run(&format!("SELECT day, key, model, target, {names} FROM usage"), vec![])?;
    Ok(found.iter().filter_map(|values| usage_row(values)).collect())
}

fn usage_row(values: &[SqlStorageValue]) -> Option<UsageRow> {
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
fn whole(value: &SqlStorageValue) -> Option<u64> {
    match value {
        SqlStorageValue::Integer(number) => u64::try_from(*number).ok(),
        SqlStorageValue::Float(number) => Some(crate::host::whole(*number)),
        SqlStorageValue::Null
        | SqlStorageValue::Boolean(_)
        | SqlStorageValue::String(_)
        | SqlStorageValue::Blob(_) => None,
    }
}
