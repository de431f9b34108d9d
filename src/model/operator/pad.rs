//! Pad with a constant: a move of the elements and one more number.

use super::Call;
use super::broadcast::{indices, strides};
use crate::model::import::{Value, Walk};
use crate::model::{GraphOp, ModelError};

/// Sides beyond this are nobody's model.
const MAX_PAD: i64 = 1 << 20;

/// `pads` elements before and behind each axis; cropping is Slice's business.
pub(super) fn pad(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    if call.text("mode").is_some_and(|mode| mode != "constant") {
        return Err(call.refuse("only pads with a constant are supported"));
    }
    let (source, shape) = call.tensor(0)?;
    let rank = shape.len();
    let pads = call.integers(1, "pads")?.ok_or_else(|| call.missing(1))?.to_vec();
    let axes: Vec<usize> = match call.integers(3, "axes")? {
        Some(axes) => axes.iter().map(|&a| call.axis(a, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(call.bad_shape(format!("{} pads for {} axes", pads.len(), axes.len())));
    }
    if let Some(pad) = pads.iter().find(|p| !(0..=MAX_PAD).contains(*p)) {
        return Err(call.bad_shape(format!("a pad of {pad}; allowed are 0..={MAX_PAD}")));
    }
    let mut before = vec![0usize; rank];
    let mut made = shape.to_vec();
    for (i, &axis) in axes.iter().enumerate() {
        before[axis] += pads[i] as usize;
        made[axis] += pads[i] as usize + pads[axes.len() + i] as usize;
    }
    let value = call.number(2, "value", 0.0)?;
    call.finite(&[value])?;
    walk.fits(call.name, &made)?;
    let len: usize = shape.iter().product();
    let mut from = vec![len as u32; made.iter().product()];
    let steps = strides(&made);
    let first = before.iter().zip(&steps).map(|(b, s)| b * s).sum();
    (0..).zip(indices(shape, first, &steps)).for_each(|(i, at)| from[at] = i);
    let constant = walk.push(&format!("{}.constant", call.name), GraphOp::Constant(vec![value]), vec![], vec![1])?;
    let Value::Tensor { node: constant, .. } = constant else { return Err(call.missing(2)) };
    walk.push(call.name, GraphOp::Move(from), vec![source, constant], made)
}
