//! Work of a known size, for whoever has a clock and wants to know how fast this machine is.

use std::collections::BTreeMap;

use tract_core::internal::{
    Arc, DatumExt as _, IntoRunnable as _, SpecialOps as _, TValue, Tensor, TractResult,
    TypedModel, TypedSimplePlan, tvec,
};

use super::wide;
use crate::core::{graph, proto};

/// Tokens of a window.
const TOKENS: usize = 128;
/// Numbers a token is made of, and those of the layer between.
const WIDTH: usize = 128;
const INNER: usize = 512;
/// Layers.
const LAYERS: usize = 4;

/// A stack of dense layers on the edge's own runtime: what transformers mostly are.
#[derive(Debug)]
pub struct Workload {
    plan: Arc<TypedSimplePlan>,
}

impl Workload {
    /// Prepares the work.
    ///
    /// # Errors
    /// What the runtime says, in words.
    pub fn new() -> Result<Self, String> {
        let plan = model().and_then(|model| model.into_optimized()?.into_runnable());
        Ok(Self { plan: plan.map_err(|problem| format!("{problem:#}"))? })
    }

    /// Does the work once.
    ///
    /// # Errors
    /// What the runtime says, in words.
    pub fn run(&self) -> Result<(), String> {
        let input = Tensor::zero::<f32>(&[TOKENS, WIDTH]).map(TValue::from);
        let ran = input.and_then(|input| self.plan.run(tvec!(input)));
        ran.map(drop).map_err(|problem| format!("{problem:#}"))
    }

    /// Multiply-adds of one run.
    pub fn macs() -> u64 {
        wide(2 * LAYERS * TOKENS * WIDTH * INNER)
    }
}

fn model() -> TractResult<TypedModel> {
    let mut model = TypedModel::default();
    let mut wires = BTreeMap::new();
    let source = model.add_source("x0", f32::fact([TOKENS, WIDTH]))?;
    wires.insert("x0", source);
    let names: Vec<[String; 4]> = (0..LAYERS)
        .map(|layer| {
            let next = layer + 1;
            [
                format!("x{layer}"),
                format!("wide{layer}"),
                format!("kept{layer}"),
                format!("x{next}"),
            ]
        })
        .collect();
    let out = Tensor::zero::<f32>(&[WIDTH, INNER])?;
    let back = Tensor::zero::<f32>(&[INNER, WIDTH])?;
    wires.insert("out", model.add_const("out", out)?);
    wires.insert("back", model.add_const("back", back)?);
    let nodes: Vec<proto::Node> = names
        .iter()
        .flat_map(|[from, wide, kept, to]| {
            [
                node("MatMul", &[from, "out"], wide),
                node("Relu", &[wide], kept),
                node("MatMul", &[kept, "back"], to),
            ]
        })
        .collect();
    for (at, node) in nodes.iter().enumerate() {
        graph::rebuild(&mut model, &mut wires, at, node)?;
    }
    let last = format!("x{LAYERS}");
    let outputs: Vec<_> = wires.get(last.as_str()).copied().into_iter().collect();
    model.select_output_outlets(&outputs)?;
    Ok(model)
}

fn node(operator: &str, inputs: &[&str], output: &str) -> proto::Node {
    proto::Node {
        inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
        outputs: vec![output.to_owned()],
        operator: operator.to_owned(),
        ..proto::Node::default()
    }
}
