//! The transcripts' sponge: Poseidon of width 3 (`gates/poseidon_params.rs`), one S-box on each row: a partial round takes one row, a full
//! round three.
//!
//! The S-box is that of the first cell. In a full round the state turns by a cell behind each S-box, so that every cell comes first once. The
//! rows hold the state without a part of the round constants that is carried along: what a partial round adds to the cells that have no S-box
//! passes through the matrix, and counts in the next constants. Behind a full round nothing is left of it.

use super::{
    columns::{Columns, STATE},
    sheet::{Cell, Sheet},
};
use crate::gates::{TraceError, poseidon_params::Parameters, transcript_sponge::domain};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};

/// With the state `u`, the square `s`, the S-box's output `y`, the constant `k`, and M the matrix:
///
/// ```text
/// start:    u = (domain, 0, 0)
/// absorb:   next = u + (0, s, y)
/// others:   s = (u_0 + k)^2,  y = s^2 (u_0 + k)
/// turn:     next = (u_1, u_2, y)
/// full:     next = M (u_1, u_2, y)            the third S-box of a full round
/// partial:  next = M (y, u_1, u_2)
/// ```
///
/// Every cell follows from the absorbed ones, so there is one witness.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("sponge", |cells| {
        let [starts, absorbs, turns, full, partial] =
            [columns.starts, columns.absorbs, columns.turns, columns.full, columns.partial]
                .map(|c| cells.query_fixed(c, Rotation::cur()));
        let state = columns.state.map(|c| cells.query_advice(c, Rotation::cur()));
        let next = columns.state.map(|c| cells.query_advice(c, Rotation::next()));
        let [square, boxed] = [columns.square, columns.boxed].map(|c| cells.query_advice(c, Rotation::cur()));
        let input = state[0].clone() + cells.query_fixed(columns.constant, Rotation::cur());
        let any = turns.clone() + full.clone() + partial.clone();
        let zero = Expression::Constant(Fr::ZERO);
        let initial = [Expression::Constant(domain()), zero.clone(), zero.clone()];
        let added = [zero, square.clone(), boxed.clone()];
        let turned = [state[1].clone(), state[2].clone(), boxed.clone()];
        let mixed = mix(&turned);
        let mixed_partial = mix(&[boxed.clone(), state[1].clone(), state[2].clone()]);
        let power = square.clone() * square.clone() * input.clone();
        let mut constraints = vec![("square", any.clone() * (square - input.clone() * input)), ("box", any * (boxed - power))];
        for j in 0..STATE {
            let after = absorbs.clone() * (state[j].clone() + added[j].clone())
                + turns.clone() * turned[j].clone()
                + full.clone() * mixed[j].clone()
                + partial.clone() * mixed_partial[j].clone();
            let on = absorbs.clone() + turns.clone() + full.clone() + partial.clone();
            constraints.push(("start", starts.clone() * (state[j].clone() - initial[j].clone())));
            constraints.push(("next state", on * next[j].clone() - after));
        }
        constraints
    });
}

fn mix(state: &[Expression<Fr>; STATE]) -> [Expression<Fr>; STATE] {
    Parameters::get().mds.map(|row| {
        let terms = row.into_iter().zip(state).map(|(factor, cell)| cell.clone() * factor);
        terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
    })
}

fn mixed(state: [Fr; STATE]) -> [Fr; STATE] {
    Parameters::get().mds.map(|row| row.iter().zip(state).map(|(m, s)| *m * s).sum())
}

/// What a row does behind its S-box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Turn,
    Full,
    Partial,
}

/// The rows of one permutation, each with the constant of its S-box. `carried` is what the true state has more than the stored one.
fn steps() -> Vec<(Step, Fr)> {
    let mut carried = [Fr::ZERO; STATE];
    let mut rows = Vec::new();
    for (round, constants) in Parameters::get().constants.iter().enumerate() {
        let all: [Fr; STATE] = std::array::from_fn(|j| carried[j] + constants[j]);
        if Parameters::is_full(round) {
            carried = [Fr::ZERO; STATE];
            rows.extend([(Step::Turn, all[0]), (Step::Turn, all[1]), (Step::Full, all[2])]);
        } else {
            carried = mixed([Fr::ZERO, all[1], all[2]]);
            rows.push((Step::Partial, all[0]));
        }
    }
    rows
}

/// The rows of the sponges' unit.
#[derive(Debug)]
pub struct Sponge {
    row: usize,
    state: [Fr; STATE],
    steps: Vec<(Step, Fr)>,
}

impl Default for Sponge {
    fn default() -> Self {
        Self { row: 0, state: [Fr::ZERO; STATE], steps: steps() }
    }
}

impl Sponge {
    /// Rows taken.
    pub fn rows(&self) -> usize {
        self.row
    }

    /// Starts over.
    pub fn start(&mut self, sheet: &mut Sheet) -> Result<(), TraceError> {
        if self.row > 0 {
            self.row += 1;
        }
        self.state = [domain(), Fr::ZERO, Fr::ZERO];
        sheet.fix(sheet.columns.starts, self.row, Fr::ONE)?;
        self.assign_state(sheet).map(drop)
    }

    /// The cells of the next permutation's absorbed values, which the caller assigns before [`Sponge::permute`].
    pub fn inputs(&self, sheet: &Sheet) -> [Cell; 2] {
        [sheet.columns.square, sheet.columns.boxed].map(|column| Cell { column, row: self.row })
    }

    /// One permutation; returns the second cell of the state behind it.
    pub fn permute(&mut self, sheet: &mut Sheet) -> Result<Cell, TraceError> {
        let columns = sheet.columns.clone();
        sheet.fix(columns.absorbs, self.row, Fr::ONE)?;
        let added = self.inputs(sheet).map(|cell| sheet.value(cell));
        self.state[1] += added[0];
        self.state[2] += added[1];
        for at in 0..self.steps.len() {
            self.row += 1;
            self.assign_state(sheet)?;
            let (step, constant) = self.steps[at];
            let selector = match step {
                Step::Turn => columns.turns,
                Step::Full => columns.full,
                Step::Partial => columns.partial,
            };
            sheet.fix(selector, self.row, Fr::ONE)?;
            sheet.fix(columns.constant, self.row, constant)?;
            let input = self.state[0] + constant;
            let square = input.square();
            let boxed = square.square() * input;
            sheet.assign(columns.square, self.row, square)?;
            sheet.assign(columns.boxed, self.row, boxed)?;
            let [_, second, third] = self.state;
            self.state = match step {
                Step::Turn => [second, third, boxed],
                Step::Full => mixed([second, third, boxed]),
                Step::Partial => mixed([boxed, second, third]),
            };
        }
        self.row += 1;
        self.assign_state(sheet)
    }

    /// Assigns the state on the current row; returns its second cell.
    fn assign_state(&self, sheet: &mut Sheet) -> Result<Cell, TraceError> {
        let columns = sheet.columns.state;
        sheet.assign(columns[0], self.row, self.state[0])?;
        sheet.assign(columns[2], self.row, self.state[2])?;
        sheet.assign(columns[1], self.row, self.state[1])
    }
}

#[cfg(test)]
#[path = "sponge_tests.rs"]
mod tests;
