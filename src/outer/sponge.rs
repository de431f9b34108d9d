//! The transcripts' sponge: Poseidon of width 3 (`gates/poseidon_params.rs`), one row for a full round, one for three partial ones.
//!
//! The rows hold the state without a part of the round constants that is carried along: what a partial round adds to the cells that have no
//! S-box passes through the matrix, and counts in the next constants. Behind a full round nothing is left of it.

use super::{
    columns::{Columns, STATE},
    sheet::{Cell, Sheet},
};
use crate::{
    gates::transcript_sponge::domain,
    gates::{TraceError, poseidon_params::Parameters},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};

/// Partial rounds of one row.
const PARTIAL: usize = 3;

type State = [Expression<Fr>; STATE];

/// With the state `u`, squares `s` and boxes `y`, the constants `k`, and M the matrix:
///
/// ```text
/// start:    u = (domain, 0, 0)
/// absorb:   next = u + (0, s_0, s_1)
/// full:     s_j = (u_j + k_j)^2,  y_j = s_j^2 (u_j + k_j),  next = M y
/// partial:  s_j = x_j^2,          y_j = s_j^2 x_j,          next = M (y_2, w_1, w_2)
///           x_0 = u_0 + k_0,   v = M (y_0, u_1, u_2),   x_1 = v_0 + k_1,   w = M (y_1, v_1, v_2),   x_2 = w_0 + k_2
/// ```
///
/// Every cell follows from the absorbed ones, so there is one witness.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("sponge", |cells| {
        let [starts, absorbs, full, partial] =
            [columns.starts, columns.absorbs, columns.full, columns.partial].map(|c| cells.query_fixed(c, Rotation::cur()));
        let state = columns.state.map(|c| cells.query_advice(c, Rotation::cur()));
        let next = columns.state.map(|c| cells.query_advice(c, Rotation::next()));
        let square = columns.square.map(|c| cells.query_advice(c, Rotation::cur()));
        let boxed = columns.boxed.map(|c| cells.query_advice(c, Rotation::cur()));
        let constants = columns.constants.map(|c| cells.query_fixed(c, Rotation::cur()));
        let zero = Expression::Constant(Fr::ZERO);
        let initial = [Expression::Constant(domain()), zero.clone(), zero.clone()];
        let added = [zero, square[0].clone(), square[1].clone()];
        let v = mix([&boxed[0], &state[1], &state[2]]);
        let w = mix([&boxed[1], &v[1], &v[2]]);
        let last = mix([&boxed[2], &w[1], &w[2]]);
        let mixed = mix([&boxed[0], &boxed[1], &boxed[2]]);
        let of_partial = [state[0].clone(), v[0].clone(), w[0].clone()];
        let mut constraints = Vec::new();
        for j in 0..STATE {
            constraints.push(("start", starts.clone() * (state[j].clone() - initial[j].clone())));
            constraints.push(("absorb", absorbs.clone() * (next[j].clone() - state[j].clone() - added[j].clone())));
            for (selector, input) in [(&full, &state[j]), (&partial, &of_partial[j])] {
                let input = input.clone() + constants[j].clone();
                let power = square[j].clone() * square[j].clone() * input.clone();
                constraints.push(("square", selector.clone() * (square[j].clone() - input.clone() * input)));
                constraints.push(("box", selector.clone() * (boxed[j].clone() - power)));
            }
            constraints.push(("full round", full.clone() * (next[j].clone() - mixed[j].clone())));
            constraints.push(("partial rounds", partial.clone() * (next[j].clone() - last[j].clone())));
        }
        constraints
    });
}

fn mix(state: [&Expression<Fr>; STATE]) -> State {
    Parameters::get().mds.map(|row| {
        let terms = row.into_iter().zip(state).map(|(factor, cell)| cell.clone() * factor);
        terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
    })
}

/// What is added to the stored state on one row, and the rounds it makes.
struct RoundRow {
    full: bool,
    constants: [Fr; STATE],
}

/// The rows of one permutation. `carried` is what the true state has more than the stored one.
fn round_rows() -> Vec<RoundRow> {
    let parameters = Parameters::get();
    let mix_known = |state: [Fr; STATE]| parameters.mds.map(|row| row.iter().zip(state).map(|(m, s)| *m * s).sum::<Fr>());
    let (mut rows, mut round, mut carried) = (Vec::new(), 0, [Fr::ZERO; STATE]);
    while round < parameters.constants.len() {
        let full = Parameters::is_full(round);
        let constants = if full {
            let constants = std::array::from_fn(|j| carried[j] + parameters.constants[round][j]);
            carried = [Fr::ZERO; STATE];
            round += 1;
            constants
        } else {
            let constants = std::array::from_fn(|j| {
                let before: [Fr; STATE] = std::array::from_fn(|i| carried[i] + parameters.constants[round + j][i]);
                carried = mix_known([Fr::ZERO, before[1], before[2]]);
                before[0]
            });
            round += PARTIAL;
            constants
        };
        rows.push(RoundRow { full, constants });
    }
    rows
}

/// The rows of the sponges' unit.
#[derive(Debug)]
pub struct Sponge {
    row: usize,
    state: [Fr; STATE],
    rows: Vec<RoundRow>,
}

impl std::fmt::Debug for RoundRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", if self.full { "full" } else { "partial" })
    }
}

impl Default for Sponge {
    fn default() -> Self {
        Self { row: 0, state: [Fr::ZERO; STATE], rows: round_rows() }
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
        [0, 1].map(|j| Cell { column: sheet.columns.square[j], row: self.row })
    }

    /// One permutation; returns the second cell of the state behind it.
    pub fn permute(&mut self, sheet: &mut Sheet) -> Result<Cell, TraceError> {
        let columns = sheet.columns.clone();
        sheet.fix(columns.absorbs, self.row, Fr::ONE)?;
        let added = self.inputs(sheet).map(|cell| sheet.value(cell));
        self.state[1] += added[0];
        self.state[2] += added[1];
        for at in 0..self.rows.len() {
            self.row += 1;
            self.assign_state(sheet)?;
            let RoundRow { full, constants } = self.rows[at];
            sheet.fix(if full { columns.full } else { columns.partial }, self.row, Fr::ONE)?;
            for (column, constant) in columns.constants.into_iter().zip(constants) {
                sheet.fix(column, self.row, constant)?;
            }
            self.assign_rounds(sheet, full, constants)?;
        }
        self.row += 1;
        self.assign_state(sheet)
    }

    fn assign_rounds(&mut self, sheet: &mut Sheet, full: bool, constants: [Fr; STATE]) -> Result<(), TraceError> {
        let (columns, mds) = (sheet.columns.clone(), &Parameters::get().mds);
        let mix = |state: [Fr; STATE]| mds.map(|row| row.iter().zip(state).map(|(m, s)| *m * s).sum::<Fr>());
        let mut boxed = [Fr::ZERO; STATE];
        for j in 0..STATE {
            let input = self.state[if full { j } else { 0 }] + constants[j];
            let square = input.square();
            boxed[j] = square.square() * input;
            sheet.assign(columns.square[j], self.row, square)?;
            sheet.assign(columns.boxed[j], self.row, boxed[j])?;
            if !full {
                self.state = mix([boxed[j], self.state[1], self.state[2]]);
            }
        }
        if full {
            self.state = mix(boxed);
        }
        Ok(())
    }

    /// Assigns the state on the current row; returns its second cell.
    fn assign_state(&self, sheet: &mut Sheet) -> Result<Cell, TraceError> {
        let columns = sheet.columns.state;
        sheet.assign(columns[0], self.row, self.state[0])?;
        sheet.assign(columns[2], self.row, self.state[2])?;
        sheet.assign(columns[1], self.row, self.state[1])
    }
}
