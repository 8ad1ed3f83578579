//! Operators that make one number of many.

use tract_core::ops::{
    change_axes::AxisOp,
    math,
    nn::{Reduce, Reducer, Softmax, SoftmaxKind},
};

use super::single;
use crate::core::{
    node::{Node, axes, axis},
    prelude::*,
};

type Outputs = TractResult<TVec<OutletId>>;

pub(super) fn max(node: &mut Node<'_>) -> Outputs {
    reduce(node, |node, axes, wire| node.wire(Reduce::new(axes, Reducer::Max), &[wire]))
}

pub(super) fn min(node: &mut Node<'_>) -> Outputs {
    reduce(node, |node, axes, wire| node.wire(Reduce::new(axes, Reducer::Min), &[wire]))
}

pub(super) fn sum(node: &mut Node<'_>) -> Outputs {
    reduce(node, |node, axes, wire| node.wire(Reduce::new(axes, Reducer::Sum), &[wire]))
}

pub(super) fn mean(node: &mut Node<'_>) -> Outputs {
    reduce(node, average)
}

/// The mean over `axes`, which stay as ones.
pub(super) fn average(
    node: &mut Node<'_>,
    axes: TVec<usize>,
    wire: OutletId,
) -> TractResult<OutletId> {
    let shape = node.shape(wire)?;
    let count: usize = axes.iter().filter_map(|axis| shape.get(*axis)).product();
    let count = f32::from(u16::try_from(count).context("a mean of more than 65535 numbers")?);
    let sum = node.wire(Reduce::new(axes, Reducer::Sum), &[wire])?;
    node.with_number(math::mul(), sum, 1.0 / count)
}

fn reduce(
    node: &mut Node<'_>,
    by: impl Fn(&mut Node<'_>, TVec<usize>, OutletId) -> TractResult<OutletId>,
) -> Outputs {
    let input = node.input(0)?;
    let rank = node.shape(input)?.len();
    let given = node.axes(1)?.filter(|given| !given.is_empty());
    let axes = match given {
        Some(given) => axes(&given, rank)?,
        None if node.flag("noop_with_empty_axes", false) => return Ok(single(input)),
        None => (0..rank).collect(),
    };
    let mut wire = by(node, axes.iter().copied().collect(), input)?;
    if !node.flag("keepdims", true) {
        for axis in axes.into_iter().rev() {
            wire = node.wire(AxisOp::Rm(axis), &[wire])?;
        }
    }
    Ok(single(wire))
}

pub(super) fn global_max(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let axes = (2..node.shape(input)?.len()).collect();
    node.wire(Reduce::new(axes, Reducer::Max), &[input]).map(single)
}

pub(super) fn global_average(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let axes = (2..node.shape(input)?.len()).collect();
    average(node, axes, input).map(single)
}

pub(super) fn softmax(node: &mut Node<'_>) -> Outputs {
    soft(node, SoftmaxKind::Softmax)
}

pub(super) fn log_softmax(node: &mut Node<'_>) -> Outputs {
    soft(node, SoftmaxKind::LogSoftmax)
}

fn soft(node: &mut Node<'_>, kind: SoftmaxKind) -> Outputs {
    let input = node.input(0)?;
    let axis = axis(node.int("axis").unwrap_or(-1), node.shape(input)?.len())?;
    node.wire(Softmax::new(tvec!(axis), None, kind), &[input]).map(single)
}
