//! One operator of the graph while it is rebuilt in tract's terms: its inputs, its attributes, and
//! the wires it leaves behind.
//!
//! Every shape is concrete here, because a graph is prepared for one length at a time.

use tract_core::ops::change_axes::wire_rank_broadcast;

use super::{prelude::*, proto};

/// Bytes that one computed constant may take: beyond this no isolate has room for the graph.
const LARGEST_CONSTANT: usize = 64 << 20;

/// An operator and the graph it goes into.
pub(super) struct Node<'a> {
    pub(super) proto: &'a proto::Node,
    pub(super) model: &'a mut TypedModel,
    /// In the operator's order; `None` where an optional one is left out.
    pub(super) inputs: TVec<Option<OutletId>>,
    /// Unique in the graph.
    pub(super) name: String,
}

impl Node<'_> {
    /// An input that must be there.
    pub(super) fn input(&self, at: usize) -> TractResult<OutletId> {
        self.optional(at).with_context(|| format!("input {at} is missing"))
    }

    /// An input that may be left out.
    pub(super) fn optional(&self, at: usize) -> Option<OutletId> {
        self.inputs.get(at).copied().flatten()
    }

    /// The inputs that are there.
    pub(super) fn given(&self) -> TVec<OutletId> {
        self.inputs.iter().copied().flatten().collect()
    }

    /// The shape of what flows on a wire.
    pub(super) fn shape(&self, wire: OutletId) -> TractResult<TVec<usize>> {
        let shape = self.model.outlet_fact(wire)?.shape.as_concrete();
        Ok(shape.context("a shape is not known")?.into())
    }

    /// The element type of what flows on a wire.
    pub(super) fn kind(&self, wire: OutletId) -> TractResult<DatumType> {
        Ok(self.model.outlet_fact(wire)?.datum_type)
    }

    /// An input whose value does not depend on the text, if it is given.
    pub(super) fn constant(&self, at: usize) -> TractResult<Option<Arc<Tensor>>> {
        let Some(wire) = self.optional(at) else { return Ok(None) };
        let value = self.model.outlet_fact(wire)?.konst.clone();
        Ok(Some(value.with_context(|| format!("input {at} must be a constant"))?))
    }

    /// An optional constant input of whole numbers.
    pub(super) fn integers(&self, at: usize) -> TractResult<Option<Vec<i64>>> {
        let Some(tensor) = self.constant(at)? else { return Ok(None) };
        let tensor = tensor.cast_to::<i64>()?;
        Ok(Some(tensor.to_plain_array_view::<i64>()?.iter().copied().collect()))
    }

    /// A whole-number attribute.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.int)
    }

    /// A whole-number attribute that stands for yes or no.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name).map_or(default, |int| int != 0)
    }

    /// A real-number attribute.
    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.float)
    }

    /// A list attribute.
    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// A list attribute of counts.
    pub(super) fn counts(&self, name: &str) -> TractResult<Option<TVec<usize>>> {
        let Some(ints) = self.ints(name) else { return Ok(None) };
        Ok(Some(ints.iter().map(|int| usize::try_from(*int)).collect::<Result<_, _>>()?))
    }

    /// Any attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&proto::Attribute> {
        self.proto.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The axes of an operator that once took them as an attribute and later as an input.
    pub(super) fn axes(&self, input: usize) -> TractResult<Option<Vec<i64>>> {
        match self.ints("axes") {
            Some(axes) => Ok(Some(axes.to_vec())),
            None => self.integers(input),
        }
    }

    /// Adds one of tract's operators; what depends on constants alone is computed at once.
    pub(super) fn wire(
        &mut self,
        op: impl Into<Box<dyn TypedOp>>,
        inputs: &[OutletId],
    ) -> TractResult<OutletId> {
        let op = op.into();
        if let Some(value) = self.folded(&*op, inputs)? {
            return self.add(value);
        }
        let name = self.model.unique_name(&self.name);
        let wires = self.model.wire_node(name, op, inputs)?;
        wires.first().copied().context("an operator without an output")
    }

    fn folded(&self, op: &dyn TypedOp, inputs: &[OutletId]) -> TractResult<Option<Tensor>> {
        let (mut values, mut facts) = (tvec!(), tvec!());
        for wire in inputs {
            let fact = self.model.outlet_fact(*wire)?;
            let Some(value) = fact.konst.clone() else { return Ok(None) };
            values.push(value.into_tvalue());
            facts.push(fact);
        }
        // Before it is computed, because a shape of a few bytes can ask for all memory there is.
        for fact in op.output_facts(&facts)? {
            if let Some(shape) = fact.shape.as_concrete() {
                check_constant(shape, fact.datum_type)?;
            }
        }
        let outputs = op.eval_out_of_plan(values)?;
        Ok(outputs.and_then(|mut outputs| outputs.pop()).map(TValue::into_tensor))
    }

    /// Adds an operator of several inputs that broadcast against each other.
    pub(super) fn broadcast(
        &mut self,
        op: impl Into<Box<dyn TypedOp>>,
        inputs: &[OutletId],
    ) -> TractResult<OutletId> {
        let wires = wire_rank_broadcast(&self.name, self.model, inputs)?;
        self.wire(op, &wires)
    }

    /// Adds an operator of one wire and one number.
    pub(super) fn with_number(
        &mut self,
        op: impl Into<Box<dyn TypedOp>>,
        wire: OutletId,
        number: f32,
    ) -> TractResult<OutletId> {
        let kind = self.kind(wire)?;
        let number = self.add(tensor0(number).cast_to_dt(kind)?.into_owned())?;
        self.broadcast(op, &[wire, number])
    }

    /// Adds a constant.
    pub(super) fn add(&mut self, value: impl IntoArcTensor) -> TractResult<OutletId> {
        let name = self.model.unique_name(&self.name);
        self.model.add_const(name, value)
    }
}

/// An axis as ONNX counts it, from the end if negative, as an index below `rank`.
pub(super) fn axis(axis: i64, rank: usize) -> TractResult<usize> {
    let whole = i64::try_from(rank)?;
    ensure!(-whole <= axis && axis < whole, "axis {axis} of {rank}");
    Ok(usize::try_from(if axis < 0 { axis + whole } else { axis })?)
}

/// Several axes, sorted.
pub(super) fn axes(axes: &[i64], rank: usize) -> TractResult<Vec<usize>> {
    let mut axes: Vec<usize> =
        axes.iter().map(|one| axis(*one, rank)).collect::<TractResult<_>>()?;
    axes.sort_unstable();
    Ok(axes)
}

/// Refuses a constant of `shape` that is too large to be computed.
pub(super) fn check_constant(shape: &[usize], kind: DatumType) -> TractResult<()> {
    let bytes = shape.iter().try_fold(kind.size_of(), |bytes, dim| bytes.checked_mul(*dim));
    let is_small = bytes.is_some_and(|bytes| bytes <= LARGEST_CONSTANT);
    ensure!(is_small, "a constant of shape {shape:?}, the limit is {LARGEST_CONSTANT} bytes");
    Ok(())
}
