//! Operators that move or name data. Where only the shape changes, no node remains of them.

use super::broadcast::{indices, strides};
use super::{Call, arithmetic};
use crate::model::constant;
use crate::model::import::{Value, Walk};
use crate::model::size::element_count;
use crate::model::{GraphOp, ModelError};
use std::rc::Rc;

/// Identity: the same value under another name.
pub(super) fn identity(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    call.input(0).cloned().ok_or_else(|| call.missing(0))
}

/// Constant: a tensor stored in the node instead of among the initializers.
pub(super) fn constant(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let tensor = call.attribute("value").and_then(|a| a.t.as_ref());
    let tensor = tensor.ok_or_else(|| call.refuse("only a tensor in `value` is supported"))?;
    // The tensor inside is mostly unnamed; errors should say something.
    let mut named = tensor.clone();
    if named.name.is_empty() {
        named.name = call.name.to_owned();
    }
    Ok(Value::Constant(Rc::new(constant::read(&named)?)))
}

/// Flatten: `[d0, .., dn]` to `[d0 * .. * d(axis-1), d(axis) * .. * dn]`.
pub(super) fn flatten(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (node, shape) = call.tensor(0)?;
    let (axis, rank) = (call.int("axis", 1), shape.len() as i64);
    let from_front = if axis < 0 { axis.saturating_add(rank) } else { axis };
    if !(0..=rank).contains(&from_front) {
        return Err(call.bad_shape(format!("axis {axis} is outside a tensor of rank {rank}")));
    }
    let (front, back) = shape.split_at(from_front as usize);
    Ok(Value::Tensor { node, shape: vec![front.iter().product(), back.iter().product()] })
}

/// Reshape to a stored shape, with at most one `-1` and, unless `allowzero`, `0` for "as it was".
pub(super) fn reshape(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (node, shape) = call.tensor(0)?;
    let target = call.integers(1, "shape")?.ok_or_else(|| call.missing(1))?;
    let made = resolve(shape, target, call.int("allowzero", 0) != 0)
        .ok_or_else(|| call.bad_shape(format!("cannot reshape {shape:?} to {target:?}")))?;
    Ok(Value::Tensor { node, shape: made })
}

/// The shape that `target` stands for; `None` when it does not hold as many elements.
fn resolve(shape: &[usize], target: &[i64], allow_zero: bool) -> Option<Vec<usize>> {
    let count = element_count(shape)?;
    let mut unknown = None;
    let mut made = Vec::with_capacity(target.len());
    for (index, &d) in target.iter().enumerate() {
        made.push(match d {
            -1 if unknown.is_none() => {
                unknown = Some(index);
                1
            }
            0 if !allow_zero => *shape.get(index)?,
            d => usize::try_from(d).ok()?,
        });
    }
    let known = element_count(&made)?;
    if let Some(index) = unknown {
        made[index] = count.checked_div(known)?;
    }
    (element_count(&made)? == count).then_some(made)
}

/// Transpose: axes in the order `perm`, or reversed.
pub(super) fn transpose(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let rank = shape.len();
    let perm: Vec<usize> = match call.ints("perm") {
        Some(perm) => perm.iter().map(|&a| call.axis(a, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    if perm.len() != rank || !(0..rank).all(|a| perm.contains(&a)) {
        return Err(call.bad_shape(format!("{perm:?} is no order of {rank} axes")));
    }
    let steps = strides(shape);
    let made: Vec<usize> = perm.iter().map(|&a| shape[a]).collect();
    let from = indices(&made, 0, &perm.iter().map(|&a| steps[a]).collect::<Vec<_>>());
    moved(walk, call, source, from, made)
}

/// Slice with positive steps.
pub(super) fn slice(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let starts = call.integers(1, "starts")?.ok_or_else(|| call.missing(1))?;
    let ends = call.integers(2, "ends")?.ok_or_else(|| call.missing(2))?;
    let axes: Vec<usize> = match call.integers(3, "axes")? {
        Some(axes) => axes.iter().map(|&a| call.axis(a, shape.len())).collect::<Result<_, _>>()?,
        None => (0..starts.len()).collect(),
    };
    let steps = call.integers(4, "steps")?.map_or_else(|| vec![1; starts.len()], <[i64]>::to_vec);
    if starts.len() != ends.len() || starts.len() != axes.len() || starts.len() != steps.len() || axes.len() > shape.len() {
        return Err(call.bad_shape("starts, ends, axes and steps differ in length".into()));
    }
    if let Some(axis) = axes.iter().enumerate().find_map(|(i, a)| axes[..i].contains(a).then_some(a)) {
        return Err(call.bad_shape(format!("axis {axis} is sliced twice")));
    }
    let (mut first, mut made, mut strides) = (0, shape.to_vec(), strides(shape));
    for (i, &axis) in axes.iter().enumerate() {
        let size = shape[axis] as i64;
        let clamp = |v: i64| if v < 0 { v.saturating_add(size).max(0) } else { v.min(size) };
        let (start, end, step) = (clamp(starts[i]), clamp(ends[i]), steps[i]);
        if step < 1 || start >= end {
            return Err(
                call.refuse(&format!("axis {axis} from {start} to {end} by {step}; only forward slices that are not empty"))
            );
        }
        first += start as usize * strides[axis];
        made[axis] = ((end - start) as usize).div_ceil(step as usize);
        // A step beyond the axis leaves one element; the stride is then never used.
        strides[axis] = strides[axis].saturating_mul(step as usize);
    }
    let from = indices(&made, first, &strides);
    moved(walk, call, source, from, made)
}

/// Concat along `axis`; stored tensors may stand among the computed ones.
pub(super) fn concat(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let mut parts = Vec::with_capacity(call.inputs.len());
    for index in 0..call.inputs.len() {
        parts.push(match call.input(index) {
            Some(Value::Tensor { node, shape }) => (*node, shape.clone()),
            _ => {
                let (shape, values) = call.weights(index)?;
                let (name, op) = (format!("{}.constant{index}", call.name), GraphOp::Constant(values.to_vec()));
                match walk.push(&name, op, vec![], shape.to_vec())? {
                    Value::Tensor { node, shape } => (node, shape),
                    Value::Constant(_) => return Err(call.missing(index)),
                }
            }
        });
    }
    let Some((_, like)) = parts.first() else { return Err(call.missing(0)) };
    let axis = call.axis(call.int("axis", 0), like.len())?;
    let mut made = like.clone();
    made[axis] = 0;
    for (_, shape) in &parts {
        let fits = shape.len() == made.len() && (0..made.len()).all(|i| i == axis || shape[i] == made[i]);
        if !fits {
            return Err(call.bad_shape(format!("shapes {like:?} and {shape:?} differ beyond axis {axis}")));
        }
        made[axis] = made[axis].saturating_add(shape[axis]);
    }
    walk.fits(call.name, &made)?;
    let outer: usize = made[..axis].iter().product();
    let mut from = Vec::with_capacity(made.iter().product());
    for block in 0..outer {
        let mut first = 0;
        for (_, shape) in &parts {
            let inner: usize = shape[axis..].iter().product();
            from.extend((0..inner).map(|i| (first + block * inner + i) as u32));
            first += outer * inner;
        }
    }
    walk.push(call.name, GraphOp::Move(from), parts.into_iter().map(|(node, _)| node).collect(), made)
}

/// Squeeze: axes of size 1 go.
pub(super) fn squeeze(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (node, shape) = call.tensor(0)?;
    let axes: Vec<usize> = match call.integers(1, "axes")? {
        Some(axes) => axes.iter().map(|&a| call.axis(a, shape.len())).collect::<Result<_, _>>()?,
        None => (0..shape.len()).filter(|&i| shape[i] == 1).collect(),
    };
    if let Some(axis) = axes.iter().find(|&&a| shape[a] != 1) {
        return Err(call.bad_shape(format!("axis {axis} of {shape:?} is not 1")));
    }
    let made = shape.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &d)| d).collect();
    Ok(Value::Tensor { node, shape: made })
}

/// Unsqueeze: axes of size 1 come in, at positions of the result.
pub(super) fn unsqueeze(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (node, shape) = call.tensor(0)?;
    let axes = call.integers(1, "axes")?.ok_or_else(|| call.missing(1))?;
    let rank = shape.len() + axes.len();
    let mut places = axes.iter().map(|&a| call.axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
    places.sort_unstable();
    places.dedup();
    if places.len() != axes.len() {
        return Err(call.bad_shape(format!("axes {axes:?} repeat")));
    }
    let mut made = shape.to_vec();
    places.into_iter().for_each(|a| made.insert(a, 1));
    Ok(Value::Tensor { node, shape: made })
}

/// Dropout does nothing at inference.
pub(super) fn dropout(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    if call.input(2).is_some() {
        return Err(call.refuse("export for inference, without training_mode"));
    }
    identity(walk, call)
}

/// Elements of one tensor in another order; no node where the order is the same.
fn moved(walk: &mut Walk, call: &Call, source: usize, from: Vec<usize>, made: Vec<usize>) -> Result<Value, ModelError> {
    Ok(Value::Tensor { node: arithmetic::moved(walk, call.name, source, from)?, shape: made })
}
