//! Exact range check of one value, and the packing of consecutive values into field elements.

use super::{
    Cell, Columns, Shape, Trace, TraceError,
    field::{power_of_two, to_field},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};

/// `sum_i limb[from + i] * 2^(limb_bits * i)`, the limbs standing side by side in the lanes, then under each other.
pub(super) fn limbs(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, shape: &Shape, from: u32, count: u32) -> Expression<Fr> {
    (0..count).fold(Expression::Constant(Fr::ZERO), |sum, i| {
        let (column, row) = columns.limb_at(0, from + i);
        sum + cells.query_advice(column, Rotation(row as i32)) * power_of_two(shape.limb_bits * i)
    })
}

/// With `n` limbs a side, `lo` in the first weight column and `hi` in the constant column:
///
/// ```text
/// range * (a - lo - sum_i limb[i]     * 2^(limb_bits * i)) = 0        for i in 0..n
/// range * (hi - a - sum_i limb[n + i] * 2^(limb_bits * i)) = 0
/// range * (b[rows] - f * b - (a - lo)) = 0                            f in the second weight column (packing only)
/// ```
///
/// Relies on: limbs in `[0, 2^limb_bits)` (lookup), `n * limb_bits <= 64`, so neither side wraps and `a` is exactly in `[lo, hi]`.
/// The packed sum starts afresh where `f = 0`; elsewhere `f` is a power of two above `hi - lo` (program check).
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    configure_in_place(cs, columns, shape);
    let Some(range) = columns.range else { return };
    cs.create_gate("range", |cells| {
        let selector = range.query(cells);
        let a = cells.query_advice(columns.a, Rotation::cur());
        let lo = cells.query_fixed(columns.weights[0], Rotation::cur());
        let hi = cells.query_fixed(columns.constant, Rotation::cur());
        let below = limbs(cells, columns, shape, 0, shape.range_limbs);
        let above = limbs(cells, columns, shape, shape.range_limbs, shape.range_limbs);
        let offset = a.clone() - lo;
        let mut constraints = vec![
            ("a - lo is made of limbs", selector.clone() * (offset.clone() - below)),
            ("hi - a is made of limbs", selector.clone() * (hi - a - above)),
        ];
        if shape.commits() {
            let factor = cells.query_fixed(columns.weights[1], Rotation::cur());
            let packed = cells.query_advice(columns.b, Rotation::cur());
            let next = cells.query_advice(columns.b, Rotation(shape.range_rows() as i32));
            constraints.push(("packed sum", selector * (next - factor * packed - offset)));
        }
        constraints
    });
}

/// An input on a row where its layer reads it, with `lo` in the constant column and one `span = hi - lo` for all inputs:
///
/// ```text
/// in_place * (a - lo - sum_i limb[i] * 2^(limb_bits * i)) = 0               for i in 0..n, all limbs in this row
/// in_place * (lo + span - a - sum_i limb[n + i] * 2^(limb_bits * i)) = 0
/// ```
///
/// Relies on the same as a range row. Linear and walking rows use neither the constant column nor limbs, and `a` is what they read: the
/// input needs no copy. Each input lands on one such row (`Trace::copy`).
fn configure_in_place(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let Some(in_place) = columns.in_place else { return };
    cs.create_gate("input in place", |cells| {
        let selector = in_place.query(cells);
        let a = cells.query_advice(columns.a, Rotation::cur());
        let lo = cells.query_fixed(columns.constant, Rotation::cur());
        let span = Expression::Constant(Fr::from(shape.span));
        let below = limbs(cells, columns, shape, 0, shape.range_limbs);
        let above = limbs(cells, columns, shape, shape.range_limbs, shape.range_limbs);
        vec![
            ("x - lo is made of limbs", selector.clone() * (a.clone() - lo.clone() - below)),
            ("lo + span - x is made of limbs", selector * (lo + span - a - above)),
        ]
    });
}

/// Places an input on `row`, where its layer reads it.
pub(super) fn place_in_place(trace: &mut Trace, row: usize, lo: i128, value: Option<i128>) -> Result<Cell, TraceError> {
    let selector = trace.columns.in_place.ok_or(TraceError::NoSuchGate("input in place"))?;
    let (limbs, hi) = (trace.shape.range_limbs, lo + i128::from(trace.shape.span));
    trace.enable(selector, row)?;
    trace.fix(trace.columns.constant, row, to_field(lo))?;
    trace.assign(trace.columns.a, row, value.map(to_field))?;
    trace.assign_limbs(row, 0..limbs, value.map(|v| v - lo), "the distance to the range's lower end")?;
    trace.assign_limbs(row, limbs..2 * limbs, value.map(|v| hi - v), "the distance to the range's upper end")?;
    Ok(Cell { row })
}

/// The state of a packed sum between two placements.
#[derive(Clone, Copy, Debug)]
pub enum Packed {
    /// The next value is the most significant of a new element.
    Start,
    /// The sum so far (`None` in key generation).
    Sum(Option<Fr>),
}

/// Places the check `lo <= value <= hi`. In a circuit that packs, a packed sum of this one value stands on the next free row.
pub fn place(trace: &mut Trace, [lo, hi]: [i128; 2], value: Option<i128>) -> Result<Cell, TraceError> {
    if trace.shape.commits() {
        return place_packed(trace, [lo, hi], value, 0, Packed::Start).map(|(cell, _)| cell);
    }
    let row = trace.take_rows(trace.shape.range_rows())?;
    place_at(trace, row, [lo, hi], value, None)
}

/// Places the check `lo <= value <= hi` of a cell that stands elsewhere, through a copy of it.
pub fn place_copy(trace: &mut Trace, [lo, hi]: [i128; 2], source: Cell, value: Option<i128>) -> Result<(), TraceError> {
    let rows = trace.shape.range_rows();
    let row = trace.take_rows(rows)?;
    place_at(trace, row, [lo, hi], value, Some(source))?;
    if trace.shape.commits() {
        trace.assign(trace.columns.b, row + rows, value.map(|v| to_field(v - lo)))?;
    }
    Ok(())
}

/// Places the check `lo <= value <= hi` and extends the packed sum, which then stands in column `b` on the next free row. Values
/// of one sum have `pack_bits` bits each.
pub fn place_packed(
    trace: &mut Trace,
    [lo, hi]: [i128; 2],
    value: Option<i128>,
    pack_bits: u32,
    packed: Packed,
) -> Result<(Cell, Packed), TraceError> {
    let rows = trace.shape.range_rows();
    let row = trace.take_rows(rows)?;
    let cell = place_at(trace, row, [lo, hi], value, None)?;
    let offset = value.map(|v| to_field(v - lo));
    let sum = match packed {
        Packed::Start => offset,
        Packed::Sum(sum) => {
            let factor = power_of_two(pack_bits);
            trace.fix(trace.columns.weights[1], row, factor)?;
            sum.zip(offset).map(|(sum, offset)| sum * factor + offset)
        }
    };
    trace.assign(trace.columns.b, row + rows, sum)?;
    Ok((cell, Packed::Sum(sum)))
}

fn place_at(
    trace: &mut Trace,
    row: usize,
    [lo, hi]: [i128; 2],
    value: Option<i128>,
    source: Option<Cell>,
) -> Result<Cell, TraceError> {
    let limbs = trace.shape.range_limbs;
    let selector = trace.columns.range.ok_or(TraceError::NoSuchGate("range"))?;
    trace.enable(selector, row)?;
    trace.fix(trace.columns.weights[0], row, to_field(lo))?;
    trace.fix(trace.columns.constant, row, to_field(hi))?;
    match source {
        Some(source) => drop(trace.copy(source, row)?),
        None => trace.assign(trace.columns.a, row, value.map(to_field))?,
    }
    trace.assign_limbs(row, 0..limbs, value.map(|v| v - lo), "the distance to the range's lower end")?;
    trace.assign_limbs(row, limbs..2 * limbs, value.map(|v| hi - v), "the distance to the range's upper end")?;
    Ok(Cell { row })
}
