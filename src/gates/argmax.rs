//! Argmax: membership and dominance, ties to the lowest index.

use super::{Cell, Columns, Shape, Trace, TraceError, field::to_field, range::limbs};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem, plonk::Expression, poly::Rotation};

/// Class `j` occupies `h` rows: `a = q_j, a_next = m, a[+2] = class` (copies), `b = e_j, b_next = s_j`, `M/limb_bits` limbs.
/// The first weight column holds 1 except for class 0, the second 1 for the last class only, the constant column `j`.
///
/// ```text
/// argmax * e * (1 - e) = 0
/// argmax * (s - w0 * s_before - e) = 0        s_j = e_0 + ... + e_j
/// argmax * w1 * (s - 1) = 0                   exactly one e_j is 1
/// argmax * e * (m - q) = 0                    membership
/// argmax * e * (class - j) = 0
/// argmax * (m - q - (1 - s) - sum_i limb[i] * 2^(limb_bits * i)) = 0      dominance: strict for j < class
/// ```
///
/// Relies on: scores in `[-2^(M-1), 2^(M-1) - 1]` (program check), limbs in range (lookup): `m - q_j - [j < class]` is in `[0, 2^M)`.
/// `e_j` is then 1 exactly at the lowest index of the maximum, so there is one witness.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let Some(argmax) = columns.argmax else { return };
    cs.create_gate("argmax", |cells| {
        let selector = argmax.query(cells);
        let [continues, ends] = [0, 1].map(|i| cells.query_fixed(columns.weights[i], Rotation::cur()));
        let index = cells.query_fixed(columns.constant, Rotation::cur());
        let [q, m, class] = [0, 1, 2].map(|r| cells.query_advice(columns.a, Rotation(r)));
        let [e, s] = [0, 1].map(|r| cells.query_advice(columns.b, Rotation(r)));
        let s_before = cells.query_advice(columns.b, Rotation(1 - shape.argmax_rows() as i32));
        let distance = limbs(cells, columns, shape, 0, shape.magnitude_limbs);
        let one = Expression::Constant(Fr::ONE);
        vec![
            ("e is a bit", selector.clone() * e.clone() * (one.clone() - e.clone())),
            ("s is the prefix sum of e", selector.clone() * (s.clone() - continues * s_before - e.clone())),
            ("one class is chosen", selector.clone() * ends * (s.clone() - one.clone())),
            ("the maximum is the chosen score", selector.clone() * e.clone() * (m.clone() - q.clone())),
            ("the class is the chosen index", selector.clone() * e * (class - index)),
            ("no score is larger", selector * (m - q - (one - s) - distance)),
        ]
    });
}

/// Places the argmax of `scores` and returns the cell of the class; `witness` is the scores' values and the class.
pub fn place(trace: &mut Trace, scores: &[Cell], witness: Option<(&[i128], usize)>) -> Result<Cell, TraceError> {
    let selector = trace.columns.argmax.ok_or(TraceError::NoSuchGate("argmax"))?;
    let columns = trace.columns.clone();
    let class = witness.map(|(_, class)| class);
    let maximum = witness.map(|(values, class)| values[class]);
    let mut shared: Option<(Cell, Cell)> = None;
    for (j, &score) in scores.iter().enumerate() {
        let row = trace.take_rows(trace.shape.argmax_rows())?;
        trace.enable(selector, row)?;
        trace.fix(columns.constant, row, Fr::from(j as u64))?;
        trace.fix(columns.weights[0], row, if j > 0 { Fr::ONE } else { Fr::ZERO })?;
        trace.fix(columns.weights[1], row, if j + 1 == scores.len() { Fr::ONE } else { Fr::ZERO })?;
        trace.copy(score, row)?;
        match shared {
            None => {
                trace.assign(columns.a, row + 1, maximum.map(to_field))?;
                trace.assign(columns.a, row + 2, class.map(|c| Fr::from(c as u64)))?;
                shared = Some((Cell { row: row + 1 }, Cell { row: row + 2 }));
            }
            Some((m, c)) => {
                trace.copy(m, row + 1)?;
                trace.copy(c, row + 2)?;
            }
        }
        trace.assign(columns.b, row, class.map(|c| if c == j { Fr::ONE } else { Fr::ZERO }))?;
        trace.assign(columns.b, row + 1, class.map(|c| if c <= j { Fr::ONE } else { Fr::ZERO }))?;
        let distance = witness.map(|(values, class)| values[class] - values[j] - i128::from(j < class));
        trace.assign_limbs(row, 0..trace.shape.magnitude_limbs, distance, "the distance to the largest score")?;
    }
    shared.map(|(_, class)| class).ok_or(TraceError::NoSuchGate("argmax of nothing"))
}
