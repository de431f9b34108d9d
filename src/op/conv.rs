//! Conv: a convolution with fixed integer weights, in one or two dimensions.

mod direct;
mod walk;

use super::{Interval, Place};
use crate::gates::{Cell, Shape, Trace, TraceError};
use crate::model::Stencil;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `y[f, o] = b[f] + sum_(c, k) W[f, c, k] * x[c, o * stride + k * dilation - before]`, exact on integers, pads being zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Channels, filters, groups and axes.
    pub stencil: Stencil,
    /// By filter, channel of its group, row and column.
    pub weights: Vec<i128>,
    /// One entry per filter.
    pub bias: Vec<i128>,
}

/// How a convolution stands in rows; both check the same equations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// Windows are small dense layers, this many neighbours of a row at a time.
    Direct(usize),
    /// Kernels walk over the pixels.
    Walk,
}

impl Conv {
    /// Whether geometry, lengths and `inputs` elements fit each other.
    pub fn is_consistent(&self, inputs: usize) -> bool {
        self.stencil.is_sound()
            && self.stencil.inputs() == inputs
            && self.stencil.weights() == self.weights.len()
            && self.bias.len() == self.stencil.filters
    }

    /// The exact meaning; inputs inside the program's intervals never overflow `i128`.
    pub fn eval(&self, x: &[i128]) -> Vec<i128> {
        self.stencil.convolve(&self.weights, &self.bias, x)
    }

    /// Interval arithmetic per filter, on the widest interval of each channel; `None` when a partial sum could leave the limit.
    pub fn intervals(&self, x: &[Interval]) -> Option<Vec<Interval>> {
        let channels = self.hulls(x);
        let mut all = Vec::with_capacity(self.stencil.outputs());
        for (filter, &bias) in self.bias.iter().enumerate() {
            let first = filter / self.stencil.filters_per_group() * self.stencil.channels_per_group();
            let per_filter = self.stencil.channels_per_group() * self.stencil.taps();
            let weights = self.weights.get(filter * per_filter..(filter + 1) * per_filter)?;
            let bias = Interval::new(bias, bias).limited()?;
            let sum = weights
                .iter()
                .enumerate()
                .try_fold(bias, |sum, (i, &w)| sum.plus(&channels.get(first + i / self.stencil.taps())?.scaled(w)?))?;
            all.extend(std::iter::repeat_n(sum, self.stencil.windows()));
        }
        Some(all)
    }

    /// The widest interval of each channel, zero included where windows reach over the edge.
    pub fn hulls(&self, x: &[Interval]) -> Vec<Interval> {
        hulls(&self.stencil, x)
    }

    /// Outputs, border outputs and inputs, in the order of the fold: position by position, filter by filter.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], x: Option<&[i128]>, place: &mut Place<'_>) -> Result<(), TraceError> {
        match chosen(&self.stencil, &trace.shape).0 {
            Method::Direct(span) => direct::place_all(self, span, trace, inputs, place),
            Method::Walk => walk::place_all(self, trace, inputs, x, place),
        }
    }
}

/// How a convolution is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Whether its kernels walk.
    pub walks: bool,
    /// Whether it has border outputs.
    pub border: bool,
    /// Rows beyond those of its outputs.
    pub rows: usize,
}

impl Placement {
    /// How a convolution of this geometry is placed with the weight columns and steps of `shape`.
    pub fn of(stencil: &Stencil, shape: &Shape) -> Self {
        let (method, rows) = chosen(stencil, shape);
        let walks = method == Method::Walk;
        Self { walks, border: walks && walk::Grid::of(stencil).positions() > stencil.windows() as u64, rows }
    }
}

/// The shorter method in `shape`, with its rows.
fn chosen(stencil: &Stencil, shape: &Shape) -> (Method, usize) {
    let spans = [1, 2, 4, 8, 16].into_iter().filter(|&span| span == 1 || span <= stencil.axes[1].outputs);
    let direct = spans.map(|span| (Method::Direct(span), direct::rows(stencil, span, shape.weights as usize)));
    let walked = (!shape.steps.is_empty()).then(|| (Method::Walk, walk::rows(stencil, shape)));
    direct.chain(walked).min_by_key(|(_, rows)| *rows).unwrap_or((Method::Direct(1), usize::MAX))
}

/// Counts how often the kernels of a convolution would move by each exponent of γ.
pub fn moves(stencil: &Stencil, moves: &mut BTreeMap<u64, u64>) {
    walk::moves(stencil, moves);
}

/// The widest interval of each channel under `stencil`, zero included where windows reach over the edge.
pub fn hulls(stencil: &Stencil, x: &[Interval]) -> Vec<Interval> {
    let padded = stencil.axes.iter().any(|axis| axis.has_pads());
    let hull = |plane: &[Interval]| {
        let all = plane.iter().copied().reduce(|a, b| Interval::new(a.lo.min(b.lo), a.hi.max(b.hi)));
        let all = all.unwrap_or(Interval::new(0, 0));
        if padded { Interval::new(all.lo.min(0), all.hi.max(0)) } else { all }
    };
    x.chunks(stencil.pixels().max(1)).map(hull).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::Steps;
    use crate::model::stencil::Axis;

    fn conv(channels: usize, filters: usize, size: usize, kernel: usize, stride: usize, before: usize) -> Conv {
        let outputs = (size + 2 * before - kernel) / stride + 1;
        let axis = Axis { size, kernel, stride, dilation: 1, before, outputs };
        let stencil = Stencil { channels, filters, groups: 1, axes: [axis; 2] };
        Conv { stencil, weights: (0..stencil.weights() as i128).map(|w| w % 7 - 3).collect(), bias: vec![5; filters] }
    }

    #[test]
    fn intervals_hold_the_values_of_the_worst_case() {
        let conv = conv(1, 2, 4, 3, 1, 1);
        let x = vec![Interval::new(2, 10); 16];
        let intervals = conv.intervals(&x).unwrap();
        // The first filter: -11 and 6 are the sums of its negative and positive weights; zero counts, since the rim is zero.
        assert_eq!(intervals[0], Interval::new(5 - 110, 5 + 60));
        for values in [[2; 16], [10; 16], std::array::from_fn(|i| 2 + i as i128 % 9)] {
            assert!(conv.eval(&values).iter().zip(&intervals).all(|(y, i)| i.contains(*y)));
        }
        assert!(Conv { weights: vec![1 << 119; 18], ..conv }.intervals(&x).is_none());
    }

    #[test]
    fn the_shorter_method_is_chosen() {
        let shape = |steps| Shape { weights: 8, steps, ..Shape::default() };
        let walking = shape(Steps::new(&[4, 8, 32]));
        // 28x28, 4 filters of 5x5, stride 2: 12 * 12 windows of 25 taps each.
        let first = conv(1, 4, 28, 5, 2, 0);
        let placed = |conv: &Conv, shape: &Shape| Placement::of(&conv.stencil, shape);
        assert!(!placed(&first, &shape(Steps::default())).walks);
        assert!(placed(&first, &walking).walks && placed(&first, &walking).border);
        let (direct, walked) = (placed(&first, &shape(Steps::default())).rows, placed(&first, &walking).rows);
        assert!(walked < 1300 && direct > 2000, "{walked} {direct}");
        // A kernel as large as the image is a fully connected layer.
        let whole = conv(3, 4, 5, 5, 1, 0);
        assert_eq!(placed(&whole, &walking), Placement { walks: false, border: false, rows: 75 });
    }
}
