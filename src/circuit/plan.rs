//! The planner: chooses limb size, lanes, weight columns and k for a program and an objective.

use super::{
    CircuitError, Memory,
    demand::{Demand, Widths},
};
use crate::{
    gates::{Columns, Shape, stack},
    quant::{Checked, Program},
};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
const WEIGHTS: [u32; 13] = [2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64];

/// Numbers of committed columns that a stacked layout's fixed columns are spread over.
const SPREADS: std::ops::RangeInclusive<u32> = 1..=6;

/// What the balanced objective pays for a CPU second of the prover.
pub const GAS_PER_SECOND: f64 = 100_000.0;
/// What the gas objective pays: stacked columns save gas at the cost of rows, down to the last column, and somewhere it ends.
pub const GAS_ABOVE_ALL: f64 = 4_000.0;

/// Rows of an outer circuit for a point of an inner proof: its table, and an addition for each digit of its scalar.
const OUTER_ROWS_PER_POINT: f64 = 408.0;
/// The same for a point of the inner key, which all slots share: four of them are taken to.
const OUTER_ROWS_PER_KEY_POINT: f64 = 92.0;
/// What the aggregation objective pays for a CPU second of the inner prover: the outer one proves so many rows in it.
const OUTER_ROWS_PER_SECOND: f64 = 430.0;

/// What to make small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Proving time.
    Prover,
    /// Verification gas, a CPU second being worth [`GAS_ABOVE_ALL`]. Columns are stacked, which multiplies the rows.
    Gas,
    /// Rows of an outer circuit that verifies the proofs (`outer/`), a CPU second being worth [`OUTER_ROWS_PER_SECOND`]. Columns are stacked.
    Aggregation,
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
    /// CPU seconds of a proof, from files to file: fitted to processes with 2^9 to 2^14 rows, 7 to 12 advice and 8 to 71 fixed columns on
    /// one machine with AVX-512 IFMA, which lie within an eighth of it, and stacked ones within a fifth; another machine is faster or slower. Fixed
    /// columns have no commitment to make; the constant is the process itself.
    pub fn seconds(&self) -> f64 {
        let rows = f64::from(1u32 << self.shape.k) / 1024.0;
        0.0055 + rows * (0.0014 * self.advice as f64 + 0.0004 * self.fixed as f64 + 0.024)
    }

    /// The same for comparing candidates: seconds of halo2's prover, at which the objectives' exchange rates were set. A model's plan is part of its
    /// identity and does not change with the prover.
    fn effort(&self) -> f64 {
        let rows = f64::from(1u32 << self.shape.k) / 1024.0;
        0.007 + rows * (0.0027 * self.advice as f64 + 0.0018 * self.fixed as f64 + 0.0275)
    }

    /// Gas of a verification, for comparing candidates: each column and each piece of the quotient is a commitment to multiply, and the
    /// prover's are calldata as well; so is each evaluation. Rows at which something is opened, and blinding rows, cost arithmetic.
    fn gas(&self) -> f64 {
        let (sent, known) = (self.advice + self.degree - 1, self.fixed);
        let arithmetic = 60.0 * self.rotations as f64 + 90.0 * self.blinding as f64;
        190_000.0 + 7_550.0 * sent as f64 + 6_450.0 * known as f64 + 690.0 * self.queries as f64 + arithmetic
    }

    /// Rows of an outer circuit for one proof, for comparing candidates.
    fn outer_rows(&self) -> f64 {
        let (sent, known) = (self.advice + self.degree - 1, self.fixed);
        OUTER_ROWS_PER_POINT * sent as f64 + OUTER_ROWS_PER_KEY_POINT * known as f64
    }

    fn cost(&self, objective: Objective) -> (f64, f64) {
        let (seconds, gas) = (self.effort(), self.gas());
        match objective {
            Objective::Prover => (seconds, gas),
            Objective::Gas => (gas + GAS_ABOVE_ALL * seconds, gas),
            Objective::Balanced => (gas + GAS_PER_SECOND * seconds, gas),
            Objective::Aggregation => (self.outer_rows() + OUTER_ROWS_PER_SECOND * seconds, gas),
        }
    }
}

/// Every candidate that fits, best first.
pub fn candidates(program: &Program, objective: Objective) -> Result<Vec<Plan>, CircuitError> {
    let demand = Demand::of(&Checked::of(program)?)?;
    let mut all = Vec::new();
    for weights in WEIGHTS {
        let Some(convs) = demand.convolutions(weights) else { continue };
        for (limb_bits, lanes) in LIMB_BITS.flat_map(|bits| LANES.map(move |lanes| (bits, lanes))) {
            let Some(shape) = demand.shape(Widths { limb_bits, lanes, weights }, &convs) else { continue };
            let stacks = match objective {
                Objective::Gas | Objective::Aggregation => stacks(&shape),
                Objective::Prover | Objective::Balanced => vec![1],
            };
            for stack in stacks {
                let shape = Shape { stack, ..shape };
                all.extend(smallest_k(shape, demand.rows(&shape, &convs)).filter(|plan| plan.shape.is_sound()));
            }
        }
    }
    all.sort_by(|a, b| a.cost(objective).partial_cmp(&b.cost(objective)).unwrap_or(std::cmp::Ordering::Equal));
    Ok(all)
}

/// Whether `plan` is one of the candidates of `program`.
pub fn is_candidate(program: &Checked<'_>, plan: &Plan) -> Result<bool, CircuitError> {
    let Shape { limb_bits, lanes, weights, stack, .. } = plan.shape;
    if !LIMB_BITS.contains(&limb_bits) || !LANES.contains(&lanes) || !WEIGHTS.contains(&weights) {
        return Ok(false);
    }
    let Some((shape, rows)) = shape_and_rows(program, Widths { limb_bits, lanes, weights }, stack)? else { return Ok(false) };
    Ok(smallest_k(shape, rows).filter(|plan| plan.shape.is_sound()).as_ref() == Some(plan))
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
            let demand = Demand::of(&Checked::of(program)?)?;
            let weights = WEIGHTS[WEIGHTS.len() - 1];
            let widths = LIMB_BITS.flat_map(|limb_bits| LANES.map(move |lanes| Widths { limb_bits, lanes, weights }));
            let smallest = widths.filter_map(|widths| demand.shape_and_rows(widths)).map(|(_, rows)| rows).min();
            let precision = program.precision;
            let (shift, magnitude) = (precision.shift_bits, precision.magnitude_bits);
            let none = CircuitError::NoLimbs { shift, magnitude, range: demand.range_bits() };
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

/// Rows that the placements of `program` take in `shape`: [`lay_out`](super::lay_out) places exactly as many.
pub fn rows(program: &Program, shape: &Shape) -> Result<usize, CircuitError> {
    let demand = Demand::of(&Checked::of(program)?)?;
    let convs = demand.convolutions(shape.weights);
    Ok(convs.map_or(usize::MAX, |convs| demand.rows(shape, &convs)))
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

/// The shape with these widths in a stack that is tried for it, k left open, and its rows.
fn shape_and_rows(program: &Checked<'_>, widths: Widths, stack: u32) -> Result<Option<(Shape, usize)>, CircuitError> {
    let demand = Demand::of(program)?;
    let Some(convs) = demand.convolutions(widths.weights) else { return Ok(None) };
    let shape = demand.shape(widths, &convs).filter(|shape| stack == 1 || stacks(shape).contains(&stack));
    let stacked = shape.map(|shape| Shape { stack, ..shape });
    Ok(stacked.map(|shape| (shape, demand.rows(&shape, &convs))))
}

/// Whether `shape` is what the planner makes of `program` with these limbs and weight columns, and no larger than needed.
///
/// A shape that comes from a file is checked with this before anything is laid out: limbs that do not add up to the program's
/// precision, a packing width that is not the commitment's, or a missing gate would each give a circuit that means something
/// else, and a large `k` alone would ask for gigabytes.
pub(super) fn is_shape_of(program: &Checked<'_>, shape: &Shape) -> Result<bool, CircuitError> {
    if !shape.is_sound() || !(MIN_K..=MAX_K).contains(&shape.k) {
        return Ok(false);
    }
    let widths = Widths { limb_bits: shape.limb_bits, lanes: shape.lanes, weights: shape.weights };
    let Some((expected, rows)) = shape_and_rows(program, widths, shape.stack)? else { return Ok(false) };
    if (Shape { k: shape.k, ..expected }) != *shape {
        return Ok(false);
    }
    Ok(smallest_k(*shape, rows).is_some_and(|plan| plan.shape.k == shape.k))
}
