//! Max pools behind convolutions: which layers compare their accumulators and rescale the largest of each window only.
//!
//! Windows that follow each other without overlap make of `stride` and kernel of the convolution another convolution: with windows of
//! p elements along an axis, element d of window o is output `o * p + d`, and its tap k reads
//!
//! ```text
//! (o * p + d) * stride + k - before  =  o * (p * stride) + (d * stride + k) - before
//! ```
//!
//! so each filter becomes one for each element of a window, with its kernel moved by `d * stride` among zeros, and all elements of a
//! window stand next to each other in the fold. The values are the same: the interpreter knows nothing of it.

use crate::{
    gates::{Shape, Steps},
    model::{Stencil, stencil::Axis},
    op::{
        Conv, Maximum, Op,
        conv::{Placement, moves},
    },
    quant::{Program, range::MAX_PRODUCTS},
};
use std::collections::BTreeMap;

/// Weight columns that are reckoned with where the rows with and without a pool are compared.
const USUAL_WEIGHTS: u32 = 16;

/// A convolution, the rescale behind it and the maximum that alone reads that.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The convolution's node; the rescale is the next.
    pub conv: usize,
    /// The maximum's node.
    pub maximum: usize,
    /// The convolution with a filter for each element of a window.
    pub stencil: Stencil,
    /// Elements of a window, by axis.
    window: [usize; 2],
}

impl Pool {
    /// Elements of a window.
    pub fn size(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// Windows of all filters.
    pub fn windows(&self) -> usize {
        self.stencil.outputs() / self.size()
    }

    /// Rows of all of it, where a distance and a rescale take one row each.
    fn rows(&self) -> usize {
        usual(&self.stencil).saturating_add(self.stencil.outputs()).saturating_add(self.windows())
    }

    /// Window and element of an output of [`Pool::layer`].
    pub fn place_of(&self, output: usize) -> (usize, usize) {
        let (positions, size) = (self.stencil.windows(), self.size());
        (output / (size * positions) * positions + output % positions, output / positions % size)
    }

    /// The convolution that is placed, of the program's `conv`.
    pub fn layer(&self, conv: &Conv) -> Conv {
        let (own, size) = (&conv.stencil, self.size());
        let mut weights = vec![0; self.stencil.weights()];
        let taps = || (0..own.axes[0].kernel).flat_map(|ky| (0..own.axes[1].kernel).map(move |kx| [ky, kx]));
        for filter in 0..self.stencil.filters {
            let moved = [filter % size / self.window[1], filter % self.window[1]];
            let at = |tap: [usize; 2]| [0, 1].map(|i| moved[i] * own.axes[i].stride + tap[i]);
            for channel in 0..own.channels_per_group() {
                for tap in taps() {
                    weights[self.stencil.weight(filter, channel, at(tap))] =
                        conv.weights[own.weight(filter / size, channel, tap)];
                }
            }
        }
        let bias = (0..self.stencil.filters).map(|filter| conv.bias[filter / size]).collect();
        Conv { stencil: self.stencil, weights, bias }
    }
}

/// The pools of a program, in its order.
pub fn pools(program: &Program) -> Vec<Pool> {
    // How often each node is read, and by which node last.
    let mut readers = vec![(0usize, 0usize); program.nodes.len()];
    for (index, node) in program.nodes.iter().enumerate() {
        for &input in &node.inputs {
            if let Some((count, last)) = readers.get_mut(input) {
                (*count, *last) = (*count + 1, index);
            }
        }
    }
    let alone = |index: usize| readers.get(index).and_then(|&(count, last)| (count == 1).then_some(last));
    (0..program.nodes.len()).filter_map(|conv| pool_at(program, conv, alone(conv + 1)?)).collect()
}

/// The pool of the convolution at `conv` and of what alone reads its rescale.
fn pool_at(program: &Program, conv: usize, maximum: usize) -> Option<Pool> {
    let nodes = [conv, conv + 1, maximum].map(|index| &program.nodes[index]);
    let (Op::Conv(layer), Op::Rescale(_), Op::Maximum(windows)) = (&nodes[0].op, &nodes[1].op, &nodes[2].op) else { return None };
    let window = (nodes[2].inputs.len() == 1).then(|| window_of(&layer.stencil, windows)).flatten()?;
    let stencil = pooled(&layer.stencil, window)?;
    let pool = Pool { conv, maximum, stencil, window };
    (pool.rows() < rows_without(&layer.stencil, windows.elements())).then_some(pool)
}

/// Rows of a convolution with a rescale for each output and a maximum behind it, where each of them takes the fewest.
fn rows_without(stencil: &Stencil, elements: usize) -> usize {
    usual(stencil).saturating_add(stencil.outputs()).saturating_add(elements.saturating_mul(2))
}

/// Rows of a convolution beyond its outputs, alone in a circuit of usual width.
fn usual(stencil: &Stencil) -> usize {
    let mut all = BTreeMap::new();
    moves(stencil, &mut all);
    Placement::of(stencil, &Shape { weights: USUAL_WEIGHTS, steps: Steps::best(&all), ..Shape::default() }).rows
}

/// The sides of the windows, where they lie side by side over the outputs of a convolution, filter by filter.
fn window_of(stencil: &Stencil, maximum: &Maximum) -> Option<[usize; 2]> {
    let [rows, columns] = stencil.axes.map(|axis| axis.outputs);
    let first = maximum.windows.first()?;
    let across = first.iter().enumerate().take_while(|&(i, &e)| e as usize == i && i < columns).count();
    let window = [first.len().checked_div(across)?, across];
    let [down, beside] = [rows.checked_div(window[0])?, columns / across];
    let element = |filter: usize, y: usize, x: usize| ((filter * rows + y) * columns + x) as u32;
    let expected = (0..stencil.filters).flat_map(|f| (0..down).flat_map(move |oy| (0..beside).map(move |ox| (f, oy, ox))));
    let elements = |(f, oy, ox): (usize, usize, usize)| {
        let at = move |dy: usize, dx: usize| element(f, oy * window[0] + dy, ox * window[1] + dx);
        (0..window[0]).flat_map(move |dy| (0..window[1]).map(move |dx| at(dy, dx)))
    };
    let same = maximum.windows.len() == stencil.filters * down * beside
        && expected.zip(&maximum.windows).all(|(at, window)| elements(at).eq(window.iter().copied()));
    (first.len() > 1 && same).then_some(window)
}

/// The geometry with a filter for each element of a window.
fn pooled(stencil: &Stencil, window: [usize; 2]) -> Option<Stencil> {
    let along = |axis: &Axis, elements: usize| {
        let near = elements == 1 || axis.dilation == 1 || axis.kernel == 1;
        let kernel = if elements == 1 { axis.kernel } else { axis.kernel + (elements - 1) * axis.stride };
        let dilation = if elements == 1 { axis.dilation } else { 1 };
        let (stride, outputs) = (elements * axis.stride, axis.outputs / elements);
        near.then_some(Axis { kernel, stride, dilation, outputs, ..*axis })
    };
    let [down, across] = [0, 1].map(|i| along(&stencil.axes[i], window[i]));
    let filters = stencil.filters.checked_mul(window[0] * window[1])?;
    let made = Stencil { filters, axes: [down?, across?], ..*stencil };
    // What a convolution of a program may have holds for the one that is placed, too.
    let products = made.outputs().saturating_mul(made.channels_per_group()).saturating_mul(made.taps());
    (made.is_sound() && products <= MAX_PRODUCTS).then_some(made)
}

#[cfg(test)]
#[path = "pooling_tests.rs"]
mod tests;
