//! The lookups: lanes in the range table, operands among the multiples of points. LogUp from ordinary gates, as in `gates/lookup.rs`.
//!
//! ```text
//! Σ_lanes 1 / (β - lane) + Σ id / (β - wanted) = Σ_rows multiplicity / (β - table) + plus / (β - offered) + minus / (β - negated)
//! wanted  = id + θ digit + Σ_i θ^(2+i) x_i + Σ_i θ^(6+i) y_i + θ^10            of the operand
//! offered = the same of the point on this row, whose id and digit are fixed;  negated: of digit 31 - digit and -y_i
//! ```
//!
//! A range lookup is the tuple `(v, 0, ...)`; the last entry of a multiple's tuple is 1, so neither is ever answered from the other's table.
//! Rows that offer nothing have the id 0, which nothing asks for: a row that asks has a fixed id of at least 1. The id is also what a lookup
//! counts: all lookups of one tuple have the same, so `plus` and `minus` are as many times it, and rows that ask for nothing count 0.

use super::{
    columns::Columns,
    points::MULTIPLES,
    shape::{LANE_BITS, LANES, LIMBS},
    sheet::Sheet,
};
use crate::gates::{TraceError, lookup::invert_all};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};
use std::ops::Range;

/// Lanes that the running sum's step holds: it has degree 5 then.
const HELD: usize = 2;
/// Lanes of a helper, whose constraint has degree 5 then.
const HELPED: usize = 3;

/// The lanes of each helper.
pub fn helped_lanes() -> Vec<Range<usize>> {
    (HELD..LANES).step_by(HELPED).map(|from| from..(from + HELPED).min(LANES)).collect()
}

/// ```text
/// active * (helper * Π (β - lane) - Σ_i Π_(j != i) (β - lane_j)) = 0
/// active * (found * W O N - id O N + plus W N + minus W O) = 0           W = β - wanted, O = β - offered, N = β - negated
/// active * ((sum_next - sum - Σ helper - found) L T - T Σ_i Π_(j != i) (β - lane_j) + multiplicity L) = 0
///                                                                         L = Π (β - lane) over the two lanes held, T = β - table
/// pin * sum = 0,     pin = active + active_prev - 2 active active_prev
/// ```
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("lookup", |cells| {
        let [active, active_prev] = [0, -1].map(|r| cells.query_fixed(columns.active, Rotation(r)));
        let [sum, sum_next] = [0, 1].map(|r| cells.query_advice(columns.sum, Rotation(r)));
        let beta = cells.query_challenge(columns.beta);
        let pole =
            |cells: &mut VirtualCells<'_, Fr>, lane: Column<Advice>| beta.clone() - cells.query_advice(lane, Rotation::cur());
        let poles: Vec<_> = columns.lanes.iter().map(|&lane| pole(cells, lane)).collect();
        let found = cells.query_advice(columns.found, Rotation::cur());
        let mut constraints = Vec::new();
        let mut added = sum_next - sum.clone() - found.clone();
        for (helper, lanes) in columns.helpers.iter().zip(helped_lanes()) {
            let helper = cells.query_advice(*helper, Rotation::cur());
            let poles = &poles[lanes];
            constraints.push(("helper", active.clone() * (helper.clone() * product(poles) - without_one(poles))));
            added = added - helper;
        }
        let id = cells.query_fixed(columns.wanted, Rotation::cur());
        let [wanted, offered, negated] = tuples(cells, columns).map(|tuple| beta.clone() - tuple);
        let [multiplicity, plus, minus] =
            [columns.multiplicity, columns.plus, columns.minus].map(|c| cells.query_advice(c, Rotation::cur()));
        let terms = id * offered.clone() * negated.clone()
            - plus * wanted.clone() * negated.clone()
            - minus * wanted.clone() * offered.clone();
        constraints.push(("multiples", active.clone() * (found * wanted * offered * negated - terms)));
        let table = beta.clone() - cells.query_fixed(columns.table, Rotation::cur());
        let held = &poles[..HELD];
        let step = added * product(held) * table.clone() - table * without_one(held) + multiplicity * product(held);
        let pin = active.clone() + active_prev.clone() - active.clone() * active_prev * Expression::Constant(Fr::from(2));
        constraints.push(("lookup step", active * step));
        constraints.push(("running sum starts and ends at zero", pin * sum));
        constraints
    });
}

/// `wanted`, `offered` and `negated`.
fn tuples(cells: &mut VirtualCells<'_, Fr>, columns: &Columns) -> [Expression<Fr>; 3] {
    let theta = cells.query_challenge(columns.theta);
    let mut limbs = |columns: [Column<Advice>; LIMBS], r: i32| columns.map(|c| cells.query_advice(c, Rotation(r)));
    let [x2, y2] = [limbs(columns.operand, 2), limbs(columns.operand, 0)];
    let [x, y] = [limbs(columns.element, -2), limbs(columns.element, 0)];
    let digit = cells.query_advice(columns.digit, Rotation::cur());
    let [wanted, offered, offered_digit] =
        [columns.wanted, columns.offered, columns.offered_digit].map(|c| cells.query_fixed(c, Rotation::cur()));
    let one = Expression::Constant(Fr::ONE);
    let compress = |id: Expression<Fr>, digit: Expression<Fr>, x: &[Expression<Fr>], y: &[Expression<Fr>]| {
        let entries = [id, digit].into_iter().chain(x.iter().cloned()).chain(y.iter().cloned()).chain([one.clone()]);
        entries.rev().reduce(|sum, entry| sum * theta.clone() + entry).unwrap_or(one.clone())
    };
    let negated_digit = Expression::Constant(Fr::from(2 * MULTIPLES as u64 - 1)) - offered_digit.clone();
    let negated_y = y.clone().map(|y| -y);
    [
        compress(wanted, digit, &x2, &y2),
        compress(offered.clone(), offered_digit, &x, &y),
        compress(offered, negated_digit, &x, &negated_y),
    ]
}

fn product(factors: &[Expression<Fr>]) -> Expression<Fr> {
    factors.iter().cloned().reduce(|product, factor| product * factor).unwrap_or(Expression::Constant(Fr::ONE))
}

/// The products that leave out one factor each, added.
fn without_one(factors: &[Expression<Fr>]) -> Expression<Fr> {
    let others = |left_out: usize| factors.iter().enumerate().filter(move |(i, _)| *i != left_out).map(|(_, f)| f.clone());
    let terms = (0..factors.len()).map(|i| product(&others(i).collect::<Vec<_>>()));
    terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
}

/// Fills the range table, its multiplicities and the active rows; every lane must be assigned by now.
pub fn finish(sheet: &mut Sheet) -> Result<(), TraceError> {
    let entries = 1usize << LANE_BITS;
    for row in 0..sheet.end {
        sheet.fix(sheet.columns.active, row, Fr::ONE)?;
    }
    for row in 1..entries {
        sheet.fix(sheet.columns.table, row, Fr::from(row as u64))?;
    }
    let mut counts = vec![0u64; entries];
    for lane in &sheet.columns.lanes {
        for value in &sheet.advice[lane.index()][..sheet.end] {
            if let Some(count) = small(value).and_then(|v| counts.get_mut(v)) {
                *count += 1;
            }
        }
    }
    for (row, count) in counts.into_iter().enumerate() {
        sheet.assign(sheet.columns.multiplicity, row, Fr::from(count))?;
    }
    Ok(())
}

fn small(value: &Fr) -> Option<usize> {
    let bytes = value.to_bytes();
    bytes[8..].iter().all(|&b| b == 0).then(|| u64::from_le_bytes(std::array::from_fn(|i| bytes[i])) as usize)
}

/// Computes the second phase for the challenges β and θ, from the fixed cells and those of the first.
pub fn assign_phase2(sheet: &mut Sheet, beta: Fr, theta: Fr) {
    let (columns, lanes) = (sheet.columns.clone(), sheet.columns.lanes.len());
    let width = lanes + 4;
    let mut inverses: Vec<Fr> = Vec::with_capacity(sheet.end * width);
    for row in 0..sheet.end {
        inverses.extend(columns.lanes.iter().map(|lane| beta - sheet.advice[lane.index()][row]));
        inverses.push(beta - sheet.fixed[columns.table.index()][row]);
        inverses.extend(tuples_at(sheet, row, theta).map(|tuple| beta - tuple));
    }
    invert_all(&mut inverses);
    let helped = helped_lanes();
    let mut sum = Fr::ZERO;
    for (row, inverses) in inverses.chunks(width).enumerate() {
        let advice = |sheet: &Sheet, column: Column<Advice>| sheet.advice[column.index()][row];
        sheet.advice[columns.sum.index()][row] = sum;
        for (helper, lanes) in columns.helpers.iter().zip(&helped) {
            let term: Fr = inverses[lanes.clone()].iter().sum();
            sheet.advice[helper.index()][row] = term;
            sum += term;
        }
        let found = sheet.fixed[columns.wanted.index()][row] * inverses[lanes + 1]
            - advice(sheet, columns.plus) * inverses[lanes + 2]
            - advice(sheet, columns.minus) * inverses[lanes + 3];
        sheet.advice[columns.found.index()][row] = found;
        sum += found + inverses[..HELD].iter().sum::<Fr>() - advice(sheet, columns.multiplicity) * inverses[lanes];
    }
    let end = sheet.end;
    sheet.advice[columns.sum.index()][end] = sum;
}

/// `wanted`, `offered` and `negated` of a row.
fn tuples_at(sheet: &Sheet, row: usize, theta: Fr) -> [Fr; 3] {
    let (columns, rows) = (&sheet.columns, sheet.widths.rows());
    let at =
        |column: Column<Advice>, by: isize| sheet.advice[column.index()][(row as isize + by).rem_euclid(rows as isize) as usize];
    let [x2, y2] = [columns.operand.map(|c| at(c, 2)), columns.operand.map(|c| at(c, 0))];
    let [x, y] = [columns.element.map(|c| at(c, -2)), columns.element.map(|c| at(c, 0))];
    let [wanted, offered, offered_digit] =
        [columns.wanted, columns.offered, columns.offered_digit].map(|c| sheet.fixed[c.index()][row]);
    let compress = |id: Fr, digit: Fr, x: [Fr; LIMBS], y: [Fr; LIMBS]| {
        let entries = [id, digit].into_iter().chain(x).chain(y);
        entries.rev().fold(Fr::ONE, |sum, entry| sum * theta + entry)
    };
    let negated_digit = Fr::from(2 * MULTIPLES as u64 - 1) - offered_digit;
    [
        compress(wanted, at(columns.digit, 0), x2, y2),
        compress(offered, offered_digit, x, y),
        compress(offered, negated_digit, x, y.map(|y| -y)),
    ]
}
