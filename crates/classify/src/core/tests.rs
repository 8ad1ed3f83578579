//! Small graphs written by hand: what they answer can be reckoned in the head.

use std::collections::BTreeMap;

use prost::Message;

use super::*;
use crate::manifest::{HashedUnit, View};

fn node(operator: &str, inputs: &[&str], output: &str, ints: &[(&str, i64)]) -> proto::Node {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let attribute = |(name, int): &(&str, i64)| proto::Attribute {
        name: (*name).to_owned(),
        int: *int,
        ..proto::Attribute::default()
    };
    proto::Node {
        inputs: names(inputs),
        outputs: names(&[output]),
        operator: operator.to_owned(),
        attributes: ints.iter().map(attribute).collect(),
        domain: String::new(),
    }
}

fn numbers(name: &str, dims: &[i64], float_data: &[f32]) -> proto::Tensor {
    proto::Tensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: 1,
        float_data: float_data.to_vec(),
        ..proto::Tensor::default()
    }
}

fn integers(name: &str, int64_data: &[i64]) -> proto::Tensor {
    proto::Tensor {
        name: name.to_owned(),
        dims: vec![i64::try_from(int64_data.len()).unwrap()],
        data_type: 7,
        int64_data: int64_data.to_vec(),
        ..proto::Tensor::default()
    }
}

fn input(name: &str) -> proto::Value {
    let tensor = Some(proto::TensorKind { data_type: 7 });
    proto::Value { name: name.to_owned(), kind: Some(proto::Kind { tensor }) }
}

/// The largest id of a window as its one logit: `Cast`, `ReduceMax` over the axes in `axes`.
fn largest_id() -> proto::Model {
    let graph = proto::Graph {
        nodes: vec![
            node("Cast", &["ids"], "real", &[("to", 1)]),
            node("ReduceMax", &["real", "axes"], "logits", &[("keepdims", 1)]),
        ],
        initializers: vec![integers("axes", &[1])],
        inputs: vec![input("ids")],
        outputs: vec![input("logits")],
    };
    let opsets = vec![proto::Opset { domain: String::new(), version: 18 }];
    proto::Model { graph: Some(graph), opsets }
}

fn plan() -> CorePlan {
    CorePlan {
        file: "core.onnx".into(),
        cut: Cut { window: 8, stride: 5 },
        max_windows: 3,
        lengths: vec![4, 8],
        ids: "ids".into(),
        mask: None,
        types: None,
        output: "logits".into(),
        columns: vec![0],
        tokens: TokenPlan::Hashed(HashedPlan {
            unit: HashedUnit::Word,
            vocabulary: 5000,
            views: vec![View::Word],
            source: true,
        }),
    }
}

fn load(model: &proto::Model, plan: CorePlan) -> Result<Core, LoadError> {
    Core::load(plan, &mut BTreeMap::from([("core.onnx".into(), model.encode_to_vec().into())]))
}

fn logit(core: &Core, text: &str, hints: &[f64]) -> f64 {
    core.judge(text, &Folded::new(text), Source::Tool, hints).unwrap()[0]
}

/// The id of a word that is a text of its own.
fn id(core: &Core, word: &str) -> f64 {
    logit(core, word, &[])
}

#[test]
fn an_empty_text_is_padding_and_its_source() {
    let core = load(&largest_id(), plan()).unwrap();
    assert!((logit(&core, "", &[]) - 3.0).abs() < 1e-6);
}

#[test]
fn every_window_of_a_long_text_is_seen() {
    let core = load(&largest_id(), plan()).unwrap();
    // Room for seven words a window and three windows: 17 words fit.
    let words: Vec<String> = ('a'..='q').map(|letter| letter.to_string()).collect();
    let highest = words.iter().map(|word| id(&core, word)).fold(0.0, f64::max);
    assert!((logit(&core, &words.join(" "), &[]) - highest).abs() < 1e-6);
}

#[test]
fn of_too_many_windows_those_with_the_best_hints_are_judged() {
    let core = load(&largest_id(), plan()).unwrap();
    let (needle, straw) = if id(&core, "x") < id(&core, "y") { ("y", "x") } else { ("x", "y") };
    let mut words = vec![straw; 100];
    words[60] = needle;
    let text = words.join(" ");
    assert!(logit(&core, &text, &[]) < id(&core, needle));
    let mut hints = vec![0.0; 10];
    hints[6] = 1.0;
    assert!((logit(&core, &text, &hints) - id(&core, needle)).abs() < 1e-6);
}

#[test]
fn at_most_so_many_windows_are_chosen_and_all_where_they_fit() {
    let cut = Cut { window: 10, stride: 5 };
    let starts = |rows, most, hints: &[f64]| -> Vec<usize> {
        chosen(cut, rows, most, hints).map(|range| range.start).collect()
    };
    assert_eq!(starts(8, 3, &[]), [0]);
    assert_eq!(starts(20, 3, &[]), [0, 5, 10]);
    assert_eq!(starts(52, 3, &[]), [0, 5, 42]);
    assert_eq!(starts(52, 2, &[0.0, 0.0, 0.0, 5.0]), [35, 40]);
}

#[test]
fn operators_off_the_list_are_named() {
    let mut model = largest_id();
    let nodes = &mut model.graph.as_mut().unwrap().nodes;
    nodes.push(node("Loop", &["logits"], "a", &[]));
    nodes.push(node("LSTM", &["logits"], "b", &[]));
    nodes.push(node("LSTM", &["logits"], "c", &[]));
    let error = load(&model, plan()).unwrap_err();
    assert_eq!(error.to_string(), "`core.onnx` uses operators that are not supported: LSTM, Loop");
}

/// What makes a sound graph and its plan unsound.
type Change = fn(&mut proto::Model, &mut CorePlan);

#[test]
fn what_cannot_be_prepared_says_why() {
    let problem = |change: Change| {
        let (mut model, mut plan) = (largest_id(), plan());
        change(&mut model, &mut plan);
        load(&model, plan).expect_err("a broken graph is loaded").to_string()
    };
    let changes: [(Change, &str); 7] = [
        (|model, _| model.opsets[0].version = 9, "opset 9"),
        (|model, _| model.graph = None, "no graph"),
        (|_, plan| plan.output = "scores".into(), "no output `scores`"),
        (|_, plan| plan.ids = "tokens".into(), "says nothing of the input `ids`"),
        (|_, plan| plan.columns = vec![4], "1 columns, the labels take 5"),
        (
            |model, _| model.graph.as_mut().unwrap().nodes[1].inputs[0] = "unreal".into(),
            "nothing is called `unreal`",
        ),
        (
            |model, _| model.graph.as_mut().unwrap().initializers[0].data_location = 1,
            "`axes` lies in another file",
        ),
    ];
    for (change, wanted) in changes {
        let problem = problem(change);
        assert!(problem.contains(wanted), "{wanted}: {problem}");
    }
}

#[test]
fn what_would_take_too_much_memory_is_refused() {
    let mut model = largest_id();
    let graph = model.graph.as_mut().unwrap();
    let table = vec![0.5; 9 << 20];
    graph.initializers.push(numbers("table", &[9 << 20], &table));
    graph.nodes[1].outputs[0] = "largest".into();
    graph.nodes.push(node("ReduceMax", &["table", "first"], "one", &[("keepdims", 1)]));
    graph.initializers.push(integers("first", &[0]));
    graph.nodes.push(node("Gather", &["table", "ids"], "looked", &[]));
    graph.nodes.push(node("ReduceSum", &["looked", "axes"], "sum", &[("keepdims", 1)]));
    graph.nodes.push(node("Add", &["sum", "largest"], "logits", &[]));
    let Err(LoadError::Memory { found, limit, .. }) = load(&model, plan()) else {
        panic!("a table of 36 MiB is loaded");
    };
    assert!(found > limit);
}

#[test]
fn bytes_that_are_no_graph_are_refused() {
    let files = &mut BTreeMap::from([("core.onnx".into(), vec![255; 9].into())]);
    assert!(matches!(Core::load(plan(), files), Err(LoadError::Graph { .. })));
}
