//! The calls of MLflow's REST API, version 2.0, that runs need: how they are asked, how read.

use serde_json::{Value, json};

use super::runs::Point;
use crate::units::UnixMs;

/// A call as it goes out, below the server's address.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The body, where there is one.
    pub body: Option<Body>,
    /// A further header: its name and its value.
    pub header: Option<(&'static str, String)>,
}

/// A body as it goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// Its `content-type`.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The longest value of a parameter, in characters; some stores take no more.
pub(super) const LONGEST_PARAM: usize = 500;

/// As many metrics as a batch may have.
pub(super) const METRICS_A_BATCH: usize = 1000;
/// As many parameters, and as many tags.
pub(super) const PARAMS_A_BATCH: usize = 100;

/// The experiment of this name.
pub(super) fn experiment_named(name: &str) -> Request {
    get(&format!("experiments/get-by-name?experiment_name={}", escaped(name)))
}

/// Makes an experiment of this name.
pub(super) fn create_experiment(name: &str) -> Request {
    post("experiments/create", &json!({ "name": name }))
}

/// The run that says of itself that it is this one.
pub(super) fn run_tagged(experiment: &str, run: &str) -> Request {
    let filter = format!("tags.`{RUN_TAG}` = '{run}'");
    post(
        "runs/search",
        &json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 }),
    )
}

/// The tag by which a run is found again.
pub(super) const RUN_TAG: &str = "tollhouse.run";

/// Begins a run.
pub(super) fn create_run(experiment: &str, name: &str, run: &str, began: UnixMs) -> Request {
    let tags = json!([
        { "key": RUN_TAG, "value": run },
        { "key": "mlflow.source.name", "value": "tollhouse" },
        { "key": "mlflow.source.type", "value": "UNKNOWN" },
    ]);
    let body = json!({
        "experiment_id": experiment, "run_name": name, "start_time": began.0, "tags": tags,
    });
    post("runs/create", &body)
}

/// Writes parameters, tags and points.
pub(super) fn log_batch(
    run: &str,
    params: &[(String, String)],
    tags: &[(String, String)],
    points: &[Point],
) -> Request {
    let pairs = |pairs: &[(String, String)], longest| -> Vec<Value> {
        let pairs = pairs.iter().take(PARAMS_A_BATCH);
        pairs.map(|(key, value)| json!({ "key": key, "value": cut(value, longest) })).collect()
    };
    let metrics: Vec<_> = points
        .iter()
        .flat_map(|point| {
            point.metrics.iter().map(|(key, value)| {
                json!({ "key": key, "value": value, "timestamp": point.at.0, "step": point.step })
            })
        })
        .collect();
    let body = json!({
        "run_id": run,
        "params": pairs(params, LONGEST_PARAM),
        "tags": pairs(tags, 5000),
        "metrics": metrics,
    });
    post("runs/log-batch", &body)
}

/// Ends a run, or goes on with one that was ended.
pub(super) fn update_run(run: &str, ended: Option<UnixMs>) -> Request {
    let body = match ended {
        Some(at) => json!({ "run_id": run, "status": "FINISHED", "end_time": at.0 }),
        None => json!({ "run_id": run, "status": "RUNNING" }),
    };
    post("runs/update", &body)
}

/// Puts a file beside a run, through the server: `None` where the run's files lie elsewhere.
pub(super) fn upload(artifacts: &str, name: &str, bytes: Vec<u8>) -> Option<Request> {
    let rest = artifacts.strip_prefix("mlflow-artifacts:")?;
    // With a host, it is another server's to keep them.
    let path = if rest.starts_with("//") { return None } else { rest.trim_matches('/') };
    Some(Request {
        method: "PUT",
        path: format!("/api/2.0/mlflow-artifacts/artifacts/{path}/{name}"),
        body: Some(Body { content_type: "application/octet-stream", bytes }),
        header: None,
    })
}

/// Hands over spans.
pub(super) fn traces(experiment: &str, bytes: Vec<u8>) -> Request {
    Request {
        method: "POST",
        path: "/v1/traces".to_owned(),
        body: Some(Body { content_type: "application/x-protobuf", bytes }),
        header: Some(("x-mlflow-experiment-id", experiment.to_owned())),
    }
}

/// Says something of a trace.
pub(super) fn assess(trace: &str, assessment: &Value) -> Request {
    let mut request = post("", &json!({ "assessment": assessment }));
    request.path = format!("/api/3.0/mlflow/traces/tr-{trace}/assessments");
    request
}

/// `experiment_id` of a reply to [`create_experiment`] or [`experiment_named`].
pub(super) fn read_experiment(body: &Value) -> Option<String> {
    let experiment = body.get("experiment").unwrap_or(body);
    let deleted = experiment.get("lifecycle_stage").is_some_and(|stage| stage == "deleted");
    if deleted { None } else { text(experiment, "experiment_id") }
}

/// A run as the server has it.
#[derive(Debug)]
pub(super) struct KnownRun {
    pub(super) id: String,
    /// Where its files lie.
    pub(super) artifacts: String,
    /// Since when it is there, where the server says so.
    pub(super) began_ms: Option<u64>,
    /// Whether it was ended.
    pub(super) is_over: bool,
}

/// The first run in a reply.
pub(super) fn read_run(body: &Value) -> Option<KnownRun> {
    let first = body.get("runs").and_then(|runs| runs.get(0));
    let info = first.or_else(|| body.get("run"))?.get("info")?;
    Some(KnownRun {
        id: text(info, "run_id")?,
        artifacts: text(info, "artifact_uri").unwrap_or_default(),
        began_ms: info.get("start_time").and_then(Value::as_u64),
        is_over: info.get("status").is_some_and(|status| status == "FINISHED"),
    })
}

/// The server's word for what is wrong.
pub(super) fn error_code(body: &Value) -> &str {
    body.get("error_code").and_then(Value::as_str).unwrap_or_default()
}

fn text(object: &Value, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn get(path: &str) -> Request {
    Request { method: "GET", path: format!("/api/2.0/mlflow/{path}"), body: None, header: None }
}

fn post(path: &str, body: &Value) -> Request {
    let bytes = body.to_string().into_bytes();
    Request {
        method: "POST",
        path: format!("/api/2.0/mlflow/{path}"),
        body: Some(Body { content_type: "application/json", bytes }),
        header: None,
    }
}

/// The beginning of `text`, with a mark where something is missing.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// For a query's value: everything but letters, digits and `-._~` as bytes.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&crate::record::hex(&[byte]).to_ascii_uppercase());
        }
        out
    })
}
