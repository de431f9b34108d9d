//! A function table with linear interpolation: the segment is looked up, the rest is one linear step and one remainder.

use super::{
    Cell, Columns, Shape, Trace, TraceError,
    field::{power_of_two, to_field},
    range::limbs,
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};

/// `g` magnitude limbs give `M` bits; `f = M - limb_bits` are the bits of the place inside a segment, in `g - 1` limbs.
/// A row block holds `limb = segment | place limbs | remainder limbs`, `a = q, a_next = result`, `b = value, b_next = slope`.
///
/// ```text
/// function * (a + 2^(M-1) - segment * 2^f - place) = 0
/// function * (b_next * place + 2^(f-1) - (a_next - b) * 2^f - remainder) = 0
/// (segment, b, b_next) is in the function table                                       (lookup.rs)
/// ```
///
/// Relies on: place and remainder limbs in range (lookup), `q` in `[-2^(M-1), 2^(M-1) - 1]` (program check), and **`result` in the
/// table's interval by a range row of its own** (`op::Sigmoid::rows`): both sides of the linear step are then integers below 2^82
/// (`|value|, |slope| < 2^33`, `f < 48`), so segment, place, remainder and result are unique. Without that range row any remainder
/// would do, with a result that is a fraction in the field.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let Some(selector) = columns.function.as_ref().map(|f| f.selector) else { return };
    let fraction_limbs = shape.magnitude_limbs - 1;
    let fraction_bits = fraction_limbs * shape.limb_bits;
    cs.create_gate("function", |cells| {
        let selector = selector.query(cells);
        let [q, result] = [0, 1].map(|r| cells.query_advice(columns.a, Rotation(r)));
        let [value, slope] = [0, 1].map(|r| cells.query_advice(columns.b, Rotation(r)));
        let segment = limbs(cells, columns, shape, 0, 1);
        let place = limbs(cells, columns, shape, 1, fraction_limbs);
        let remainder = limbs(cells, columns, shape, 1 + fraction_limbs, fraction_limbs);
        let offset = Expression::Constant(power_of_two(shape.magnitude_bits() - 1));
        let half = Expression::Constant(power_of_two(fraction_bits - 1));
        let width = power_of_two(fraction_bits);
        vec![
            ("segment and place", selector.clone() * (q + offset - segment * width - place.clone())),
            ("linear step", selector * (slope * place + half - (result - value) * width - remainder)),
        ]
    });
}

/// Gives the trace its table of (value, slope), one for each segment.
pub fn set_table(trace: &mut Trace, segments: Vec<(i128, i128)>) {
    trace.function_table = segments;
}

/// Places one evaluation at `source`; `witness` is the input and the result. Returns the result's cell.
pub fn place(trace: &mut Trace, source: Cell, witness: Option<(i128, i128)>) -> Result<Cell, TraceError> {
    let function = trace.columns.function.clone().ok_or(TraceError::NoSuchGate("function"))?;
    let shape = trace.shape;
    let fraction_limbs = shape.magnitude_limbs - 1;
    let fraction_bits = fraction_limbs * shape.limb_bits;
    let row = trace.take_rows(shape.function_rows())?;
    trace.enable(function.selector, row)?;
    trace.copy(source, row)?;
    let z = witness.map(|(q, _)| q + (1i128 << (shape.magnitude_bits() - 1)));
    let segment = z.map(|z| z >> fraction_bits);
    let place = z.map(|z| z & ((1i128 << fraction_bits) - 1));
    let entry = segment.and_then(|s| trace.function_table.get(usize::try_from(s).ok()?).copied());
    let remainder = entry
        .zip(place)
        .map(|((_, slope), place)| (slope * place + (1i128 << (fraction_bits - 1))) & ((1i128 << fraction_bits) - 1));
    let columns = trace.columns.clone();
    let place_end = 1 + fraction_limbs;
    trace.assign_limbs(row, 0..1, segment, "the segment")?;
    trace.assign_limbs(row, 1..place_end, place, "the place in the segment")?;
    trace.assign_limbs(row, place_end..place_end + fraction_limbs, remainder, "the remainder of the linear step")?;
    trace.assign(columns.b, row, entry.map(|(value, _)| to_field(value)))?;
    trace.assign(columns.b, row + 1, entry.map(|(_, slope)| to_field(slope)))?;
    trace.assign(columns.a, row + 1, witness.map(|(_, result)| to_field(result)))?;
    Ok(Cell { row: row + 1 })
}

/// Fills the function table's rows, below those of the range table.
pub(super) fn place_table(trace: &mut Trace) -> Result<(), TraceError> {
    let Some(function) = trace.columns.function.clone() else { return Ok(()) };
    let first = 1usize << trace.shape.limb_bits;
    for (segment, (value, slope)) in trace.function_table.clone().into_iter().enumerate() {
        let row = first + segment;
        trace.fix(trace.columns.table, row, Fr::from(segment as u64))?;
        trace.fix(function.table_value, row, to_field(value))?;
        trace.fix(function.table_slope, row, to_field(slope))?;
        trace.fix(function.table_tag, row, Fr::ONE)?;
    }
    Ok(())
}
