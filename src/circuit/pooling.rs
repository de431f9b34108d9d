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
    model::{Stencil, stencil::Axis},
    op::{Conv, Maximum, Op},
    quant::{Node, Program},
};

/// Weight columns that are reckoned with where a pooled kernel is weighed against the rows that it saves.
const USUAL_WEIGHTS: usize = 8;

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
    (0..program.nodes.len()).filter_map(|conv| pool_at(program, conv)).collect()
}

fn pool_at(program: &Program, conv: usize) -> Option<Pool> {
    let (Op::Conv(layer), Op::Rescale(_)) = (&program.nodes[conv].op, &program.nodes.get(conv + 1)?.op) else { return None };
    let reads = |(_, node): &(usize, &Node)| node.inputs.contains(&(conv + 1));
    let mut readers = program.nodes.iter().enumerate().filter(reads);
    let (Some((maximum, node)), None) = (readers.next(), readers.next()) else { return None };
    let Op::Maximum(windows) = &node.op else { return None };
    let window = (node.inputs == [conv + 1]).then(|| window_of(&layer.stencil, windows)).flatten()?;
    let stencil = pooled(&layer.stencil, window)?;
    let pool = Pool { conv, maximum, stencil, window };
    // In one row each: a rescale and two rows of a maximum for every element, against a distance for every element and a rescale.
    let saved = pool.windows().saturating_mul(2 * pool.size() - 1);
    let longer = stencil.weights().saturating_sub(layer.weights.len()) / USUAL_WEIGHTS;
    (saved > longer).then_some(pool)
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
    made.is_sound().then_some(made)
}

#[cfg(test)]
#[path = "pooling_tests.rs"]
mod tests;
