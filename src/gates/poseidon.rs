//! Poseidon (width 3, circomlib's constants) in rows: one per partial round, two per full round, one to absorb.

use super::{
    Cell, Columns, Trace, TraceError,
    poseidon_params::{Parameters, WIDTH},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression},
    poly::Rotation,
};

/// With the state in `a, b, c`, the round constants `k0, k1` in the first two weight columns and `k2` in the constant column:
///
/// ```text
/// full:     folded = (a + k0)^2,  a_next = (b + k1)^2,  b_next = (c + k2)^2          (helper cells)
///           state[+2] = MDS * (folded^2 (a + k0), a_next^2 (b + k1), b_next^2 (c + k2))
/// partial:  folded = (a + k0)^2
///           state[+1] = MDS * (folded^2 (a + k0), b + k1, c + k2)
/// absorb:   a_next = 0,  b_next = k0 * a + k2,  c_next = b
/// ```
///
/// Where columns are stacked, fourth powers have cells too, and no constraint but its selector's multiplies more than two cells:
///
/// ```text
/// full:     fourth = folded^2,  folded_next = a_next^2,  fourth_next = b_next^2
///           state[+2] = MDS * (fourth (a + k0), folded_next (b + k1), fourth_next (c + k2))
/// partial:  fourth = folded^2,  state[+1] = MDS * (fourth (a + k0), b + k1, c + k2)
/// ```
///
/// Each behind its own fixed selector; every cell is determined by the absorb rows' `a` and `b`, so there is one witness.
/// Absorb with `k0 = 1, k2 = 0` hashes (a, b); with `k0 = 0, k2 = tag` it hashes (tag, b).
/// `folded` and `fourth` are phase-2 columns: the powers need no challenge, they only use free rows. Nothing of them is looked up.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    let (Some(c), Some(full), Some(partial), Some(absorb)) = (columns.c, columns.full, columns.partial, columns.absorb) else {
        return;
    };
    let mds = &Parameters::get().mds;
    let state = [columns.a, columns.b, c];
    let constants = [columns.weights[0], columns.weights[1], columns.constant];
    cs.create_gate("poseidon", |cells| {
        let [full, partial, absorb] = [full, partial, absorb].map(|s| s.query(cells));
        let keys = constants.map(|k| cells.query_fixed(k, Rotation::cur()));
        let mut at = |column: Column<Advice>, rotation: i32| cells.query_advice(column, Rotation(rotation));
        let now = state.map(|s| at(s, 0));
        let next = state.map(|s| at(s, 1));
        let after = state.map(|s| at(s, 2));
        let square = at(columns.folded, 0);
        let shifted: [_; WIDTH] = std::array::from_fn(|i| now[i].clone() + keys[i].clone());
        let squares = [square.clone(), next[0].clone(), next[1].clone()];
        let fourths = columns.fourth.map(|fourth| [at(fourth, 0), at(columns.folded, 1), at(fourth, 1)]);
        let powers = fourths.clone().unwrap_or_else(|| squares.clone().map(|s| s.clone() * s));
        let boxed: [_; WIDTH] = std::array::from_fn(|i| powers[i].clone() * shifted[i].clone());
        let squared: [_; WIDTH] = std::array::from_fn(|i| shifted[i].clone() * shifted[i].clone());
        let mixed_full = mix(mds, &boxed);
        let mixed_partial = mix(mds, &[boxed[0].clone(), shifted[1].clone(), shifted[2].clone()]);
        let mut constraints = vec![
            ("absorb: capacity is zero", absorb.clone() * next[0].clone()),
            ("absorb: left", absorb.clone() * (next[1].clone() - keys[0].clone() * now[0].clone() - keys[2].clone())),
            ("absorb: right", absorb * (next[2].clone() - now[1].clone())),
            ("square of state 0", (full.clone() + partial.clone()) * (square - squared[0].clone())),
            ("square of state 1", full.clone() * (squares[1].clone() - squared[1].clone())),
            ("square of state 2", full.clone() * (squares[2].clone() - squared[2].clone())),
        ];
        if let Some(fourths) = fourths {
            let selectors = [full.clone() + partial.clone(), full.clone(), full.clone()];
            for ((selector, fourth), square) in selectors.into_iter().zip(fourths).zip(squares) {
                constraints.push(("fourth power", selector * (fourth - square.clone() * square)));
            }
        }
        for (after, mixed) in after.into_iter().zip(mixed_full) {
            constraints.push(("full round", full.clone() * (after - mixed)));
        }
        for (next, mixed) in next.into_iter().zip(mixed_partial) {
            constraints.push(("partial round", partial.clone() * (next - mixed)));
        }
        constraints
    });
}

fn mix(mds: &[[Fr; WIDTH]; WIDTH], state: &[Expression<Fr>; WIDTH]) -> [Expression<Fr>; WIDTH] {
    mds.map(|row| {
        row.into_iter()
            .zip(state)
            .map(|(m, s)| s.clone() * m)
            .reduce(|sum, term| sum + term)
            .unwrap_or(Expression::Constant(Fr::ZERO))
    })
}

/// The left operand of a hash.
#[derive(Clone, Copy, Debug)]
pub enum Left {
    /// A constant of the verifying key.
    Tag(Fr),
    /// The output of an earlier hash.
    Cell(Cell),
}

/// Places `poseidon([left, right])` and returns the cell of the result.
///
/// `right` stands in column `b` on the next free row; `landed` says that a packed sum put it there already.
pub fn place_hash(
    trace: &mut Trace,
    parameters: &Parameters,
    left: Left,
    right: Option<Fr>,
    landed: bool,
) -> Result<Cell, TraceError> {
    let Columns { c, full, partial, absorb, .. } = &trace.columns;
    let (Some(c), Some(full), Some(partial), Some(absorb)) = (*c, *full, *partial, *absorb) else {
        return Err(TraceError::NoSuchGate("poseidon"));
    };
    let columns = trace.columns.clone();
    let row = trace.take_rows(1)?;
    trace.enable(absorb, row)?;
    let left_value = match left {
        Left::Tag(tag) => {
            trace.fix(columns.constant, row, tag)?;
            Some(tag)
        }
        Left::Cell(cell) => {
            trace.fix(columns.weights[0], row, Fr::ONE)?;
            trace.copy(cell, row)?;
            right.map(|_| trace.value(cell))
        }
    };
    if !landed {
        trace.assign(columns.b, row, right)?;
    }
    let mut state = left_value.zip(right).map(|(left, right)| [Fr::ZERO, left, right]);
    for (index, constants) in parameters.constants.iter().enumerate() {
        let is_full = Parameters::is_full(index);
        let row = trace.take_rows(if is_full { 2 } else { 1 })?;
        for (column, value) in [columns.weights[0], columns.weights[1], columns.constant].into_iter().zip(constants) {
            trace.fix(column, row, *value)?;
        }
        trace.enable(if is_full { full } else { partial }, row)?;
        assign_state(trace, [columns.a, columns.b, c], row, state)?;
        let square = |i: usize| state.map(|s| (s[i] + constants[i]).square());
        let fourth = |i: usize| square(i).map(|s| s.square());
        trace.assign(columns.folded, row, square(0))?;
        if is_full {
            trace.assign(columns.a, row + 1, square(1))?;
            trace.assign(columns.b, row + 1, square(2))?;
        }
        if let Some(column) = columns.fourth {
            trace.assign(column, row, fourth(0))?;
            if is_full {
                trace.assign(columns.folded, row + 1, fourth(1))?;
                trace.assign(column, row + 1, fourth(2))?;
            }
        }
        state = state.map(|s| parameters.round(index, s));
    }
    let row = trace.take_rows(1)?;
    assign_state(trace, [columns.a, columns.b, c], row, state)?;
    Ok(Cell { row })
}

fn assign_state(
    trace: &mut Trace,
    columns: [Column<Advice>; WIDTH],
    row: usize,
    state: Option<[Fr; WIDTH]>,
) -> Result<(), TraceError> {
    for (i, column) in columns.into_iter().enumerate() {
        trace.assign(column, row, state.map(|s| s[i]))?;
    }
    Ok(())
}
