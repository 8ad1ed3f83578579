//! The tracker against a server that is kept in memory, at its worst.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    config::valid::{Credentials, Experiment, Mlflow, SecretName, Sticky},
    experiments::feedback::{Feedback, Opinion, Rating, Say},
    metrics::{Aggregate, Delta, IsolateId, Registry},
    record::{Record, sample},
    units::{DurationMs, UnixMs},
};

const NOON: UnixMs = UnixMs(1_795_348_800_000);

fn mlflow() -> Mlflow {
    Mlflow {
        url: "http://mlflow".to_owned(),
        experiment: "home".to_owned(),
        credentials: Some(Credentials::Bearer(SecretName("TOKEN".to_owned()))),
        every: DurationMs::from_secs(60),
        trace_share: 0.5,
    }
}

fn experiment(names: &[&str]) -> Experiment {
    let variants = names.iter().map(|name| sample::variant("tone", name)).collect();
    Experiment { name: "tone".to_owned(), by: Sticky::Key, variants }
}

fn metrics(pairs: &[(&str, f64)]) -> Snapshot {
    let metrics = pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Snapshot { metrics, ..Snapshot::default() }
}

fn warm(snapshot: Snapshot) -> BTreeMap<(String, String), Snapshot> {
    BTreeMap::from([(("tone/warm".to_owned(), "0a1b2c3d".to_owned()), snapshot)])
}

fn plan(tracker: &mut Tracker, names: &[&str], snapshot: Snapshot, now: UnixMs) {
    let experiment = experiment(names);
    let shown = ([7; 32], "{\"the\":\"config\"}".to_owned());
    tracker.plan(&mlflow(), std::iter::once(&experiment), shown, &warm(snapshot), now);
}

/// As much of an MLflow server as the tracker needs.
#[derive(Debug, Default)]
struct Server {
    experiments: Vec<String>,
    runs: Vec<Value>,
    /// Points by run and name: step and value; a point written twice is there once.
    points: BTreeMap<(usize, String), BTreeMap<u64, f64>>,
    files: BTreeMap<String, Vec<u8>>,
    traces: Vec<(String, Vec<u8>)>,
    assessments: Vec<Value>,
    calls: usize,
}

impl Server {
    fn take(&mut self, request: &Request) -> (u16, Value) {
        self.calls += 1;
        let body = request.body.as_ref().map_or(&[][..], |body| &body.bytes);
        let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let absent = || (404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}));
        let path = request.path.strip_prefix("/api/2.0/mlflow/").unwrap_or(&request.path);
        if let Some(name) = path.strip_prefix("experiments/get-by-name?experiment_name=") {
            let name = name.replace("%2F", "/");
            let Some(id) = self.experiments.iter().position(|known| *known == name) else {
                return absent();
            };
            return (
                200,
                json!({"experiment": {"experiment_id": id.to_string(), "lifecycle_stage": "active"}}),
            );
        }
        match path {
            "experiments/create" => {
                if self.experiments.iter().any(|known| json["name"] == **known) {
                    return (400, json!({"error_code": "RESOURCE_ALREADY_EXISTS"}));
                }
                self.experiments.push(json["name"].as_str().unwrap().to_owned());
                (200, json!({"experiment_id": (self.experiments.len() - 1).to_string()}))
            }
            "runs/search" => {
                let filter = json["filter"].as_str().unwrap();
                let mine = |run: &&Value| {
                    run["data"]["gone"] != true
                        && filter.contains(&format!("'{}'", run["data"]["run"].as_str().unwrap()))
                };
                let found: Vec<_> = self.runs.iter().filter(mine).cloned().collect();
                (200, json!({ "runs": found }))
            }
            "runs/create" => {
                let id = self.runs.len();
                let run = json["tags"][0]["value"].clone();
                assert_eq!(json["tags"][0]["key"], "tollhouse.run");
                self.runs.push(json!({
                    "info": {"run_id": id.to_string(), "start_time": json["start_time"], "status": "RUNNING",
                        "artifact_uri": format!("mlflow-artifacts:/0/{id}/artifacts")},
                    "data": {"run": run, "name": json["run_name"], "params": {}, "tags": {}},
                }));
                (200, json!({"run": self.runs[id]}))
            }
            "runs/log-batch" => {
                let id: usize = json["run_id"].as_str().unwrap().parse().unwrap();
                if self.runs[id]["data"]["gone"] == true {
                    return absent();
                }
                assert!(json["metrics"].as_array().unwrap().len() <= 1000);
                for kind in ["params", "tags"] {
                    for pair in json[kind].as_array().unwrap() {
                        self.runs[id]["data"][kind][pair["key"].as_str().unwrap()] =
                            pair["value"].clone();
                    }
                }
                for point in json["metrics"].as_array().unwrap() {
                    let key = (id, point["key"].as_str().unwrap().to_owned());
                    let step = point["step"].as_u64().unwrap();
                    let value = point["value"].as_f64().unwrap();
                    let known = self.points.entry(key).or_default().insert(step, value);
                    assert!(known.is_none_or(|known| known.to_bits() == value.to_bits()));
                }
                (200, json!({}))
            }
            "runs/update" => {
                let id: usize = json["run_id"].as_str().unwrap().parse().unwrap();
                self.runs[id]["info"]["status"] = json["status"].clone();
                (200, json!({}))
            }
            "/v1/traces" => {
                let (name, value) = request.header.clone().unwrap();
                assert_eq!(name, "x-mlflow-experiment-id");
                self.traces.push((value, body.to_vec()));
                (200, json!({}))
            }
            path if path.ends_with("/assessments") => {
                if self.traces.is_empty() {
                    return absent();
                }
                self.assessments.push(json["assessment"].clone());
                (200, json!({}))
            }
            path => {
                let file = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/").unwrap();
                self.files.insert(file.to_owned(), body.to_vec());
                (200, json!({}))
            }
        }
    }

    /// Everything that is due at `now`; lines for the log.
    fn serve(&mut self, tracker: &mut Tracker, now: UnixMs) -> Vec<String> {
        let mut log = Vec::new();
        for _ in 0..1000 {
            let Some((call, request)) = tracker.next(now) else { return log };
            let (status, body) = self.take(&request);
            log.extend(tracker.answered(call, Reply::Answered(status, body), now));
        }
        panic!("it never ends");
    }

    fn last(&self, run: usize, metric: &str) -> Option<f64> {
        self.points.get(&(run, metric.to_owned()))?.last_key_value().map(|(_, value)| *value)
    }
}

fn restart(tracker: &mut Tracker, rows: &mut BTreeMap<String, String>) {
    for (key, value) in tracker.changed_rows() {
        match value {
            Some(value) => drop(rows.insert(key, value)),
            None => drop(rows.remove(&key)),
        }
    }
    assert!(rows.keys().all(|key| Tracker::owns(key)));
    *tracker = Tracker::restore(rows.clone());
}

#[test]
fn each_variant_is_a_run_with_settings_tags_points_and_the_configuration() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    plan(&mut tracker, &["warm", "plain"], metrics(&[("requests", 3.0)]), NOON);
    assert_eq!(server.serve(&mut tracker, NOON), Vec::<String>::new());
    assert_eq!(server.experiments, ["home/tone"]);
    let names: Vec<_> = server.runs.iter().map(|run| run["data"]["name"].as_str()).collect();
    assert_eq!(names, [Some("plain"), Some("warm")]);
    let warm = &server.runs[1]["data"];
    assert_eq!(warm["params"]["temperature"], "0.7");
    assert_eq!(warm["tags"]["tollhouse.share"], "0.500000");
    assert_eq!(warm["tags"]["tollhouse.config"], "070707070707");
    assert_eq!(server.last(1, "requests"), Some(3.0));
    assert_eq!(server.files["0/1/artifacts/config.json"], b"{\"the\":\"config\"}");
    assert_eq!(tracker.due_at(), None, "everything is told");
}

#[test]
fn totals_that_stand_still_are_not_written_again() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    for minute in 0..5 {
        let now = NOON.plus(DurationMs::from_secs(60 * minute));
        plan(&mut tracker, &["warm"], metrics(&[("requests", 3.0)]), now);
        server.serve(&mut tracker, now);
    }
    assert_eq!(server.points[&(0, "requests".to_owned())].len(), 1);
}

#[test]
fn a_server_that_is_away_for_hours_gets_every_point_in_the_end() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    let mut rows = BTreeMap::new();
    let mut calls = 0;
    for minute in 0..200_u32 {
        let now = NOON.plus(DurationMs::from_secs(60 * u64::from(minute)));
        plan(&mut tracker, &["warm"], metrics(&[("requests", f64::from(minute) + 1.0)]), now);
        while let Some((call, _)) = tracker.next(now) {
            calls += 1;
            assert!(tracker.answered(call, Reply::Silent, now).is_some());
        }
        restart(&mut tracker, &mut rows);
    }
    assert!(calls <= 200, "it is left alone meanwhile: {calls}");
    let now = NOON.plus(DurationMs::from_secs(60 * 300));
    plan(&mut tracker, &["warm"], metrics(&[("requests", 200.0)]), now);
    server.serve(&mut tracker, now);
    let points = &server.points[&(0, "requests".to_owned())];
    assert_eq!((points.len(), points.last_key_value()), (200, Some((&(199 * 60), &200.0))));
}

#[test]
fn more_than_may_wait_gets_coarser_and_loses_no_total() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    for minute in 0..1000_u32 {
        let now = NOON.plus(DurationMs::from_secs(60 * u64::from(minute)));
        plan(&mut tracker, &["warm"], metrics(&[("requests", f64::from(minute))]), now);
    }
    server.serve(&mut tracker, NOON.plus(DurationMs::from_secs(100_000)));
    assert_eq!(server.last(0, "requests"), Some(999.0));
    assert_eq!(server.points[&(0, "requests".to_owned())].len(), 300);
}

#[test]
fn a_run_whose_making_was_answered_into_the_void_is_found_again() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    let mut rows = BTreeMap::new();
    plan(&mut tracker, &["warm"], metrics(&[("requests", 1.0)]), NOON);
    // Every answer is lost once, and the object restarts after it.
    let mut now = NOON;
    for turn in 0..60 {
        now = now.plus(DurationMs::from_secs(600));
        let Some((call, request)) = tracker.next(now) else { break };
        let (status, body) = server.take(&request);
        let reply = if turn % 2 == 0 { Reply::Silent } else { Reply::Answered(status, body) };
        tracker.answered(call, reply, now);
        restart(&mut tracker, &mut rows);
        plan(&mut tracker, &["warm"], metrics(&[("requests", 1.0)]), now);
    }
    server.serve(&mut tracker, now.plus(DurationMs::from_secs(600)));
    assert_eq!(server.runs.len(), 1, "{:?}", server.runs);
    assert_eq!(server.last(0, "requests"), Some(1.0));
}

#[test]
fn a_variant_that_is_no_longer_configured_has_its_run_ended_and_gone_on_with_when_it_is_back() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    let total = |count| metrics(&[("requests", count)]);
    plan(&mut tracker, &["warm", "plain"], total(1.0), NOON);
    server.serve(&mut tracker, NOON);
    plan(&mut tracker, &["plain"], total(2.0), NOON);
    server.serve(&mut tracker, NOON);
    assert_eq!(server.runs[1]["info"]["status"], "FINISHED");
    assert_eq!(server.last(1, "requests"), Some(2.0), "what came last is in it");
    plan(&mut tracker, &["warm", "plain"], total(2.0), NOON);
    server.serve(&mut tracker, NOON);
    assert_eq!(server.runs[1]["info"]["status"], "RUNNING");
    assert_eq!(server.runs.len(), 2);
}

#[test]
fn a_variant_that_is_back_after_it_was_forgotten_goes_on_where_its_run_was() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    let total = |count| metrics(&[("requests", count)]);
    let day = |day: u64| NOON.plus(DurationMs::from_secs(86_400 * day));
    for (days, names) in [(0, &["warm", "plain"][..]), (1, &["warm", "plain"]), (2, &["plain"])] {
        plan(&mut tracker, names, total(1.0 + f64::from(u32::try_from(days).unwrap())), day(days));
        server.serve(&mut tracker, day(days));
    }
    assert_eq!(server.runs[1]["info"]["status"], "FINISHED");
    plan(&mut tracker, &["plain"], total(3.0), day(10));
    assert!(!tracker.changed_rows().iter().all(|(_, row)| row.is_some()), "it is forgotten");
    plan(&mut tracker, &["warm", "plain"], total(4.0), day(11));
    server.serve(&mut tracker, day(11));
    assert_eq!((server.runs.len(), server.last(1, "requests")), (2, Some(4.0)));
    assert_eq!(server.runs[1]["info"]["status"], "RUNNING");
    let steps: Vec<u64> = server.points[&(1, "requests".to_owned())].keys().copied().collect();
    assert_eq!(steps, [0, 86_400, 2 * 86_400, 11 * 86_400]);
}

#[test]
fn a_run_that_was_deleted_at_the_server_is_made_anew_with_its_totals() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    plan(&mut tracker, &["warm"], metrics(&[("requests", 1.0), ("errors", 1.0)]), NOON);
    server.serve(&mut tracker, NOON);
    server.runs[0]["data"]["gone"] = json!(true);
    plan(&mut tracker, &["warm"], metrics(&[("requests", 2.0), ("errors", 1.0)]), NOON);
    let log = server.serve(&mut tracker, NOON);
    assert!(log[0].contains("made anew"), "{log:?}");
    assert_eq!((server.last(1, "requests"), server.last(1, "errors")), (Some(2.0), Some(1.0)));
    assert_eq!(server.runs[1]["data"]["params"]["temperature"], "0.7");
}

#[test]
fn a_run_that_is_refused_holds_up_no_other() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    plan(&mut tracker, &["plain", "warm"], metrics(&[("requests", 1.0)]), NOON);
    for _ in 0..30 {
        let Some((call, request)) = tracker.next(NOON) else { break };
        let text =
            request.body.as_ref().map(|body| String::from_utf8_lossy(&body.bytes).into_owned());
        let reply = if text.is_some_and(|text| text.contains("tone/plain")) {
            Reply::Answered(400, json!({"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}))
        } else {
            let (status, body) = server.take(&request);
            Reply::Answered(status, body)
        };
        tracker.answered(call, reply, NOON);
    }
    assert_eq!(server.last(0, "requests"), Some(1.0));
    assert!(tracker.due_at().unwrap() > NOON);
}

#[test]
fn spans_go_to_the_home_experiment_and_opinions_wait_for_their_trace() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    let mut rows = BTreeMap::new();
    plan(&mut tracker, &[], Snapshot::default(), NOON);
    let said = Feedback {
        id: "req_1".to_owned(),
        key: "team-a".to_owned(),
        model: "fast".to_owned(),
        variant: String::new(),
        version: String::new(),
        score: Some(250_000),
        rating: Some(Rating::Down),
        label: None,
        comment: Some("too long".to_owned()),
        trace: "0af7651916cd43dd8448eb211c80319c".to_owned(),
    };
    tracker.add_feedback(&said, NOON);
    let soon = NOON.plus(DurationMs::from_secs(2));
    assert_eq!(server.serve(&mut tracker, soon), Vec::<String>::new());
    restart(&mut tracker, &mut rows);
    plan(&mut tracker, &[], Snapshot::default(), soon);
    tracker.add_spans(b"spans", soon);
    server.serve(&mut tracker, soon);
    assert_eq!(server.traces, [("0".to_owned(), b"spans".to_vec())]);
    server.serve(&mut tracker, NOON.plus(DurationMs::from_secs(10)));
    let told: Vec<_> = server
        .assessments
        .iter()
        .map(|said| (said["assessment_name"].as_str().unwrap(), said["feedback"]["value"].clone()))
        .collect();
    assert_eq!(told, [("score", json!(0.25)), ("rating", json!("down"))]);
    assert_eq!(server.assessments[0]["rationale"], "too long");
    assert_eq!(tracker.due_at(), None);
}

#[test]
fn an_opinion_of_a_trace_that_never_comes_is_let_go() {
    let (mut server, mut tracker) = (Server::default(), Tracker::default());
    plan(&mut tracker, &[], Snapshot::default(), NOON);
    let said = Feedback {
        id: String::new(),
        key: String::new(),
        model: String::new(),
        variant: String::new(),
        version: String::new(),
        score: Some(1),
        rating: None,
        label: None,
        comment: None,
        trace: "00".to_owned(),
    };
    tracker.add_feedback(&said, NOON);
    let mut now = NOON;
    while let Some(due) = tracker.due_at() {
        now = due.max(now);
        server.serve(&mut tracker, now);
    }
    assert!(server.calls <= 6, "{}", server.calls);
}

fn aggregate(records: &[Record]) -> Aggregate {
    let mut registry = Registry::new(IsolateId::new(1));
    for record in records {
        registry.observe(record);
    }
    registry.cut(NOON);
    let delta = Delta::decode(registry.pending().next().unwrap().1).unwrap();
    let mut aggregate = Aggregate::default();
    aggregate.merge(&delta, NOON);
    aggregate
}

#[test]
fn what_is_known_of_a_variant_are_totals_quantiles_guards_and_opinions() {
    let mut aggregate = aggregate(&[sample::full(), sample::full(), sample::full()]);
    let opinion = |kind, value: &str, count, sum| Opinion {
        model: "fast".to_owned(),
        variant: "tone/warm".to_owned(),
        version: "0a1b2c3d".to_owned(),
        kind,
        value: value.to_owned(),
        count,
        sum,
    };
    aggregate.set_feedback(vec![
        opinion(Say::Score, "0.8", 2, 1_600_000),
        opinion(Say::Score, "0.2", 2, 400_000),
        opinion(Say::Rating, "up", 3, 0),
    ]);
    let known = snapshots(&aggregate);
    let Snapshot { metrics, tags } = &known[&("tone/warm".to_owned(), "0a1b2c3d".to_owned())];
    for (name, value) in [
        ("requests", 3.0),
        ("errors", 3.0),
        ("errors.stream_interrupted", 3.0),
        ("error_share", 1.0),
        ("cache_hits", 0.0),
        ("tokens", 3150.0),
        ("cost_usd", 0.000_45),
        ("latency_mean_ms", 1325.0),
        ("guard.prompt-injection.pass", 3.0),
        ("feedback.scores", 4.0),
        ("feedback.score_mean", 0.5),
        ("feedback.rating.up", 3.0),
    ] {
        assert!((metrics[name] - value).abs() < 1e-9, "{name}: {}", metrics[name]);
    }
    // All three took 1325 ms, which lies between 1280 and 2560.
    assert!((1280.0..=2560.0).contains(&metrics["latency_p50_ms"]));
    assert!(metrics["latency_p50_ms"] < metrics["latency_p99_ms"]);
    assert_eq!(tags["guard.prompt-injection.judge"], "3f5a0c9d1e2b/2026-11-23/0.910000");
}

proptest! {
    /// Whatever answers get lost and whenever the object restarts, the server ends up with one run
    /// and every total.
    #[test]
    fn nothing_is_lost_and_nothing_counted_twice(
        turns in prop::collection::vec((0_u8..4, any::<bool>(), 0_u32..5), 1..40),
    ) {
        let (mut server, mut tracker) = (Server::default(), Tracker::default());
        let mut rows = BTreeMap::new();
        let (mut now, mut total) = (NOON, 0.0);
        for (what, restarts, more) in turns {
            now = now.plus(DurationMs::from_secs(400));
            total += f64::from(more);
            plan(&mut tracker, &["warm"], metrics(&[("requests", total)]), now);
            if let Some((call, request)) = tracker.next(now) {
                let reply = match what {
                    0 => Reply::Silent,
                    1 => Reply::Answered(503, Value::Null),
                    2 => { server.take(&request); Reply::Silent }
                    _ => { let (status, body) = server.take(&request); Reply::Answered(status, body) }
                };
                tracker.answered(call, reply, now);
            }
            if restarts {
                restart(&mut tracker, &mut rows);
            }
        }
        now = now.plus(DurationMs::from_secs(4000));
        plan(&mut tracker, &["warm"], metrics(&[("requests", total)]), now);
        server.serve(&mut tracker, now);
        prop_assert_eq!(server.runs.len(), 1);
        prop_assert_eq!(server.last(0, "requests"), Some(total));
        let steps = &server.points[&(0, "requests".to_owned())];
        let values: Vec<_> = steps.values().copied().collect();
        prop_assert!(values.is_sorted());
    }
}
