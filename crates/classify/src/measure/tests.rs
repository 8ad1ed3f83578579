//! Small models written by hand, and files that lie about their lengths.

use std::io::Cursor;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::core::proto as full;

fn tensor(name: &str, dims: &[i64]) -> full::Tensor {
    let volume: i64 = dims.iter().product();
    full::Tensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: 1,
        raw_data: vec![0; usize::try_from(volume).unwrap() * 4],
        ..full::Tensor::default()
    }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> full::Node {
    full::Node {
        inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
        outputs: vec![output.to_owned()],
        operator: operator.to_owned(),
        ..full::Node::default()
    }
}

fn value(name: &str, data_type: i32) -> full::Value {
    let tensor = Some(full::TensorKind { data_type });
    full::Value { name: name.to_owned(), kind: Some(full::Kind { tensor }) }
}

/// Ids looked up in a table of 1000 × 8, multiplied by 8 × 4.
fn graph(operator: &str) -> Vec<u8> {
    let mut model = full::Model {
        graph: Some(full::Graph {
            nodes: vec![
                node("Gather", &["table", "ids"], "looked"),
                node(operator, &["looked", "matrix"], "logits"),
            ],
            initializers: vec![tensor("table", &[1000, 8]), tensor("matrix", &[8, 4])],
            inputs: vec![value("ids", 7)],
            outputs: vec![value("logits", 1)],
        }),
        opsets: vec![full::Opset { domain: String::new(), version: 17 }],
    }
    .encode_to_vec();
    // The shape of `ids`, [1, T], in a part of the format that the loader does not read.
    let shaped = proto::Model {
        graph: Some(proto::Graph {
            inputs: vec![proto::Value {
                name: "ids".into(),
                kind: Some(proto::Kind {
                    tensor: Some(proto::TensorKind {
                        data_type: 7,
                        shape: Some(proto::Shape {
                            dims: vec![proto::Dim { value: 1 }, proto::Dim { value: 0 }],
                        }),
                    }),
                }),
            }],
            ..proto::Graph::default()
        }),
    };
    let mut whole = proto::Model::decode(model.as_slice()).unwrap();
    whole.graph.as_mut().unwrap().inputs = shaped.graph.unwrap().inputs;
    let mut nodes = full::Model::decode(model.as_slice()).unwrap();
    nodes.graph.as_mut().unwrap().inputs.clear();
    model = nodes.encode_to_vec();
    let only = proto::Model {
        graph: Some(proto::Graph { inputs: whole.graph.unwrap().inputs, ..Default::default() }),
    };
    // Protobuf merges messages that follow each other.
    model.extend(only.encode_to_vec());
    model
}

#[test]
fn a_graph_is_counted_node_by_node() {
    let bytes = graph("MatMul");
    let measured = onnx(&bytes, 0, 16).unwrap();
    assert_eq!(measured.basis, Basis::Graph);
    assert_eq!(measured.parameters, 8032);
    assert_eq!(measured.macs_per_token, 32);
    assert_eq!(measured.window, 16);
    assert_eq!(measured.refused, None);
    assert!(measured.peak_memory > wide(bytes.len()) + 8032 * 4);
}

#[test]
fn what_the_edge_has_not_is_named_and_the_rest_counted_by_its_weights() {
    let measured = onnx(&graph("FusedMatMul"), 0, 16).unwrap();
    assert_eq!(measured.unsupported, ["FusedMatMul"]);
    assert_eq!(measured.basis, Basis::Weights);
    // The table is looked up, not multiplied with.
    assert_eq!((measured.parameters, measured.macs_per_token), (8032, 32));
}

#[test]
fn a_tensor_that_claims_more_than_it_brings_is_refused() {
    let mut model = full::Model::decode(graph("MatMul").as_slice()).unwrap();
    for (dims, code) in [
        (vec![25_000_000_000, 1], "truncated"),
        (vec![i64::MAX, 3], "malformed"),
        (vec![-1], "malformed"),
    ] {
        model.graph.as_mut().unwrap().initializers[0].dims = dims;
        assert_eq!(onnx(&model.encode_to_vec(), 0, 16).unwrap_err().code(), code);
    }
}

/// A graph that computes something of the shape `dims` before any token comes.
fn computed(operator: &str, inputs: &[&str], shapes: &[(&str, &[i64])]) -> Vec<u8> {
    let whole = |(name, numbers): &(&str, &[i64])| full::Tensor {
        name: (*name).to_owned(),
        dims: vec![i64::try_from(numbers.len()).unwrap()],
        data_type: 7,
        raw_data: numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        ..full::Tensor::default()
    };
    let mut initializers = vec![tensor("one", &[1]), tensor("row", &[1, 9000])];
    initializers.push(tensor("column", &[9000, 1]));
    initializers.extend(shapes.iter().map(whole));
    let graph = full::Graph {
        nodes: vec![node(operator, inputs, "vast")],
        initializers,
        inputs: vec![],
        outputs: vec![value("vast", 1)],
    };
    let opsets = vec![full::Opset { domain: String::new(), version: 17 }];
    full::Model { graph: Some(graph), opsets }.encode_to_vec()
}

#[test]
fn a_small_file_cannot_ask_for_all_memory_there_is() {
    let vast: &[i64] = &[25_000_000_000];
    for (bytes, told) in [
        (computed("ConstantOfShape", &["s"], &[("s", vast)]), "a constant of shape [25000000000]"),
        (computed("Expand", &["one", "s"], &[("s", vast)]), "a constant of shape [25000000000]"),
        (computed("Expand", &["one", "s"], &[("s", &[1 << 40, 1 << 40])]), "a constant of shape"),
        (computed("Mul", &["row", "column"], &[]), "a constant of shape [9000, 9000]"),
        (computed("MatMul", &["column", "row"], &[]), "a constant of shape [9000, 9000]"),
        (
            computed(
                "Range",
                &["a", "b", "c"],
                &[("a", &[i64::MIN]), ("b", &[i64::MAX]), ("c", &[1])],
            ),
            "too far apart",
        ),
    ] {
        let measured = onnx(&bytes, 0, 16).unwrap();
        let refused = measured.refused.unwrap_or_default();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    assert_eq!(
        onnx(&computed("ConstantOfShape", &["s"], &[("s", &[9])]), 0, 16).unwrap().refused,
        None
    );
}

fn safe(header: &str, data: usize) -> Vec<u8> {
    let mut file = wide(header.len()).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(vec![0; data]);
    file
}

fn measured_safe(file: &[u8]) -> Result<Measured, MeasureError> {
    safetensors(file, wide(file.len()))
}

#[test]
fn a_safetensors_header_tells_parameters_and_matrices() {
    let header = r#"{"model.embed_tokens.weight":{"dtype":"F16","shape":[100,8],"data_offsets":[0,1600]},"layer.weight":{"dtype":"F16","shape":[8,8],"data_offsets":[1600,1728]},"norm.weight":{"dtype":"F16","shape":[8],"data_offsets":[1728,1744]}}"#;
    let measured = measured_safe(&safe(header, 1744)).unwrap();
    assert_eq!(measured.parameters, 872);
    // Without a last matrix of its own, the table of tokens is multiplied with to write.
    assert_eq!(measured.macs_per_token, 864);
}

#[test]
fn a_safetensors_file_that_lies_is_refused() {
    let header = r#"{"w":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}}"#;
    assert!(measured_safe(&safe(header, 64)).is_ok());
    for (file, code) in [
        (safe(header, 63), "truncated"),
        (safe(header, 65), "malformed"),
        (safe(&header.replace("[4,4]", "[4,5]"), 64), "malformed"),
        (safe(&header.replace("[0,64]", "[0,100000000000]"), 64), "malformed"),
        (u64::MAX.to_le_bytes().to_vec(), "absurd-length"),
        (90_000_000_u64.to_le_bytes().to_vec(), "truncated"),
        (vec![1, 2, 3], "truncated"),
        (safe("{", 0), "malformed"),
    ] {
        assert_eq!(measured_safe(&file).unwrap_err().code(), code);
    }
}

fn text(text: &str) -> Vec<u8> {
    [&wide(text.len()).to_le_bytes()[..], text.as_bytes()].concat()
}

/// One tensor of 64 × 32 in 4 bits, and three pairs.
fn gguf_file() -> Vec<u8> {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend(1_u64.to_le_bytes());
    file.extend(3_u64.to_le_bytes());
    file.extend(
        [text("general.architecture"), 8_u32.to_le_bytes().to_vec(), text("llama")].concat(),
    );
    file.extend([text("general.name"), 8_u32.to_le_bytes().to_vec(), text("Tiny")].concat());
    let mut list =
        [text("tokens"), 9_u32.to_le_bytes().to_vec(), 8_u32.to_le_bytes().to_vec()].concat();
    list.extend(2_u64.to_le_bytes());
    list.extend([text("a"), text("b")].concat());
    file.extend(list);
    file.extend(text("blk.0.attn_q.weight"));
    file.extend(2_u32.to_le_bytes());
    file.extend([64_u64.to_le_bytes(), 32_u64.to_le_bytes()].concat());
    file.extend(2_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(vec![0; 64 * 32 / 32 * 18]);
    file
}

#[test]
fn a_gguf_header_tells_name_parameters_and_matrices() {
    let file = gguf_file();
    let measured = gguf(Cursor::new(&file), wide(file.len())).unwrap();
    assert_eq!(measured.name.as_deref(), Some("Tiny"));
    assert_eq!((measured.parameters, measured.macs_per_token), (2048, 2048));
}

#[test]
fn a_gguf_file_cut_anywhere_is_truncated() {
    let file = gguf_file();
    for length in 0..file.len() {
        let cut = &file[..length];
        let problem = gguf(Cursor::new(cut), wide(length)).unwrap_err();
        assert_eq!(problem.code(), "truncated", "{length}: {problem}");
    }
}

#[test]
fn a_gguf_file_with_absurd_counts_is_refused_at_once() {
    let start = |tensors: u64, pairs: u64| {
        [b"GGUF\x03\0\0\0".to_vec(), tensors.to_le_bytes().to_vec(), pairs.to_le_bytes().to_vec()]
            .concat()
    };
    let mut long_text = start(0, 1);
    long_text.extend(u64::MAX.to_le_bytes());
    let mut long_name = start(1, 0);
    long_name.extend(257_u64.to_le_bytes());
    long_name.extend([b'x'; 257]);
    for (file, code) in [
        (start(u64::MAX, 0), "absurd-length"),
        (start(0, u64::MAX), "absurd-length"),
        (long_text, "absurd-length"),
        (long_name, "absurd-length"),
        (b"GGUF\x09\0\0\0".to_vec(), "unsupported"),
        (b"ggml".to_vec(), "malformed"),
    ] {
        assert_eq!(gguf(Cursor::new(&file), wide(file.len())).unwrap_err().code(), code);
    }
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(wide(bytes.len()));
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn dat(dims: &[u32]) -> Vec<u8> {
    let size = dims.iter().product::<u32>() * 4;
    let mut file = vec![0; 128];
    file[..4].copy_from_slice(&[0x4e, 0xef, 1, 0]);
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file[8..12].copy_from_slice(&u32::try_from(dims.len()).unwrap().to_le_bytes());
    for (at, dim) in dims.iter().enumerate() {
        file[12 + 4 * at..16 + 4 * at].copy_from_slice(&dim.to_le_bytes());
    }
    file[44..48].copy_from_slice(&32_u32.to_le_bytes());
    file.resize(128 + usize::try_from(size).unwrap(), 0);
    file
}

const NNEF: &str = "version 1.0;
graph net(input) -> (output) {
    input = external<scalar>(shape = [16, 8]);
    matrix = variable<scalar>(label = \"matrix\", shape = [8, 4]);
    output = matmul(input, matrix);
}";

#[test]
fn an_nnef_archive_is_counted_node_by_node() {
    let measured =
        nnef(&archive(&[("graph.nnef", NNEF.as_bytes()), ("matrix.dat", &dat(&[8, 4]))]), 16);
    let measured = measured.unwrap();
    assert_eq!(measured.refused, None);
    assert_eq!(measured.basis, Basis::Graph);
    assert_eq!((measured.parameters, measured.macs_per_token), (32, 32));
}

#[test]
fn an_nnef_operator_that_is_unknown_is_named() {
    let text = NNEF.replace("matmul(", "telepathy(");
    let bytes = archive(&[("graph.nnef", text.as_bytes()), ("matrix.dat", &dat(&[8, 4]))]);
    assert_eq!(nnef(&bytes, 16).unwrap().unsupported, ["telepathy"]);
}

#[test]
fn an_nnef_archive_that_lies_is_refused() {
    let mut short = dat(&[8, 4]);
    short[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let short = archive(&[("graph.nnef", NNEF.as_bytes()), ("matrix.dat", &short)]);
    assert_eq!(nnef(&short, 16).unwrap_err().code(), "truncated");
    assert!(nnef(b"no tar at all", 16).is_err());
    assert!(nnef(&archive(&[("graph.nnef", b"graph")]), 16).is_err());
}

#[cfg(feature = "shipped")]
#[test]
fn a_shipped_classifier_is_measured_and_not_refused() {
    let (text, files) = crate::shipped_parts("prompt-injection").unwrap();
    let measured = manifest(text, &files).unwrap();
    assert_eq!(measured.refused, None);
    assert_eq!(measured.parameters, 458_752);
    assert_eq!(measured.lookups_per_token, 23);
    assert_eq!(measured.name.as_deref(), Some("prompt-injection"));
    let lost = crate::Files::new();
    assert_eq!(manifest(text, &lost).unwrap_err().code(), "manifest");
}

#[test]
fn the_workload_runs() {
    Workload::new().unwrap().run().unwrap();
    assert_eq!(Workload::macs(), 67_108_864);
}

proptest! {
    #[test]
    fn any_bytes_are_measured_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = onnx(&bytes, 0, 16);
        let _ = nnef(&bytes, 16);
        let _ = measured_safe(&bytes);
        let _ = gguf(Cursor::new(&bytes), wide(bytes.len()));
    }

    #[test]
    fn a_byte_changed_is_never_a_crash(at in 0_usize..2000, byte in any::<u8>()) {
        let mut file = gguf_file();
        let at = at % file.len();
        file[at] = byte;
        let _ = gguf(Cursor::new(&file), wide(file.len()));
        let mut file = graph("MatMul");
        let at = at % file.len();
        file[at] = byte;
        let _ = onnx(&file, 0, 16);
    }
}
