//! The natural repairs of limbs: write the value that the constraint asks for in digits again, as an honest prover would.

use super::lab::{Changes, Lab};
use super::system::{CellId, Constraint};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::ops::Range;
use zkml_evm::gates::field::{power_of_two, to_field};

/// For each run of neighbouring limbs whose weights in `constraint` grow by a digit each: the digits that make it hold, if the
/// value asked for has that many. Cells of `taken` stay as they are.
pub fn redigit(lab: &Lab, constraint: &Constraint, taken: &Changes) -> Vec<Changes> {
    let residual = constraint.eval(&lab.values);
    let free = |cell: &CellId| lab.is_limb(*cell) && !taken.iter().any(|(c, _)| c == cell);
    let mut weights: Vec<(CellId, Fr)> = constraint
        .cells()
        .into_iter()
        .filter(free)
        .filter_map(|cell| Some((cell, constraint.linear_in(cell, &lab.values)?.0)))
        .filter(|(_, weight)| *weight != Fr::ZERO)
        .collect();
    weights.sort_unstable_by_key(|(cell, _)| lab.limb_order(*cell));
    let unit = power_of_two(lab.trace.shape.limb_bits);
    let follows = |low: CellId, high: CellId| lab.limb_order(high) == lab.limb_order(low).map(|order| order + 1);
    let continues = |(low, a): &(CellId, Fr), (high, b): &(CellId, Fr)| follows(*low, *high) && *b == *a * unit;
    weights.chunk_by(continues).filter(|run| run.len() > 1).filter_map(|run| digits(lab, run, residual)).collect()
}

fn digits(lab: &Lab, run: &[(CellId, Fr)], residual: Fr) -> Option<Changes> {
    let bits = lab.trace.shape.limb_bits;
    let weight = Option::<Fr>::from(run[0].1.invert())?;
    let value: Fr = (0u32..).zip(run).map(|(i, (cell, _))| lab.values[*cell as usize] * power_of_two(bits * i)).sum();
    let bytes = (value - residual * weight).to_bytes();
    let wanted = u128::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    let fits = bytes[16..].iter().all(|&b| b == 0) && wanted >> (bits * run.len() as u32).min(127) == 0;
    let digit = |i: u32| Fr::from((wanted >> (bits * i)) as u64 & ((1 << bits) - 1));
    fits.then(|| (0u32..).zip(run).map(|(i, (cell, _))| (*cell, digit(i))).collect())
}

/// For the equation of a layer's output that is rescaled: sign, magnitude and remainder of the accumulator that it asks for.
pub fn requotient(lab: &Lab, constraint: &Constraint, taken: &Changes) -> Option<Changes> {
    let (columns, shape, row) = (&lab.trace.columns, &lab.trace.shape, constraint.row);
    let rescales = [columns.relu, columns.signed].iter().any(|&selector| lab.trace.is_enabled(selector, row));
    if constraint.name != "layer identity" || !rescales {
        return None;
    }
    let (b, limbs) = (lab.cell(columns.b.index(), row), shape.remainder_limbs + shape.magnitude_limbs);
    let magnitude = sum(lab, row, shape.remainder_limbs..limbs);
    let quotient = lab.values[b as usize] * (magnitude.double() + Fr::ONE) - (Fr::ONE + magnitude);
    let rounded = quotient * power_of_two(shape.shift_bits()) + sum(lab, row, 0..shape.remainder_limbs);
    let wanted = signed(rounded - constraint.eval(&lab.values))?;
    let (q, rest) = (wanted >> shape.shift_bits(), wanted & ((1 << shape.shift_bits()) - 1));
    let magnitude = if q < 0 { -q - 1 } else { q };
    if magnitude >> shape.magnitude_bits() != 0 {
        return None;
    }
    let whole = (magnitude << shape.shift_bits()) | rest;
    let mut all = digits_of(lab, row, 0..limbs, whole);
    all.push((b, if q < 0 { Fr::ZERO } else { Fr::ONE }));
    is_free(&all, taken).then_some(all)
}

/// Sign, magnitude, remainder and result of a pool's rescale at `row` for another accumulator, if it has them.
pub fn requotiented(lab: &Lab, row: usize, y: i128) -> Option<Changes> {
    let (columns, shape) = (&lab.trace.columns, &lab.trace.shape);
    let rounded = y + (1 << (shape.shift_bits() - 1));
    let (q, rest) = (rounded >> shape.shift_bits(), rounded & ((1 << shape.shift_bits()) - 1));
    let magnitude = if q < 0 { -q - 1 } else { q };
    if magnitude >> shape.magnitude_bits() != 0 {
        return None;
    }
    let whole = (magnitude << shape.shift_bits()) | rest;
    let mut all = digits_of(lab, row, 0..shape.remainder_limbs + shape.magnitude_limbs, whole);
    let rectifies = lab.fixed(columns.weights[0], row) == Fr::ONE;
    all.push((lab.cell(columns.b.index(), row), if q < 0 { Fr::ZERO } else { Fr::ONE }));
    all.push((lab.cell(columns.a.index(), row), to_field(if rectifies { q.max(0) } else { q })));
    Some(all)
}

/// For the linear step of a function: result and remainder of what value, slope and place give.
pub fn reinterpolate(lab: &Lab, constraint: &Constraint, taken: &Changes) -> Option<Changes> {
    if constraint.name != "linear step" {
        return None;
    }
    let (columns, shape, row) = (&lab.trace.columns, &lab.trace.shape, constraint.row);
    let fraction_limbs = shape.magnitude_limbs - 1;
    let bits = fraction_limbs * shape.limb_bits;
    let [value, slope] = [0, 1].map(|i| lab.values[lab.cell(columns.b.index(), row + i) as usize]);
    let place = 1..1 + fraction_limbs;
    let remainder = place.end..place.end + fraction_limbs;
    let scaled = signed(slope * sum(lab, row, place))? + (1 << (bits - 1));
    let mut all = digits_of(lab, row, remainder, scaled & ((1 << bits) - 1));
    all.push((lab.cell(columns.a.index(), row + 1), value + to_field(scaled >> bits)));
    is_free(&all, taken).then_some(all)
}

/// What the limbs at `indices` from `row` on stand for.
pub fn sum(lab: &Lab, row: usize, indices: Range<u32>) -> Fr {
    let bits = lab.trace.shape.limb_bits;
    (0..).zip(indices).map(|(i, index)| lab.values[lab.limb(row, index) as usize] * power_of_two(bits * i)).sum()
}

/// A value in the limbs at `indices` from `row` on.
pub fn digits_of(lab: &Lab, row: usize, indices: Range<u32>, value: i128) -> Changes {
    let bits = lab.trace.shape.limb_bits;
    let digit = |i: u32| Fr::from((value >> (bits * i)) as u64 & ((1 << bits) - 1));
    (0..).zip(indices).map(|(i, index)| (lab.limb(row, index), digit(i))).collect()
}

fn is_free(changes: &Changes, taken: &Changes) -> bool {
    changes.iter().all(|(cell, _)| !taken.iter().any(|(c, _)| c == cell))
}

/// The integer below 2^120 in magnitude that a field element stands for.
pub fn signed(value: Fr) -> Option<i128> {
    let small = |value: Fr| {
        let bytes = value.to_bytes();
        let low = u128::from_le_bytes(std::array::from_fn(|i| bytes[i]));
        (bytes[16..].iter().all(|&b| b == 0) && low >> 120 == 0).then_some(low as i128)
    };
    small(value).or_else(|| small(-value).map(|v| -v))
}
