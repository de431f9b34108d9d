//! Conv with stored weights, in one or two dimensions.

use super::{Call, arithmetic, window};
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
    let mut conv = Conv { stencil, weights: weights.to_vec(), bias };
    let source = match arithmetic::diagonal(walk, call, 0) {
        Some(scale) if scale_before(&mut conv, &scale) => scale.node,
        _ => source,
    };
    call.finite(&conv.weights)?;
    let made = [vec![1, *filters], spatial.iter().map(|axis| axis.outputs).collect()].concat();
    walk.push(call.name, GraphOp::Conv(conv), vec![source], made)
}

/// Multiplies a scale before the convolution into its weights; `false` where it shifts, or differs within a channel.
fn scale_before(conv: &mut Conv, scale: &arithmetic::Diagonal) -> bool {
    let stencil = conv.stencil;
    let uniform = scale.weights.chunks(stencil.pixels()).all(|plane| plane.iter().all(|w| *w == plane[0]));
    if !uniform || scale.bias.iter().any(|b| *b != 0.0) {
        return false;
    }
    let per_filter = stencil.channels_per_group() * stencil.taps();
    for (i, weight) in conv.weights.iter_mut().enumerate() {
        let group = i / per_filter / stencil.filters_per_group();
        let channel = group * stencil.channels_per_group() + i % per_filter / stencil.taps();
        *weight = (f64::from(*weight) * f64::from(scale.weights[channel * stencil.pixels()])) as f32;
    }
    true
}
