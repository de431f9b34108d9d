//! All linear layers of a circuit, checked by one fold with a challenge (Freivalds' method with the powers of γ).
//!
//! For a layer `y = W x + b` with `m` outputs, random γ and `u_j = sum_i γ^(m-1-i) W_ij`:
//!
//! ```text
//! sum_i γ^(m-1-i) (y_i - b_i) = sum_j x_j u_j
//! ```
//!
//! The column `fold` runs over the whole circuit. On the row of each `y_i` it becomes `γ * fold + y_i - b_i`; on the last linear
//! row of each input `j` it loses `x_j u_j`. It is never reset: what a layer leaves over is multiplied by γ once for every later
//! `y`, so the residuals of all layers are the coefficients of *one* polynomial in γ, of degree below the number `N` of all `y`.
//! Both ends are pinned to zero (`lookup.rs`), so some `y_i - b_i - sum_j W_ij x_j != 0` survives with probability at most `N / r`.
//! Every `y` (limbs), `x` (column `a`) is committed before γ is drawn; `W` and `b` are fixed.

use super::{Cell, Columns, Shape, Trace, TraceError, border, field::to_field, rescale, walk};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};

/// With `w` weight columns `W_0..W_(w-1)`, and `_prev`, `_next` for the neighbouring rows:
///
/// ```text
/// linear * (folded - continues * γ^w * folded_prev - sum_k γ^(w-1-k) W_k) = 0          continues = linear_prev + shift_prev - last_prev
/// active * (fold_next - fold) - sum_kinds selector * ((γ-1) * fold + y - b) - border's step + last * a * folded = 0
/// ```
///
/// `folded` restarts wherever the row before is not linear or is the last row of its input, by fixed columns alone: row 0 reads
/// row -1, an unusable row, only behind `continues`, which is zero there. Rows that walk (`walk.rs`, where there are
/// any) have `shift = 1` instead of `linear`, and `last = 1` where an input takes part.
/// Relies on: `x` and `y` having enforced intervals (range and rescale rows), so that equality in the field is equality of integers.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    cs.create_gate("linear fold", |cells| {
        let gamma = cells.query_challenge(columns.gamma);
        let constant = cells.query_fixed(columns.constant, Rotation::cur());
        let linear = cells.query_fixed(columns.linear, Rotation::cur());
        let last = cells.query_fixed(columns.last, Rotation::cur());
        let [folded, folded_prev] = [0, -1].map(|r| cells.query_advice(columns.folded, Rotation(r)));
        let weights: Vec<_> = columns.weights.iter().map(|&w| cells.query_fixed(w, Rotation::cur())).collect();
        let continues = continues(cells, columns);
        let horner = weights.into_iter().fold(continues * folded_prev, |sum, w| sum * gamma.clone() + w);

        let active = cells.query_fixed(columns.active, Rotation::cur());
        let [fold, fold_next] = [0, 1].map(|r| cells.query_advice(columns.fold, Rotation(r)));
        let x = cells.query_advice(columns.a, Rotation::cur());
        let border = border::step(cells, columns, &gamma, &fold);
        let gamma_minus_one = gamma - Expression::Constant(Fr::ONE);
        let mut step = rescale::accumulators(cells, columns, shape)
            .into_iter()
            .fold(active * (fold_next - fold.clone()), |step, (selector, y)| {
                step - selector * (gamma_minus_one.clone() * fold.clone() + y - constant.clone())
            });
        if let Some(border) = border {
            step = step - border;
        }
        vec![("folded weights", linear * (folded.clone() - horner)), ("fold of the linear layers", step + last * x * folded)]
    });
}

/// 1 on rows whose `folded` goes on from the row before: a fixed column of its own (`Trace::finish`), or what the row before says.
fn continues(cells: &mut VirtualCells<'_, Fr>, columns: &Columns) -> Expression<Fr> {
    if let Some(continues) = columns.continues {
        return cells.query_fixed(continues, Rotation::cur());
    }
    let [linear_prev, last_prev] = [columns.linear, columns.last].map(|c| cells.query_fixed(c, Rotation::prev()));
    let continues = linear_prev - last_prev;
    match columns.shift {
        Some(shift) => continues + cells.query_fixed(shift, Rotation::prev()),
        None => continues,
    }
}

/// Fills `continues`, where there is such a column, with `linear_prev + shift_prev - last_prev`.
pub(super) fn place_continues(trace: &mut Trace) -> Result<(), TraceError> {
    let Some(continues) = trace.columns.continues else { return Ok(()) };
    let shift = trace.columns.shift.map(|shift| shift.index());
    for row in 1..trace.end {
        let before = |column: usize| trace.fixed[column][row - 1];
        let goes_on = before(trace.columns.linear.index()) + shift.map_or(Fr::ZERO, before) - before(trace.columns.last.index());
        if goes_on != Fr::ZERO {
            trace.fix(continues, row, goes_on)?;
        }
    }
    Ok(())
}

/// Places the term of one input of a layer, after the rows of all the layer's outputs: `ceil(m / w)` rows.
///
/// `weights` is the input's column of `W`, one entry per output, in the order in which the outputs were placed.
pub fn place_input(trace: &mut Trace, weights: &[i128], input: Cell) -> Result<(), TraceError> {
    let width = trace.shape.weights as usize;
    let blocks = weights.len().div_ceil(width);
    let padding = blocks * width - weights.len();
    let first = trace.take_rows(blocks)?;
    for (i, &weight) in weights.iter().enumerate() {
        let slot = padding + i;
        trace.fix(trace.columns.weights[slot % width], first + slot / width, to_field(weight))?;
    }
    for row in first..first + blocks {
        trace.fix(trace.columns.linear, row, Fr::ONE)?;
    }
    let last = first + blocks - 1;
    trace.fix(trace.columns.last, last, Fr::ONE)?;
    trace.copy(input, last)?;
    Ok(())
}

/// Places one term of the output that was placed last: `weight * input` on `row`, which no other placement of column `a` uses.
///
/// With a single weight in the last column, `folded` is the weight itself, and the term has the power of γ of that output.
pub fn place_term(trace: &mut Trace, row: usize, weight: i128, input: Cell) -> Result<(), TraceError> {
    let slot = trace.shape.weights as usize - 1;
    trace.fix(trace.columns.weights[slot], row, to_field(weight))?;
    trace.fix(trace.columns.linear, row, Fr::ONE)?;
    trace.fix(trace.columns.last, row, Fr::ONE)?;
    trace.copy(input, row)?;
    Ok(())
}

/// Computes the columns `folded` and `fold` for the challenge γ, from the fixed and phase-1 cells alone.
pub fn assign_phase2(trace: &mut Trace, gamma: Fr) {
    let shape = trace.shape;
    let columns = trace.columns.clone();
    let width_power = gamma.pow([u64::from(shape.weights)]);
    let gamma_powers: Vec<Fr> = (0..shape.weights).rev().map(|k| gamma.pow([u64::from(k)])).collect();
    let fixed = |trace: &Trace, column: halo2_proofs::plonk::Column<_>, row: usize| trace.fixed[column.index()][row];
    let steps: Vec<Fr> = shape.steps.exponents().iter().map(|&e| gamma.pow([u64::from(e)])).collect();
    let mut fold = Fr::ZERO;
    let mut continues = false;
    for row in 0..trace.end {
        trace.advice[columns.fold.index()][row] = fold;
        if columns.shift.is_some_and(|shift| fixed(trace, shift, row) == Fr::ONE) {
            let folded = walk::folded_at(trace, row, &steps);
            trace.advice[columns.folded.index()][row] = folded;
            continues = fixed(trace, columns.last, row) != Fr::ONE;
            if !continues {
                fold -= trace.advice[columns.a.index()][row] * folded;
            }
        } else if fixed(trace, columns.linear, row) == Fr::ONE {
            let mut folded = Fr::ZERO;
            if continues {
                folded = trace.advice[columns.folded.index()][row - 1] * width_power;
            }
            for (weight, power) in columns.weights.iter().zip(&gamma_powers) {
                folded += fixed(trace, *weight, row) * power;
            }
            trace.advice[columns.folded.index()][row] = folded;
            continues = fixed(trace, columns.last, row) != Fr::ONE;
            if !continues {
                fold -= trace.advice[columns.a.index()][row] * folded;
            }
        } else {
            continues = false;
            if let Some(y) = rescale::accumulator_at(trace, row) {
                fold = fold * gamma + y - fixed(trace, columns.constant, row);
            }
            fold = border::outputs_at(trace, row).into_iter().fold(fold, |fold, y| fold * gamma + y);
        }
    }
    trace.advice[columns.fold.index()][trace.end] = fold;
}
