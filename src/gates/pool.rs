//! The maximum of a window of accumulators, rescaled once: what a layer with a max pool behind it needs of its outputs.
//!
//! Rescale and ReLU do not decrease, so `max_i rescale(y_i) = rescale(max_i y_i)`: the accumulators themselves are compared, and only
//! the largest is divided.

use super::{
    Cell, Columns, Shape, Trace, TraceError,
    field::to_field,
    range::limbs,
    rescale::{self, Kind},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};

/// The accumulator that a row of a window stands for, with the maximum `Q = a` and its distance `D >= 0` from it: `y = Q - D`. As a
/// pair (selector, y) for the fold.
pub(super) fn accumulator(
    cells: &mut VirtualCells<'_, Fr>,
    columns: &Columns,
    shape: &Shape,
) -> Option<(Expression<Fr>, Expression<Fr>)> {
    let selector = columns.distance?.query(cells);
    let largest = cells.query_advice(columns.a, Rotation::cur());
    Some((selector, largest - limbs(cells, columns, shape, 0, shape.pool_limbs())))
}

/// A window of n accumulators takes n times `h` rows, in the order of the fold, and the rows of one rescale. Row i of the first:
/// `a = Q`, `b = p_i`, and the limbs of `D_i`, one more than those of a rescale; the first weight column holds 1 but for i = 0. The rescale has
/// `a = result`, `b` the sign bit, and its first weight column holds 1 with a ReLU. `_before` is `h` rows above.
///
/// ```text
/// distance * (p - (w * p_before + 1 - w) * D) = 0            p_i = D_0 * ... * D_i
/// distance * w * (a - a_before) = 0                          one Q for a window
/// pooled * p_before = 0                                      membership: some D_i is 0
/// pooled * (a_before - (2^s * q + R - 2^(s-1))) = 0          q = b*G - (1-b)*(1+G)
/// pooled * b * (1 - b) = 0
/// pooled * (a - q - w * (1-b) * (1+G)) = 0                   max(q, 0) = b*G with a ReLU
/// ```
///
/// Relies on: limbs in range (lookup), so `D_i >= 0`; the fold, which makes each `Q - D_i` the true accumulator, below 2^120 (program
/// check), so that all of this are integers. Q is then one of them and none is larger. Q, every `D_i` and `p_i` follow, and of Q
/// quotient, remainder and sign as in `rescale.rs`.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let (Some(distance), Some(pooled)) = (columns.distance, columns.pooled) else { return };
    cs.create_gate("pool", |cells| {
        let [distance, pooled] = [distance, pooled].map(|selector| selector.query(cells));
        let before = Rotation(-(shape.pool_rows() as i32));
        let [a, b] = [columns.a, columns.b].map(|column| cells.query_advice(column, Rotation::cur()));
        let [a_before, b_before] = [columns.a, columns.b].map(|column| cells.query_advice(column, before));
        let w = cells.query_fixed(columns.weights[0], Rotation::cur());
        let one = Expression::Constant(Fr::ONE);
        let d = limbs(cells, columns, shape, 0, shape.pool_limbs());
        let product = (w.clone() * b_before.clone() + one.clone() - w.clone()) * d;
        let q = rescale::quotient(cells, columns, shape);
        let below = (one.clone() - b.clone()) * (one.clone() + rescale::magnitude(cells, columns, shape));
        vec![
            ("product of the accumulators' distances", distance.clone() * (b.clone() - product)),
            ("one maximum for a window", distance * w.clone() * (a.clone() - a_before.clone())),
            ("some accumulator is the maximum", pooled.clone() * b_before),
            ("the maximum is split", pooled.clone() * (a_before - rescale::split(cells, columns, shape))),
            ("b is a bit", pooled.clone() * b.clone() * (one - b)),
            ("a is the pooled result", pooled * (a - q - w * below)),
        ]
    });
}

/// A window under way.
pub struct Window {
    largest: Option<i128>,
    product: Fr,
    begun: bool,
}

impl Window {
    /// A window of accumulators of which `largest` is the largest (`None` in key generation).
    pub fn new(largest: Option<i128>) -> Self {
        Self { largest, product: Fr::ONE, begun: false }
    }

    /// Places the next accumulator, `bias` being its layer's; returns its first row.
    pub fn place(&mut self, trace: &mut Trace, bias: i128, y: Option<i128>) -> Result<usize, TraceError> {
        let columns = trace.columns.clone();
        let selector = columns.distance.ok_or(TraceError::NoSuchGate("pool"))?;
        let row = trace.take_rows(trace.shape.pool_rows())?;
        trace.enable(selector, row)?;
        trace.fix(columns.constant, row, to_field(bias))?;
        if std::mem::replace(&mut self.begun, true) {
            trace.fix(columns.weights[0], row, Fr::ONE)?;
        }
        let distance = self.largest.zip(y).map(|(largest, y)| largest - y);
        self.product *= to_field(distance.unwrap_or(0));
        trace.assign(columns.a, row, self.largest.map(to_field))?;
        trace.assign(columns.b, row, distance.map(|_| self.product))?;
        trace.assign_limbs(row, 0..trace.shape.pool_limbs(), distance, "the distance to the largest accumulator")?;
        Ok(row)
    }

    /// Places the rescaled maximum, behind all accumulators.
    pub fn finish(self, trace: &mut Trace, kind: Kind) -> Result<Cell, TraceError> {
        let selector = trace.columns.pooled.ok_or(TraceError::NoSuchGate("pool"))?;
        let cell = rescale::place_quotient(trace, selector, kind, 0, self.largest)?;
        if kind == Kind::Relu {
            trace.fix(trace.columns.weights[0], cell.row, Fr::ONE)?;
        }
        Ok(cell)
    }
}
