//! Conv with stored weights, in one or two dimensions.

use super::{Call, window};
use crate::model::import::{Value, Walk};
use crate::model::{Conv, GraphOp, ModelError, Stencil, stencil::Axis};

pub(super) const ATTRIBUTES: &[&str] = &["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"];

/// `[1, C, ..]` and weights `[F, C / group, ..]` to `[1, F, ..]`.
pub(super) fn conv(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (source, shape) = call.tensor(0)?;
    let (dims, weights) = call.weights(1)?;
    let ([1, channels, sizes @ ..], [filters, depth, kernel @ ..]) = (shape, dims) else {
        return Err(call.refuse(&format!("an input of shape {shape:?} and weights of shape {dims:?}; export with batch 1")));
    };
    let groups = usize::try_from(call.int("group", 1)).unwrap_or(0);
    if let Some(stated) = call.ints("kernel_shape").filter(|k| !k.iter().map(|&d| d as usize).eq(kernel.iter().copied())) {
        return Err(call.bad_shape(format!("`kernel_shape` is {stated:?}, the weights have {kernel:?}")));
    }
    let spatial: Vec<Axis> = window::axes(call, sizes, kernel)?;
    let axes = match *spatial.as_slice() {
        [columns] => [Axis::POINT, columns],
        [rows, columns] => [rows, columns],
        _ => return Err(call.refuse(&format!("{} spatial axes; one or two are supported", spatial.len()))),
    };
    let stencil = Stencil { channels: *channels, filters: *filters, groups, axes };
    if !stencil.is_sound() || stencil.channels_per_group() != *depth {
        return Err(call.bad_shape(format!("{channels} channels and weights of shape {dims:?} in {groups} groups")));
    }
    let bias = match call.input(2) {
        None => vec![0.0; *filters],
        Some(_) => match call.weights(2)? {
            (bias_dims, values) if bias_dims == [*filters] => values.to_vec(),
            (bias_dims, _) => return Err(call.bad_shape(format!("a bias of shape {bias_dims:?} for {filters} filters"))),
        },
    };
    let made = [vec![1, *filters], spatial.iter().map(|axis| axis.outputs).collect()].concat();
    walk.push(call.name, GraphOp::Conv(Conv { stencil, weights: weights.to_vec(), bias }), vec![source], made)
}
