//! Gemm and MatMul with stored weights: fully connected layers on one row.

use super::{Call, arithmetic};
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, Linear, ModelError, Product};

/// `alpha * A' * B' + beta * C` with A computed (one row), B and C stored.
pub(super) fn gemm(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let (dims, weights) = call.weights(1)?;
    let (trans_a, trans_b) = (call.int("transA", 0) != 0, call.int("transB", 0) != 0);
    let (rows, inner) = match *shape {
        [columns, rows] if trans_a => (rows, columns),
        [rows, columns] => (rows, columns),
        _ => return Err(call.bad_shape(format!("A has shape {shape:?}, expected rank 2"))),
    };
    one_row(call, rows)?;
    let (outputs, inputs) = match *dims {
        [outputs, inputs] if trans_b => (outputs, inputs),
        [inputs, outputs] => (outputs, inputs),
        _ => return Err(call.bad_shape(format!("B has shape {dims:?}, expected rank 2"))),
    };
    if inner != inputs {
        return Err(call.bad_shape(format!("A has {inner} columns and B takes {inputs}")));
    }
    let by_output = if trans_b { weights.to_vec() } else { transposed(weights, inputs, outputs) };
    let bias = match call.input(2) {
        None => vec![0.0; outputs],
        Some(_) => {
            let (dims, values) = call.weights(2)?;
            let bias = broadcast(dims, values, outputs).filter(|_| dims.len() <= 2);
            bias.ok_or_else(|| call.bad_shape(format!("C has shape {dims:?}, which does not broadcast to [1, {outputs}]")))?
        }
    };
    let linear = Linear {
        outputs,
        inputs,
        weights: scaled(call, by_output, call.float("alpha", 1.0))?,
        bias: scaled(call, bias, call.float("beta", 1.0))?,
    };
    layer(walk, call, source, linear, vec![1, outputs])
}

/// A fully connected layer, with a scale and shift before it multiplied in.
fn layer(walk: &mut Walk, call: &Call, source: usize, mut linear: Linear, made: Vec<usize>) -> Result<Value, ModelError> {
    let Some(before) = arithmetic::diagonal(walk, call, 0) else {
        return walk.push(call.name, GraphOp::Linear(linear), vec![source], made);
    };
    for (row, bias) in linear.weights.chunks_mut(linear.inputs.max(1)).zip(&mut linear.bias) {
        let shift: f64 = row.iter().zip(&before.bias).map(|(w, b)| f64::from(*w) * f64::from(*b)).sum();
        *bias = (f64::from(*bias) + shift) as f32;
        row.iter_mut().zip(&before.weights).for_each(|(w, scale)| *w = (f64::from(*w) * f64::from(*scale)) as f32);
    }
    call.finite(&linear.weights)?;
    call.finite(&linear.bias)?;
    walk.push(call.name, GraphOp::Linear(linear), vec![before.node], made)
}

/// `x * W` or `W * x` with W stored and x one row or column.
pub(super) fn matmul(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    if matches!(call.input(0), Some(Value::Constant(_))) {
        return matmul_left(walk, call);
    }
    if matches!(call.input(1), Some(Value::Tensor { .. })) {
        return matmul_tensors(walk, call);
    }
    let (source, shape) = call.tensor(0)?;
    let (dims, weights) = call.weights(1)?;
    let [inputs, outputs] = *dims else {
        return Err(call.refuse(&format!("the right operand has shape {dims:?}, only matrices are supported")));
    };
    let Some((&inner, batch)) = shape.split_last() else {
        return Err(call.bad_shape("the left operand is a scalar".into()));
    };
    one_row(call, batch.iter().product())?;
    if inner != inputs {
        return Err(call.bad_shape(format!("the left operand has {inner} columns and the right one {inputs} rows")));
    }
    let linear = Linear { outputs, inputs, weights: transposed(weights, inputs, outputs), bias: vec![0.0; outputs] };
    layer(walk, call, source, linear, [batch, &[outputs]].concat())
}

/// Both matrices computed; leading dimensions, if any, are those of a stack of matrices and must be the same on both sides.
fn matmul_tensors(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let ((a, a_shape), (b, b_shape)) = (call.tensor(0)?, call.tensor(1)?);
    let ([a_stack @ .., rows, inner], [b_stack @ .., same, columns]) = (a_shape, b_shape) else {
        return Err(call.refuse(&format!("shapes {a_shape:?} and {b_shape:?}; both need two dimensions or more")));
    };
    if a_stack != b_stack || inner != same {
        return Err(call.bad_shape(format!("shapes {a_shape:?} and {b_shape:?} do not fit")));
    }
    let made = [a_stack, &[*rows, *columns]].concat();
    let count = walk.fits(call.name, &made)? / (rows * columns);
    let product = Product { count, rows: *rows, inner: *inner, columns: *columns };
    walk.reserve(product.outputs().saturating_mul(*inner))?;
    walk.push(call.name, GraphOp::Product(product), vec![a, b], made)
}

fn matmul_left(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (dims, weights) = call.weights(0)?;
    let (source, shape) = call.tensor(1)?;
    let [outputs, inputs] = *dims else {
        return Err(call.refuse(&format!("the left operand has shape {dims:?}, only matrices are supported")));
    };
    let (inner, made) = match *shape {
        [inner] => (inner, vec![outputs]),
        [inner, 1] => (inner, vec![outputs, 1]),
        _ => return Err(call.refuse(&format!("the right operand has shape {shape:?}, only one column is supported"))),
    };
    if inner != inputs {
        return Err(call.bad_shape(format!("the left operand has {inputs} columns and the right one {inner} rows")));
    }
    let linear = Linear { outputs, inputs, weights: weights.to_vec(), bias: vec![0.0; outputs] };
    walk.push(call.name, GraphOp::Linear(linear), vec![source], made)
}

/// A tensor that broadcasts over one row of `width`; leading dimensions must be 1.
pub(super) fn broadcast(dims: &[usize], values: &[f32], width: usize) -> Option<Vec<f32>> {
    let (last, leading) = dims.split_last().map_or((1, &[][..]), |(last, leading)| (*last, leading));
    match values {
        _ if leading.iter().any(|&d| d != 1) => None,
        [one] => Some(vec![*one; width]),
        _ if last == width => Some(values.to_vec()),
        _ => None,
    }
}

fn one_row(call: &Call, rows: usize) -> Result<(), ModelError> {
    if rows == 1 { Ok(()) } else { Err(call.refuse(&format!("a batch of {rows} rows; export with batch 1"))) }
}

/// `[rows, columns]` to `[columns, rows]`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
}

/// Multiplied in f64 and rounded once, as a runtime that scales the sum would nearly do.
fn scaled(call: &Call, values: Vec<f32>, factor: f32) -> Result<Vec<f32>, ModelError> {
    let scaled: Vec<f32> = values.iter().map(|v| (f64::from(*v) * f64::from(factor)) as f32).collect();
    call.finite(&scaled)?;
    Ok(scaled)
}
