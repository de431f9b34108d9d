//! The geometry of a convolution: windows that slide over the two axes of an image, channel by channel.

use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, Mul};

/// Sides beyond this are nobody's model; it keeps every product of a few of them in range.
pub const MAX_SIDE: usize = 1 << 20;

/// One spatial axis. An image with one axis only has a second of size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Elements of the input.
    pub size: usize,
    /// Taps of the kernel.
    pub kernel: usize,
    /// Distance of neighbouring windows.
    pub stride: usize,
    /// Distance of neighbouring taps.
    pub dilation: usize,
    /// Zeros before the input; those behind it follow from the number of windows.
    pub before: usize,
    /// Windows.
    pub outputs: usize,
}

impl Axis {
    /// An axis of size 1 under a kernel of one tap.
    pub const POINT: Self = Self { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, outputs: 1 };

    /// The input element under tap `k` of window `o`; `None` on a pad.
    pub fn source(&self, o: usize, k: usize) -> Option<usize> {
        (o * self.stride + k * self.dilation).checked_sub(self.before).filter(|&i| i < self.size)
    }

    /// Distance of the first tap from the last.
    pub fn reach(&self) -> usize {
        (self.kernel - 1).saturating_mul(self.dilation)
    }

    /// Whether some tap of some window lies on a pad.
    pub fn has_pads(&self) -> bool {
        self.before > 0 || self.source(self.outputs - 1, self.kernel - 1).is_none()
    }

    /// Whether all sizes are positive and none is absurd.
    pub fn is_sound(&self) -> bool {
        let positive = [self.size, self.kernel, self.stride, self.dilation, self.outputs];
        positive.iter().all(|v| (1..=MAX_SIDE).contains(v)) && self.before <= MAX_SIDE && self.reach() <= MAX_SIDE
    }
}

/// The geometry of a convolution over `[channels, size, size]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stencil {
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Groups that channels and filters fall into; a filter reads the channels of its own.
    pub groups: usize,
    /// Rows, then columns.
    pub axes: [Axis; 2],
}

impl Stencil {
    /// Whether the sizes are positive, groups divide both channels and filters, and all products fit.
    pub fn is_sound(&self) -> bool {
        let small = |n: usize| (1..=MAX_SIDE).contains(&n);
        self.axes.iter().all(Axis::is_sound)
            && [self.channels, self.filters, self.groups].into_iter().all(small)
            && self.channels.is_multiple_of(self.groups)
            && self.filters.is_multiple_of(self.groups)
    }

    /// Channels that one filter reads.
    pub fn channels_per_group(&self) -> usize {
        self.channels / self.groups.max(1)
    }

    /// Filters of one group.
    pub fn filters_per_group(&self) -> usize {
        self.filters / self.groups.max(1)
    }

    /// Pixels of one input channel.
    pub fn pixels(&self) -> usize {
        self.axes[0].size.saturating_mul(self.axes[1].size)
    }

    /// Windows of one filter.
    pub fn windows(&self) -> usize {
        self.axes[0].outputs.saturating_mul(self.axes[1].outputs)
    }

    /// Taps of one filter on one channel.
    pub fn taps(&self) -> usize {
        self.axes[0].kernel.saturating_mul(self.axes[1].kernel)
    }

    /// Elements of the input.
    pub fn inputs(&self) -> usize {
        self.channels.saturating_mul(self.pixels())
    }

    /// Elements of the output.
    pub fn outputs(&self) -> usize {
        self.filters.saturating_mul(self.windows())
    }

    /// Weights of all filters.
    pub fn weights(&self) -> usize {
        self.filters.saturating_mul(self.channels_per_group()).saturating_mul(self.taps())
    }

    /// Position of a weight among all, which are ordered by filter, channel of the group, row, column.
    pub fn weight(&self, filter: usize, channel: usize, tap: [usize; 2]) -> usize {
        ((filter * self.channels_per_group() + channel) * self.axes[0].kernel + tap[0]) * self.axes[1].kernel + tap[1]
    }

    /// `y[f, o] = bias[f] + sum_(c, k) weights[f, c, k] * x[c, o * stride + k * dilation - before]`, pads being zero.
    pub fn convolve<T: Copy + Default + PartialEq + AddAssign + Mul<Output = T>>(
        &self,
        weights: &[T],
        bias: &[T],
        x: &[T],
    ) -> Vec<T> {
        let [rows, columns] = &self.axes;
        let mut y: Vec<T> = bias.iter().flat_map(|&b| std::iter::repeat_n(b, self.windows())).collect();
        for (filter, y) in y.chunks_mut(self.windows()).enumerate() {
            let first = filter / self.filters_per_group() * self.channels_per_group();
            for channel in 0..self.channels_per_group() {
                let plane = &x[(first + channel) * self.pixels()..][..self.pixels()];
                for (ky, kx) in (0..rows.kernel).flat_map(|ky| (0..columns.kernel).map(move |kx| (ky, kx))) {
                    let weight = weights[self.weight(filter, channel, [ky, kx])];
                    if weight == T::default() {
                        continue;
                    }
                    for (oy, y) in y.chunks_mut(columns.outputs).enumerate() {
                        let Some(iy) = rows.source(oy, ky) else { continue };
                        for (ox, y) in y.iter_mut().enumerate() {
                            if let Some(ix) = columns.source(ox, kx) {
                                *y += weight * plane[iy * columns.size + ix];
                            }
                        }
                    }
                }
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convolves_with_strides_pads_dilation_and_groups() {
        let axis = Axis { size: 5, kernel: 2, stride: 2, dilation: 2, before: 1, outputs: 3 };
        let stencil = Stencil { channels: 2, filters: 2, groups: 2, axes: [Axis::POINT, axis] };
        assert!(stencil.is_sound() && axis.has_pads() && !Axis::POINT.has_pads());
        assert_eq!((stencil.inputs(), stencil.outputs(), stencil.weights()), (10, 6, 4));
        // Taps at o * 2 - 1 and o * 2 + 1.
        let y = stencil.convolve(&[1, 10, 100, 1000], &[0, 7], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(y, [20, 2 + 40, 4, 7007, 7 + 700 + 9000, 7 + 900]);
    }

    #[test]
    fn absurd_sizes_are_not_sound() {
        let sound = Stencil { channels: 4, filters: 6, groups: 2, axes: [Axis::POINT; 2] };
        assert!(sound.is_sound());
        assert!(!Stencil { groups: 3, ..sound }.is_sound());
        assert!(!Stencil { groups: 0, ..sound }.is_sound());
        assert!(!Stencil { filters: 0, ..sound }.is_sound());
        assert!(!Stencil { channels: 2 << 20, ..sound }.is_sound());
        for axis in
            [Axis { stride: 0, ..Axis::POINT }, Axis { outputs: 0, ..Axis::POINT }, Axis { before: usize::MAX, ..Axis::POINT }]
        {
            assert!(!Stencil { axes: [Axis::POINT, axis], ..sound }.is_sound());
        }
    }
}
