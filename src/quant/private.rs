//! From a program with fixed weights to one that knows only how many there are: the weights become a committed tensor, and every
//! layer a product of two tensors (`op/product.rs`).
//!
//! A layer with filters `W`, bias `b` and the inputs under its windows `X` (one column for each window) is
//!
//! ```text
//! Y = [W | b_0 | b_1 | ..] [X; 1; 2^B; 2^2B; ..]        b = b_0 + 2^B b_1 + 2^2B b_2 + ..,   each b_i in B bits like a weight
//! ```
//!
//! so it gives exactly the accumulators of the layer with fixed weights, and the report on that one holds for this one.

use super::{Node, Program, QuantError, range};
use crate::model::{self, Stencil, stencil::Axis};
use crate::op::{Constant, Move, Op, Product, Weights};

/// A program that holds no weights, and the weights.
#[derive(Clone, PartialEq, Eq)]
pub struct Private {
    /// The public part.
    pub program: Program,
    /// The weights, in the order of the program's [`Weights`].
    pub values: Vec<i128>,
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Private({} weights)", self.values.len())
    }
}

/// A dense layer or a convolution.
struct Layer<'a> {
    stencil: Stencil,
    weights: &'a [i128],
    bias: &'a [i128],
}

impl<'a> Layer<'a> {
    fn of(op: &'a Op) -> Option<Self> {
        match op {
            Op::Linear(l) => {
                let stencil = Stencil { channels: l.inputs, filters: l.outputs, groups: 1, axes: [Axis::POINT; 2] };
                Some(Self { stencil, weights: &l.weights, bias: &l.bias })
            }
            Op::Conv(c) => Some(Self { stencil: c.stencil, weights: &c.weights, bias: &c.bias }),
            _ => None,
        }
    }

    /// Weights of one filter.
    fn inner(&self) -> usize {
        self.stencil.channels_per_group().saturating_mul(self.stencil.taps())
    }

    fn has_pads(&self) -> bool {
        self.stencil.axes.iter().any(Axis::has_pads)
    }
}

/// Where the constants of all layers stand: powers of `2^B`, then a zero if some layer has pads.
#[derive(Clone, Copy)]
struct Digits {
    bits: u32,
    count: usize,
}

impl Digits {
    /// The fewest bytes that hold all weights, and as many digits of that width as the largest bias has.
    fn of(layers: &[Layer<'_>]) -> Option<Self> {
        let weights = || layers.iter().flat_map(|l| l.weights);
        let bits = (8..=crate::op::weights::MAX_BITS).step_by(8);
        let fits = |bits: &u32| weights().all(|&w| (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&w));
        let mut digits = Self { bits: bits.into_iter().find(fits)?, count: 1 };
        let longest = layers.iter().flat_map(|l| l.bias).map(|&b| digits.needed(b)).max();
        digits.count = longest.unwrap_or(1);
        Some(digits)
    }

    fn needed(&self, mut value: i128) -> usize {
        let mut count = 1;
        while self.split(value).1 != 0 {
            value = self.split(value).1;
            count += 1;
        }
        count
    }

    /// The lowest digit, in `[-2^(B-1), 2^(B-1))`, and what is left.
    fn split(&self, value: i128) -> (i128, i128) {
        let half = 1i128 << (self.bits - 1);
        let low = ((value + half) & ((1i128 << self.bits) - 1)) - half;
        (low, (value - low) >> self.bits)
    }

    fn all(&self, mut value: i128) -> Vec<i128> {
        let digit = |_| {
            let (low, rest) = self.split(value);
            value = rest;
            low
        };
        (0..self.count).map(digit).collect()
    }
}

/// Takes the weights out of a checked program.
///
/// # Errors
/// [`QuantError::NotPrivate`] for an operator other than a dense layer or a convolution that holds numbers of the model; weights of more
/// than 48 bits; a program that is too large in this form.
pub fn privatise(program: &Program) -> Result<Private, QuantError> {
    range::check(program)?;
    let layers: Vec<Layer<'_>> = program.nodes.iter().filter_map(|n| Layer::of(&n.op)).collect();
    let refuse = |node: &str, problem: &str| QuantError::NotPrivate { node: node.into(), problem: problem.into() };
    let digits = Digits::of(&layers).ok_or_else(|| refuse("weights", "some weight has more than 48 bits"))?;
    let padded = layers.iter().any(Layer::has_pads);
    let values: Vec<i128> = layers.iter().flat_map(|layer| rows(layer, digits)).collect();
    let mut constants: Vec<i128> = (0..digits.count as u32).map(|d| 1i128 << (digits.bits * d)).collect();
    constants.extend(padded.then_some(0));
    let weights = Weights { count: values.len(), bits: digits.bits };
    let own = |name: &str, op| Node { name: name.into(), op, inputs: vec![], scale_log2: 0 };
    let mut made = Program { nodes: Vec::with_capacity(program.nodes.len() + 2), ..program.clone() };
    let mut at: Vec<usize> = Vec::with_capacity(program.nodes.len());
    let mut first = 0;
    for node in &program.nodes {
        let inputs: Vec<usize> = node.inputs.iter().filter_map(|&i| at.get(i).copied()).collect();
        match &node.op {
            Op::Sum(sum) if !sum.bias.iter().all(|&b| b == 0) => return Err(refuse(&node.name, "it adds numbers of the model")),
            Op::Sum(sum) if !sum.terms.iter().flatten().all(|t| t.weight > 0 && t.weight & (t.weight - 1) == 0) => {
                return Err(refuse(&node.name, "it multiplies by numbers of the model"));
            }
            Op::Constant(c) if !c.values.iter().all(|&v| v == 0) => {
                return Err(refuse(&node.name, "it puts numbers of the model among the elements"));
            }
            _ => {}
        }
        if let Some(layer) = Layer::of(&node.op) {
            let from = factors(&layer, digits, first, [weights.count, constants.len()]);
            first += layer.stencil.filters * (layer.inner() + digits.count);
            // The weights are node 1, the constants node 2.
            let read = [1].into_iter().chain(inputs).chain([2]).collect();
            made.nodes.push(Node { op: Op::Move(Move { from }), inputs: read, ..named(node, ".factors") });
            let op = Op::Product(product(&layer, digits));
            made.nodes.push(Node { op, inputs: vec![made.nodes.len() - 1], ..named(node, "") });
        } else {
            made.nodes.push(Node { op: node.op.clone(), inputs, ..named(node, "") });
        }
        at.push(made.nodes.len() - 1);
        if at.len() == 1 {
            made.nodes.push(own("weights", Op::Weights(weights)));
            made.nodes.push(own("one", Op::Constant(Constant { values: constants.clone() })));
        }
    }
    range::check(&made)?;
    Ok(Private { program: made, values })
}

fn named(node: &Node, suffix: &str) -> Node {
    Node { name: format!("{}{suffix}", node.name), op: Op::Reveal, inputs: vec![], scale_log2: node.scale_log2 }
}

/// The rows of the left matrices: each filter's weights, then the digits of its bias.
fn rows<'a>(layer: &'a Layer<'_>, digits: Digits) -> impl Iterator<Item = i128> + 'a {
    let filters = layer.weights.chunks(layer.inner().max(1)).zip(layer.bias);
    filters.flat_map(move |(weights, &bias)| weights.iter().copied().chain(digits.all(bias)))
}

fn product(layer: &Layer<'_>, digits: Digits) -> Product {
    let stencil = &layer.stencil;
    let dims = model::Product {
        count: stencil.groups,
        rows: stencil.filters_per_group(),
        inner: layer.inner() + digits.count,
        columns: stencil.windows(),
    };
    Product { dims, shifts: vec![0; stencil.groups] }
}

/// Where the factors stand among the weights, the layer's inputs and the constants: the left matrices from weight `first` on, then
/// for each group, tap and window the element under it.
fn factors(layer: &Layer<'_>, digits: Digits, first: usize, [weights, constants]: [usize; 2]) -> Vec<u32> {
    let stencil = &layer.stencil;
    let (inner, [down, across]) = (layer.inner(), &stencil.axes);
    let constant = weights + stencil.inputs();
    let zero = constant + constants - 1;
    let mut from: Vec<usize> = (first..first + stencil.filters * (inner + digits.count)).collect();
    for group in 0..stencil.groups {
        for l in 0..inner {
            let (channel, tap) = (group * stencil.channels_per_group() + l / stencil.taps(), l % stencil.taps());
            let (ky, kx) = (tap / across.kernel, tap % across.kernel);
            for (oy, ox) in (0..down.outputs).flat_map(|oy| (0..across.outputs).map(move |ox| (oy, ox))) {
                let pixel = down.source(oy, ky).zip(across.source(ox, kx));
                let element = |(y, x)| weights + channel * stencil.pixels() + y * across.size + x;
                from.push(pixel.map_or(zero, element));
            }
        }
        (0..digits.count).for_each(|digit| from.extend(std::iter::repeat_n(constant + digit, stencil.windows())));
    }
    from.into_iter().map(|i| i as u32).collect()
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
