//! From a program for one input to one for a batch: the same model on N inputs, its weights folded once.
//!
//! Every tensor of a batch holds its elements one after the other, each for all items: element `e` of item `b` is `e * N + b`. A
//! dense layer is then a convolution with one tap over N pixels, a convolution one with N images side by side, and everything that
//! works element by element stays as it is. Moves cost nothing. Inputs and outputs stand item by item, as in the statement.

use super::{Node, Program, QuantError, range};
use crate::model::{self, Stencil, stencil::Axis};
use crate::op::{Constant, Conv, Maximum, Move, Op, Product, Sum, Term};

/// The program for `items` inputs at once; for one input the program itself.
///
/// # Errors
/// [`QuantError::Batch`] for no items or too many, [`QuantError::Size`] where the tensors of all items are larger than any circuit.
pub fn batch(program: &Program, items: usize) -> Result<Program, QuantError> {
    if !(1..=range::MAX_ITEMS).contains(&items) || program.items != 1 {
        return Err(QuantError::Batch { got: items, allowed: range::MAX_ITEMS });
    }
    let intervals = range::check(program)?;
    if items == 1 {
        return Ok(program.clone());
    }
    // Before anything of the size of a batch is made.
    for (node, intervals) in program.nodes.iter().zip(&intervals) {
        range::at_most(&node.name, "elements of all items", intervals.len().saturating_mul(items), range::MAX_ELEMENTS)?;
    }
    let widths = intervals.iter().map(Vec::len).collect();
    let made = Program { items, nodes: Vec::new(), ..program.clone() };
    let mut batch = Batch { items, widths, made, at: Vec::new(), order: None };
    for index in 0..program.nodes.len() {
        batch.widen(program, index);
    }
    range::check(&batch.made)?;
    Ok(batch.made)
}

/// The program under construction.
struct Batch {
    items: usize,
    /// Elements of one item of each node.
    widths: Vec<usize>,
    made: Program,
    /// For each node of the program for one input the node that holds its elements for all items.
    at: Vec<usize>,
    /// What brings the results of an accumulating node into their order, once they are rescaled.
    order: Option<Move>,
}

impl Batch {
    fn widen(&mut self, program: &Program, index: usize) {
        let (node, items) = (&program.nodes[index], self.items);
        let inputs: Vec<usize> = node.inputs.iter().filter_map(|&i| self.at.get(i).copied()).collect();
        let read: usize = node.inputs.iter().filter_map(|&i| self.widths.get(i)).sum();
        let all = |from: &[u32]| -> Vec<u32> { from.iter().flat_map(|&e| self.copies(e)).collect() };
        let op = match &node.op {
            Op::Input(_) => {
                let input = self.push(node, "", node.op.clone(), vec![]);
                let by_element = self.between(self.widths[index], true);
                return self.end(node, ".by_feature", Op::Move(Move { from: by_element }), vec![input]);
            }
            Op::Linear(l) => {
                let stencil = Stencil { channels: l.inputs, filters: l.outputs, groups: 1, axes: [Axis::POINT, row(items)] };
                Op::Conv(Conv { stencil, weights: l.weights.clone(), bias: l.bias.clone() })
            }
            Op::Conv(conv) => return self.convolution(node, conv, inputs),
            Op::Product(product) => return self.product(node, product, inputs, read),
            Op::Sum(sum) => Op::Sum(self.sum(sum)),
            Op::Maximum(m) => {
                let of_item = |w: &Vec<u32>, b: usize| w.iter().map(|&e| (e as usize * items + b) as u32).collect();
                Op::Maximum(Maximum { windows: m.windows.iter().flat_map(|w| (0..items).map(move |b| of_item(w, b))).collect() })
            }
            Op::Move(m) => Op::Move(Move { from: all(&m.from) }),
            Op::Constant(c) => Op::Constant(Constant { values: self.repeated(&c.values) }),
            // What ends a program stands item by item.
            Op::Sigmoid(_) | Op::Argmax(_) => return self.by_item(node, inputs, read),
            Op::Reveal
                if !index.checked_sub(1).and_then(|i| program.nodes.get(i)).is_some_and(|n| matches!(n.op, Op::Sigmoid(_))) =>
            {
                return self.by_item(node, inputs, read);
            }
            Op::Rescale(_) => {
                let rescaled = self.push(node, "", node.op.clone(), inputs);
                return match self.order.take() {
                    Some(order) => self.end(node, ".by_element", Op::Move(order), vec![rescaled]),
                    None => self.at.push(rescaled),
                };
            }
            Op::Threshold(_) | Op::Reveal | Op::Weights(_) => node.op.clone(),
        };
        self.end(node, "", op, inputs);
    }

    fn push(&mut self, node: &Node, suffix: &str, op: Op, inputs: Vec<usize>) -> usize {
        self.made.nodes.push(Node { name: format!("{}{suffix}", node.name), op, inputs, scale_log2: node.scale_log2 });
        self.made.nodes.len() - 1
    }

    /// The last node that one of the program for one input becomes.
    fn end(&mut self, node: &Node, suffix: &str, op: Op, inputs: Vec<usize>) {
        let at = self.push(node, suffix, op, inputs);
        self.at.push(at);
    }

    fn by_item(&mut self, node: &Node, inputs: Vec<usize>, width: usize) {
        let from = self.between(width, false);
        let moved = self.push(node, ".by_item", Op::Move(Move { from }), inputs);
        self.end(node, "", node.op.clone(), vec![moved]);
    }

    /// The products of one item after the other.
    fn product(&mut self, node: &Node, product: &Product, inputs: Vec<usize>, read: usize) {
        let (n, left) = (self.items, product.dims.count * product.dims.left());
        let part = |elements: std::ops::Range<usize>| (0..n).flat_map(move |b| elements.clone().map(move |e| (e * n + b) as u32));
        let factors =
            self.push(node, ".factors", Op::Move(Move { from: part(0..left).chain(part(left..read)).collect() }), inputs);
        let dims = model::Product { count: product.dims.count * n, ..product.dims };
        // Of one output per item, items and elements are in the same order; and a threshold reads a rescale, not a move.
        self.order = (product.dims.outputs() > 1).then(|| Move { from: self.between(product.dims.outputs(), true) });
        self.end(node, "", Op::Product(Product { dims, shifts: product.shifts.repeat(n) }), vec![factors]);
    }

    /// Where the copies of an element stand.
    fn copies(&self, element: u32) -> impl Iterator<Item = u32> + use<> {
        let items = self.items;
        (0..items).map(move |b| (element as usize * items + b) as u32)
    }

    fn repeated<T: Clone>(&self, values: &[T]) -> Vec<T> {
        values.iter().flat_map(|v| std::iter::repeat_n(v.clone(), self.items)).collect()
    }

    /// The index map from items of `width` elements to elements of all items, or back.
    fn between(&self, width: usize, to_elements: bool) -> Vec<u32> {
        let (outer, inner) = if to_elements { (width, self.items) } else { (self.items, width) };
        (0..outer).flat_map(|o| (0..inner).map(move |i| (i * outer + o) as u32)).collect()
    }

    fn sum(&self, sum: &Sum) -> Sum {
        let of_item = |terms: &[Term], b: usize| {
            terms.iter().map(|t| Term { element: (t.element as usize * self.items + b) as u32, ..*t }).collect()
        };
        let terms = sum.terms.iter().flat_map(|terms| (0..self.items).map(move |b| of_item(terms, b))).collect();
        Sum { terms, bias: self.repeated(&sum.bias) }
    }

    /// N images side by side. Where windows follow each other without a gap, the pixels of one column of all items are neighbours,
    /// and taps and windows are N pixels apart. Otherwise the images stand one behind the other, as far apart as a whole number of
    /// windows takes, with zeros between; the windows that reach over the gap are computed and not used.
    fn convolution(&mut self, node: &Node, conv: &Conv, inputs: Vec<usize>) {
        let (n, stencil) = (self.items, conv.stencil);
        let [down, across] = stencil.axes;
        if down == Axis::POINT {
            let stencil = Stencil { axes: [across, row(n)], ..stencil };
            return self.end(node, "", Op::Conv(Conv { stencil, ..conv.clone() }), inputs);
        }
        if across.stride == 1 || across.outputs == 1 {
            let axis = Axis {
                size: across.size * n,
                stride: 1,
                dilation: across.dilation * n,
                before: across.before * n,
                outputs: across.outputs * n,
                ..across
            };
            let stencil = Stencil { axes: [down, axis], ..stencil };
            return self.end(node, "", Op::Conv(Conv { stencil, ..conv.clone() }), inputs);
        }
        let needed = (across.before + across.size).max((across.outputs - 1) * across.stride + across.reach() + 1);
        let windows = across.outputs.max(needed.div_ceil(across.stride));
        let pitch = windows * across.stride;
        let planes = stencil.channels * down.size;
        let zero = self.push(node, ".pad", Op::Constant(Constant { values: vec![0] }), vec![]);
        let pixel = |plane: usize, at: usize| {
            let (item, x) = (at / pitch, (at % pitch).checked_sub(across.before));
            let x = x.filter(|&x| x < across.size);
            x.map_or(planes * across.size * n, |x| (plane * across.size + x) * n + item) as u32
        };
        let from = (0..planes).flat_map(|plane| (0..pitch * n).map(move |at| pixel(plane, at))).collect();
        let read = inputs.into_iter().chain([zero]).collect();
        let pixels = self.push(node, ".side_by_side", Op::Move(Move { from }), read);
        // Windows of the last item that would begin beyond it are left out.
        let outputs = windows * (n - 1) + across.outputs;
        let axis = Axis { size: pitch * n, before: 0, outputs, ..across };
        let stencil = Stencil { axes: [down, axis], ..stencil };
        let kept = (0..stencil.filters * down.outputs).flat_map(|line| {
            (0..across.outputs).flat_map(move |x| (0..n).map(move |item| (line * outputs + item * windows + x) as u32))
        });
        self.order = Some(Move { from: kept.collect() });
        self.end(node, "", Op::Conv(Conv { stencil, ..conv.clone() }), vec![pixels]);
    }
}

/// N pixels in a row, each a window of its own.
fn row(n: usize) -> Axis {
    Axis { size: n, outputs: n, ..Axis::POINT }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
