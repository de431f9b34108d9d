//! A convolution as many small dense layers: each block of neighbouring windows reads the pixels under it.

use super::Conv;
use crate::gates::{Cell, Trace, TraceError, fold};
use crate::model::{Stencil, stencil::Axis};
use crate::op::Place;

/// Rows beyond the rescales, with blocks of `span` windows of a row.
pub(super) fn rows(stencil: &Stencil, span: usize, width: usize) -> usize {
    let [down, across] = &stencil.axes;
    let lines: usize = (0..down.outputs).map(|o| pixels_under(down, o, 1)).fold(0, usize::saturating_add);
    let blocks = (0..across.outputs).step_by(span).map(|first| {
        let outputs = span.min(across.outputs - first).saturating_mul(stencil.filters_per_group());
        pixels_under(across, first, span).saturating_mul(outputs.div_ceil(width.max(1)))
    });
    blocks.fold(0, usize::saturating_add).saturating_mul(lines).saturating_mul(stencil.channels)
}

pub(super) fn place_all(
    conv: &Conv,
    span: usize,
    trace: &mut Trace,
    inputs: &[Cell],
    place: &mut Place<'_>,
) -> Result<(), TraceError> {
    let stencil = &conv.stencil;
    let [down, across] = &stencil.axes;
    let (filters, channels) = (stencil.filters_per_group(), stencil.channels_per_group());
    for group in 0..stencil.groups {
        for (oy, first) in (0..down.outputs).flat_map(|oy| (0..across.outputs).step_by(span).map(move |first| (oy, first))) {
            let windows = first..across.outputs.min(first + span);
            let outputs: Vec<(usize, usize)> =
                windows.flat_map(|ox| (group * filters..(group + 1) * filters).map(move |f| (f, ox))).collect();
            for &(filter, ox) in &outputs {
                let output = (filter * down.outputs + oy) * across.outputs + ox;
                place(trace, output, conv.bias[filter])?;
            }
            for channel in 0..channels {
                for (iy, ix) in under(down, oy, 1).flat_map(|iy| under(across, first, span).map(move |ix| (iy, ix))) {
                    let weight = |&(filter, ox): &(usize, usize)| match (tap(down, oy, iy), tap(across, ox, ix)) {
                        (Some(ky), Some(kx)) => conv.weights[stencil.weight(filter, channel, [ky, kx])],
                        _ => 0,
                    };
                    let column: Vec<i128> = outputs.iter().map(weight).collect();
                    let pixel = ((group * channels + channel) * down.size + iy) * across.size + ix;
                    fold::place_input(trace, &column, inputs[pixel])?;
                }
            }
        }
    }
    Ok(())
}

/// The tap of window `o` that lies on element `i`.
fn tap(axis: &Axis, o: usize, i: usize) -> Option<usize> {
    let distance = (i + axis.before).checked_sub(o * axis.stride)?;
    (distance.is_multiple_of(axis.dilation) && distance / axis.dilation < axis.kernel).then(|| distance / axis.dilation)
}

/// The elements under `span` windows from `first` on, ascending.
fn under(axis: &Axis, first: usize, span: usize) -> impl Iterator<Item = usize> {
    let axis = *axis;
    let last = axis.outputs.min(first + span) - 1;
    let from = (first * axis.stride).saturating_sub(axis.before);
    let to = (last * axis.stride + axis.reach() + 1).saturating_sub(axis.before).min(axis.size);
    (from..to).filter(move |&i| (first..=last).any(|o| tap(&axis, o, i).is_some()))
}

fn pixels_under(axis: &Axis, first: usize, span: usize) -> usize {
    under(axis, first, span).count()
}
