//! Maximum of a window: membership and dominance.

use super::{Cell, Columns, Shape, Trace, TraceError, field::to_field, range::limbs};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem, plonk::Expression, poly::Rotation};

/// Element `i` of a window occupies `h` rows: `a = x_i, a_next = m` (copies, but for the first `m`), `b = p_i`, and `M/limb_bits` limbs.
/// The first weight column holds 1 except for the first element, the second 1 for the last only.
///
/// ```text
/// maximum * (m - x - d) = 0                        d = sum_i limb[i] * 2^(limb_bits * i): dominance
/// maximum * (p - (w0 * p_before + 1 - w0) * d) = 0     p_i = d_0 * ... * d_i
/// maximum * w1 * p = 0                             membership: some d_i is 0
/// ```
///
/// Relies on: limbs in range (lookup), so `0 <= d < 2^M`, and windows whose elements lie less than `2^M` apart (program check).
/// `m` is then one of the elements and none is larger: it is the maximum, and every `d_i` and `p_i` follows.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let Some(maximum) = columns.maximum else { return };
    cs.create_gate("maximum", |cells| {
        let selector = maximum.query(cells);
        let [continues, ends] = [0, 1].map(|i| cells.query_fixed(columns.weights[i], Rotation::cur()));
        let [x, m] = [0, 1].map(|r| cells.query_advice(columns.a, Rotation(r)));
        let p = cells.query_advice(columns.b, Rotation::cur());
        let before = cells.query_advice(columns.b, Rotation(-(shape.maximum_rows() as i32)));
        let distance = limbs(cells, columns, shape, 0, shape.magnitude_limbs);
        let one = Expression::Constant(Fr::ONE);
        let product = (continues.clone() * before + one - continues) * distance.clone();
        vec![
            ("no element is larger", selector.clone() * (m - x - distance)),
            ("product of the distances", selector.clone() * (p.clone() - product)),
            ("the maximum is an element", selector * ends * p),
        ]
    });
}

/// Places the maximum of `window` and returns its cell; `witness` holds the elements' values.
pub fn place(trace: &mut Trace, window: &[Cell], witness: Option<&[i128]>) -> Result<Cell, TraceError> {
    let selector = trace.columns.maximum.ok_or(TraceError::NoSuchGate("maximum"))?;
    let columns = trace.columns.clone();
    let largest = witness.and_then(|values| values.iter().copied().max());
    let mut shared: Option<Cell> = None;
    let mut product = Fr::ONE;
    for (i, &element) in window.iter().enumerate() {
        let row = trace.take_rows(trace.shape.maximum_rows())?;
        trace.enable(selector, row)?;
        trace.fix(columns.weights[0], row, if i > 0 { Fr::ONE } else { Fr::ZERO })?;
        trace.fix(columns.weights[1], row, if i + 1 == window.len() { Fr::ONE } else { Fr::ZERO })?;
        trace.copy(element, row)?;
        match shared {
            None => {
                trace.assign(columns.a, row + 1, largest.map(to_field))?;
                shared = Some(Cell { row: row + 1 });
            }
            Some(m) => {
                trace.copy(m, row + 1)?;
            }
        }
        let distance = largest.zip(witness.and_then(|values| values.get(i))).map(|(m, x)| m - x);
        product *= to_field(distance.unwrap_or(0));
        trace.assign(columns.b, row, distance.map(|_| product))?;
        trace.assign_limbs(row, 0..trace.shape.magnitude_limbs, distance, "the distance to the largest element")?;
    }
    shared.ok_or(TraceError::NoSuchGate("maximum of nothing"))
}
