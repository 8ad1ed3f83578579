//! Every folder of `fixtures/http` through the whole of a request: `request.json` is the body as
//! sent, `expect.toml` says what becomes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::samples::{OLD, PLAIN, REASONING, model, target};
use super::{Delivery, Effective, Endpoint, Envelope, requested_model, validate};
use crate::config::valid::{Dialect, Model};
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// The path that the body is posted to.
    path: String,
    refused: Option<Refused>,
    accepted: Option<Accepted>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Refused {
    code: String,
    param: Option<String>,
    message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    delivery: Option<String>,
    temperature: Option<f64>,
    max_output: Option<u64>,
    prompt_estimate: Option<u64>,
    tools: Option<bool>,
    /// The exact bytes for a target by its dialect.
    plain: Option<String>,
    reasoning: Option<String>,
    old: Option<String>,
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/http");
    let mut cases: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// The models that fixtures may name.
fn configured(name: &str) -> Model {
    match name {
        "fast" => model(name, &[PLAIN]),
        "thinker" => model(name, &[REASONING]),
        "mixed" => model(name, &[PLAIN, REASONING]),
        other => panic!("no model {other} among the samples"),
    }
}

fn run(endpoint: Endpoint, body: Vec<u8>) -> Result<Effective, Refusal> {
    let body = Envelope::parse(body)?;
    let model = configured(&requested_model(endpoint, &body)?);
    validate(endpoint, Arc::new(body), &model)
}

/// What is not as the fixture says, a line each.
fn check(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let body = fs::read(case.join("request.json")).unwrap();
    let expect: Expect = toml::from_str(&fs::read_to_string(case.join("expect.toml")).unwrap())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let endpoint = Endpoint::at(&expect.path).unwrap();
    let differences = match (run(endpoint, body), expect.refused, expect.accepted) {
        (Err(Refusal { code, message, param, .. }), Some(expected), None) => {
            let got = Refused { code: code.name().to_owned(), param, message };
            difference("refusal", &got, Some(&expected))
        }
        (Ok(effective), None, Some(expected)) => differences(&effective, &expected),
        (got, ..) => vec![format!("got {got:?}")],
    };
    differences.into_iter().map(|difference| format!("{name}: {difference}")).collect()
}

fn difference<T: std::fmt::Debug + PartialEq>(
    what: &str,
    got: &T,
    expected: Option<&T>,
) -> Vec<String> {
    let differs = expected.filter(|expected| *expected != got);
    differs
        .map(|expected| format!("{what}\n  got      {got:?}\n  expected {expected:?}"))
        .into_iter()
        .collect()
}

fn differences(effective: &Effective, expected: &Accepted) -> Vec<String> {
    let delivery = match effective.delivery() {
        Delivery::Whole => "whole",
        Delivery::Stream { usage_asked: false } => "stream",
        Delivery::Stream { usage_asked: true } => "stream with usage",
    };
    let sent = |dialect: Dialect| {
        String::from_utf8(effective.body_for(&target("there", dialect))).unwrap()
    };
    let estimate = effective.prompt_estimate().0;
    [
        difference("delivery", &delivery.to_owned(), expected.delivery.as_ref()),
        difference(
            "temperature",
            &effective.temperature(),
            expected.temperature.map(Some).as_ref(),
        ),
        difference("max_output", &effective.max_output().0, expected.max_output.as_ref()),
        difference("prompt_estimate", &estimate, expected.prompt_estimate.as_ref()),
        difference("tools", &effective.has_tools(), expected.tools.as_ref()),
        difference("plain", &sent(PLAIN), expected.plain.as_ref()),
        difference("reasoning", &sent(REASONING), expected.reasoning.as_ref()),
        difference("old", &sent(OLD), expected.old.as_ref()),
    ]
    .concat()
}

#[test]
fn every_fixture_becomes_what_it_says() {
    let cases = fixtures();
    assert!(cases.len() > 50, "only {} fixtures found", cases.len());
    let differences: Vec<_> = cases.iter().flat_map(|case| check(case)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
