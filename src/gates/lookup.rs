//! LogUp from ordinary gates: every cell of the lanes lies in the range table; and the pins of both running columns.
//!
//! ```text
//! sum_rows sum_lanes 1 / (β - limb) = sum_rows multiplicity / (β - table)
//! ```
//!
//! (Haböck, "Multivariate lookups based on logarithmic derivatives", 2022.) Every lane of every active row is a lookup and every
//! active row a table row: unused limb cells hold 0, and the table repeats its entry 0 below the last value, so no selector is
//! needed. The repeated entries make the split of entry 0's multiplicity over these rows free (their sum is bound); the prover
//! writes all of it to the first.
//! Error: at most `4 E / r` for `E` lookups, β being drawn after limbs and multiplicities are committed (`docs/soundness.md`).

use super::{Columns, Shape, Trace, TraceError, function};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression, Fixed, VirtualCells},
    poly::Rotation,
};

/// With the lanes `v_0, v_1, ...`, the first of them held by the step (`S`), the others by helpers (`H`):
///
/// ```text
/// active * (helper_H * prod_(i in H) (β - v_i) - sum_(i in H) prod_(j in H, j != i) (β - v_j)) = 0
/// active * ((sum_next - sum - sum_H helper_H) * prod_(i in S) (β - v_i) * (β - t)
///           - (β - t) * sum_(i in S) prod_(j in S, j != i) (β - v_j) + multiplicity * prod_(i in S) (β - v_i)) = 0
/// v_0 = limb_0 + function * (θ * b + θ^2 * b_next + θ^3),   v_i = limb_i
/// t = table + θ * table_value + θ^2 * table_slope + θ^3 * table_tag
/// pin * sum = 0,  pin * fold = 0,    pin = active + active_prev - 2 * active * active_prev
/// ```
///
/// A helper is the sum of `1 / (β - v_i)` over its lanes, and a step adds `1 / (β - v_i)` over its own, the helpers, and takes
/// `multiplicity / (β - t)`. Without a function table, `v_0 = limb_0` and `t = table`. With one, a range lookup has tag 0 and a
/// function lookup tag 1, both by fixed columns, so neither can be answered from the other's rows.
/// Both hold on every row between the pins; `pin` is 1 on row 0 (the row before it is unusable, where `active` is 0) and on the
/// first row after the last active one, and 0 elsewhere, by the fixed column `active` alone.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    cs.create_gate("lookup", |cells| {
        let [active, active_prev] = [0, -1].map(|r| cells.query_fixed(columns.active, Rotation(r)));
        let [sum, sum_next] = [0, 1].map(|r| cells.query_advice(columns.sum, Rotation(r)));
        let fold = cells.query_advice(columns.fold, Rotation::cur());
        let (lanes, table) = poles(cells, columns);
        let held = &lanes[..shape.step_lanes()];
        let one = Expression::Constant(Fr::ONE);
        let mut constraints = Vec::new();
        let mut added = sum_next - sum.clone();
        for (helper, helped) in columns.helpers.iter().zip(shape.helped_lanes()) {
            let (helper, poles) = (cells.query_advice(*helper, Rotation::cur()), &lanes[helped]);
            constraints.push(("helper", active.clone() * (helper.clone() * product(poles) - without_one(poles, &one))));
            added = added - helper;
        }
        let multiplicity = cells.query_advice(columns.multiplicity, Rotation::cur());
        let pin = active.clone() + active_prev.clone() - active.clone() * active_prev * Expression::Constant(Fr::from(2));
        let step = added * product(held) * table.clone() - without_one(held, &table) + multiplicity * product(held);
        constraints.extend([
            ("lookup step", active * step),
            ("running sum starts and ends at zero", pin.clone() * sum),
            ("fold starts and ends at zero", pin * fold),
        ]);
        constraints
    });
}

/// `β - v_i` of every lane, and `β - t`.
fn poles(cells: &mut VirtualCells<'_, Fr>, columns: &Columns) -> (Vec<Expression<Fr>>, Expression<Fr>) {
    let beta = cells.query_challenge(columns.beta);
    let mut lanes: Vec<_> = columns.limbs.iter().map(|&lane| cells.query_advice(lane, Rotation::cur())).collect();
    let mut entry = cells.query_fixed(columns.table, Rotation::cur());
    if let (Some(function), Some(first)) = (&columns.function, lanes.first_mut()) {
        let theta = cells.query_challenge(function.theta);
        let [value, slope] = [0, 1].map(|r| cells.query_advice(columns.b, Rotation(r)));
        let table = [function.table_value, function.table_slope, function.table_tag];
        let [table_value, table_slope, table_tag] = table.map(|c| cells.query_fixed(c, Rotation::cur()));
        let compress = |x: Expression<Fr>, y, z| ((z * theta.clone() + y) * theta.clone() + x) * theta.clone();
        let one = Expression::Constant(Fr::ONE);
        *first = first.clone() + function.selector.query(cells) * compress(value, slope, one);
        entry = entry + compress(table_value, table_slope, table_tag);
    }
    (lanes.into_iter().map(|v| beta.clone() - v).collect(), beta - entry)
}

fn product(factors: &[Expression<Fr>]) -> Expression<Fr> {
    factors.iter().cloned().reduce(|product, factor| product * factor).unwrap_or(Expression::Constant(Fr::ONE))
}

/// `unit` times the products that leave out one factor each, added.
fn without_one(factors: &[Expression<Fr>], unit: &Expression<Fr>) -> Expression<Fr> {
    let others = |left_out: usize| factors.iter().enumerate().filter(move |(i, _)| *i != left_out).map(|(_, f)| f.clone());
    let terms = (0..factors.len()).map(|i| others(i).fold(unit.clone(), |product, factor| product * factor));
    terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
}

/// Fills the table and counts the multiplicities; every limb must be assigned by now.
pub(super) fn place_table(trace: &mut Trace) -> Result<(), TraceError> {
    let entries = 1usize << trace.shape.limb_bits;
    for row in 1..entries {
        trace.fix(trace.columns.table, row, Fr::from(row as u64))?;
    }
    function::place_table(trace)?;
    let multiplicities = multiplicities(trace);
    for (row, count) in multiplicities.into_iter().enumerate() {
        trace.assign(trace.columns.multiplicity, row, Some(Fr::from(count)))?;
    }
    Ok(())
}

/// How often each table row is looked up; limbs outside the table are not counted (no honest trace has any).
pub fn multiplicities(trace: &Trace) -> Vec<u64> {
    let mut counts = vec![0u64; trace.shape.table_rows()];
    let function = trace.columns.function.as_ref().map(|f| f.selector);
    for (lane, column) in trace.columns.limbs.iter().enumerate() {
        for (row, limb) in trace.advice[column.index()][..trace.end].iter().enumerate() {
            let first = if lane == 0 && trace.is_enabled(function, row) { 1 << trace.shape.limb_bits } else { 0 };
            let entry = small(limb).filter(|&v| v < 1 << trace.shape.limb_bits);
            if let Some(count) = entry.and_then(|v| counts.get_mut(first + v)) {
                *count += 1;
            }
        }
    }
    counts
}

fn small(value: &Fr) -> Option<usize> {
    let bytes = value.to_bytes();
    bytes[8..].iter().all(|&b| b == 0).then(|| u64::from_le_bytes(std::array::from_fn(|i| bytes[i])) as usize)
}

/// Computes helpers and running sum for the challenges β and θ, from the fixed and phase-1 cells alone.
pub fn assign_phase2(trace: &mut Trace, beta: Fr, theta: Fr) {
    let columns = trace.columns.clone();
    let lanes = columns.limbs.len();
    let mut inverses: Vec<Fr> = Vec::with_capacity(trace.end * (lanes + 1));
    for row in 0..trace.end {
        let (looked_up, offered) = tuples_at(trace, row, theta);
        let others = columns.limbs.iter().skip(1).map(|lane| beta - trace.advice[lane.index()][row]);
        inverses.extend([beta - offered, beta - looked_up].into_iter().chain(others));
    }
    invert_all(&mut inverses);
    let helped = trace.shape.helped_lanes();
    let mut sum = Fr::ZERO;
    for (row, inverses) in inverses.chunks(lanes + 1).enumerate() {
        trace.advice[columns.sum.index()][row] = sum;
        let terms = &inverses[1..];
        for (helper, lanes) in columns.helpers.iter().zip(&helped) {
            let term: Fr = terms[lanes.clone()].iter().sum();
            trace.advice[helper.index()][row] = term;
            sum += term;
        }
        sum +=
            terms[..trace.shape.step_lanes()].iter().sum::<Fr>() - trace.advice[columns.multiplicity.index()][row] * inverses[0];
    }
    trace.advice[columns.sum.index()][trace.end] = sum;
}

/// What the first lane of a row looks up and what the row offers, compressed.
fn tuples_at(trace: &Trace, row: usize, theta: Fr) -> (Fr, Fr) {
    let columns = &trace.columns;
    let advice = |column: Column<Advice>, row: usize| trace.advice[column.index()][row];
    let fixed = |column: Column<Fixed>| trace.fixed[column.index()][row];
    let (limb, table) = (advice(columns.limbs[0], row), fixed(columns.table));
    let Some(function) = &columns.function else { return (limb, table) };
    let compress = |x: Fr, y: Fr, z: Fr| ((z * theta + y) * theta + x) * theta;
    let enabled = fixed(function.selector.column());
    let looked_up = enabled * compress(advice(columns.b, row), advice(columns.b, row + 1), Fr::ONE);
    let offered = compress(fixed(function.table_value), fixed(function.table_slope), fixed(function.table_tag));
    (limb + looked_up, table + offered)
}

/// Montgomery's batch inversion; zeros stay zero.
pub fn invert_all(values: &mut [Fr]) {
    let mut prefix = Vec::with_capacity(values.len());
    let mut product = Fr::ONE;
    for value in values.iter() {
        prefix.push(product);
        if !bool::from(value.is_zero()) {
            product *= value;
        }
    }
    let mut inverse = product.invert().unwrap_or(Fr::ONE);
    for (value, prefix) in values.iter_mut().zip(prefix).rev() {
        if !bool::from(value.is_zero()) {
            let inverted = inverse * prefix;
            inverse *= *value;
            *value = inverted;
        }
    }
}
