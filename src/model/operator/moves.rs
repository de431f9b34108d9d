//! Operators that move or name data: no node remains of them, only the shape changes.

use super::Call;
use crate::model::ModelError;
use crate::model::constant::{self, Constant};
use crate::model::import::{Value, Walk};
use crate::model::size::element_count;
use std::rc::Rc;

/// Identity: the same value under another name.
pub(super) fn identity(_: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    call.inputs.first().cloned().ok_or_else(|| call.missing(0))
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
    let target = match call.inputs.get(1) {
        Some(Value::Constant(c)) => match c.as_ref() {
            Constant::Integers(target) => target.clone(),
            Constant::Floats(..) => return Err(call.refuse("the target shape must be int64")),
        },
        Some(Value::Tensor { .. }) => return Err(call.refuse("the target shape is computed, not stored in the file")),
        None => return Err(call.missing(1)),
    };
    let made = resolve(shape, &target, call.int("allowzero", 0) != 0)
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
