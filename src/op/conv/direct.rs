//! A convolution as many small dense layers: each block of neighbouring windows reads the pixels under it.

use super::Conv;
use crate::gates::{Cell, Trace, TraceError, fold};
use crate::model::{Stencil, stencil::Axis};
use crate::op::Place;

/// More elements than this under the windows of one axis are not counted to the end: no circuit has the rows.
const MOST: usize = 1 << 24;

/// Rows beyond the rescales, with blocks of `span` windows of a row.
pub(super) fn rows(stencil: &Stencil, span: usize, width: usize) -> usize {
    let [down, across] = &stencil.axes;
    let lines = limited((0..down.outputs).map(|o| under(down, o, 1).len()));
    let blocks = limited((0..across.outputs).step_by(span).map(|first| {
        let outputs = span.min(across.outputs - first).saturating_mul(stencil.filters_per_group());
        under(across, first, span).len().saturating_mul(outputs.div_ceil(width.max(1)))
    }));
    blocks.saturating_mul(lines).saturating_mul(stencil.channels)
}

/// The sum, or `usize::MAX` as soon as it is beyond [`MOST`].
fn limited(mut counts: impl Iterator<Item = usize>) -> usize {
    let sum = counts.try_fold(0usize, |sum, count| Some(sum.saturating_add(count)).filter(|&sum| sum <= MOST));
    sum.unwrap_or(usize::MAX)
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
            let columns = under(across, first, span);
            for channel in 0..channels {
                for (iy, ix) in under(down, oy, 1).into_iter().flat_map(|iy| columns.iter().map(move |&ix| (iy, ix))) {
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

/// The elements under `span` windows from `first` on, ascending: from the taps, since dilation can be far larger than a kernel.
fn under(axis: &Axis, first: usize, span: usize) -> Vec<usize> {
    let windows = first..axis.outputs.min(first + span);
    let mut all: Vec<usize> =
        windows.flat_map(|o| taps_inside(axis, o).map(move |k| o * axis.stride + k * axis.dilation - axis.before)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The taps of window `o` that lie on no pad: `before <= o * stride + k * dilation < before + size`.
fn taps_inside(axis: &Axis, o: usize) -> std::ops::Range<usize> {
    let start = o * axis.stride;
    let from = axis.before.saturating_sub(start).div_ceil(axis.dilation);
    let to = (axis.before + axis.size).saturating_sub(start).div_ceil(axis.dilation).min(axis.kernel);
    from.min(to)..to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_under_windows_are_those_of_their_taps() {
        for (size, kernel, stride, dilation, before) in [(7, 3, 2, 1, 1), (9, 2, 1, 3, 4), (4, 4, 3, 2, 5), (1, 2, 1, 9, 9)] {
            let axis = Axis { size, kernel, stride, dilation, before, outputs: 6 };
            for (first, span) in [(0, 1), (5, 1), (1, 3), (4, 4), (0, 16)] {
                let windows = || first..axis.outputs.min(first + span);
                let touched = |i: &usize| windows().any(|o| (0..kernel).any(|k| axis.source(o, k) == Some(*i)));
                assert_eq!(under(&axis, first, span), (0..size).filter(touched).collect::<Vec<_>>(), "{axis:?} {first} {span}");
            }
        }
    }

    /// A million windows of two taps that lie a million elements apart.
    #[test]
    fn far_taps_are_counted_without_the_way_between() {
        let most = crate::model::stencil::MAX_SIDE;
        let axis = Axis { size: most, kernel: 2, stride: 1, dilation: most - 1, before: most - 1, outputs: most };
        let stencil = Stencil { channels: 1, filters: 1, groups: 1, axes: [Axis::POINT, axis] };
        assert!(stencil.is_sound());
        assert_eq!(rows(&stencil, 1, 8), most + 1);
        assert_eq!(
            rows(&Stencil { axes: [Axis::POINT, Axis { kernel: most, dilation: 1, ..axis }], ..stencil }, 1, 8),
            usize::MAX
        );
    }
}
