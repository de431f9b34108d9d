//! LeakyRelu, PRelu and Clip, from the one rectifier that the circuit has.

use super::arithmetic::{Stored, scale_and_shift};
use super::{Call, broadcast};
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, ModelError, Sum};

/// `x` for `x >= 0`, `alpha * x` below.
pub(super) fn leaky_relu(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    let alpha = call.float("alpha", 0.01);
    let slopes = vec![alpha; shape.iter().product()];
    rectified(walk, call, &slopes)
}

/// `x` for `x >= 0`, `slope * x` below, with a stored slope that broadcasts over x.
pub(super) fn prelu(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    let (dims, values) = call.weights(1)?;
    if broadcast::shape(shape, dims).is_none_or(|made| made != shape) {
        return Err(call.bad_shape(format!("a slope of shape {dims:?} does not broadcast to {shape:?}")));
    }
    let slopes: Vec<f32> = broadcast::elements(dims, shape).into_iter().map(|i| values[i]).collect();
    rectified(walk, call, &slopes)
}

/// `slope * x + (1 - slope) * max(x, 0)`.
fn rectified(walk: &mut Walk, call: &Call, slopes: &[f32]) -> Result<Value, ModelError> {
    call.finite(slopes)?;
    let (source, shape) = call.tensor(0)?;
    let shape = shape.to_vec();
    let Value::Tensor { node: relu, .. } =
        walk.push(&format!("{}.relu", call.name), GraphOp::Relu, vec![source], shape.clone())?
    else {
        return Err(call.missing(0));
    };
    let len = slopes.len() as u32;
    let terms = (0..).zip(slopes).map(|(i, &slope)| vec![(i, slope), (len + i, 1.0 - slope)]).collect();
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias: vec![0.0; slopes.len()] }), vec![source, relu], shape)
}

/// `min(max(x, lo), hi)`: `lo + max(x - lo, 0)`, less what exceeds `hi - lo`.
pub(super) fn clip(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (lo, hi) = (call.number(1, "min", f32::NEG_INFINITY)?, call.number(2, "max", f32::INFINITY)?);
    if lo.is_nan() || hi.is_nan() || lo > hi {
        return Err(call.refuse(&format!("min {lo} above max {hi}")));
    }
    // Exporters write the largest float where they mean no bound.
    let bound = |v: f32| (v.abs() < f32::MAX).then_some(v);
    let one = |v: f32| Stored { shape: vec![], values: vec![v] };
    match (bound(lo), bound(hi)) {
        (None, None) => call.input(0).cloned().ok_or_else(|| call.missing(0)),
        (Some(lo), None) => {
            let above = relu_of(walk, call, "min", |walk| scale_and_shift(walk, call, 0, one(lo), |lo| (1.0, -lo)))?;
            shifted(walk, call, &[(above, 1.0)], lo)
        }
        (None, Some(hi)) => {
            let below = relu_of(walk, call, "max", |walk| scale_and_shift(walk, call, 0, one(hi), |hi| (-1.0, hi)))?;
            shifted(walk, call, &[(below, -1.0)], hi)
        }
        (Some(lo), Some(hi)) => {
            let above = relu_of(walk, call, "min", |walk| scale_and_shift(walk, call, 0, one(lo), |lo| (1.0, -lo)))?;
            let beyond = relu_of(walk, call, "max", |walk| shifted(walk, call, &[(above.clone(), 1.0)], lo - hi))?;
            shifted(walk, call, &[(above, 1.0), (beyond, -1.0)], lo)
        }
    }
}

fn relu_of(
    walk: &mut Walk,
    call: &Call,
    suffix: &str,
    make: impl FnOnce(&mut Walk) -> Result<Value, ModelError>,
) -> Result<(usize, Vec<usize>), ModelError> {
    let Value::Tensor { node, shape } = make(walk)? else { return Err(call.missing(0)) };
    match walk.push(&format!("{}.{suffix}", call.name), GraphOp::Relu, vec![node], shape)? {
        Value::Tensor { node, shape } => Ok((node, shape)),
        Value::Constant(_) => Err(call.missing(0)),
    }
}

/// The sum of tensors of one shape, each with a sign, and a number.
fn shifted(walk: &mut Walk, call: &Call, parts: &[((usize, Vec<usize>), f32)], by: f32) -> Result<Value, ModelError> {
    let Some(((first, shape), sign)) = parts.first() else { return Err(call.missing(0)) };
    if parts.len() == 1 && *sign == 1.0 && by == 0.0 {
        return Ok(Value::Tensor { node: *first, shape: shape.clone() });
    }
    let len = shape.iter().product::<usize>();
    let terms =
        (0..len).map(|i| parts.iter().enumerate().map(|(p, (_, sign))| ((p * len + i) as u32, *sign)).collect()).collect();
    let inputs = parts.iter().map(|((node, _), _)| *node).collect();
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias: vec![by; len] }), inputs, shape.clone())
}
