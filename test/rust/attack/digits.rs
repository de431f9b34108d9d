//! The natural repair of a sum of limbs: write the value that the constraint asks for in digits again.

use super::lab::{Changes, Lab};
use super::system::{CellId, Constraint};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use zkml_evm::gates::field::power_of_two;

/// For each run of neighbouring limbs whose weights in `constraint` grow by a digit each: the digits that make it hold, if the
/// value asked for has that many. Cells of `taken` stay as they are.
pub fn redigit(lab: &Lab, constraint: &Constraint, taken: &Changes) -> Vec<Changes> {
    let limb = lab.trace.columns.limb.index();
    let residual = constraint.eval(&lab.values);
    let free = |cell: &CellId| lab.place(*cell).0 == limb && !taken.iter().any(|(c, _)| c == cell);
    let weights: Vec<(CellId, Fr)> = constraint
        .cells()
        .into_iter()
        .filter(free)
        .filter_map(|cell| Some((cell, constraint.linear_in(cell, &lab.values)?.0)))
        .filter(|(_, weight)| *weight != Fr::ZERO)
        .collect();
    let unit = power_of_two(lab.trace.shape.limb_bits);
    let continues = |(low, a): &(CellId, Fr), (high, b): &(CellId, Fr)| *high == low + 1 && *b == *a * unit;
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
