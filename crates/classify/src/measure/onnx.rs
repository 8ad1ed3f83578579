//! An ONNX graph: counted node by node where the edge's runtime can build it, else by its weights.

use std::collections::{BTreeMap, BTreeSet};

use prost::{Message, bytes::Bytes};
use tract_core::internal::{
    DatumTypeExt as _, SpecialOps as _, TractErrorContext as _, TractResult, TypedModel, ensure,
};

use super::{
    Basis, MeasureError, Measured, caught, proto,
    weigh::{Weighed, weigh},
    wide,
};
use crate::core::{graph, operators, proto as full, tensors};

/// Above this the graph is counted by its weights: it is no candidate for the edge, and tract would hold
/// the weights once more.
const LARGEST_BUILT: usize = 256 << 20;
/// What matrices are looked up by, not multiplied with.
const LOOK_UPS: [&str; 4] = ["Gather", "GatherElements", "GatherND", "Shape"];

/// Measures an ONNX file; `beside` is how many bytes of weights lie in the files that belong to it, and
/// dimensions that the graph leaves open have `window` tokens.
///
/// # Errors
/// [`MeasureError::Malformed`] and [`MeasureError::Truncated`].
pub fn onnx(bytes: &[u8], beside: u64, window: usize) -> Result<Measured, MeasureError> {
    let malformed = |problem: String| MeasureError::Malformed(problem);
    let model = proto::Model::decode(Bytes::copy_from_slice(bytes))
        .map_err(|error| malformed(format!("this is no ONNX file: {error}")))?;
    let graph = model.graph.ok_or_else(|| malformed("there is no graph in the file".into()))?;
    if graph.nodes.is_empty() {
        return Err(malformed("the graph has no nodes".into()));
    }
    let header = by_weights(&graph, bytes, beside)?;
    let header = Measured { window: wide(window), ..header };
    let is_whole = graph.initializers.iter().all(|tensor| tensor.data_location == 0);
    if !header.unsupported.is_empty() || bytes.len() > LARGEST_BUILT || !is_whole {
        return Ok(header);
    }
    // The library is not written for hostile graphs: what it trips over is no more than malformed.
    let count = || built(bytes, &graph, window).and_then(|model| weigh(&model, window));
    Ok(match caught(count)? {
        Ok(weighed) => by_graph(header, weighed, window),
        Err(problem) => Measured { refused: Some(format!("{problem:#}")), ..header },
    })
}

/// What the graph itself tells.
pub(super) fn by_graph(header: Measured, weighed: Weighed, window: usize) -> Measured {
    Measured {
        macs_per_token: weighed.macs / wide(window.max(1)),
        peak_memory: header.bytes.saturating_add(weighed.weights).saturating_add(weighed.between),
        basis: Basis::Graph,
        ..header
    }
}

/// What weights and names of operators tell.
fn by_weights(graph: &proto::Graph, bytes: &[u8], beside: u64) -> Result<Measured, MeasureError> {
    let looked_up: BTreeSet<&str> = uses(graph, |operator| LOOK_UPS.contains(&operator));
    let multiplied: BTreeSet<&str> = uses(graph, |operator| !LOOK_UPS.contains(&operator));
    let (mut parameters, mut macs, mut outside) = (0_u64, 0_u64, 0_u64);
    for tensor in &graph.initializers {
        let volume = volume(tensor)?;
        parameters = parameters.saturating_add(volume);
        let is_matrix = tensor.dims.len() >= 2 && multiplied.contains(tensor.name.as_str());
        if is_matrix && !looked_up.contains(tensor.name.as_str()) {
            macs = macs.saturating_add(volume);
        }
        if tensor.data_location != 0 {
            outside = outside.saturating_add(volume.saturating_mul(element(tensor.data_type)));
        }
    }
    if outside > beside {
        let what = "the data beside the graph".into();
        return Err(MeasureError::Truncated { what, wanted: outside, found: beside });
    }
    let bytes = wide(bytes.len()).saturating_add(outside);
    Ok(Measured {
        parameters,
        bytes,
        macs_per_token: macs,
        peak_memory: bytes.saturating_mul(2),
        unsupported: unsupported(graph),
        ..Measured::default()
    })
}

/// What operators that `wanted` chooses take in, by name.
fn uses(graph: &proto::Graph, wanted: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let nodes = graph.nodes.iter().filter(|node| wanted(&node.operator));
    nodes.flat_map(|node| &node.inputs).map(String::as_str).collect()
}

fn unsupported(graph: &proto::Graph) -> Vec<String> {
    let foreign = |node: &&proto::Node| {
        !matches!(node.domain.as_str(), "" | "ai.onnx") || !operators::knows(&node.operator)
    };
    let names: BTreeSet<&str> =
        graph.nodes.iter().filter(foreign).map(|node| node.operator.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Numbers in a tensor, held against the bytes it brings.
fn volume(tensor: &proto::Tensor) -> Result<u64, MeasureError> {
    let dims = tensor.dims.iter().map(|dim| u64::try_from(*dim).ok());
    let volume = dims.into_iter().try_fold(1_u64, |volume, dim| volume.checked_mul(dim?));
    let volume = volume.ok_or_else(|| {
        MeasureError::Malformed(format!("the shape of `{}` is out of range", tensor.name))
    })?;
    if tensor.data_location != 0 {
        return Ok(volume);
    }
    let listed = tensor.float_data.len()
        + tensor.int32_data.len()
        + tensor.int64_data.len()
        + tensor.double_data.len();
    let found = wide(tensor.raw_data.len());
    let wanted = volume.saturating_mul(element(tensor.data_type));
    // Texts and numbers that are listed one by one have no raw bytes.
    let is_there = match (found, element(tensor.data_type)) {
        (_, 0) => true,
        (0, _) => volume <= wide(listed).saturating_mul(2),
        (found, _) => wanted <= found,
    };
    if is_there {
        return Ok(volume);
    }
    let what = format!("the tensor `{}`", tensor.name);
    Err(MeasureError::Truncated { what, wanted, found: found.max(wide(listed)) })
}

/// Bytes of an element by ONNX's numbers; 0 for texts, for what is packed and for the unknown.
fn element(data_type: i32) -> u64 {
    match data_type {
        2 | 3 | 9 | 17..=20 => 1,
        4 | 5 | 10 | 16 => 2,
        1 | 6 | 12 => 4,
        7 | 11 | 13 | 14 => 8,
        15 => 16,
        _ => 0,
    }
}

/// The graph in tract's terms.
fn built(bytes: &[u8], header: &proto::Graph, window: usize) -> TractResult<TypedModel> {
    let source = full::Model::decode(bytes)?;
    graph::check_opset(&source)?;
    let source = source.graph.context("there is no graph")?;
    let mut model = TypedModel::default();
    let mut wires = BTreeMap::new();
    for initializer in &source.initializers {
        let wire = model.add_const(&*initializer.name, tensors::read(initializer)?)?;
        wires.insert(initializer.name.as_str(), wire);
    }
    for input in &header.inputs {
        if wires.contains_key(input.name.as_str()) {
            continue;
        }
        let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
        let tensor = tensor.with_context(|| format!("the input `{}` is no tensor", input.name))?;
        let kind = tensors::datum_type(tensor.data_type)?;
        let wire = model.add_source(&*input.name, kind.fact(shape(tensor, window)))?;
        wires.insert(input.name.as_str(), wire);
    }
    for (at, node) in source.nodes.iter().enumerate() {
        graph::rebuild(&mut model, &mut wires, at, node)?;
    }
    let outputs = header.outputs.iter().map(|output| {
        let wire = wires.get(output.name.as_str()).copied();
        wire.with_context(|| format!("there is no output `{}`", output.name))
    });
    let outputs = outputs.collect::<TractResult<Vec<_>>>()?;
    ensure!(!outputs.is_empty(), "the graph has no outputs");
    model.select_output_outlets(&outputs)?;
    model.into_decluttered()
}

/// An input's shape: what is open is one text and `window` tokens.
fn shape(tensor: &proto::TensorKind, window: usize) -> Vec<usize> {
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dims);
    (0..)
        .zip(dims)
        .map(|(at, dim)| match usize::try_from(dim.value) {
            Ok(known) if known > 0 => known,
            Ok(_) | Err(_) if at == 0 => 1,
            Ok(_) | Err(_) => window,
        })
        .collect()
}
