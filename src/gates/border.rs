//! Outputs that nothing reads, as cells of their own: they take their places in the fold, which alone determines them. Two stand in
//! one row.

use super::{Columns, Trace, TraceError};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Expression, VirtualCells},
    poly::Rotation,
};

/// What a row of border outputs adds to `fold`, with `pair` the first weight column, 1 where there are two:
///
/// ```text
/// border * ((γ-1) * fold + a + pair * ((γ-1) * (γ * fold + a) + b))
/// ```
///
/// `fold` becomes `γ * fold + a`, and with a pair `γ * (γ * fold + a) + b`: the same as on two rows. A border output has no bias.
pub(super) fn step(
    cells: &mut VirtualCells<'_, Fr>,
    columns: &Columns,
    gamma: &Expression<Fr>,
    fold: &Expression<Fr>,
) -> Option<Expression<Fr>> {
    let border = columns.border?.query(cells);
    let [a, b] = [columns.a, columns.b].map(|c| cells.query_advice(c, Rotation::cur()));
    let pair = cells.query_fixed(columns.weights[0], Rotation::cur());
    let gamma_minus_one = gamma.clone() - Expression::Constant(Fr::ONE);
    let second = gamma_minus_one.clone() * (gamma.clone() * fold.clone() + a.clone()) + b;
    Some(border * (gamma_minus_one * fold.clone() + a + pair * second))
}

/// Places a run of border outputs, in the order of the fold; `None` in key generation.
pub fn place(trace: &mut Trace, outputs: &[Option<Fr>]) -> Result<(), TraceError> {
    for outputs in outputs.chunks(2) {
        let selector = trace.columns.border.ok_or(TraceError::NoSuchGate("border"))?;
        let row = trace.take_rows(1)?;
        trace.enable(selector, row)?;
        trace.assign(trace.columns.a, row, outputs[0])?;
        if let Some(&second) = outputs.get(1) {
            trace.fix(trace.columns.weights[0], row, Fr::ONE)?;
            trace.assign(trace.columns.b, row, second)?;
        }
    }
    Ok(())
}

/// The border outputs of `row`, in the order of the fold.
pub(super) fn outputs_at(trace: &Trace, row: usize) -> Vec<Fr> {
    let columns = &trace.columns;
    if !trace.is_enabled(columns.border, row) {
        return Vec::new();
    }
    let pair = trace.fixed[columns.weights[0].index()][row] == Fr::ONE;
    let outputs = [columns.a, columns.b].map(|c| trace.advice[c.index()][row]);
    outputs[..if pair { 2 } else { 1 }].to_vec()
}
