//! ConvTranspose as a convolution: zeros are put between the pixels and around them, and the kernel is turned round.

use super::broadcast::{indices, strides};
use super::{Call, window};
use crate::model::import::{Value, Walk};
use crate::model::{
    Conv, GraphOp, ModelError, Stencil,
    stencil::{Axis, MAX_SIDE},
};

pub(super) const ATTRIBUTES: &[&str] = &["auto_pad", "dilations", "group", "kernel_shape", "output_padding", "pads", "strides"];

/// `[1, C, ..]` and weights `[C, F / group, ..]` to `[1, F, ..]`: pixel i and tap k meet at output `i * stride + k * dilation - before`.
pub(super) fn conv_transpose(walk: &mut Walk, call: &Call) -> Result<Value, ModelError> {
    let (_, shape) = call.tensor(0)?;
    let (dims, weights) = call.weights(1)?;
    let ([1, channels, sizes @ ..], [depth, per_group, kernel @ ..]) = (shape, dims) else {
        return Err(call.refuse(&format!("an input of shape {shape:?} and weights of shape {dims:?}; export with batch 1")));
    };
    let groups = usize::try_from(call.int("group", 1)).unwrap_or(0);
    if depth != channels || groups == 0 || !channels.is_multiple_of(groups) {
        return Err(call.bad_shape(format!("{channels} channels and weights of shape {dims:?} in {groups} groups")));
    }
    if call.text("auto_pad").is_some_and(|auto| auto != "NOTSET") {
        return Err(call.refuse("auto_pad; export with explicit pads"));
    }
    let spread = spread(call, sizes, kernel)?;
    let axes = match *spread.as_slice() {
        [columns] => [Spread::POINT, columns],
        [rows, columns] => [rows, columns],
        _ => return Err(call.refuse(&format!("{} spatial axes; one or two are supported", spread.len()))),
    };
    let filters = per_group.saturating_mul(groups);
    let stencil = Stencil { channels: *channels, filters, groups, axes: axes.map(|s| s.axis) };
    if !stencil.is_sound() {
        return Err(call.bad_shape(format!("weights of shape {dims:?} on {sizes:?}")));
    }
    let bias = match call.input(2) {
        None => vec![0.0; filters],
        Some(_) => match call.weights(2)? {
            (bias_dims, values) if bias_dims == [filters] => values.to_vec(),
            (bias_dims, _) => return Err(call.bad_shape(format!("a bias of shape {bias_dims:?} for {filters} filters"))),
        },
    };
    let source = stretched(walk, call, *channels, &axes)?;
    let conv = Conv { stencil, weights: turned(&stencil, weights), bias };
    let made = [vec![1, filters], spread.iter().map(|s| s.axis.outputs).collect()].concat();
    walk.push(call.name, GraphOp::Conv(conv), vec![source], made)
}

/// One axis: how far apart its pixels come to stand, and the convolution over what is then there.
#[derive(Clone, Copy)]
struct Spread {
    size: usize,
    stride: usize,
    axis: Axis,
}

impl Spread {
    const POINT: Self = Self { size: 1, stride: 1, axis: Axis::POINT };
}

fn spread(call: &Call, sizes: &[usize], kernel: &[usize]) -> Result<Vec<Spread>, ModelError> {
    let rank = sizes.len();
    if kernel.len() != rank {
        return Err(call.bad_shape(format!("a kernel of shape {kernel:?} on spatial axes {sizes:?}")));
    }
    let (strides, dilations) = (window::list(call, "strides", rank, 1)?, window::list(call, "dilations", rank, 1)?);
    let (pads, more) = (window::list(call, "pads", 2 * rank, 0)?, window::list(call, "output_padding", rank, 0)?);
    let one = |i: usize| {
        let (stride, dilation) = (strides[i], dilations[i]);
        let size = (sizes[i] - 1).saturating_mul(stride).saturating_add(1);
        let reach = kernel[i].saturating_sub(1).saturating_mul(dilation);
        // The first output is `before` into the full result, which begins where the last tap meets the first pixel.
        let before = reach.checked_sub(pads[i])?;
        let outputs = size.saturating_add(reach).saturating_add(more[i]).checked_sub(pads[i].saturating_add(pads[rank + i]))?;
        let axis = Axis { size, kernel: kernel[i], stride: 1, dilation, before, outputs };
        (stride > 0 && axis.is_sound() && size <= MAX_SIDE).then_some(Spread { size: sizes[i], stride, axis })
    };
    (0..rank)
        .map(|i| one(i).ok_or_else(|| call.bad_shape(format!("axis {i}: a stride, dilation or pad that does not fit"))))
        .collect()
}

/// The pixels with zeros between them; the node itself where there are none.
fn stretched(walk: &mut Walk, call: &Call, channels: usize, axes: &[Spread; 2]) -> Result<usize, ModelError> {
    let (source, _) = call.tensor(0)?;
    if axes.iter().all(|s| s.stride == 1) {
        return Ok(source);
    }
    let made = [channels, axes[0].axis.size, axes[1].axis.size];
    let len = channels * axes[0].size * axes[1].size;
    let mut from = vec![len as u32; walk.fits(call.name, &made)?];
    let steps = strides(&made);
    let pixels = indices(&[channels, axes[0].size, axes[1].size], 0, &[steps[0], steps[1] * axes[0].stride, axes[1].stride]);
    (0..).zip(pixels).for_each(|(i, at)| from[at] = i);
    walk.push(&format!("{}.zero", call.name), GraphOp::Constant(vec![0.0]), vec![], vec![1])?;
    let zero = walk.nodes.len() - 1;
    walk.push(&format!("{}.stretched", call.name), GraphOp::Move(from), vec![source, zero], made.to_vec())?;
    Ok(walk.nodes.len() - 1)
}

/// Weights by channel, filter of the group and tap, as a convolution has them: by filter, channel of the group and tap turned round.
fn turned(stencil: &Stencil, weights: &[f32]) -> Vec<f32> {
    let (filters, channels, taps) = (stencil.filters_per_group(), stencil.channels_per_group(), stencil.taps());
    let mut made = Vec::with_capacity(weights.len());
    for (filter, channel) in (0..stencil.filters).flat_map(|f| (0..channels).map(move |c| (f, c))) {
        let first = ((filter / filters * channels + channel) * filters + filter % filters) * taps;
        made.extend(weights[first..first + taps].iter().rev());
    }
    made
}
