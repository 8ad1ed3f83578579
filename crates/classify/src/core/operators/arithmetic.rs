//! Operators that work number by number.

use tract_core::ops::{
    self,
    binary::{BinMiniOp, TypedBinOp},
    logic::{self, Iff},
    math, nn,
};

use super::single;
use crate::core::{node::Node, prelude::*, tensors};

type Outputs = TractResult<TVec<OutletId>>;

fn unary(node: &mut Node<'_>, op: impl Into<Box<dyn TypedOp>>) -> Outputs {
    let input = node.input(0)?;
    node.wire(op, &[input]).map(single)
}

fn binary(node: &mut Node<'_>, op: impl Into<Box<dyn TypedOp>>) -> Outputs {
    let inputs = [node.input(0)?, node.input(1)?];
    node.broadcast(op, &inputs).map(single)
}

fn fold(node: &mut Node<'_>, op: impl Fn() -> TypedBinOp) -> Outputs {
    let mut rest = node.given().into_iter();
    let mut result = rest.next().context("no input")?;
    for next in rest {
        result = node.broadcast(op(), &[result, next])?;
    }
    Ok(single(result))
}

fn compare(node: &mut Node<'_>, op: Box<dyn BinMiniOp>) -> Outputs {
    binary(node, TypedBinOp(op, None))
}

pub(super) fn abs(node: &mut Node<'_>) -> Outputs {
    unary(node, math::abs())
}

pub(super) fn add(node: &mut Node<'_>) -> Outputs {
    binary(node, math::add())
}

pub(super) fn and(node: &mut Node<'_>) -> Outputs {
    binary(node, logic::and())
}

pub(super) fn cast(node: &mut Node<'_>) -> Outputs {
    let to = node.int("to").context("Cast without `to`")?;
    let kind = tensors::datum_type(i32::try_from(to)?)?;
    unary(node, ops::cast::cast(kind))
}

pub(super) fn clip(node: &mut Node<'_>) -> Outputs {
    let mut wire = node.input(0)?;
    if let Some(low) = node.optional(1) {
        wire = node.broadcast(math::max(), &[wire, low])?;
    }
    if let Some(high) = node.optional(2) {
        wire = node.broadcast(math::min(), &[wire, high])?;
    }
    Ok(single(wire))
}

pub(super) fn cos(node: &mut Node<'_>) -> Outputs {
    unary(node, math::cos())
}

pub(super) fn div(node: &mut Node<'_>) -> Outputs {
    binary(node, math::div())
}

pub(super) fn equal(node: &mut Node<'_>) -> Outputs {
    compare(node, logic::comp_eq())
}

pub(super) fn erf(node: &mut Node<'_>) -> Outputs {
    unary(node, math::erf())
}

pub(super) fn exp(node: &mut Node<'_>) -> Outputs {
    unary(node, math::exp())
}

/// x · (1 + erf(x / √2)) / 2, or with tanh: 0.5x (1 + tanh(√(2/π) (x + 0.044715 x³))).
pub(super) fn gelu(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let tanh = node.attribute("approximate").is_some_and(|how| how.text == b"tanh");
    let curve = if tanh {
        let square = node.wire(math::mul(), &[input, input])?;
        let cube = node.wire(math::mul(), &[square, input])?;
        let cube = node.with_number(math::mul(), cube, 0.044_715)?;
        let sum = node.wire(math::add(), &[input, cube])?;
        let scaled = node.with_number(math::mul(), sum, (2.0 / std::f32::consts::PI).sqrt())?;
        node.wire(math::tanh(), &[scaled])?
    } else {
        let scaled = node.with_number(math::mul(), input, std::f32::consts::FRAC_1_SQRT_2)?;
        node.wire(math::erf(), &[scaled])?
    };
    let one_more = node.with_number(math::add(), curve, 1.0)?;
    let half = node.with_number(math::mul(), input, 0.5)?;
    node.wire(math::mul(), &[half, one_more]).map(single)
}

pub(super) fn greater(node: &mut Node<'_>) -> Outputs {
    compare(node, logic::comp_gt())
}

pub(super) fn greater_or_equal(node: &mut Node<'_>) -> Outputs {
    compare(node, logic::comp_gte())
}

pub(super) fn leaky_relu(node: &mut Node<'_>) -> Outputs {
    let alpha = node.float("alpha", 0.01);
    unary(node, nn::leaky_relu(alpha))
}

pub(super) fn less(node: &mut Node<'_>) -> Outputs {
    compare(node, logic::comp_lt())
}

pub(super) fn less_or_equal(node: &mut Node<'_>) -> Outputs {
    compare(node, logic::comp_lte())
}

pub(super) fn log(node: &mut Node<'_>) -> Outputs {
    unary(node, math::ln())
}

pub(super) fn max(node: &mut Node<'_>) -> Outputs {
    fold(node, math::max)
}

pub(super) fn min(node: &mut Node<'_>) -> Outputs {
    fold(node, math::min)
}

pub(super) fn mul(node: &mut Node<'_>) -> Outputs {
    binary(node, math::mul())
}

pub(super) fn neg(node: &mut Node<'_>) -> Outputs {
    unary(node, math::neg())
}

pub(super) fn not(node: &mut Node<'_>) -> Outputs {
    unary(node, logic::not())
}

pub(super) fn or(node: &mut Node<'_>) -> Outputs {
    binary(node, logic::or())
}

pub(super) fn pow(node: &mut Node<'_>) -> Outputs {
    let (base, exponent) = (node.input(0)?, node.input(1)?);
    let kind = node.kind(base)?;
    let exponent = node.wire(ops::cast::cast(kind), &[exponent])?;
    node.broadcast(math::pow(), &[base, exponent]).map(single)
}

pub(super) fn reciprocal(node: &mut Node<'_>) -> Outputs {
    unary(node, math::recip())
}

pub(super) fn relu(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    node.with_number(math::max(), input, 0.0).map(single)
}

pub(super) fn select(node: &mut Node<'_>) -> Outputs {
    let inputs = [node.input(0)?, node.input(1)?, node.input(2)?];
    node.broadcast(Iff, &inputs).map(single)
}

pub(super) fn sigmoid(node: &mut Node<'_>) -> Outputs {
    unary(node, nn::sigmoid())
}

pub(super) fn sin(node: &mut Node<'_>) -> Outputs {
    unary(node, math::sin())
}

/// ln(1 + e^x), as max(x, 0) + ln(1 + e^−|x|), which does not overflow.
pub(super) fn softplus(node: &mut Node<'_>) -> Outputs {
    let input = node.input(0)?;
    let above = node.with_number(math::max(), input, 0.0)?;
    let size = node.wire(math::abs(), &[input])?;
    let small = node.wire(math::neg(), &[size])?;
    let power = node.wire(math::exp(), &[small])?;
    let sum = node.with_number(math::add(), power, 1.0)?;
    let rest = node.wire(math::ln(), &[sum])?;
    node.wire(math::add(), &[above, rest]).map(single)
}

pub(super) fn sqrt(node: &mut Node<'_>) -> Outputs {
    unary(node, math::sqrt())
}

pub(super) fn sub(node: &mut Node<'_>) -> Outputs {
    binary(node, math::sub())
}

pub(super) fn tanh(node: &mut Node<'_>) -> Outputs {
    unary(node, math::tanh())
}
