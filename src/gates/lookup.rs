//! LogUp from ordinary gates: every cell of the limb column lies in the range table; and the pins of both running columns.
//!
//! ```text
//! sum_rows 1 / (β - limb) = sum_rows multiplicity / (β - table)
//! ```
//!
//! (Haböck, "Multivariate lookups based on logarithmic derivatives", 2022.) Every active row is a lookup and a table row: unused
//! limb cells hold 0, and the table repeats its entry 0 below the last value, so no selector is needed. The repeated entries make
//! the split of entry 0's multiplicity over these rows free (their sum is bound); the prover writes all of it to the first.
//! Error: at most `4 E / r` for `E` active rows, β being drawn after limbs and multiplicities are committed (`docs/soundness.md`).

use super::{Columns, Trace, TraceError, function};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression, Fixed},
    poly::Rotation,
};

/// ```text
/// active * ((sum_next - sum) * (β - v) * (β - t) - (β - t) + multiplicity * (β - v)) = 0
/// v = limb  + function  * (θ * b + θ^2 * b_next + θ^3)
/// t = table + θ * table_value + θ^2 * table_slope + θ^3 * table_tag
/// pin * sum = 0,  pin * fold = 0,    pin = active + active_prev - 2 * active * active_prev
/// ```
///
/// Without a function table, `v = limb` and `t = table`. With one, a range lookup has tag 0 and a function lookup tag 1, both by
/// fixed columns, so neither can be answered from the other's rows.
/// The step holds on every row between the pins; `pin` is 1 on row 0 (the row before it is unusable, where `active` is 0) and on the
/// first row after the last active one, and 0 elsewhere, by the fixed column `active` alone.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("lookup", |cells| {
        let beta = cells.query_challenge(columns.beta);
        let [active, active_prev] = [0, -1].map(|r| cells.query_fixed(columns.active, Rotation(r)));
        let [sum, sum_next] = [0, 1].map(|r| cells.query_advice(columns.sum, Rotation(r)));
        let fold = cells.query_advice(columns.fold, Rotation::cur());
        let mut looked_up = cells.query_advice(columns.limb, Rotation::cur());
        let mut entry = cells.query_fixed(columns.table, Rotation::cur());
        if let Some(function) = &columns.function {
            let theta = cells.query_challenge(function.theta);
            let [value, slope] = [0, 1].map(|r| cells.query_advice(columns.b, Rotation(r)));
            let table = [function.table_value, function.table_slope, function.table_tag];
            let [table_value, table_slope, table_tag] = table.map(|c| cells.query_fixed(c, Rotation::cur()));
            let compress = |x: Expression<Fr>, y, z| ((z * theta.clone() + y) * theta.clone() + x) * theta.clone();
            let one = Expression::Constant(Fr::ONE);
            looked_up = looked_up + function.selector.query(cells) * compress(value, slope, one);
            entry = entry + compress(table_value, table_slope, table_tag);
        }
        let (limb, table) = (beta.clone() - looked_up, beta - entry);
        let multiplicity = cells.query_advice(columns.multiplicity, Rotation::cur());
        let pin = active.clone() + active_prev.clone() - active.clone() * active_prev * Expression::Constant(Fr::from(2));
        let step = (sum_next - sum.clone()) * limb.clone() * table.clone() - table + multiplicity * limb;
        vec![
            ("lookup step", active * step),
            ("running sum starts and ends at zero", pin.clone() * sum),
            ("fold starts and ends at zero", pin * fold),
        ]
    });
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
    for (row, limb) in trace.advice[trace.columns.limb.index()][..trace.end].iter().enumerate() {
        let first = if trace.is_enabled(function, row) { 1 << trace.shape.limb_bits } else { 0 };
        let entry = small(limb).filter(|&v| v < 1 << trace.shape.limb_bits);
        if let Some(count) = entry.and_then(|v| counts.get_mut(first + v)) {
            *count += 1;
        }
    }
    counts
}

fn small(value: &Fr) -> Option<usize> {
    let bytes = value.to_bytes();
    bytes[8..].iter().all(|&b| b == 0).then(|| u64::from_le_bytes(std::array::from_fn(|i| bytes[i])) as usize)
}

/// Computes the running sum for the challenges β and θ, from the fixed and phase-1 cells alone.
pub fn assign_phase2(trace: &mut Trace, beta: Fr, theta: Fr) {
    let mut inverses: Vec<Fr> = (0..trace.end).flat_map(|row| tuples_at(trace, row, theta).map(|v| beta - v)).collect();
    invert_all(&mut inverses);
    let multiplicity = &trace.advice[trace.columns.multiplicity.index()];
    let mut sum = Fr::ZERO;
    let mut sums = Vec::with_capacity(trace.end + 1);
    for row in 0..trace.end {
        sums.push(sum);
        sum += inverses[2 * row] - multiplicity[row] * inverses[2 * row + 1];
    }
    sums.push(sum);
    let column = trace.columns.sum.index();
    trace.advice[column][..=trace.end].copy_from_slice(&sums);
}

/// What a row looks up and what it offers, compressed.
fn tuples_at(trace: &Trace, row: usize, theta: Fr) -> [Fr; 2] {
    let columns = &trace.columns;
    let advice = |column: Column<Advice>, row: usize| trace.advice[column.index()][row];
    let fixed = |column: Column<Fixed>| trace.fixed[column.index()][row];
    let (limb, table) = (advice(columns.limb, row), fixed(columns.table));
    let Some(function) = &columns.function else { return [limb, table] };
    let compress = |x: Fr, y: Fr, z: Fr| ((z * theta + y) * theta + x) * theta;
    let enabled = fixed(function.selector.column());
    let looked_up = enabled * compress(advice(columns.b, row), advice(columns.b, row + 1), Fr::ONE);
    let offered = compress(fixed(function.table_value), fixed(function.table_slope), fixed(function.table_tag));
    [limb + looked_up, table + offered]
}

/// Montgomery's batch inversion; zeros stay zero.
fn invert_all(values: &mut [Fr]) {
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
