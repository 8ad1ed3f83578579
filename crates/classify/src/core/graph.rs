//! A graph prepared for one length: read, checked, optimised, ready to run.

use std::collections::{BTreeMap, BTreeSet};

use super::{node::Node, operators, prelude::*, proto, tensors};
use crate::manifest::CorePlan;

/// Bytes that the weights and activations of one prepared length may take.
pub(crate) const MEMORY_LIMIT: usize = 32 << 20;
/// The operator sets that the list of operators is written for.
const OPSETS: std::ops::RangeInclusive<i64> = 13..=21;

/// A graph for windows of one length.
#[derive(Debug)]
pub(super) struct Graph {
    plan: Arc<TypedSimplePlan>,
    roles: Vec<(Role, DatumType)>,
    pub(super) length: usize,
}

/// What an input of the graph is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ids,
    Mask,
    Types,
}

/// One window, padded to the graph's length.
#[derive(Debug)]
pub(super) struct Padded {
    /// Row by row.
    pub(super) ids: Vec<i64>,
    /// Ids in each row.
    pub(super) width: usize,
    /// Rows that are no padding.
    pub(super) used: usize,
}

impl Graph {
    /// Prepares `graph` for `length` rows of `width` ids.
    pub(super) fn prepare(
        graph: &proto::Graph,
        plan: &CorePlan,
        length: usize,
        width: usize,
    ) -> TractResult<Self> {
        let mut model = TypedModel::default();
        let mut wires = BTreeMap::new();
        let mut constants = BTreeSet::new();
        for initializer in &graph.initializers {
            let wire = model.add_const(&*initializer.name, tensors::read(initializer)?)?;
            wires.insert(initializer.name.as_str(), wire);
            constants.insert(initializer.name.as_str());
        }
        let mut roles = Vec::new();
        for input in graph.inputs.iter().filter(|input| !constants.contains(input.name.as_str())) {
            let (role, kind) = (role(&input.name, plan)?, element(input)?);
            let shape = if role == Role::Ids && width > 1 {
                tvec!(1, length, width)
            } else {
                tvec!(1, length)
            };
            let wire = model.add_source(&*input.name, kind.fact(shape))?;
            wires.insert(input.name.as_str(), wire);
            roles.push((role, kind));
        }
        for (at, proto) in graph.nodes.iter().enumerate() {
            rebuild(&mut model, &mut wires, at, proto)?;
        }
        let output = wires.get(plan.output.as_str());
        let output = *output.with_context(|| format!("there is no output `{}`", plan.output))?;
        check_columns(&model, output, plan)?;
        model.select_output_outlets(&[output])?;
        let plan = model.into_optimized()?.into_runnable()?;
        Ok(Self { plan, roles, length })
    }

    /// Bytes of weights and activations, counted once each.
    pub(super) fn memory(&self) -> usize {
        let nodes = self.plan.model().nodes().iter();
        let facts = nodes.flat_map(|node| &node.outputs).map(|output| &output.fact);
        facts
            .map(|fact| match &fact.konst {
                Some(value) => value.len() * value.datum_type().size_of(),
                None => fact
                    .shape
                    .as_concrete()
                    .map_or(0, |shape| shape.iter().product::<usize>() * fact.datum_type.size_of()),
            })
            .sum()
    }

    /// All columns of the output.
    pub(super) fn run(&self, window: &Padded) -> TractResult<Vec<f64>> {
        let inputs = self.roles.iter().map(|(role, kind)| self.feed(*role, *kind, window));
        let outputs = self.plan.run(inputs.collect::<TractResult<_>>()?)?;
        let output = outputs.first().context("a graph without an output")?;
        let output = output.cast_to::<f32>()?;
        Ok(output.to_plain_array_view::<f32>()?.iter().copied().map(f64::from).collect())
    }

    fn feed(&self, role: Role, kind: DatumType, window: &Padded) -> TractResult<TValue> {
        let tensor = match role {
            Role::Ids if window.width > 1 => {
                tensor1(&window.ids).into_shape(&[1, self.length, window.width])?
            }
            Role::Ids => tensor1(&window.ids).into_shape(&[1, self.length])?,
            Role::Mask => {
                let mask: Vec<i64> =
                    (0..self.length).map(|row| i64::from(row < window.used)).collect();
                tensor1(&mask).into_shape(&[1, self.length])?
            }
            Role::Types => Tensor::zero::<i64>(&[1, self.length])?,
        };
        Ok(tensor.cast_to_dt(kind)?.into_owned().into_tvalue())
    }
}

/// Refuses what the operators are not written for.
pub(crate) fn check_opset(model: &proto::Model) -> TractResult<()> {
    let opset = model.opsets.iter().find(|opset| matches!(opset.domain.as_str(), "" | "ai.onnx"));
    let version = opset.map(|opset| opset.version).unwrap_or_default();
    ensure!(OPSETS.contains(&version), "opset {version}, wanted is 13 to 21");
    Ok(())
}

fn role(name: &str, plan: &CorePlan) -> TractResult<Role> {
    if name == plan.ids {
        Ok(Role::Ids)
    } else if Some(name) == plan.mask.as_deref() {
        Ok(Role::Mask)
    } else if Some(name) == plan.types.as_deref() {
        Ok(Role::Types)
    } else {
        bail!("the manifest says nothing of the input `{name}`")
    }
}

fn element(input: &proto::Value) -> TractResult<DatumType> {
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
    let tensor = tensor.with_context(|| format!("the input `{}` is no tensor", input.name))?;
    tensors::datum_type(tensor.data_type)
}

/// Adds what `proto` does to `model`, and its outputs to `wires`.
pub(crate) fn rebuild<'a>(
    model: &mut TypedModel,
    wires: &mut BTreeMap<&'a str, OutletId>,
    at: usize,
    proto: &'a proto::Node,
) -> TractResult<()> {
    let build = operators::find(&proto.operator)
        .with_context(|| format!("{} is not supported", proto.operator))?;
    let inputs = proto.inputs.iter().map(|name| {
        if name.is_empty() {
            return Ok(None);
        }
        let wire = wires.get(name.as_str()).copied();
        wire.map(Some).with_context(|| format!("nothing is called `{name}`"))
    });
    let inputs = inputs.collect::<TractResult<_>>()?;
    let name = format!("{at}.{}", proto.operator);
    let outputs = build(&mut Node { proto, model, inputs, name: name.clone() }).context(name)?;
    for (name, wire) in proto.outputs.iter().zip(outputs) {
        wires.insert(name, wire);
    }
    Ok(())
}

fn check_columns(model: &TypedModel, output: OutletId, plan: &CorePlan) -> TractResult<()> {
    let shape = &model.outlet_fact(output)?.shape;
    let shape = shape.as_concrete().context("the output's shape is not known")?;
    let (columns, outer) = shape.split_last().context("the output is a single number")?;
    let wanted = plan.columns.iter().max().map_or(1, |column| column + 1);
    ensure!(outer.iter().all(|dim| *dim == 1), "the output is {shape:?}, wanted is [1, columns]");
    ensure!(wanted <= *columns, "the output has {columns} columns, the labels take {wanted}");
    Ok(())
}

#[cfg(test)]
mod tests;
