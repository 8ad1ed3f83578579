//! Asking replicas whether they are ready, and how many calls wait there.
//!
//! What is asked is decided here; who asks reports what came of it ([`Found`]), and hands the
//! [`Report`]s to the isolates as JSON.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use crate::{
    config::valid::{Config, Provider, SecretName},
    units::{DurationMs, UnixMs},
};

/// The gauges that count waiting calls: those of vLLM, Triton, SGLang, TGI and llama.cpp. Their samples
/// are added up, as each model and each engine has its own.
const WAITING: [&str; 5] = [
    "vllm:num_requests_waiting",
    "nv_inference_pending_request_count",
    "sglang:num_queue_reqs",
    "tgi_queue_size",
    "llamacpp:requests_deferred",
];

/// One replica to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The address that the report is filed under.
    pub address: String,
    /// Answers 200 when it is ready.
    pub ready_url: String,
    /// Its metrics in Prometheus' text format, where it has any.
    pub metrics_url: Option<String>,
    /// The secret that is sent as a bearer token.
    pub api_key: Option<SecretName>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// What asking has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The status of `ready_url`; `None` without an answer.
    pub status: Option<u16>,
    /// The text at `metrics_url`, where it was read.
    pub metrics: Option<String>,
}

/// What is known of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The replica's address, as configured.
    pub address: String,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// Calls that wait there; `None` where its metrics do not say.
    pub waiting: Option<u64>,
    /// When it was asked.
    pub at: UnixMs,
}

impl Report {
    /// What `found` means.
    pub fn of(question: &Question, found: &Found, at: UnixMs) -> Self {
        Self {
            address: question.address.clone(),
            ready: found.status.is_some_and(|status| (200..300).contains(&status)),
            waiting: found.metrics.as_deref().and_then(waiting),
            at,
        }
    }
}

/// How one replica of one provider stood when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The provider's name.
    pub provider: String,
    /// What the replica is called.
    pub name: String,
    /// Whether it said that it is ready.
    pub ready: bool,
    /// Calls that waited there; `None` where its metrics did not say.
    pub waiting: Option<u64>,
}

/// How the replicas stand that `reports` speak of, for as long as they are configured.
pub fn replicas(config: &Config, reports: &[Report]) -> Vec<Replica> {
    let replica = |provider: &Arc<Provider>| {
        let report = reports.iter().find(|it| provider.kind.address() == Some(&it.address))?;
        Some(Replica {
            provider: provider.name.clone(),
            name: provider.pool.name.clone(),
            ready: report.ready,
            waiting: report.waiting,
        })
    };
    probed(config).flat_map(|provider| &provider.pool.replicas).filter_map(replica).collect()
}

/// How often replicas are asked; `None` where none is configured to be.
pub fn every(config: &Config) -> Option<DurationMs> {
    probed(config).filter_map(|provider| Some(provider.pool.probe.as_ref()?.every)).min()
}

/// Whom to ask, each address once.
pub fn questions(config: &Config) -> Vec<Question> {
    let mut seen = BTreeSet::new();
    let replicas = probed(config).flat_map(|provider| &provider.pool.replicas);
    replicas
        .filter_map(|replica| question(replica))
        .filter(|question| seen.insert(question.address.clone()))
        .collect()
}

fn probed(config: &Config) -> impl Iterator<Item = &Provider> {
    config.providers.values().map(AsRef::as_ref).filter(|provider| provider.pool.probe.is_some())
}

fn question(replica: &Provider) -> Option<Question> {
    let probe = replica.pool.probe.as_ref()?;
    let endpoint = replica.kind.endpoint()?;
    let origin = origin(&endpoint.base_url);
    let at = |path: &str| {
        if path.starts_with('/') { [origin, path].concat() } else { path.to_owned() }
    };
    Some(Question {
        address: endpoint.base_url.clone(),
        ready_url: at(&probe.path),
        metrics_url: probe.metrics.as_deref().map(at),
        api_key: endpoint.api_key.clone(),
        headers: endpoint.headers.clone(),
    })
}

/// Scheme and host of an address.
fn origin(address: &str) -> &str {
    let after = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(after..).and_then(|rest| rest.find('/'));
    end.and_then(|end| address.get(..after + end)).unwrap_or(address)
}

/// Calls that wait, by metrics in Prometheus' text format; `None` where they do not say.
fn waiting(text: &str) -> Option<u64> {
    let samples = text.lines().filter_map(|line| {
        let (series, rest) = line.split_at(line.find(['{', ' '])?);
        let value = rest.rfind('}').map_or(rest, |at| rest.get(at + 1..).unwrap_or_default());
        let number: f64 = value.split_whitespace().next()?.parse().ok()?;
        (WAITING.contains(&series) && number >= 0.0).then_some(number)
    });
    samples.reduce(|sum, sample| sum + sample).map(whole)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not below zero, and a cast from float saturates"
)]
const fn whole(number: f64) -> u64 {
    number as u64
}

/// Reports as JSON, for isolates.
pub fn to_json(reports: &[Report]) -> String {
    let wire =
        |Report { address, ready, waiting, at }: &Report| json!([address, ready, waiting, at.0]);
    Value::from(reports.iter().map(wire).collect::<Vec<_>>()).to_string()
}

/// The reports of [`to_json`]; none where the text is none of its making.
pub fn from_json(text: &[u8]) -> Vec<Report> {
    let wire: Value = serde_json::from_slice(text).unwrap_or_default();
    let report = |wire: &Value| {
        Some(Report {
            address: wire[0].as_str()?.to_owned(),
            ready: wire[1].as_bool()?,
            waiting: wire[2].as_u64(),
            at: UnixMs(wire[3].as_u64()?),
        })
    };
    wire.as_array().into_iter().flatten().filter_map(report).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    /// The first line of each says how many wait.
    #[test]
    fn each_server_s_metrics_say_how_many_calls_wait_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/queues");
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        assert!(files.len() >= 6);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let first = text.lines().next().unwrap();
            let expected = match first.strip_prefix("# ").unwrap() {
                "nobody says" => None,
                some => Some(some.strip_suffix(" wait").unwrap().parse().unwrap()),
            };
            assert_eq!(waiting(&text), expected, "{}", file.display());
        }
    }

    #[test]
    fn a_brace_in_a_label_ends_no_labels() {
        assert_eq!(waiting("vllm:num_requests_waiting{model_name=\"a b} c\"} 3.0 17\n"), Some(3));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[a-z:_{} \n0-9.\"]{0,60}|\\PC{0,60}") {
            let _ = waiting(&text);
            let _ = from_json(text.as_bytes());
        }
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin("http://h:8000/v1"), "http://h:8000");
        assert_eq!(origin("http://h:8000"), "http://h:8000");
    }

    #[test]
    fn reports_pass_through_json() {
        let report =
            Report { address: "http://a".into(), ready: true, waiting: Some(2), at: UnixMs(7) };
        let reports = vec![report.clone(), Report { ready: false, waiting: None, ..report }];
        assert_eq!(from_json(to_json(&reports).as_bytes()), reports);
        assert_eq!(from_json(b"<html>"), []);
    }
}
