//! What a program asks of a circuit: the gates, and for given widths the rows. [`lay_out`](super::lay_out) places exactly as many.

use super::{
    CircuitError,
    pooling::{Pool, pools},
};
use crate::{
    gates::{Shape, Steps, poseidon_params},
    model::Stencil,
    op::{
        InputMode, Op,
        conv::{Placement, moves},
    },
    quant::{Checked, Node, Program},
};
use std::collections::{BTreeMap, BTreeSet};

/// The widths that a candidate chooses.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    pub limb_bits: u32,
    pub lanes: u32,
    pub weights: u32,
}

/// A program with what does not depend on any width.
pub(super) struct Demand<'a> {
    program: &'a Program,
    pools: Vec<Pool>,
    /// Every convolution as it is placed, by node.
    convs: BTreeMap<usize, Stencil>,
    multiplies: bool,
    /// The steps that make the walks shortest, wherever there are any.
    steps: Steps,
    range_bits: u32,
}

/// What depends on the weight columns alone.
pub(super) struct Convolutions {
    steps: Steps,
    border: bool,
    /// Whether the first node that reads the input is one whose kernels walk.
    first_walks: bool,
    /// Rows beyond those of the outputs.
    rows: usize,
}

/// Whether limbs of this size give range checks that do not wrap: both sides of one stay below 2^64.
pub(super) fn holds_ranges(range_bits: u32, limb_bits: u32) -> bool {
    range_bits.div_ceil(limb_bits) * limb_bits <= 64
}

impl<'a> Demand<'a> {
    /// The demand of a program.
    pub(super) fn of(program: &Checked<'a>) -> Result<Self, CircuitError> {
        let program = program.program();
        let pools = pools(program);
        let mut convs = BTreeMap::new();
        let mut all_moves = BTreeMap::new();
        for (index, node) in program.nodes.iter().enumerate() {
            match &node.op {
                Op::Conv(conv) => drop(convs.insert(index, conv.stencil)),
                Op::Product(product) => product.moves(&mut all_moves),
                _ => {}
            }
        }
        convs.extend(pools.iter().map(|pool| (pool.conv, pool.stencil)));
        convs.values().for_each(|stencil| moves(stencil, &mut all_moves));
        let multiplies = program.nodes.iter().any(|node| matches!(node.op, Op::Product(_)));
        let walks = multiplies || !convs.is_empty();
        let steps = if walks { Steps::best(&all_moves) } else { Steps::default() };
        Ok(Self { program, pools, convs, multiplies, steps, range_bits: range_bits(program)? })
    }

    /// Bits of the widest range check.
    pub(super) fn range_bits(&self) -> u32 {
        self.range_bits
    }

    /// How the convolutions stand with this many weight columns; `None` when products do not have the columns for it.
    pub(super) fn convolutions(&self, weights: u32) -> Option<Convolutions> {
        let narrow = weights < Steps::COLUMNS;
        if narrow && self.multiplies {
            return None;
        }
        let steps = if narrow { Steps::default() } else { self.steps };
        let shape = Shape { weights, steps, ..Shape::default() };
        let placed: BTreeMap<usize, Placement> =
            self.convs.iter().map(|(&index, stencil)| (index, Placement::of(stencil, &shape))).collect();
        let walks = placed.values().any(|placement| placement.walks);
        let first = self.program.nodes.iter().position(|node| node.inputs.contains(&0));
        Some(Convolutions {
            steps: if walks || self.multiplies { steps } else { Steps::default() },
            border: placed.values().any(|placement| placement.border),
            first_walks: first.and_then(|first| placed.get(&first)).is_some_and(|placement| placement.walks),
            rows: placed.values().map(|placement| placement.rows).fold(0, usize::saturating_add),
        })
    }

    /// [`Demand::shape`] and [`Demand::rows`] at once.
    pub(super) fn shape_and_rows(&self, widths: Widths) -> Option<(Shape, usize)> {
        let convs = self.convolutions(widths.weights)?;
        let shape = self.shape(widths, &convs)?;
        Some((shape, self.rows(&shape, &convs)))
    }

    /// The shape with these widths, k left open, when the program's precision is a whole number of limbs and its ranges fit them.
    pub(super) fn shape(&self, widths: Widths, convs: &Convolutions) -> Option<Shape> {
        let Widths { limb_bits, lanes, weights } = widths;
        let (program, precision) = (self.program, self.program.precision);
        let whole = precision.shift_bits.is_multiple_of(limb_bits) && precision.magnitude_bits.is_multiple_of(limb_bits);
        if !whole || !holds_ranges(self.range_bits, limb_bits) {
            return None;
        }
        let threshold = self.has(|op| matches!(op, Op::Threshold(_)));
        let instances = program.public_values().ok()?.saturating_add(program.commitments().ok()?).saturating_add(1);
        let shape = Shape {
            k: 0,
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
            weights,
            limb_bits,
            lanes,
            remainder_limbs: precision.shift_bits / limb_bits,
            magnitude_limbs: precision.magnitude_bits / limb_bits,
            range_limbs: self.range_bits.div_ceil(limb_bits),
            pack_bits: self.pack_bits()?,
            relu: self.rescales(true) > 0,
            // A threshold takes the place of the rescale before it.
            signed: self.rescales(false) > usize::from(threshold),
            threshold,
            argmax: self.has(|op| matches!(op, Op::Argmax(_))),
            function: self.has(|op| matches!(op, Op::Sigmoid(_))),
            steps: convs.steps,
            border: convs.border,
            maximum: program.nodes.iter().filter(|node| matches!(node.op, Op::Maximum(_))).count() > self.pools.len(),
            pooled: !self.pools.is_empty(),
            span: 0,
            stack: 1,
        };
        let shape = Shape { span: self.span_in_place(&shape, convs)?, ..shape };
        // More lanes than any value has limbs would stand empty.
        let rescaled = if shape.pooled { shape.pool_limbs() } else { shape.remainder_limbs + shape.magnitude_limbs };
        let widest = rescaled.max(2 * shape.range_limbs);
        // The segment of a function is one limb.
        let fits =
            |op: &Op| !matches!(op, Op::Sigmoid(s) if s.segment_bits != limb_bits || s.input_bits != precision.magnitude_bits);
        let sound = lanes <= widest && (shape.magnitude_limbs >= 2 || !shape.function);
        (sound && program.nodes.iter().all(|node| fits(&node.op))).then_some(shape)
    }

    /// Rows that the placements take.
    pub(super) fn rows(&self, shape: &Shape, convs: &Convolutions) -> usize {
        let pooled = self.pools.iter().map(|pool| {
            let window = pool.size().saturating_mul(shape.pool_rows()).saturating_add(shape.rescale_rows());
            pool.windows().saturating_mul(window)
        });
        let of_pool: BTreeSet<usize> = self.pools.iter().flat_map(|pool| [pool.conv, pool.maximum]).collect();
        let nodes = self.program.nodes.iter().enumerate().filter(|(index, _)| !of_pool.contains(index));
        let others = nodes.map(|(_, node)| self.rows_of(node, shape));
        others.chain(pooled).chain([self.input_rows(shape), convs.rows]).fold(0, usize::saturating_add)
    }

    fn has(&self, wanted: fn(&Op) -> bool) -> bool {
        self.program.nodes.iter().any(|node| wanted(&node.op))
    }

    /// Rescales with or without a ReLU, but for those of pools.
    fn rescales(&self, relu: bool) -> usize {
        let of_pool: BTreeSet<usize> = self.pools.iter().map(|pool| pool.conv + 1).collect();
        let nodes = self.program.nodes.iter().enumerate();
        nodes.filter(|(index, node)| matches!(&node.op, Op::Rescale(r) if r.relu == relu) && !of_pool.contains(index)).count()
    }

    /// Bits of a packed value: inputs that are committed to, private weights, the wider.
    fn pack_bits(&self) -> Option<u32> {
        let input = self.program.input().ok()?;
        let committed = (input.mode == InputMode::Committed).then_some(8 * input.width_bytes);
        Some(self.program.weights().map(|w| w.bits).into_iter().chain(committed).max().unwrap_or(0))
    }

    /// The common span of all inputs, where they can stand on the rows of the layer that reads them: nothing packs them, their limbs fit one
    /// row, and one dense layer or walking convolution reads all of them, once each. 0 otherwise.
    fn span_in_place(&self, shape: &Shape, convs: &Convolutions) -> Option<u64> {
        let input = self.program.input().ok()?;
        let mut readers = self.program.nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&0));
        let (Some((index, reader)), None) = (readers.next(), readers.next()) else { return Some(0) };
        let once = match (&reader.op, self.convs.get(&index)) {
            (Op::Linear(_), _) => true,
            (Op::Conv(_), Some(stencil)) => {
                convs.first_walks && stencil.axes.iter().all(|axis| axis.dilation == 1 && axis.stride <= axis.kernel)
            }
            _ => false,
        };
        let spans = || input.ranges.iter().map(|range| range.hi - range.lo);
        let span = spans().next().filter(|first| spans().all(|span| span == *first)).unwrap_or(0);
        let fits = once && reader.inputs == [0] && input.mode != InputMode::Committed && 2 * shape.range_limbs <= shape.lanes;
        Some(if fits { u64::try_from(span).unwrap_or(0) } else { 0 })
    }

    /// Rows of the input and of the commitment to it.
    fn input_rows(&self, shape: &Shape) -> usize {
        let Ok(input) = self.program.input() else { return 0 };
        let (features, items, in_place) = (input.ranges.len(), self.program.items, shape.span > 0);
        let ranges = if in_place { 0 } else { features.saturating_mul(items).saturating_mul(shape.range_rows()) };
        if input.mode == InputMode::Committed {
            let hashes = 1 + features.div_ceil(input.values_per_element());
            return ranges.saturating_add(hashes.saturating_mul(hash_rows(shape)).saturating_mul(items));
        }
        // The last range row of an input without commitment leaves a packed sum on the row below.
        ranges.saturating_add(usize::from(!in_place && shape.commits()))
    }

    /// Rows of a node beyond what its convolution's kernels take.
    fn rows_of(&self, node: &Node, shape: &Shape) -> usize {
        let read = node.inputs.first().and_then(|&i| self.program.width(i)).unwrap_or(0);
        match &node.op {
            Op::Linear(l) => l
                .outputs
                .saturating_mul(shape.rescale_rows())
                .saturating_add(l.inputs.saturating_mul(l.outputs.div_ceil(shape.weights as usize))),
            Op::Sum(s) => s.bias.len().saturating_mul(shape.rescale_rows()).saturating_add(s.extra_rows(shape.rescale_rows())),
            Op::Conv(c) => c.stencil.outputs().saturating_mul(shape.rescale_rows()),
            Op::Product(p) => p.dims.outputs().saturating_mul(shape.rescale_rows()).saturating_add(p.extra_rows(shape)),
            Op::Maximum(m) => m.elements().saturating_mul(shape.maximum_rows()),
            Op::Constant(c) => c.row_count(shape.range_rows(), shape.commits()),
            Op::Weights(w) => {
                w.count.saturating_mul(shape.range_rows()).saturating_add(hash_rows(shape).saturating_mul(1 + w.elements()))
            }
            Op::Threshold(_) => shape.range_rows().saturating_mul(self.program.items),
            Op::Argmax(_) => read.saturating_mul(shape.argmax_rows()),
            Op::Sigmoid(_) => read.saturating_mul(shape.function_rows() + shape.range_rows()),
            Op::Input(_) | Op::Rescale(_) | Op::Reveal | Op::Move(_) => 0,
        }
    }
}

/// Rows of one absorption into a Poseidon state and the permutation behind it.
fn hash_rows(shape: &Shape) -> usize {
    2 + poseidon_params::FULL_ROUNDS * if shape.is_stacked() { 1 } else { 2 } + poseidon_params::PARTIAL_ROUNDS
}

fn range_bits(program: &Program) -> Result<u32, CircuitError> {
    let threshold = program.nodes.iter().any(|n| matches!(n.op, Op::Threshold(_)));
    let precision = program.precision;
    let widest = program.input()?.ranges.iter().map(|r| 128 - ((r.hi - r.lo) as u128).leading_zeros()).max().unwrap_or(1);
    let widest = if threshold { widest.max(precision.magnitude_bits) } else { widest };
    let widest = program.weights().map_or(widest, |w| widest.max(w.bits));
    let results = program.nodes.iter().filter_map(|n| match &n.op {
        Op::Sigmoid(s) => Some(128 - ((s.interval().hi - s.interval().lo) as u128).leading_zeros()),
        _ => None,
    });
    Ok(results.fold(widest, u32::max).max(1))
}
