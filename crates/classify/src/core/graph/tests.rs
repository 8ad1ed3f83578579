//! Every operator against onnxruntime, whose answers `tests/make_graphs.py` wrote down.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;

use super::*;
use crate::{
    manifest::{HashedPlan, HashedUnit, TokenPlan, View},
    windows::Cut,
};

/// The largest difference, absolute below 1 and relative above.
const TOLERANCE: f64 = 1e-4;

struct Case {
    name: String,
    model: proto::Model,
    ids: Vec<i64>,
    logits: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/graphs.jsonl");
    let cases = text.lines().map(|line| {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let bytes = BASE64_STANDARD.decode(case["onnx"].as_str().unwrap()).unwrap();
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            model: proto::Model::decode(&bytes[..]).unwrap(),
            ids: serde_json::from_value(case["ids"].clone()).unwrap(),
            logits: serde_json::from_value(case["logits"].clone()).unwrap(),
        }
    });
    cases.collect()
}

fn plan() -> CorePlan {
    let tokens = TokenPlan::Hashed(HashedPlan {
        unit: HashedUnit::Word,
        vocabulary: 12,
        views: vec![View::Word],
        source: false,
    });
    CorePlan {
        file: "core.onnx".into(),
        cut: Cut { window: 8, stride: 8 },
        max_windows: 1,
        lengths: vec![8],
        ids: "ids".into(),
        mask: None,
        types: None,
        output: "logits".into(),
        columns: vec![0],
        tokens,
    }
}

fn answer(case: &Case) -> TractResult<Vec<f64>> {
    check_opset(&case.model)?;
    let graph = Graph::prepare(case.model.graph.as_ref().unwrap(), &plan(), 8, 1)?;
    graph.run(&Padded { ids: case.ids.clone(), width: 1, used: 8 })
}

#[test]
fn every_graph_answers_as_onnxruntime_does() {
    let mut wrong = Vec::new();
    for case in cases() {
        let near = |(found, wanted): (&f64, &f64)| {
            (found - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0)
        };
        match answer(&case) {
            Ok(found)
                if found.len() == case.logits.len() && found.iter().zip(&case.logits).all(near) => {
            }
            Ok(found) => wrong.push(format!("{}: {found:?}, not {:?}", case.name, case.logits)),
            Err(error) => wrong.push(format!("{}: {error:#}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_supported_operator_is_in_some_graph() {
    let cases = cases();
    let nodes = cases.iter().flat_map(|case| &case.model.graph.as_ref().unwrap().nodes);
    let used: BTreeSet<&str> = nodes.map(|node| node.operator.as_str()).collect();
    let listed: BTreeSet<&str> = operators::operators().map(|(name, _)| name).collect();
    assert_eq!(used, listed);
}
