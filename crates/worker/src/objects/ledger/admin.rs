//! What the chief tells operators beside usage: how all stands, what failed, what became of a request
//! that was traced.

use std::collections::BTreeMap;

use serde_json::Value;
use tollhouse_core::{
    admin::{Status, Window},
    metrics::Point,
    record::{Failure, RequestId},
    units::UnixMs,
};
use worker::{Response, Result, SqlStorageValue};

use super::{
    Ledger,
    shard::{Export, ExportAsked},
    text_response,
};
use crate::{clock::read as now, objects::rows::Rows};

/// How many traces are kept.
const TRACES: i64 = 50;
/// How many failures are shown.
const FAILURES: usize = 200;

/// The value of `name` in a query; empty where there is none.
pub(super) fn value<'a>(query: &'a str, name: &str) -> &'a str {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}

/// Makes the table of traces.
pub(super) fn table(rows: &Rows) -> Result<()> {
    let statement =
        "CREATE TABLE IF NOT EXISTS traces (id TEXT PRIMARY KEY, number INTEGER NOT NULL,
         line TEXT NOT NULL)";
    rows.run(statement, vec![]).map(drop)
}

impl Ledger {
    /// The query is `window=1h`.
    pub(super) async fn status(&self, query: &str) -> Result<Response> {
        let window = match value(query, "window") {
            "" => Some(Window::Hour),
            name => Window::named(name),
        };
        let Some(window) = window else {
            return Response::error("`window` is 1h, 3h, 24h or 48h", 400);
        };
        let at = now();
        let asked = ExportAsked {
            counts: true,
            usage_from: Some(ExportAsked::NO_USAGE.to_owned()),
            points: Some((window.step().length().0, window.from(at).0)),
            ..Default::default()
        };
        let mut exports = self.exports(&asked).await?;
        let points = points(&mut exports);
        let (mut aggregate, _) = Export::join(exports);
        self.add_budgets(&mut aggregate).await?;
        let text = self.with_chief(|chief| {
            aggregate.set_replicas(chief.replicas());
            let (began, board, rejected) = chief.standing();
            let (aggregate, points) = (&aggregate, &points);
            Ok(Status { now: at, began, aggregate, window, points, board, rejected }.json())
        })?;
        text_response(&text, "application/json")
    }

    /// The newest first.
    pub(super) async fn errors(&self) -> Result<Response> {
        let asked = ExportAsked {
            usage_from: Some(ExportAsked::NO_USAGE.to_owned()),
            failures: true,
            ..Default::default()
        };
        let exports = self.exports(&asked).await?;
        let mut failures: Vec<Failure> =
            exports.into_iter().flat_map(|export| export.failures).collect();
        failures.sort_unstable_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        failures.truncate(FAILURES);
        Response::from_json(&serde_json::json!({ "errors": failures }))
    }

    /// Keeps the log line of a request, and lets those go that are too many.
    pub(super) fn keep_trace(&self, line: &str) -> Result<()> {
        let said: Value = serde_json::from_str(line)?;
        let Some(id) = said.get("request_id").and_then(Value::as_str) else { return Ok(()) };
        self.with_chief(|chief| {
            chief.rows.run(
                "INSERT OR REPLACE INTO traces (id, number, line)
                 VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM traces), ?)",
                vec![id.into(), line.into()],
            )?;
            chief.rows.run(
                "DELETE FROM traces WHERE number <= (SELECT MAX(number) FROM traces) - ?",
                vec![TRACES.into()],
            )?;
            Ok(())
        })
    }

    /// The query is `id=req_…`. A request that has not ended, or was not traced, has no trace.
    pub(super) fn trace(&self, query: &str) -> Result<Response> {
        let Some(id) = RequestId::parse(value(query, "id")) else {
            return Response::error("`id` is the `x-request-id` of a reply", 400);
        };
        let found = self.with_chief(|chief| {
            let statement = "SELECT line FROM traces WHERE id = ?";
            chief.rows.run(statement, vec![id.to_string().into()])
        })?;
        let line = match found.into_iter().flatten().next() {
            Some(SqlStorageValue::String(line)) => line,
            Some(_) | None => "null".to_owned(),
        };
        text_response(&format!(r#"{{"trace":{line}}}"#), "application/json")
    }
}

/// The points of all shards, added up by moment.
fn points(exports: &mut [Export]) -> BTreeMap<UnixMs, Point> {
    let mut points: BTreeMap<UnixMs, Point> = BTreeMap::new();
    for (at, text) in exports.iter_mut().flat_map(|export| export.points.drain(..)) {
        points.entry(UnixMs(at)).or_default().add(&Point::restore(&text));
    }
    points
}
