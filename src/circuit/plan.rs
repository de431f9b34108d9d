//! The planner: chooses limb size, lanes, weight columns and k for a program and an objective.

use super::{CircuitError, Memory};
use crate::{
    gates::{Columns, Shape, Steps, poseidon_params, stack},
    op::{InputMode, Op},
    quant::{Node, Program, range},
};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Smallest k that is planned for.
pub const MIN_K: u32 = 4;
/// Largest k that is planned for.
pub const MAX_K: u32 = 20;
/// Below 2^11 rows there is too little work between two hand-overs of a proof: a second thread would cost a tenth more CPU time than it
/// shares out, and the proof is a matter of some 0.1 s.
pub const ONE_THREAD_K: u32 = 10;
/// Limb sizes that are tried: the table has as many rows as a limb has values.
pub const LIMB_BITS: std::ops::RangeInclusive<u32> = 8..=16;
/// Numbers of lanes that are tried.
const LANES: std::ops::RangeInclusive<u32> = 1..=6;
/// Numbers of weight columns that are tried.
const WEIGHTS: [u32; 11] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/// Numbers of committed columns that a stacked layout's fixed columns are spread over.
const SPREADS: std::ops::RangeInclusive<u32> = 1..=6;

/// What the balanced objective pays for a CPU second of the prover.
pub const GAS_PER_SECOND: f64 = 100_000.0;
/// What the gas objective pays: stacked columns save gas at the cost of rows, down to the last column, and somewhere it ends.
pub const GAS_ABOVE_ALL: f64 = 4_000.0;

/// What to make small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Proving time.
    Prover,
    /// Verification gas, a CPU second being worth [`GAS_ABOVE_ALL`]. Columns are stacked for this one only: stacks multiply the rows.
    Gas,
    /// Both, a CPU second being worth [`GAS_PER_SECOND`].
    #[default]
    Balanced,
}

/// One candidate with what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The widths.
    pub shape: Shape,
    /// Rows used, table and pins included.
    pub rows: usize,
    /// Advice columns.
    pub advice: usize,
    /// Fixed columns.
    pub fixed: usize,
    /// Cells that the gates read at one row, each of which a proof evaluates.
    pub queries: usize,
    /// Rows that they stand on, counted from that row.
    pub rotations: usize,
    /// Rows at the end that only blind.
    pub blinding: usize,
    /// Highest degree of a constraint.
    pub degree: usize,
}

impl Plan {
    /// CPU seconds of a proof, from files to file: fitted to processes with 2^9 to 2^16 rows, 7 to 11 advice and 8 to 55 fixed columns on
    /// one machine, which lie within a tenth of it; another machine is faster or slower by one factor. Fixed columns have no commitment to
    /// make; the constant is the process itself.
    pub fn seconds(&self) -> f64 {
        let rows = f64::from(1u32 << self.shape.k) / 1024.0;
        0.025 + rows * (0.0039 * self.advice as f64 + 0.0022 * self.fixed as f64 + 0.027)
    }

    /// Gas of a verification, for comparing candidates: each column and each piece of the quotient is a commitment to multiply, and the
    /// prover's are calldata as well; so is each evaluation. Rows at which something is opened, and blinding rows, cost arithmetic.
    fn gas(&self) -> f64 {
        let (sent, known) = (self.advice + self.degree - 1, self.fixed);
        let arithmetic = 60.0 * self.rotations as f64 + 90.0 * self.blinding as f64;
        190_000.0 + 7_550.0 * sent as f64 + 6_450.0 * known as f64 + 690.0 * self.queries as f64 + arithmetic
    }

    fn cost(&self, objective: Objective) -> (f64, f64) {
        let (seconds, gas) = (self.seconds(), self.gas());
        match objective {
            Objective::Prover => (seconds, gas),
            Objective::Gas => (gas + GAS_ABOVE_ALL * seconds, gas),
            Objective::Balanced => (gas + GAS_PER_SECOND * seconds, gas),
        }
    }
}

/// The widths that a candidate chooses.
#[derive(Clone, Copy)]
struct Widths {
    limb_bits: u32,
    lanes: u32,
    weights: u32,
}

/// Every candidate that fits, best first.
pub fn candidates(program: &Program, objective: Objective) -> Result<Vec<Plan>, CircuitError> {
    range::check(program)?;
    let mut all = Vec::new();
    for weights in WEIGHTS {
        // What a convolution takes beyond its rescales depends on the weight columns alone.
        let mut convs = None;
        for (limb_bits, lanes) in LIMB_BITS.flat_map(|bits| LANES.map(move |lanes| (bits, lanes))) {
            let Some(shape) = shape_of(program, Widths { limb_bits, lanes, weights })? else { continue };
            let convs = *convs.get_or_insert_with(|| conv_rows(program, &shape));
            let stacks = if objective == Objective::Gas { stacks(&shape) } else { vec![1] };
            for stack in stacks {
                let shape = Shape { stack, ..shape };
                let rows = other_rows(program, &shape)?.saturating_add(convs);
                all.extend(smallest_k(shape, rows).filter(|plan| plan.shape.is_sound()));
            }
        }
    }
    all.sort_by(|a, b| a.cost(objective).partial_cmp(&b.cost(objective)).unwrap_or(std::cmp::Ordering::Equal));
    Ok(all)
}

/// Whether `plan` is one of the candidates of `program`.
pub fn is_candidate(program: &Program, plan: &Plan) -> Result<bool, CircuitError> {
    range::check(program)?;
    let Shape { limb_bits, lanes, weights, stack, .. } = plan.shape;
    if !LIMB_BITS.contains(&limb_bits) || !LANES.contains(&lanes) || !WEIGHTS.contains(&weights) {
        return Ok(false);
    }
    let Some(shape) = shape_of(program, Widths { limb_bits, lanes, weights })? else { return Ok(false) };
    if !stacks(&shape).contains(&stack) {
        return Ok(false);
    }
    let shape = Shape { stack, ..shape };
    let made = smallest_k(shape, rows(program, &shape)?).filter(|plan| plan.shape.is_sound());
    Ok(made.as_ref() == Some(plan))
}

/// The best candidate.
///
/// # Errors
/// [`CircuitError::TooLarge`] when none fits, [`CircuitError::NoLimbs`] for a precision that no limb size divides,
/// [`CircuitError::Quant`] for a malformed program.
pub fn plan(program: &Program, objective: Objective) -> Result<Plan, CircuitError> {
    match candidates(program, objective)?.into_iter().next() {
        Some(best) => Ok(best),
        None => {
            let mut smallest: Option<usize> = None;
            let weights = WEIGHTS[WEIGHTS.len() - 1];
            for (limb_bits, lanes) in LIMB_BITS.flat_map(|bits| LANES.map(move |lanes| (bits, lanes))) {
                if let Some(shape) = shape_of(program, Widths { limb_bits, lanes, weights })? {
                    let needed = rows(program, &shape)?;
                    smallest = Some(smallest.map_or(needed, |rows| rows.min(needed)));
                }
            }
            let precision = program.precision;
            let (shift, magnitude) = (precision.shift_bits, precision.magnitude_bits);
            let none = CircuitError::NoLimbs { shift, magnitude, range: range_bits(program)? };
            Err(smallest.map_or(none, |rows| CircuitError::TooLarge { rows, max_k: MAX_K }))
        }
    }
}

/// The best candidate whose keys and proofs stay within `allowed` bytes of memory.
///
/// # Errors
/// As [`plan`], and [`CircuitError::Memory`] with what the smallest candidate takes.
pub fn plan_within(program: &Program, objective: Objective, allowed: u64) -> Result<Plan, CircuitError> {
    let all = candidates(program, objective)?;
    if let Some(best) = all.iter().find(|plan| Memory::of(plan).most() <= allowed) {
        return Ok(*best);
    }
    match all.iter().map(|plan| Memory::of(plan).most()).min() {
        Some(needed) => Err(CircuitError::Memory { doing: "making keys and proving", needed, allowed }),
        None => plan(program, objective),
    }
}

/// Bits of the widest range check.
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

/// Whether limbs of this size give range checks that do not wrap: both sides of one stay below 2^64.
pub(super) fn holds_ranges(range_bits: u32, limb_bits: u32) -> bool {
    range_bits.div_ceil(limb_bits) * limb_bits <= 64
}

/// The shape with these widths, when the program's precision is a whole number of limbs and its ranges fit them.
fn shape_of(program: &Program, widths: Widths) -> Result<Option<Shape>, CircuitError> {
    let Widths { limb_bits, lanes, weights } = widths;
    let precision = program.precision;
    let range_bits = range_bits(program)?;
    let whole = precision.shift_bits.is_multiple_of(limb_bits) && precision.magnitude_bits.is_multiple_of(limb_bits);
    if !whole || !holds_ranges(range_bits, limb_bits) {
        return Ok(None);
    }
    let input = program.input()?;
    let threshold = program.nodes.iter().any(|n| matches!(n.op, Op::Threshold(_)));
    let has = |wanted: fn(&Op) -> bool| program.nodes.iter().any(|n| wanted(&n.op));
    let instances = program.public_values()?.saturating_add(program.commitments()?).saturating_add(1);
    let packed = program
        .weights()
        .map(|w| w.bits)
        .into_iter()
        .chain((input.mode == InputMode::Committed).then_some(8 * input.width_bytes));
    let rescales = program.nodes.iter().filter(|n| matches!(&n.op, Op::Rescale(r) if !r.relu)).count();
    let shape = Shape {
        k: 0,
        instances: u32::try_from(instances).unwrap_or(u32::MAX),
        weights,
        limb_bits,
        lanes,
        remainder_limbs: precision.shift_bits / limb_bits,
        magnitude_limbs: precision.magnitude_bits / limb_bits,
        range_limbs: range_bits.div_ceil(limb_bits),
        pack_bits: packed.max().unwrap_or(0),
        relu: has(|op| matches!(op, Op::Rescale(r) if r.relu)),
        // A threshold takes the place of the rescale before it.
        signed: rescales > usize::from(threshold),
        threshold,
        argmax: has(|op| matches!(op, Op::Argmax(_))),
        function: has(|op| matches!(op, Op::Sigmoid(_))),
        maximum: has(|op| matches!(op, Op::Maximum(_))),
        ..Shape::default()
    };
    // More lanes than any value has limbs would stand empty.
    let widest = (shape.remainder_limbs + shape.magnitude_limbs).max(2 * shape.range_limbs);
    let Some(shape) = walking(program, shape).filter(|_| lanes <= widest) else { return Ok(None) };
    let shape = Shape { span: span_in_place(program, &shape)?, ..shape };
    // The segment of a function is one limb.
    let fits = |op: &Op| !matches!(op, Op::Sigmoid(s) if s.segment_bits != limb_bits || s.input_bits != precision.magnitude_bits);
    Ok((shape.magnitude_limbs >= 2 || !shape.function).then_some(shape).filter(|_| program.nodes.iter().all(|n| fits(&n.op))))
}

/// The shape with the steps of its walks, where a product needs them or a convolution is shorter for them; `None` when a product
/// does not have the columns for it.
fn walking(program: &Program, shape: Shape) -> Option<Shape> {
    let convs = || program.nodes.iter().filter_map(|n| if let Op::Conv(conv) = &n.op { Some(conv) } else { None });
    let products = || program.nodes.iter().filter_map(|n| if let Op::Product(product) = &n.op { Some(product) } else { None });
    let multiplies = products().next().is_some();
    if shape.weights < Steps::COLUMNS || (!multiplies && convs().next().is_none()) {
        return (!multiplies).then_some(shape);
    }
    let mut moves = BTreeMap::new();
    convs().for_each(|conv| conv.moves(&mut moves));
    products().for_each(|product| product.moves(&mut moves));
    let walking = Shape { steps: Steps::best(&moves), ..shape };
    let (walks, border) = convs().map(|conv| conv.walks(&walking)).fold((false, false), |a, b| (a.0 || b.0, a.1 || b.1));
    Some(if walks || multiplies { Shape { border, ..walking } } else { shape })
}

/// Rows that the placements of `program` take: [`lay_out`](super::lay_out) places exactly as many.
pub fn rows(program: &Program, shape: &Shape) -> Result<usize, CircuitError> {
    Ok(other_rows(program, shape)?.saturating_add(conv_rows(program, shape)))
}

/// Rows of the convolutions beyond their rescales.
fn conv_rows(program: &Program, shape: &Shape) -> usize {
    let rows = |node: &Node| if let Op::Conv(conv) = &node.op { conv.extra_rows(shape) } else { 0 };
    program.nodes.iter().map(rows).fold(0, usize::saturating_add)
}

/// All rows but those of [`conv_rows`].
fn other_rows(program: &Program, shape: &Shape) -> Result<usize, CircuitError> {
    let input = program.input()?;
    let features = input.ranges.len();
    let in_place = shape.span > 0;
    let mut total = if in_place { 0 } else { features.saturating_mul(program.items).saturating_mul(shape.range_rows()) };
    // The last range row of an input without commitment leaves a packed sum on the row below.
    total = total.saturating_add(usize::from(!in_place && shape.commits() && input.mode != InputMode::Committed));
    let full_round = if shape.is_stacked() { 1 } else { 2 };
    let hash = 2 + poseidon_params::FULL_ROUNDS * full_round + poseidon_params::PARTIAL_ROUNDS;
    if input.mode == InputMode::Committed {
        let hashes = 1 + features.div_ceil(input.values_per_element());
        total = total.saturating_add(hashes.saturating_mul(hash).saturating_mul(program.items));
    }
    let read = |node: &Node| node.inputs.first().and_then(|&i| program.width(i)).unwrap_or(0);
    for node in &program.nodes {
        total = total.saturating_add(match &node.op {
            Op::Linear(l) => l
                .outputs
                .saturating_mul(shape.rescale_rows())
                .saturating_add(l.inputs.saturating_mul(l.outputs.div_ceil(shape.weights as usize))),
            Op::Sum(s) => s.bias.len().saturating_mul(shape.rescale_rows()).saturating_add(s.extra_rows(shape.rescale_rows())),
            Op::Conv(c) => c.stencil.outputs().saturating_mul(shape.rescale_rows()),
            Op::Product(p) => p.dims.outputs().saturating_mul(shape.rescale_rows()).saturating_add(p.extra_rows(shape)),
            Op::Maximum(m) => m.elements().saturating_mul(shape.maximum_rows()),
            Op::Constant(c) => c.row_count(shape.range_rows(), shape.commits()),
            Op::Weights(w) => w.count.saturating_mul(shape.range_rows()).saturating_add(hash.saturating_mul(1 + w.elements())),
            Op::Threshold(_) => shape.range_rows().saturating_mul(program.items),
            Op::Argmax(_) => read(node).saturating_mul(shape.argmax_rows()),
            Op::Sigmoid(_) => read(node).saturating_mul(shape.function_rows() + shape.range_rows()),
            Op::Input(_) | Op::Rescale(_) | Op::Reveal | Op::Move(_) => 0,
        });
    }
    Ok(total)
}

/// The stacks that are tried: none, and those that spread the fixed columns evenly over a few.
fn stacks(shape: &Shape) -> Vec<u32> {
    let mut layout = ConstraintSystem::default();
    Columns::configure(&mut layout, &Shape { stack: 2, ..*shape });
    // One of them stays apart.
    let fixed = layout.num_fixed_columns() as u32 - 1;
    let mut all: Vec<u32> = std::iter::once(1).chain(SPREADS.map(|columns| fixed.div_ceil(columns))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn smallest_k(mut shape: Shape, needed: usize) -> Option<Plan> {
    let cs = stack::constraint_system(&shape);
    let rows = needed.max(shape.table_rows());
    let fits = |k: &u32| stack::end_row(&cs, &Shape { k: *k, ..shape }).is_ok_and(|end| rows <= end);
    shape.k = (MIN_K..=MAX_K).find(fits)?;
    let read = cs.advice_queries().iter().map(|(_, rotation)| rotation.0);
    let read: Vec<i32> = read.chain(cs.fixed_queries().iter().map(|(_, rotation)| rotation.0)).collect();
    Some(Plan {
        shape,
        rows,
        advice: cs.num_advice_columns(),
        fixed: cs.num_fixed_columns(),
        queries: read.len(),
        rotations: read.iter().collect::<BTreeSet<_>>().len(),
        blinding: cs.blinding_factors(),
        degree: degree(&cs),
    })
}

/// The highest degree of a gate; the permutation's is lower than any circuit's. (halo2's own figure depends on the environment.)
fn degree(cs: &ConstraintSystem<Fr>) -> usize {
    cs.gates().iter().flat_map(|gate| gate.polynomials()).map(Expression::degree).max().unwrap_or(0)
}

/// The common span of all inputs, where they can stand on the rows of the layer that reads them: nothing packs them, their limbs fit one
/// row, and one dense layer or walking convolution reads all of them, once each. 0 otherwise.
fn span_in_place(program: &Program, shape: &Shape) -> Result<u64, CircuitError> {
    let input = program.input()?;
    let mut readers = program.nodes.iter().filter(|node| node.inputs.contains(&0));
    let (Some(reader), None) = (readers.next(), readers.next()) else { return Ok(0) };
    let once = match &reader.op {
        Op::Linear(_) => true,
        Op::Conv(conv) => {
            conv.walks(shape).0 && conv.stencil.axes.iter().all(|axis| axis.dilation == 1 && axis.stride <= axis.kernel)
        }
        _ => false,
    };
    let spans = || input.ranges.iter().map(|range| range.hi - range.lo);
    let span = spans().next().filter(|first| spans().all(|span| span == *first)).unwrap_or(0);
    let fits = once && reader.inputs == [0] && input.mode != InputMode::Committed && 2 * shape.range_limbs <= shape.lanes;
    Ok(if fits { u64::try_from(span).unwrap_or(0) } else { 0 })
}

/// Whether `shape` is what the planner makes of `program` with these limbs and weight columns, and no larger than needed.
///
/// A shape that comes from a file is checked with this before anything is laid out: limbs that do not add up to the program's
/// precision, a packing width that is not the commitment's, or a missing gate would each give a circuit that means something
/// else, and a large `k` alone would ask for gigabytes.
pub(super) fn is_shape_of(program: &Program, shape: &Shape) -> Result<bool, CircuitError> {
    if !shape.is_sound() || !(MIN_K..=MAX_K).contains(&shape.k) {
        return Ok(false);
    }
    let widths = Widths { limb_bits: shape.limb_bits, lanes: shape.lanes, weights: shape.weights };
    let expected = shape_of(program, widths)?.map(|expected| Shape { k: shape.k, stack: shape.stack, ..expected });
    if expected != Some(*shape) || !stacks(shape).contains(&shape.stack) {
        return Ok(false);
    }
    let smallest = smallest_k(*shape, rows(program, shape)?);
    Ok(smallest.is_some_and(|plan| plan.shape.k == shape.k))
}
