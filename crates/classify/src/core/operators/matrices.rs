//! Products, convolutions, normalisations, and weights that are stored in one byte.

use tract_core::ops::{
    cast::cast,
    change_axes::{AxisOp, wire_rank_broadcast},
    cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec},
    einsum::EinSum,
    math,
    nn::{DataFormat, Reduce, Reducer},
};

use super::{reductions::average, single};
use crate::core::{
    node::{Node, axis},
    prelude::*,
};

type Outputs = TractResult<TVec<OutletId>>;

pub(super) fn mat_mul(node: &mut Node<'_>) -> Outputs {
    let inputs = [node.input(0)?, node.input(1)?];
    for input in inputs {
        ensure!(node.shape(input)?.len() >= 2, "MatMul of a vector");
    }
    product(node, inputs, [false, false]).map(single)
}

/// The product of matrices, transposed before where asked; leading axes broadcast.
fn product(
    node: &mut Node<'_>,
    inputs: [OutletId; 2],
    transposed: [bool; 2],
) -> TractResult<OutletId> {
    let kind = node.kind(node.input(0)?)?;
    let wires = wire_rank_broadcast(&node.name, node.model, &inputs)?;
    let rank = wires
        .iter()
        .map(|wire| node.shape(*wire).map(|shape| shape.len()))
        .max_by_key(|rank| rank.as_ref().copied().unwrap_or_default());
    let rank = rank.context("no operand")??;
    let [left, right] = transposed;
    let axes = AxesMapping::for_numpy_matmul(rank, left, right, false)?;
    node.wire(EinSum::new(axes, kind), &wires)
}

/// alpha · A' · B' + beta · C.
pub(super) fn gemm(node: &mut Node<'_>) -> Outputs {
    let inputs = [node.input(0)?, node.input(1)?];
    let transposed = [node.flag("transA", false), node.flag("transB", false)];
    let mut wire = product(node, inputs, transposed)?;
    wire = scaled(node, wire, "alpha")?;
    if let Some(bias) = node.optional(2) {
        let bias = scaled(node, bias, "beta")?;
        wire = node.broadcast(math::add(), &[wire, bias])?;
    }
    Ok(single(wire))
}

fn scaled(node: &mut Node<'_>, wire: OutletId, by: &str) -> TractResult<OutletId> {
    match node.attribute(by).map(|attribute| attribute.float) {
        Some(factor) => node.with_number(math::mul(), wire, factor),
        None => Ok(wire),
    }
}

pub(super) fn conv(node: &mut Node<'_>) -> Outputs {
    let (input, kernel) = (node.input(0)?, node.input(1)?);
    let shape = node.shape(kernel)?;
    let [output_channels, channels, window @ ..] = &*shape else { bail!("a kernel of {shape:?}") };
    let group = usize::try_from(node.int("group").unwrap_or(1))?;
    let pool_spec = PoolSpec {
        data_format: DataFormat::NCHW,
        kernel_shape: window.into(),
        padding: padding(node, window.len())?,
        dilations: node.counts("dilations")?,
        strides: node.counts("strides")?,
        input_channels: channels * group,
        output_channels: *output_channels,
    };
    let bias = match node.optional(2) {
        Some(bias) => bias,
        None => node.add(tensor0(0.0_f32))?,
    };
    let conv = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group, q_params: None };
    node.wire(conv, &[input, kernel, bias]).map(single)
}

fn padding(node: &Node<'_>, rank: usize) -> TractResult<PaddingSpec> {
    match node.attribute("auto_pad").map(|how| how.text.as_slice()) {
        None | Some(b"NOTSET") => {}
        Some(b"VALID") => return Ok(PaddingSpec::Valid),
        Some(b"SAME_UPPER") => return Ok(PaddingSpec::SameUpper),
        Some(b"SAME_LOWER") => return Ok(PaddingSpec::SameLower),
        Some(other) => bail!("auto_pad {}", String::from_utf8_lossy(other)),
    }
    let Some(pads) = node.counts("pads")? else { return Ok(PaddingSpec::Valid) };
    let (before, after) = pads.split_at_checked(rank).context("pads of Conv")?;
    ensure!(after.len() == rank, "pads of Conv: {pads:?}");
    Ok(PaddingSpec::Explicit(before.into(), after.into()))
}

/// (x − mean) / √(variance + ε) · scale + bias, over the last axes.
pub(super) fn layer_normalization(node: &mut Node<'_>) -> Outputs {
    ensure!(node.proto.outputs.len() == 1, "LayerNormalization with statistics as outputs");
    let input = node.input(0)?;
    let rank = node.shape(input)?.len();
    let first = axis(node.int("axis").unwrap_or(-1), rank)?;
    let axes: TVec<usize> = (first..rank).collect();
    let mean = average(node, axes.clone(), input)?;
    let centred = node.wire(math::sub(), &[input, mean])?;
    let variance = node.wire(Reduce::new(axes, Reducer::MeanOfSquares), &[centred])?;
    let epsilon = node.float("epsilon", 1e-5);
    let variance = node.with_number(math::add(), variance, epsilon)?;
    let factor = node.wire(math::rsqrt(), &[variance])?;
    let mut wire = node.wire(math::mul(), &[centred, factor])?;
    if let Some(scale) = node.optional(1) {
        wire = node.broadcast(math::mul(), &[wire, scale])?;
    }
    if let Some(bias) = node.optional(2) {
        wire = node.broadcast(math::add(), &[wire, bias])?;
    }
    Ok(single(wire))
}

/// As a factor and a summand for each channel, both known at load.
pub(super) fn batch_normalization(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let rank = node.shape(input)?.len();
    let epsilon = node.float("epsilon", 1e-5);
    let [scale, bias, mean, variance] =
        [node.input(1)?, node.input(2)?, node.input(3)?, node.input(4)?];
    let variance = node.with_number(math::add(), variance, epsilon)?;
    let factor = node.wire(math::rsqrt(), &[variance])?;
    let factor = node.wire(math::mul(), &[scale, factor])?;
    let shift = node.wire(math::mul(), &[mean, factor])?;
    let shift = node.wire(math::sub(), &[bias, shift])?;
    let factor = along(node, factor, 1, rank)?;
    let shift = along(node, shift, 1, rank)?;
    let wire = node.wire(math::mul(), &[input, factor])?;
    node.wire(math::add(), &[wire, shift]).map(single)
}

/// (x − zero point) · scale, in f32.
pub(super) fn dequantize_linear(node: &mut Node<'_>) -> Outputs {
    ensure!(node.int("block_size").unwrap_or(0) == 0, "blocked DequantizeLinear");
    let (input, scale) = (node.input(0)?, node.input(1)?);
    let rank = node.shape(input)?.len();
    let at = if rank == 0 { 0 } else { axis(node.int("axis").unwrap_or(1), rank).unwrap_or(0) };
    let mut wire = node.wire(cast(f32::datum_type()), &[input])?;
    if let Some(zero) = node.optional(2) {
        let zero = node.wire(cast(f32::datum_type()), &[zero])?;
        let zero = along(node, zero, at, rank)?;
        wire = node.broadcast(math::sub(), &[wire, zero])?;
    }
    let scale = along(node, scale, at, rank)?;
    node.broadcast(math::mul(), &[wire, scale]).map(single)
}

/// A vector laid along one axis of `rank`; a single number stays one.
fn along(
    node: &mut Node<'_>,
    mut wire: OutletId,
    axis: usize,
    rank: usize,
) -> TractResult<OutletId> {
    if node.shape(wire)?.is_empty() {
        return Ok(wire);
    }
    for _ in axis + 1..rank {
        let last = node.shape(wire)?.len();
        wire = node.wire(AxisOp::Add(last), &[wire])?;
    }
    for _ in node.shape(wire)?.len()..rank {
        wire = node.wire(AxisOp::Add(0), &[wire])?;
    }
    Ok(wire)
}
