//! The operators that a graph may use: this list is the documentation and the gate.
//!
//! Each takes ONNX's operator (opset 13 to 21) apart into tract's. A graph with any other operator is
//! refused at load, and what is not listed is not linked: that halves the size of the WebAssembly.

mod arithmetic;
mod matrices;
mod reductions;
mod shapes;

use tract_core::internal::{OutletId, TVec, TractResult};

use super::{node::Node, proto};

/// Rebuilds one operator; its outputs, in order.
pub(super) type Build = fn(&mut Node<'_>) -> TractResult<TVec<OutletId>>;

/// Name, what is special about it, and how it is rebuilt; sorted by name.
const OPERATORS: &[(&str, &str, Build)] = &[
    ("Abs", "", arithmetic::abs),
    ("Add", "", arithmetic::add),
    ("And", "", arithmetic::and),
    ("BatchNormalization", "with constant statistics", matrices::batch_normalization),
    ("Cast", "", arithmetic::cast),
    ("Clip", "", arithmetic::clip),
    ("Concat", "", shapes::concat),
    ("Constant", "tensors and numbers", shapes::constant),
    ("ConstantOfShape", "", shapes::constant_of_shape),
    ("Conv", "", matrices::conv),
    ("Cos", "", arithmetic::cos),
    ("DequantizeLinear", "per tensor or per axis, not blocked", matrices::dequantize_linear),
    ("Div", "", arithmetic::div),
    ("Dropout", "does nothing", shapes::identity),
    ("Equal", "", arithmetic::equal),
    ("Erf", "", arithmetic::erf),
    ("Exp", "", arithmetic::exp),
    ("Expand", "", shapes::expand),
    ("Flatten", "", shapes::flatten),
    ("Gather", "", shapes::gather),
    ("Gelu", "", arithmetic::gelu),
    ("Gemm", "", matrices::gemm),
    ("GlobalAveragePool", "", reductions::global_average),
    ("GlobalMaxPool", "", reductions::global_max),
    ("Greater", "", arithmetic::greater),
    ("GreaterOrEqual", "", arithmetic::greater_or_equal),
    ("Identity", "", shapes::identity),
    ("LayerNormalization", "first output only", matrices::layer_normalization),
    ("LeakyRelu", "", arithmetic::leaky_relu),
    ("Less", "", arithmetic::less),
    ("LessOrEqual", "", arithmetic::less_or_equal),
    ("Log", "", arithmetic::log),
    ("LogSoftmax", "", reductions::log_softmax),
    ("MatMul", "", matrices::mat_mul),
    ("Max", "", arithmetic::max),
    ("Min", "", arithmetic::min),
    ("Mul", "", arithmetic::mul),
    ("Neg", "", arithmetic::neg),
    ("Not", "", arithmetic::not),
    ("Or", "", arithmetic::or),
    ("Pow", "", arithmetic::pow),
    ("Range", "of constants", shapes::range),
    ("Reciprocal", "", arithmetic::reciprocal),
    ("ReduceMax", "", reductions::max),
    ("ReduceMean", "", reductions::mean),
    ("ReduceMin", "", reductions::min),
    ("ReduceSum", "", reductions::sum),
    ("Relu", "", arithmetic::relu),
    ("Reshape", "", shapes::reshape),
    ("Shape", "", shapes::shape),
    ("Sigmoid", "", arithmetic::sigmoid),
    ("Sin", "", arithmetic::sin),
    ("Slice", "steps of 1", shapes::slice),
    ("Softmax", "", reductions::softmax),
    ("Softplus", "", arithmetic::softplus),
    ("Split", "", shapes::split),
    ("Sqrt", "", arithmetic::sqrt),
    ("Squeeze", "", shapes::squeeze),
    ("Sub", "", arithmetic::sub),
    ("Tanh", "", arithmetic::tanh),
    ("Transpose", "", shapes::transpose),
    ("Unsqueeze", "", shapes::unsqueeze),
    ("Where", "", arithmetic::select),
];

/// The operators that a graph may use, sorted, each with what is special about its support.
pub fn operators() -> impl Iterator<Item = (&'static str, &'static str)> {
    OPERATORS.iter().map(|(name, note, _)| (*name, *note))
}

/// How an operator is rebuilt, if it is on the list.
pub(super) fn find(name: &str) -> Option<Build> {
    let at = OPERATORS.binary_search_by_key(&name, |(name, _, _)| name).ok()?;
    OPERATORS.get(at).map(|(_, _, build)| *build)
}

/// Whether an operator is on the list.
#[cfg(feature = "measure")]
pub(crate) fn knows(name: &str) -> bool {
    find(name).is_some()
}

/// Names in `graph` that are not on the list, sorted, each once.
pub(super) fn unknown(graph: &proto::Graph) -> Vec<String> {
    let foreign = |node: &&proto::Node| {
        !matches!(node.domain.as_str(), "" | "ai.onnx") || find(&node.operator).is_none()
    };
    let mut names: Vec<String> =
        graph.nodes.iter().filter(foreign).map(|node| node.operator.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// One wire as the outputs of an operator that has one.
fn single(wire: OutletId) -> TVec<OutletId> {
    std::iter::once(wire).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_each_name_is_found() {
        assert!(OPERATORS.is_sorted_by(|(one, ..), (next, ..)| one < next));
        assert!(operators().all(|(name, _)| find(name).is_some()));
        assert!(find("Loop").is_none());
    }
}
