//! Typed tensors, their shapes, and what is made of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{post::*, *};
use crate::config::valid::{Activation, Tensors};

fn metadata(inputs: &Value, outputs: &Value) -> Metadata {
    let text = json!({ "name": "m", "platform": "x", "inputs": inputs, "outputs": outputs });
    Metadata::read(text.to_string().as_bytes()).unwrap()
}

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> Value {
    json!({ "name": name, "datatype": datatype, "shape": shape })
}

fn texts(texts: &[&str]) -> Inputs {
    Inputs::Texts(texts.iter().map(ToString::to_string).collect())
}

/// Filled up with 9.
fn ids(ids: &[&[u64]]) -> Inputs {
    Inputs::Tokens { ids: ids.iter().map(|ids| ids.to_vec()).collect(), padding: 9 }
}

fn asked(metadata: &Metadata, inputs: &Inputs) -> Result<Value, Mismatch> {
    let body = question(metadata, &Tensors::default(), inputs)?;
    Ok(serde_json::from_slice(&body).unwrap())
}

#[test]
fn texts_take_the_shape_that_the_model_has() {
    let out = json!([tensor("out", "FP32", &[-1, 4])]);
    for (declared, sent) in
        [(vec![-1], json!([2])), (vec![-1, 1], json!([2, 1])), (vec![2], json!([2]))]
    {
        let model = metadata(&json!([tensor("text", "BYTES", &declared)]), &out);
        let body = asked(&model, &texts(&["a", "ü"])).unwrap();
        let expected =
            json!({ "name": "text", "datatype": "BYTES", "shape": sent, "data": ["a", "ü"] });
        assert_eq!(body, json!({ "inputs": [expected], "outputs": [{ "name": "out" }] }));
    }
}

#[test]
fn token_ids_are_filled_up_and_masked() {
    let inputs = json!([
        tensor("input_ids", "INT64", &[-1, -1]),
        tensor("attention_mask", "INT64", &[-1, -1]),
    ]);
    let model = metadata(&inputs, &json!([tensor("out", "FP32", &[-1, 4])]));
    let body = asked(&model, &ids(&[&[5, 6, 7], &[8]])).unwrap();
    assert_eq!(body["inputs"][0]["data"], json!([5, 6, 7, 8, 9, 9]));
    assert_eq!(body["inputs"][1]["data"], json!([1, 1, 1, 1, 0, 0]));
    assert_eq!(body["inputs"][1]["shape"], json!([2, 3]));
}

#[test]
fn ids_fill_the_length_that_the_model_has_and_are_never_cut_off() {
    let inputs = json!([tensor("input_ids", "INT64", &[-1, 4])]);
    let model = metadata(&inputs, &json!([tensor("out", "FP32", &[-1, 4])]));
    let body = asked(&model, &ids(&[&[5, 6]])).unwrap();
    assert_eq!(body["inputs"][0]["data"], json!([5, 6, 9, 9]));
    assert_eq!(body["inputs"][0]["shape"], json!([1, 4]));
    let Err(Mismatch::Asked(message)) = asked(&model, &ids(&[&[1, 2, 3, 4, 5]])) else { panic!() };
    assert!(message.contains("[-1, 4], what is to be sent has [1, 5]"), "{message}");
}

#[test]
fn what_does_not_fit_the_model_is_never_sent() {
    let text = tensor("text", "BYTES", &[-1]);
    let out = json!([tensor("out", "FP32", &[-1, 4])]);
    for (inputs, outputs, what, why) in [
        (json!([tensor("x", "FP32", &[-1, 3])]), out.clone(), texts(&["a"]), "takes no text"),
        (json!([tensor("text", "BYTES", &[1])]), out.clone(), texts(&["a", "b"]), "shape [1]"),
        (
            json!([text, tensor("k", "INT32", &[1])]),
            out.clone(),
            texts(&["a"]),
            "further input, `k`",
        ),
        (json!([text, tensor("t2", "BYTES", &[-1])]), out.clone(), texts(&["a"]), "several inputs"),
        (json!([text]), json!([]), texts(&["a"]), "declares no output"),
        (
            json!([text]),
            json!([tensor("a", "FP32", &[1]), tensor("b", "FP32", &[1])]),
            texts(&["a"]),
            "several outputs",
        ),
        (
            json!([text]),
            json!([tensor("logits", "FP32", &[-1, -1, 9])]),
            texts(&["a"]),
            "[-1, -1, 9], and one row for each input is needed",
        ),
        (json!([text]), out.clone(), ids(&[&[1]]), "no input `input_ids`"),
        (json!([tensor("input_ids", "FP32", &[-1, -1])]), out, ids(&[&[1]]), "not token ids"),
    ] {
        let Err(Mismatch::Asked(message)) = asked(&metadata(&inputs, &outputs), &what) else {
            panic!("{inputs}");
        };
        assert!(message.contains(why), "{message}");
    }
}

fn read(output: &Value, count: usize) -> Result<Rows, Mismatch> {
    let model = metadata(
        &json!([tensor("text", "BYTES", &[-1])]),
        &json!([tensor("out", "FP32", &[-1, 2])]),
    );
    let body = json!({ "model_name": "m", "outputs": [output] }).to_string();
    answer(&model, &Tensors::default(), body.as_bytes(), count)
}

#[test]
fn metadata_that_promises_nothing_is_none() {
    for text in [
        "",
        "[]",
        "{\"inputs\": [{}]}",
        "{\"outputs\": [{\"name\": \"a\", \"datatype\": \"FP32\"}]}",
    ] {
        assert!(matches!(Metadata::read(text.as_bytes()), Err(Mismatch::Answered(_))), "{text}");
    }
}

#[test]
fn nested_and_flat_data_are_the_same_rows() {
    let expected = Rows(vec![vec![1.0, 2.0], vec![3.0, 4.5]]);
    for data in [json!([1, 2, 3, 4.5]), json!([[1, 2], [3, 4.5]])] {
        let output = json!({ "name": "out", "datatype": "FP32", "shape": [2, 2], "data": data });
        assert_eq!(read(&output, 2), Ok(expected.clone()));
    }
}

#[test]
fn an_answer_that_breaks_its_promise_is_none() {
    let output = |datatype: &str, shape: Value, data: Value| json!({ "name": "out", "datatype": datatype, "shape": shape, "data": data });
    for (output, count) in [
        (output("FP32", json!([1, 2]), json!([1, 2])), 2),
        (output("FP32", json!([1, 3]), json!([1, 2, 3])), 1),
        (output("FP32", json!([1, 2]), json!([1])), 1),
        (output("FP32", json!([1, 2]), json!([1, null])), 1),
        (output("FP32", json!([1, 2]), json!([1, "2"])), 1),
        (output("INT64", json!([1, 2]), json!([1, 2])), 1),
        (output("FP32", json!([1, 1, 2]), json!([1, 2])), 1),
        (json!({ "name": "other", "datatype": "FP32", "shape": [1, 2], "data": [1, 2] }), 1),
        (json!({}), 1),
        (json!({ "name": "out", "datatype": "FP32", "shape": [-1, 2], "data": [1, 2] }), 1),
        (json!({ "name": "out", "datatype": "FP32", "shape": [1, 2] }), 1),
    ] {
        assert!(matches!(read(&output, count), Err(Mismatch::Answered(_))), "{output}");
    }
}

fn labelled(activation: Activation) -> Tensors {
    Tensors { labels: ["a", "b", "c"].map(String::from).to_vec(), activation, ..Tensors::default() }
}

#[test]
fn a_score_that_is_none_and_labels_that_do_not_match_are_told() {
    let rows = Rows(vec![vec![0.1, 2.0, 0.3]]);
    assert!(matches!(classes(&labelled(Activation::None), &rows), Err(Mismatch::Answered(_))));
    let rows = Rows(vec![vec![0.1, 0.2]]);
    assert!(matches!(classes(&labelled(Activation::None), &rows), Err(Mismatch::Asked(_))));
}

#[test]
fn one_number_for_two_labels_is_the_second_one_s_score() {
    for activation in [Activation::Sigmoid, Activation::Softmax] {
        let mut tensors = labelled(activation);
        tensors.labels.truncate(2);
        let classes = classes(&tensors, &Rows(vec![vec![2.0], vec![-2.0]])).unwrap();
        assert_eq!([&classes[0][0].label, &classes[1][0].label], ["b", "a"]);
        assert!(classes.iter().all(|row| (row[0].score - 0.880_797_1).abs() < 1e-6));
    }
}

#[test]
fn vectors_are_written_as_they_are_asked_for() {
    let rows = Rows(vec![vec![1.0, -0.5]]);
    let written = |encoding| {
        let body = embeddings(&rows, "m", encoding, crate::units::Tokens(3));
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(written(Encoding::Floats)["data"][0]["embedding"], json!([1.0, -0.5]));
    assert_eq!(written(Encoding::Base64)["data"][0]["embedding"], "AACAPwAAAL8=");
}

#[test]
fn a_name_is_one_part_of_a_path() {
    assert_eq!(infer_path("a b?c"), "/v2/models/a%20b%3Fc/infer");
    assert_eq!(metadata_path("m/versions/2"), "/v2/models/m/versions/2");
}

proptest! {
    #[test]
    fn softmax_shares_one_out_and_keeps_the_order(row in prop::array::uniform3(-1e6..1e6_f64)) {
        let scored = classes(&labelled(Activation::Softmax), &Rows(vec![row.to_vec()])).unwrap();
        let sum: f64 = scored[0].iter().map(|it| it.score).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9);
        let largest = row.iter().copied().fold(f64::MIN, f64::max);
        let first = ["a", "b", "c"].iter().position(|label| *label == scored[0][0].label).unwrap();
        prop_assert!((row[first] - largest).abs() < 1e-9);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Metadata::read(&body);
        let model = metadata(&json!([]), &json!([tensor("out", "FP32", &[-1, 2])]));
        let _ = answer(&model, &Tensors::default(), &body, 1);
    }
}
