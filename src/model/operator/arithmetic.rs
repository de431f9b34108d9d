//! Add, Sub, Mul and Div, with broadcasting. With a stored operand they scale and shift, if possible inside the layer before.

use super::dense;
use super::{Call, broadcast};
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, ModelError, Product, Sum};

/// `a + sign * b`.
pub(super) fn add(walk: &mut Walk, call: &Call, sign: f32) -> Result<Value, ModelError> {
    match (call.input(0), call.input(1)) {
        (Some(Value::Tensor { .. }), Some(Value::Tensor { .. })) => add_tensors(walk, call, sign),
        (Some(Value::Tensor { .. }), Some(Value::Constant(_))) => match add_bias(walk, call, 0, 1, sign)? {
            Some(made) => Ok(made),
            None => scale_and_shift(walk, call, 0, Stored::new(call, 1, &[], 1.0)?, |b| (1.0, sign * b)),
        },
        (Some(Value::Constant(_)), Some(Value::Tensor { .. })) => match add_bias(walk, call, 1, 0, 1.0)? {
            Some(made) if sign > 0.0 => Ok(made),
            _ => scale_and_shift(walk, call, 1, Stored::new(call, 0, &[], 1.0)?, |a| (sign, a)),
        },
        (Some(_), Some(_)) => Err(call.refuse("both operands are stored tensors")),
        _ => Err(call.missing(1)),
    }
}

/// `a * b`.
pub(super) fn mul(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    match (call.input(0), call.input(1)) {
        (Some(Value::Tensor { .. }), Some(Value::Constant(_))) => {
            scale_and_shift(walk, call, 0, Stored::new(call, 1, &[], 1.0)?, |b| (b, 0.0))
        }
        (Some(Value::Constant(_)), Some(Value::Tensor { .. })) => {
            scale_and_shift(walk, call, 1, Stored::new(call, 0, &[], 1.0)?, |a| (a, 0.0))
        }
        (Some(Value::Tensor { .. }), Some(Value::Tensor { .. })) => mul_tensors(walk, call),
        (Some(_), Some(_)) => Err(call.refuse("both operands are stored tensors")),
        _ => Err(call.missing(1)),
    }
}

/// `a / b` with b stored.
pub(super) fn div(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let divisor = Stored::new(call, 1, &[], 1.0)?;
    scale_and_shift(walk, call, 0, divisor, |b| ((1.0 / f64::from(b)) as f32, 0.0))
}

fn add_tensors(walk: &mut Walk, call: &Call, sign: f32) -> Result<Value, ModelError> {
    let ((a, a_shape), (b, b_shape)) = (call.tensor(0)?, call.tensor(1)?);
    let made = broadcast::shape(a_shape, b_shape)
        .ok_or_else(|| call.bad_shape(format!("shapes {a_shape:?} and {b_shape:?} do not broadcast")))?;
    walk.fits(call.name, &made)?;
    let first_of_b: usize = a_shape.iter().product();
    let pairs = broadcast::elements(a_shape, &made).into_iter().zip(broadcast::elements(b_shape, &made));
    let terms: Vec<_> = pairs.map(|(i, j)| vec![(i as u32, 1.0), ((first_of_b + j) as u32, sign)]).collect();
    let bias = vec![0.0; terms.len()];
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias }), vec![a, b], made)
}

fn mul_tensors(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let ((a, a_shape), (b, b_shape)) = (call.tensor(0)?, call.tensor(1)?);
    let made = broadcast::shape(a_shape, b_shape)
        .ok_or_else(|| call.bad_shape(format!("shapes {a_shape:?} and {b_shape:?} do not broadcast")))?;
    let count = walk.fits(call.name, &made)?;
    let mut inputs = Vec::with_capacity(2);
    for (side, node, shape) in [("left", a, a_shape), ("right", b, b_shape)] {
        let from = broadcast::elements(shape, &made);
        inputs.push(moved(walk, &format!("{}.{side}", call.name), node, from)?);
    }
    let product = Product { count, rows: 1, inner: 1, columns: 1 };
    walk.push(call.name, GraphOp::Product(product), inputs, made)
}

/// Elements of `node` in another order or number; the node itself where they are the same.
pub(super) fn moved(walk: &mut Walk, name: &str, node: usize, from: Vec<usize>) -> Result<usize, ModelError> {
    let whole = walk.nodes.get(node).is_some_and(|n| n.len == from.len());
    if whole && from.iter().enumerate().all(|(i, &at)| i == at) {
        return Ok(node);
    }
    let len = from.len();
    walk.push(name, GraphOp::Move(from.into_iter().map(|i| i as u32).collect()), vec![node], vec![len])?;
    Ok(walk.nodes.len() - 1)
}

/// A stored bias of the fully connected layer that made input `left`; `None` when it is none.
fn add_bias(walk: &mut Walk, call: &Call, left: usize, right: usize, sign: f32) -> Result<Option<Value>, ModelError> {
    let (source, shape) = call.tensor(left)?;
    let (dims, values) = call.weights(right)?;
    // The layer is copied: something else may read it without the bias. A copy that nobody reads is dropped at the end.
    let Some((name, inputs, mut linear)) = walk.nodes.get(source).and_then(|node| match &node.op {
        GraphOp::Linear(linear) => Some((format!("{}+{}", node.name, call.name), node.inputs.clone(), linear.clone())),
        _ => None,
    }) else {
        return Ok(None);
    };
    let width = shape.last().copied().unwrap_or(1);
    let Some(bias) = dense::broadcast(dims, values, width).filter(|_| width == linear.outputs) else { return Ok(None) };
    linear.bias.iter_mut().zip(bias).for_each(|(b, extra)| *b += sign * extra);
    call.finite(&linear.bias)?;
    let made = [vec![1; dims.len().saturating_sub(shape.len())], shape.to_vec()].concat();
    walk.push(&name, GraphOp::Linear(linear), inputs, made).map(Some)
}

/// A stored operand: its shape and values, or one number.
pub(super) struct Stored {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Stored {
    /// Input `index`; where it is absent, `default` in the given shape.
    pub(super) fn new(call: &Call, index: usize, shape: &[usize], default: f32) -> Result<Self, ModelError> {
        match call.input(index) {
            None if index > 1 => Ok(Self { shape: shape.to_vec(), values: vec![default; shape.iter().product()] }),
            _ => call.weights(index).map(|(shape, values)| Self { shape: shape.to_vec(), values: values.to_vec() }),
        }
    }
}

/// `y = weight * x + bias`, element by element; `parts` gives both for each number of the stored operand.
///
/// Where nothing else reads the layer or sum that made x, it takes both over and no node is added.
pub(super) fn scale_and_shift(
    walk: &mut Walk,
    call: &Call,
    index: usize,
    stored: Stored,
    parts: impl Fn(f32) -> (f32, f32),
) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(index)?;
    let made = broadcast::shape(shape, &stored.shape)
        .ok_or_else(|| call.bad_shape(format!("a tensor of shape {:?} does not broadcast to {shape:?}", stored.shape)))?;
    walk.fits(call.name, &made)?;
    let read = broadcast::elements(shape, &made);
    let (weights, bias): (Vec<f32>, Vec<f32>) =
        broadcast::elements(&stored.shape, &made).into_iter().map(|i| parts(stored.values[i])).unzip();
    call.finite(&weights)?;
    call.finite(&bias)?;
    let alone = made.iter().product::<usize>() == shape.iter().product::<usize>() && walk.is_read_once(call.input_name(index));
    if let Some((name, op, inputs)) = alone.then(|| absorbed(walk, call, source, &weights, &bias)).flatten() {
        match &op {
            GraphOp::Linear(linear) => call.finite(&linear.weights).and_then(|()| call.finite(&linear.bias))?,
            GraphOp::Conv(conv) => call.finite(&conv.weights).and_then(|()| call.finite(&conv.bias))?,
            GraphOp::Sum(sum) => {
                sum.terms.iter().try_for_each(|t| call.finite(&t.iter().map(|(_, w)| *w).collect::<Vec<_>>()))?;
                call.finite(&sum.bias)?;
            }
            _ => {}
        }
        return walk.push(&name, op, inputs, made);
    }
    let terms = read.into_iter().zip(weights).map(|(i, w)| vec![(i as u32, w)]).collect();
    walk.push(call.name, GraphOp::Sum(Sum { terms, bias }), vec![source], made)
}

/// A scale and shift, element by element, of what `node` computes.
pub(super) struct Diagonal {
    pub(super) node: usize,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// Input `index` as a scale and shift that nothing else reads: the layer that reads it can take both over.
pub(super) fn diagonal(walk: &Walk, call: &Call, index: usize) -> Option<Diagonal> {
    let (source, _) = call.tensor(index).ok()?;
    let node = walk.nodes.get(source).filter(|_| walk.is_read_once(call.input_name(index)))?;
    match (&node.op, node.inputs.as_slice()) {
        (GraphOp::Sum(sum), &[node]) if walk.nodes.get(node)?.len == sum.terms.len() => {
            let own = |(i, terms): (usize, &Vec<(u32, f32)>)| match terms.as_slice() {
                [(element, weight)] if *element as usize == i => Some(*weight),
                _ => None,
            };
            let weights = sum.terms.iter().enumerate().map(own).collect::<Option<Vec<f32>>>()?;
            Some(Diagonal { node, weights, bias: sum.bias.clone() })
        }
        _ => None,
    }
}

type Absorbed = (String, GraphOp, Vec<usize>);

/// The node `source` with each output scaled and shifted, where it is a sum of products. The original is dropped in the end.
fn absorbed(walk: &Walk, call: &Call, source: usize, weights: &[f32], bias: &[f32]) -> Option<Absorbed> {
    let node = walk.nodes.get(source)?;
    // In f64 and rounded once.
    let scaled = |w: f32, factor: f32| (f64::from(w) * f64::from(factor)) as f32;
    let shifted = |(b, (w, extra)): (&f32, (&f32, &f32))| (f64::from(*b) * f64::from(*w) + f64::from(*extra)) as f32;
    let biased = |old: &[f32]| old.iter().zip(weights.iter().zip(bias)).map(shifted).collect();
    let op = match &node.op {
        GraphOp::Linear(linear) => {
            let mut made = linear.clone();
            for (row, factor) in made.weights.chunks_mut(linear.inputs.max(1)).zip(weights) {
                row.iter_mut().for_each(|w| *w = scaled(*w, *factor));
            }
            made.bias = biased(&linear.bias);
            GraphOp::Linear(made)
        }
        GraphOp::Conv(conv) => {
            let windows = conv.stencil.windows();
            let same = |values: &[f32]| values.chunks(windows).all(|all| all.iter().all(|v| *v == all[0]));
            if !same(weights) || !same(bias) {
                return None;
            }
            let by_filter = |values: &[f32]| values.iter().step_by(windows).copied().collect::<Vec<f32>>();
            let (factors, shifts) = (by_filter(weights), by_filter(bias));
            let mut made = conv.clone();
            for (filter, factor) in made.weights.chunks_mut(conv.weights.len() / conv.bias.len()).zip(&factors) {
                filter.iter_mut().for_each(|w| *w = scaled(*w, *factor));
            }
            made.bias = conv.bias.iter().zip(factors.iter().zip(&shifts)).map(shifted).collect();
            GraphOp::Conv(made)
        }
        GraphOp::Sum(sum) => {
            let mut made = sum.clone();
            for (terms, factor) in made.terms.iter_mut().zip(weights) {
                terms.iter_mut().for_each(|(_, w)| *w = scaled(*w, *factor));
            }
            made.bias = biased(&sum.bias);
            GraphOp::Sum(made)
        }
        _ => return None,
    };
    Some((format!("{}+{}", node.name, call.name), op, node.inputs.clone()))
}
