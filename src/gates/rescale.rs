//! Rescale, ReLU and threshold: one accumulator split into quotient and remainder.
//!
//! The accumulator `y` is no cell: it is an expression of the limbs, and the linear fold (`fold.rs`) binds it.

use super::{
    Cell, Columns, Selector, Shape, Trace, TraceError,
    field::{power_of_two, to_field},
    pool,
    range::limbs,
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};

/// What becomes of the quotient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `a = max(q, 0)`.
    Relu,
    /// `a = q`.
    Signed,
}

/// The accumulator `y` that the limbs of each kind of row stand for, with `R` the remainder limbs and `G` the magnitude limbs:
///
/// ```text
/// relu, signed:  y = 2^s * q + R - 2^(s-1),   q = b*G - (1-b)*(1+G)
/// threshold:     y = 2^s * (a + G) + R - 2^(s-1)
/// distance:      y = a - D, of one element of a window (`pool.rs`)
/// ```
///
/// Returned as pairs (selector, y) for the fold.
pub(super) fn accumulators(
    cells: &mut VirtualCells<'_, Fr>,
    columns: &Columns,
    shape: &Shape,
) -> Vec<(Expression<Fr>, Expression<Fr>)> {
    let mut all = Vec::new();
    if let Some(selector) = sum_of(cells, &[columns.relu, columns.signed]) {
        all.push((selector, split(cells, columns, shape)));
    }
    if let Some(selector) = sum_of(cells, &[columns.threshold]) {
        let threshold = cells.query_advice(columns.a, Rotation::cur());
        let (scale, half) = (power_of_two(shape.shift_bits()), Expression::Constant(power_of_two(shape.shift_bits() - 1)));
        let y = (threshold + magnitude(cells, columns, shape)) * scale + remainder(cells, columns, shape) - half;
        all.push((selector, y));
    }
    all.extend(pool::accumulator(cells, columns, shape));
    all
}

/// ```text
/// (relu + signed) * b * (1 - b) = 0
/// relu   * (a - b*G) = 0
/// signed * (a - (b*G - (1-b)*(1+G))) = 0
/// ```
///
/// Relies on: limbs in `[0, 2^limb_bits)` (lookup), so `0 <= R < 2^s` and `0 <= G < 2^M`: quotient, remainder and sign of an
/// integer `y` in `[-2^(M+s) - 2^(s-1), 2^(M+s) - 2^(s-1))` are unique (zero has only `b = 1`), and `s + M <= 112` keeps `y` from
/// wrapping. That the true `y` lies there is the program check (`quant::range`); the fold makes this `y` the true one.
/// A threshold row holds `q - T = G >= 0`, with `T = a` range-checked by its own row.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let (relu, signed) = (columns.relu, columns.signed);
    if relu.is_none() && signed.is_none() {
        return;
    }
    cs.create_gate("rescale", |cells| {
        let a = cells.query_advice(columns.a, Rotation::cur());
        let b = cells.query_advice(columns.b, Rotation::cur());
        let one = Expression::Constant(Fr::ONE);
        let mut constraints = Vec::new();
        if let Some(selector) = sum_of(cells, &[relu, signed]) {
            constraints.push(("b is a bit", selector * b.clone() * (one - b.clone())));
        }
        if let Some(selector) = sum_of(cells, &[relu]) {
            let g = magnitude(cells, columns, shape);
            constraints.push(("a = max(q, 0)", selector * (a.clone() - b * g)));
        }
        if let Some(selector) = sum_of(cells, &[signed]) {
            constraints.push(("a = q", selector * (a - quotient(cells, columns, shape))));
        }
        constraints
    });
}

/// Places one rescale of the accumulator `y`; `bias` is the layer's, which the fold subtracts.
pub fn place(trace: &mut Trace, kind: Kind, bias: i128, y: Option<i128>) -> Result<Cell, TraceError> {
    let selector = match kind {
        Kind::Relu => trace.columns.relu.ok_or(TraceError::NoSuchGate("relu"))?,
        Kind::Signed => trace.columns.signed.ok_or(TraceError::NoSuchGate("signed"))?,
    };
    place_quotient(trace, selector, kind, bias, y)
}

/// The cells of one rescale, where `selector` is enabled.
pub(super) fn place_quotient(
    trace: &mut Trace,
    selector: Selector,
    kind: Kind,
    bias: i128,
    y: Option<i128>,
) -> Result<Cell, TraceError> {
    let q = y.map(|y| (y + half(trace)) >> trace.shape.shift_bits());
    let magnitude = q.map(|q| if q < 0 { -q - 1 } else { q });
    let row = place_limbs(trace, selector, bias, y, magnitude)?;
    let result = q.map(|q| if kind == Kind::Relu { q.max(0) } else { q });
    trace.assign(trace.columns.a, row, result.map(to_field))?;
    trace.assign(trace.columns.b, row, q.map(|q| if q < 0 { Fr::ZERO } else { Fr::ONE }))?;
    Ok(Cell { row })
}

/// Places the comparison of the accumulator `y` with the range-checked public threshold in cell `source`; returns its first row.
///
/// # Errors
/// [`TraceError::DoesNotFit`] when the score is below the threshold: there is no such proof.
pub fn place_threshold(
    trace: &mut Trace,
    bias: i128,
    y: Option<i128>,
    source: Cell,
    threshold: Option<i128>,
) -> Result<usize, TraceError> {
    let selector = trace.columns.threshold.ok_or(TraceError::NoSuchGate("threshold"))?;
    let q = y.map(|y| (y + half(trace)) >> trace.shape.shift_bits());
    let distance = q.zip(threshold).map(|(q, t)| q - t);
    let row = place_limbs(trace, selector, bias, y, distance)?;
    trace.copy(source, row)?;
    Ok(row)
}

/// The accumulator that the cells of `row` stand for, where a rescale or a threshold starts; the value side of [`accumulators`].
pub(super) fn accumulator_at(trace: &Trace, row: usize) -> Option<Fr> {
    let (columns, shape) = (&trace.columns, &trace.shape);
    let enabled = |selector: Option<Selector>| trace.is_enabled(selector, row);
    if enabled(columns.distance) {
        return Some(trace.advice[columns.a.index()][row] - trace.limbs(row, 0..shape.pool_limbs()));
    }
    let (rescales, compares) = (enabled(columns.relu) || enabled(columns.signed), enabled(columns.threshold));
    if !rescales && !compares {
        return None;
    }
    let [a, b] = [columns.a, columns.b].map(|c| trace.advice[c.index()][row]);
    let g = trace.limbs(row, shape.remainder_limbs..shape.remainder_limbs + shape.magnitude_limbs);
    let quotient = if rescales { b * (g.double() + Fr::ONE) - (Fr::ONE + g) } else { a + g };
    let (scale, half) = (power_of_two(shape.shift_bits()), power_of_two(shape.shift_bits() - 1));
    Some(quotient * scale + trace.limbs(row, 0..shape.remainder_limbs) - half)
}

/// `2^s * q + R - 2^(s-1)`, with the quotient as sign bit and magnitude.
pub(super) fn split(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, shape: &Shape) -> Expression<Fr> {
    let half = Expression::Constant(power_of_two(shape.shift_bits() - 1));
    quotient(cells, columns, shape) * power_of_two(shape.shift_bits()) + remainder(cells, columns, shape) - half
}

fn half(trace: &Trace) -> i128 {
    1i128 << (trace.shape.shift_bits() - 1)
}

fn place_limbs(
    trace: &mut Trace,
    selector: Selector,
    bias: i128,
    y: Option<i128>,
    magnitude: Option<i128>,
) -> Result<usize, TraceError> {
    let shape = trace.shape;
    let row = trace.take_rows(shape.rescale_rows())?;
    let remainder = y.map(|y| (y + half(trace)) & ((1i128 << shape.shift_bits()) - 1));
    trace.enable(selector, row)?;
    trace.fix(trace.columns.constant, row, to_field(bias))?;
    let all = shape.remainder_limbs + shape.magnitude_limbs;
    trace.assign_limbs(row, 0..shape.remainder_limbs, remainder, "the remainder")?;
    trace.assign_limbs(row, shape.remainder_limbs..all, magnitude, "the magnitude")?;
    Ok(row)
}

fn remainder(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, shape: &Shape) -> Expression<Fr> {
    limbs(cells, columns, shape, 0, shape.remainder_limbs)
}

pub(super) fn magnitude(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, shape: &Shape) -> Expression<Fr> {
    limbs(cells, columns, shape, shape.remainder_limbs, shape.magnitude_limbs)
}

/// `b*G - (1-b)*(1+G)`, written as `b*(2G + 1) - (1 + G)`.
pub(super) fn quotient(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, shape: &Shape) -> Expression<Fr> {
    let b = cells.query_advice(columns.b, Rotation::cur());
    let g = magnitude(cells, columns, shape);
    let one = Expression::Constant(Fr::ONE);
    b * (g.clone() * Fr::from(2) + one.clone()) - (one + g)
}

fn sum_of(cells: &mut VirtualCells<'_, Fr>, selectors: &[Option<Selector>]) -> Option<Expression<Fr>> {
    selectors.iter().flatten().map(|s| s.query(cells)).reduce(|sum, s| sum + s)
}
