//! Operators that move numbers without changing them. All shapes are concrete.

use tract_core::ops::{
    array::{Gather, MultiBroadcastTo, Slice, TypedConcat},
    change_axes::{AxisOp, perm_to_ops},
};

use super::single;
use crate::core::{
    node::{Node, axes, axis, check_constant},
    prelude::*,
    tensors,
};

type Outputs = TractResult<TVec<OutletId>>;

pub(super) fn identity(node: &mut Node<'_>) -> Outputs {
    node.input(0).map(single)
}

pub(super) fn constant(node: &mut Node<'_>) -> Outputs {
    let value = if let Some(value) = node.attribute("value") {
        tensors::read(value.tensor.as_ref().context("Constant without a tensor")?)?
    } else if let Some(int) = node.int("value_int") {
        tensor0(int)
    } else if let Some(float) = node.attribute("value_float") {
        tensor0(float.float)
    } else if let Some(ints) = node.ints("value_ints") {
        tensor1(ints)
    } else if let Some(floats) = node.attribute("value_floats") {
        tensor1(&floats.floats)
    } else {
        bail!("Constant that is neither a tensor nor a number")
    };
    node.add(value).map(single)
}

pub(super) fn constant_of_shape(node: &mut Node<'_>) -> Outputs {
    let shape = counts(&node.integers(0)?.context("no shape")?)?;
    let value = match node.attribute("value").and_then(|value| value.tensor.as_ref()) {
        Some(value) => tensors::read(value)?,
        None => tensor0(0.0_f32),
    };
    check_constant(&shape, value.datum_type())?;
    let value = value.into_shape(&[])?.broadcast_to_shape(&shape)?;
    node.add(value).map(single)
}

pub(super) fn shape(node: &mut Node<'_>) -> Outputs {
    let dims = signed(&node.shape(node.input(0)?)?)?;
    let bound = |name: &str, default: i64| {
        let at = node.int(name).unwrap_or(default);
        let whole = i64::try_from(dims.len())?;
        let at = if at < 0 { at + whole } else { at };
        TractResult::Ok(usize::try_from(at.clamp(0, whole))?)
    };
    let (start, end) = (bound("start", 0)?, bound("end", i64::try_from(dims.len())?)?);
    let dims = dims.get(start..end).unwrap_or_default();
    node.add(tensor1(dims)).map(single)
}

pub(super) fn range(node: &mut Node<'_>) -> Outputs {
    let bound = |at: usize| {
        let number = node.integers(at)?.and_then(|numbers| numbers.first().copied());
        number.context("Range without its bounds")
    };
    let (start, limit, step) = (bound(0)?, bound(1)?, bound(2)?);
    ensure!(step != 0, "Range in steps of 0");
    let apart = limit.checked_sub(start).context("the bounds of Range are too far apart")?;
    let whole = apart.checked_div_euclid(step).context("the bounds of Range are too far apart")?;
    let rest = apart.checked_rem_euclid(step).unwrap_or_default();
    let count = usize::try_from(whole.max(0))?.saturating_add(usize::from(rest != 0));
    ensure!(count <= 1 << 16, "Range of {count}");
    let numbers: Vec<i64> =
        std::iter::successors(Some(start), |at| at.checked_add(step)).take(count).collect();
    let kind = node.kind(node.input(0)?)?;
    node.add(tensor1(&numbers).cast_to_dt(kind)?.into_owned()).map(single)
}

pub(super) fn concat(node: &mut Node<'_>) -> Outputs {
    let inputs = node.given();
    let rank = node.shape(node.input(0)?)?.len();
    let axis = axis(node.int("axis").context("Concat without `axis`")?, rank)?;
    node.wire(TypedConcat { axis }, &inputs).map(single)
}

pub(super) fn gather(node: &mut Node<'_>) -> Outputs {
    let (values, indices) = (node.input(0)?, node.input(1)?);
    let axis = axis(node.int("axis").unwrap_or(0), node.shape(values)?.len())?;
    let indices = node.wire(tract_core::ops::cast::cast(i64::datum_type()), &[indices])?;
    node.wire(Gather::new(axis), &[values, indices]).map(single)
}

pub(super) fn expand(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let wanted = counts(&node.integers(1)?.context("no shape")?)?;
    let shape = tract_core::broadcast::multi_broadcast(&[node.shape(input)?, wanted.into()])?;
    broadcast_to(node, input, &shape).map(single)
}

fn broadcast_to(node: &mut Node<'_>, mut wire: OutletId, shape: &[usize]) -> TractResult<OutletId> {
    for _ in node.shape(wire)?.len()..shape.len() {
        wire = node.wire(AxisOp::Add(0), &[wire])?;
    }
    node.wire(MultiBroadcastTo { shape: ShapeFact::from_dims(shape.iter().copied()) }, &[wire])
}

pub(super) fn flatten(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let shape = node.shape(input)?;
    let at = node.int("axis").unwrap_or(1);
    let at = if i64::try_from(shape.len())? == at { shape.len() } else { axis(at, shape.len())? };
    let (outer, inner) = shape.split_at_checked(at).context("axis of Flatten")?;
    let to = [outer.iter().product(), inner.iter().product()];
    reshaped(node, input, &to).map(single)
}

pub(super) fn reshape(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let from = node.shape(input)?;
    let wanted = node.integers(1)?.context("no shape")?;
    let keeps_zero = node.flag("allowzero", false);
    let mut to: Vec<usize> = Vec::new();
    for (at, dim) in wanted.iter().enumerate() {
        to.push(match dim {
            0 if !keeps_zero => *from.get(at).context("a 0 of Reshape")?,
            // Filled in below, once the others are known.
            -1 => 1,
            dim => usize::try_from(*dim)?,
        });
    }
    if let Some(free) = wanted.iter().position(|dim| *dim == -1) {
        let whole: usize = from.iter().product();
        let rest: usize = to.iter().product();
        let free = to.get_mut(free).context("a -1 of Reshape")?;
        *free = whole.checked_div(rest).context("a 0 of Reshape")?;
    }
    reshaped(node, input, &to).map(single)
}

fn reshaped(node: &mut Node<'_>, wire: OutletId, to: &[usize]) -> TractResult<OutletId> {
    let from = node.shape(wire)?;
    let same = from.iter().product::<usize>() == to.iter().product::<usize>();
    ensure!(same, "{from:?} cannot be reshaped to {to:?}");
    if *from == *to {
        return Ok(wire);
    }
    let dims = |shape: &[usize]| shape.iter().map(ToDim::to_dim).collect::<TVec<_>>();
    node.wire(AxisOp::Reshape(0, dims(&from), dims(to)), &[wire])
}

pub(super) fn squeeze(node: &mut Node<'_>) -> Outputs {
    let mut wire = node.input(0)?;
    let shape = node.shape(wire)?;
    let axes = match node.axes(1)? {
        Some(given) => axes(&given, shape.len())?,
        None => (0..shape.len()).filter(|at| shape.get(*at) == Some(&1)).collect(),
    };
    for axis in axes.into_iter().rev() {
        wire = node.wire(AxisOp::Rm(axis), &[wire])?;
    }
    Ok(single(wire))
}

pub(super) fn unsqueeze(node: &mut Node<'_>) -> Outputs {
    let mut wire = node.input(0)?;
    let given = node.axes(1)?.context("Unsqueeze without axes")?;
    let rank = node.shape(wire)?.len() + given.len();
    for axis in axes(&given, rank)? {
        wire = node.wire(AxisOp::Add(axis), &[wire])?;
    }
    Ok(single(wire))
}

pub(super) fn transpose(node: &mut Node<'_>) -> Outputs {
    let mut wire = node.input(0)?;
    let rank = node.shape(wire)?.len();
    let order = node.counts("perm")?.unwrap_or_else(|| (0..rank).rev().collect());
    ensure!((0..rank).all(|axis| order.contains(&axis)) && order.len() == rank, "perm {order:?}");
    for op in perm_to_ops(&order) {
        wire = node.wire(op, &[wire])?;
    }
    Ok(single(wire))
}

pub(super) fn slice(node: &mut Node<'_>) -> Outputs {
    let mut wire = node.input(0)?;
    let shape = node.shape(wire)?;
    let (starts, ends) = (node.integers(1)?, node.integers(2)?);
    let (starts, ends) = (starts.context("no starts")?, ends.context("no ends")?);
    let given = match node.integers(3)? {
        Some(given) => given,
        None => (0..i64::try_from(starts.len())?).collect(),
    };
    let steps = node.integers(4)?.unwrap_or_default();
    ensure!(steps.iter().all(|step| *step == 1), "Slice in steps of {steps:?}");
    for ((start, end), at) in starts.iter().zip(&ends).zip(&given) {
        let axis = axis(*at, shape.len())?;
        let whole = *shape.get(axis).context("axis of Slice")?;
        let (start, end) = (bound(*start, whole)?, bound(*end, whole)?);
        wire = node.wire(Slice::new(axis, start, end.max(start)), &[wire])?;
    }
    Ok(single(wire))
}

/// A bound as ONNX counts it, from the end if negative, cut to the dimension.
fn bound(at: i64, whole: usize) -> TractResult<usize> {
    let whole = i64::try_from(whole)?;
    let at = if at < 0 { at.saturating_add(whole) } else { at };
    Ok(usize::try_from(at.clamp(0, whole))?)
}

pub(super) fn split(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let shape = node.shape(input)?;
    let axis = axis(node.int("axis").unwrap_or(0), shape.len())?;
    let whole = *shape.get(axis).context("axis of Split")?;
    let sizes = if let Some(sizes) = node.integers(1)? {
        counts(&sizes)?
    } else {
        let parts = node.proto.outputs.len().max(1);
        let size = whole.div_ceil(parts);
        (0..parts).map(|part| size.min(whole.saturating_sub(part * size))).collect()
    };
    ensure!(sizes.iter().sum::<usize>() == whole, "Split of {whole} in {sizes:?}");
    let mut start = 0;
    let mut wires = tvec!();
    for size in sizes {
        wires.push(node.wire(Slice::new(axis, start, start + size), &[input])?);
        start += size;
    }
    Ok(wires)
}

fn counts(integers: &[i64]) -> TractResult<Vec<usize>> {
    Ok(integers.iter().map(|integer| usize::try_from(*integer)).collect::<Result<_, _>>()?)
}

fn signed(counts: &[usize]) -> TractResult<Vec<i64>> {
    Ok(counts.iter().map(|count| i64::try_from(*count)).collect::<Result<_, _>>()?)
}
