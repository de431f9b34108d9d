//! Walks: folded weights that repeat at every pixel are folded once and then only moved, by powers of γ.
//!
//! Where `folded` holds the polynomial `u` of one input in γ, another input that enters the same way, but `e` outputs earlier, has
//! the polynomial `γ^e u`. A convolution folds a kernel once for each channel and walks it over the pixels; a product of two
//! tensors loads one of them into `folded` and walks it along the other. `fold.rs` says what becomes of `folded`.

use super::{Cell, Columns, Shape, Trace, TraceError, field::to_field};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steps of one shape.
const MAX_STEPS: usize = 5;
/// Longest step: its power of γ is multiplied out in the verifier.
pub const LONGEST_STEP: u32 = 64;

/// The exponents of γ by which one row can move `folded`, ascending: 0, 1, and those that a program needs most. None where nothing
/// walks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    exponents: [u32; MAX_STEPS],
    count: u32,
}

impl Steps {
    /// Weight columns that a walking row needs: one for each step, one for the loaded cell.
    pub const COLUMNS: u32 = MAX_STEPS as u32 + 1;

    /// 0, 1 and up to three more of `exponents`, each in `2..=LONGEST_STEP`.
    pub fn new(exponents: &[u32]) -> Self {
        let mut all = vec![0, 1];
        all.extend(exponents.iter().copied().filter(|e| (2..=LONGEST_STEP).contains(e)).take(MAX_STEPS - 2));
        all.sort_unstable();
        all.dedup();
        let mut made = Self { exponents: [0; MAX_STEPS], count: all.len() as u32 };
        made.exponents[..all.len()].copy_from_slice(&all);
        made
    }

    /// The steps, next to 0 and 1, that make walks with these moves (exponent and number) shortest: up to three.
    pub fn best(moves: &BTreeMap<u64, u64>) -> Self {
        let cost = |chosen: &[u32]| {
            let steps = Steps::new(chosen);
            moves.iter().map(|(&distance, &count)| steps.rows(distance).saturating_mul(count)).fold(0, u64::saturating_add)
        };
        let mut chosen: Vec<u32> = Vec::new();
        for _ in 0..MAX_STEPS - 2 {
            let with = |e: u32| [chosen.as_slice(), &[e]].concat();
            // The shortest of equals, so that the verifier multiplies less.
            match (2..=LONGEST_STEP).min_by_key(|&e| (cost(&with(e)), e)) {
                Some(e) if cost(&with(e)) < cost(&chosen) => chosen.push(e),
                _ => break,
            }
        }
        Steps::new(&chosen)
    }

    /// The exponents.
    pub fn exponents(&self) -> &[u32] {
        &self.exponents[..MAX_STEPS.min(self.count as usize)]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether this is what [`Steps::new`] or `default` makes.
    pub fn is_sound(&self) -> bool {
        self.is_empty() && *self == Self::default() || *self == Self::new(self.exponents())
    }

    /// Rows that a move by `distance` takes; the longest steps first.
    pub fn rows(&self, distance: u64) -> u64 {
        self.split(distance).map(|(_, count)| count).sum()
    }

    /// The steps of a move by `distance`: index and number.
    fn split(&self, mut distance: u64) -> impl Iterator<Item = (usize, u64)> {
        let long = self.exponents().iter().enumerate().rev().filter(|(_, e)| **e > 0);
        long.map(move |(index, &step)| {
            let count = distance / u64::from(step);
            distance %= u64::from(step);
            (index, count)
        })
    }
}

/// With the steps `e_0 < e_1 < ..` of the shape, one for each of the first weight columns `W_i`, and `W_l` the column behind them:
///
/// ```text
/// shift * (folded - (sum_i W_i γ^(e_i)) * folded_prev - W_l * a) = 0
/// ```
///
/// One `W_i` at most is 1 on a row. Where all are 0, `folded` starts afresh from the loaded cell, so no row reads what stands
/// before its polynomial.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, shape: &Shape) {
    let Some(shift) = columns.shift else { return };
    cs.create_gate("walk", |cells| {
        let gamma = cells.query_challenge(columns.gamma);
        let shift = cells.query_fixed(shift, Rotation::cur());
        let [folded, folded_prev] = [0, -1].map(|r| cells.query_advice(columns.folded, Rotation(r)));
        let a = cells.query_advice(columns.a, Rotation::cur());
        let exponents = shape.steps.exponents();
        let chosen: Vec<_> = columns.weights[..=exponents.len()].iter().map(|&w| cells.query_fixed(w, Rotation::cur())).collect();
        // Horner from the longest step down: each difference of exponents is multiplied out once.
        let mut factor = Expression::Constant(Fr::ZERO);
        for (i, &exponent) in exponents.iter().enumerate().rev() {
            let below = exponent - i.checked_sub(1).map_or(0, |i| exponents[i]);
            factor = (0..below).fold(factor + chosen[i].clone(), |power, _| power * gamma.clone());
        }
        vec![("walked weights", shift * (folded - factor * folded_prev - chosen[exponents.len()].clone() * a))]
    });
}

/// A row of a polynomial in γ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Weights of the powers from this one up, as many as there are weight columns.
    Block(u64),
    /// A move by the step of this index.
    Shift(usize),
}

/// The rows of a polynomial with terms at given exponents: blocks of neighbouring powers, the highest first, and moves across the
/// gaps. A block moves what stands before it by its own width.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The lowest powers of the blocks, rising.
    lows: Vec<u64>,
    width: u64,
    steps: Steps,
}

impl Schedule {
    /// For terms at `exponents`, which fall strictly and end at 0.
    pub fn of(exponents: &[u64], width: u64, steps: Steps) -> Self {
        let mut lows: Vec<u64> = Vec::new();
        for &exponent in exponents.iter().rev() {
            if lows.last().is_none_or(|low| exponent >= low + width) {
                lows.push(exponent);
            }
        }
        Self { lows, width, steps }
    }

    /// How many rows there are, counted gap by gap: a program from a file can have a gap longer than any circuit.
    pub fn rows(&self) -> u64 {
        let gaps = self.lows.windows(2).map(|pair| {
            let (zeros, moved) = self.across(pair[0], pair[1]);
            zeros.saturating_add(self.steps.rows(moved))
        });
        gaps.fold(self.lows.len() as u64, u64::saturating_add)
    }

    /// The rows, made as they are taken.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        self.lows.iter().enumerate().rev().flat_map(move |(i, &low)| {
            let gap = self.lows.get(i + 1).map(|&above| self.gap(low, above));
            gap.into_iter().flatten().chain([Line::Block(low)])
        })
    }

    fn gap(&self, low: u64, above: u64) -> impl Iterator<Item = Line> {
        let (zeros, moved) = self.across(low, above);
        let blocks = (1..=zeros).map(move |i| Line::Block(above - i * self.width));
        blocks.chain(self.steps.split(moved).flat_map(|(step, count)| (0..count).map(move |_| Line::Shift(step))))
    }

    /// Blocks of zeros between two blocks, each a move by the width, and what is left to move.
    fn across(&self, low: u64, above: u64) -> (u64, u64) {
        let gap = above - low - self.width;
        let left = |zeros: u64| gap - zeros * self.width;
        let zeros = (0..=(gap / self.width).min(8)).min_by_key(|&zeros| zeros + self.steps.rows(left(zeros))).unwrap_or(0);
        (zeros, left(zeros))
    }
}

/// Places the polynomial of `weights` (exponent and weight, in the order of its schedule). Its lowest power is 0 afterwards.
pub fn place_polynomial(trace: &mut Trace, schedule: &Schedule, weights: &[(u64, i128)]) -> Result<(), TraceError> {
    let width = trace.shape.weights as usize;
    let mut weights = weights.iter().peekable();
    for line in schedule.lines() {
        match line {
            Line::Shift(step) => {
                place_shift(trace, step)?;
            }
            Line::Block(low) => {
                let row = trace.take_rows(1)?;
                trace.fix(trace.columns.linear, row, Fr::ONE)?;
                while let Some((exponent, weight)) = weights.next_if(|(exponent, _)| *exponent >= low) {
                    let slot = (exponent - low) as usize;
                    let column = width.checked_sub(slot + 1).and_then(|i| trace.columns.weights.get(i).copied());
                    trace.fix(column.ok_or(TraceError::NoSuchGate("weight column"))?, row, to_field(*weight))?;
                }
            }
        }
    }
    Ok(())
}

/// Rows of a walk from power 0 over inputs at `exponents`, which rise: those beyond the rows of the polynomial.
pub fn walk_rows(exponents: impl IntoIterator<Item = u64>, steps: &Steps) -> u64 {
    let mut at = 0;
    exponents.into_iter().map(|exponent| steps.rows(exponent - std::mem::replace(&mut at, exponent))).fold(0, u64::saturating_add)
}

/// Walks the polynomial that was placed last over inputs at rising exponents: each takes part with `folded` at its own.
pub fn place_walk(trace: &mut Trace, inputs: impl IntoIterator<Item = (u64, Cell)>) -> Result<(), TraceError> {
    let steps = trace.shape.steps;
    let mut at = 0;
    for (exponent, input) in inputs {
        for (step, count) in steps.split(exponent - at) {
            for _ in 0..count {
                place_shift(trace, step)?;
            }
        }
        at = exponent;
        let row = trace.row.checked_sub(1).ok_or(TraceError::NoSuchGate("polynomial"))?;
        trace.fix(trace.columns.last, row, Fr::ONE)?;
        trace.copy(input, row)?;
    }
    Ok(())
}

/// Loads `factor` times the cells as a polynomial: the first has the highest power, the last power 0. The last row is `row + cells - 1`.
pub fn place_load(trace: &mut Trace, row: usize, factor: i128, cells: &[Cell]) -> Result<(), TraceError> {
    let shift = trace.columns.shift.ok_or(TraceError::NoSuchGate("walk"))?;
    let load = trace.columns.weights[trace.shape.steps.exponents().len()];
    for (i, &cell) in cells.iter().enumerate() {
        trace.fix(shift, row + i, Fr::ONE)?;
        trace.fix(load, row + i, to_field(factor))?;
        if i > 0 {
            trace.fix(trace.columns.weights[1], row + i, Fr::ONE)?;
        }
        trace.copy(cell, row + i)?;
    }
    Ok(())
}

/// Lets an input take part with the polynomial on the row before, unmoved, on a row of its own.
pub fn place_hold(trace: &mut Trace, row: usize, input: Cell) -> Result<(), TraceError> {
    let shift = trace.columns.shift.ok_or(TraceError::NoSuchGate("walk"))?;
    trace.fix(shift, row, Fr::ONE)?;
    trace.fix(trace.columns.weights[0], row, Fr::ONE)?;
    trace.fix(trace.columns.last, row, Fr::ONE)?;
    trace.copy(input, row)?;
    Ok(())
}

fn place_shift(trace: &mut Trace, step: usize) -> Result<usize, TraceError> {
    let shift = trace.columns.shift.ok_or(TraceError::NoSuchGate("walk"))?;
    let row = trace.take_rows(1)?;
    trace.fix(shift, row, Fr::ONE)?;
    trace.fix(trace.columns.weights[step], row, Fr::ONE)?;
    Ok(row)
}

/// `folded` on a walking row, from the row before and the loaded cell.
pub(super) fn folded_at(trace: &Trace, row: usize, powers: &[Fr]) -> Fr {
    let columns = &trace.columns;
    let weight = |i: usize| trace.fixed[columns.weights[i].index()][row];
    let factor: Fr = powers.iter().enumerate().map(|(i, power)| weight(i) * power).sum();
    let before = row.checked_sub(1).map_or(Fr::ZERO, |row| trace.advice[columns.folded.index()][row]);
    factor * before + weight(powers.len()) * trace.advice[columns.a.index()][row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_ascending_and_bounded() {
        let steps = Steps::new(&[16, 6, 16, 1, 0, 65, 4]);
        assert_eq!(steps.exponents(), [0, 1, 6, 16]);
        assert!(steps.is_sound() && Steps::default().is_sound() && Steps::new(&[]).is_sound());
        assert_eq!((steps.rows(0), steps.rows(5), steps.rows(38), steps.rows(6)), (0, 5, 3, 1));
        let forged = |exponents, count| Steps { exponents, count };
        for steps in [
            forged([0, 1, 65, 0, 0], 3),
            forged([0, 1, 6, 4, 0], 4),
            forged([0, 2, 4, 0, 0], 3),
            forged([0, 1, 0, 0, 0], 1),
            forged([0, 1, 2, 3, 4], 9),
            forged([1, 0, 0, 0, 0], 0),
            forged([0, 1, 5, 0, 0], 2),
        ] {
            assert!(!steps.is_sound(), "{steps:?}");
        }
    }

    /// The powers that a schedule gives to its blocks, by replaying it.
    fn replayed(lines: &[Line], width: u64, steps: &Steps) -> Vec<(u64, u64)> {
        let mut blocks: Vec<(u64, u64)> = Vec::new();
        for line in lines {
            let moved = match *line {
                Line::Block(_) => width,
                Line::Shift(step) => u64::from(steps.exponents()[step]),
            };
            blocks.iter_mut().for_each(|(_, at)| *at += moved);
            if let Line::Block(low) = *line {
                blocks.push((low, 0));
            }
        }
        blocks
    }

    #[test]
    fn a_schedule_puts_every_block_at_its_power() {
        let steps = Steps::new(&[8, 56]);
        for (exponents, width, rows) in [
            (vec![0], 4, 1),
            (vec![11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 4, 3),
            (vec![9, 3, 2, 1, 0], 4, 4),
            (vec![100, 99, 50, 2, 0], 8, 16),
            (vec![1000, 0], 6, 26),
        ] {
            let schedule = Schedule::of(&exponents, width, steps);
            let lines: Vec<Line> = schedule.lines().collect();
            assert_eq!(schedule.rows(), lines.len() as u64);
            let blocks = replayed(&lines, width, &steps);
            assert!(blocks.iter().all(|(low, at)| low == at), "{exponents:?}: {blocks:?}");
            assert!(exponents.iter().all(|e| blocks.iter().any(|(low, _)| (low..&(low + width)).contains(&e))));
            assert!(lines.len() <= rows, "{exponents:?} takes {} rows", lines.len());
        }
    }

    #[test]
    fn a_gap_longer_than_memory_is_counted() {
        let schedule = Schedule::of(&[1 << 44, 0], 4, Steps::new(&[]));
        assert!(schedule.rows() > 1 << 43);
    }

    #[test]
    fn a_walk_takes_one_row_for_each_step() {
        assert_eq!(walk_rows([0, 4, 8, 20, 24], &Steps::new(&[4])), 6);
        assert_eq!(walk_rows([3], &Steps::new(&[])), 3);
    }
}
