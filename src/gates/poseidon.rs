//! Poseidon (width 3, circomlib's constants) in rows: one per partial round, two per full round (one where columns are stacked), one to
//! absorb.

use super::{
    Cell, Columns, Trace, TraceError,
    poseidon_params::{Parameters, WIDTH},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};

/// With the state in `a, b, c`, the round constants `k0, k1` in the first two weight columns and `k2` in the constant column:
///
/// ```text
/// absorb:   a_next = 0,  b_next = k0 * a + k2,  c_next = b
/// ```
///
/// Absorb with `k0 = 1, k2 = 0` hashes (a, b); with `k0 = 0, k2 = tag` it hashes (tag, b). Each gate stands behind its own fixed selector;
/// every cell is determined by the absorb rows' `a` and `b`, so there is one witness. Squares and fourth powers stand in phase-2 columns:
/// they need no challenge, they only use free rows. Nothing of them is looked up.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    let (Some(c), Some(full), Some(partial), Some(absorb)) = (columns.c, columns.full, columns.partial, columns.absorb) else {
        return;
    };
    let state = [columns.a, columns.b, c];
    let constants = [columns.weights[0], columns.weights[1], columns.constant];
    cs.create_gate("poseidon", |cells| {
        let [full, partial, absorb] = [full, partial, absorb].map(|s| s.query(cells));
        let keys = constants.map(|k| cells.query_fixed(k, Rotation::cur()));
        let now = state.map(|s| cells.query_advice(s, Rotation::cur()));
        let next = state.map(|s| cells.query_advice(s, Rotation::next()));
        let shifted: [_; WIDTH] = std::array::from_fn(|i| now[i].clone() + keys[i].clone());
        let mut constraints = vec![
            ("absorb: capacity is zero", absorb.clone() * next[0].clone()),
            ("absorb: left", absorb.clone() * (next[1].clone() - keys[0].clone() * now[0].clone() - keys[2].clone())),
            ("absorb: right", absorb * (next[2].clone() - now[1].clone())),
        ];
        constraints.extend(match columns.powers {
            None => rounds(cells, columns.folded, state, [full, partial], next, shifted),
            Some(powers) => flat_rounds(cells, powers, [full, partial], next, shifted),
        });
        constraints
    });
}

/// ```text
/// full:     folded = (a + k0)^2,  a_next = (b + k1)^2,  b_next = (c + k2)^2          (helper cells)
///           state[+2] = MDS * (folded^2 (a + k0), a_next^2 (b + k1), b_next^2 (c + k2))
/// partial:  folded = (a + k0)^2
///           state[+1] = MDS * (folded^2 (a + k0), b + k1, c + k2)
/// ```
fn rounds(
    cells: &mut VirtualCells<'_, Fr>,
    folded: Column<Advice>,
    state: [Column<Advice>; WIDTH],
    [full, partial]: [Expression<Fr>; 2],
    next: [Expression<Fr>; WIDTH],
    shifted: [Expression<Fr>; WIDTH],
) -> Vec<(&'static str, Expression<Fr>)> {
    let mds = &Parameters::get().mds;
    let after = state.map(|s| cells.query_advice(s, Rotation(2)));
    let square = cells.query_advice(folded, Rotation::cur());
    let squares = [square.clone(), next[0].clone(), next[1].clone()];
    let boxed: [_; WIDTH] = std::array::from_fn(|i| squares[i].clone() * squares[i].clone() * shifted[i].clone());
    let squared: [_; WIDTH] = std::array::from_fn(|i| shifted[i].clone() * shifted[i].clone());
    let mixed_full = mix(mds, &boxed);
    let mixed_partial = mix(mds, &[boxed[0].clone(), shifted[1].clone(), shifted[2].clone()]);
    let mut constraints = vec![
        ("square of state 0", (full.clone() + partial.clone()) * (square - squared[0].clone())),
        ("square of state 1", full.clone() * (squares[1].clone() - squared[1].clone())),
        ("square of state 2", full.clone() * (squares[2].clone() - squared[2].clone())),
    ];
    for (after, mixed) in after.into_iter().zip(mixed_full) {
        constraints.push(("full round", full.clone() * (after - mixed)));
    }
    for (next, mixed) in next.into_iter().zip(mixed_partial) {
        constraints.push(("partial round", partial.clone() * (next - mixed)));
    }
    constraints
}

/// Where columns are stacked, every power has a cell of its own: a full round takes one row as well, and no constraint multiplies more than
/// two cells and a selector. `s_i` and `f_i` are the columns of the squares and fourth powers:
///
/// ```text
/// full:     s_i = (x_i + k_i)^2,  f_i = s_i^2                     for i = 0, 1, 2;  x = a, b, c
/// partial:  the same for i = 0
/// both:     state[+1] = MDS * (f_0 (x_0 + k_0), y_1, y_2),        y_i = f_i (x_i + k_i) in a full round, x_i + k_i in a partial one
/// ```
fn flat_rounds(
    cells: &mut VirtualCells<'_, Fr>,
    powers: [[Column<Advice>; 2]; WIDTH],
    [full, partial]: [Expression<Fr>; 2],
    next: [Expression<Fr>; WIDTH],
    shifted: [Expression<Fr>; WIDTH],
) -> Vec<(&'static str, Expression<Fr>)> {
    const NAMES: [[&str; 2]; WIDTH] = [
        ["square of state 0", "fourth power of state 0"],
        ["square of state 1", "fourth power of state 1"],
        ["square of state 2", "fourth power of state 2"],
    ];
    let mds = &Parameters::get().mds;
    let any = full.clone() + partial.clone();
    let mut constraints = Vec::new();
    let mut mixed = next.map(|next| any.clone() * next);
    for (i, (columns, shifted)) in powers.into_iter().zip(shifted).enumerate() {
        let selector = if i == 0 { any.clone() } else { full.clone() };
        let [square, fourth] = columns.map(|column| cells.query_advice(column, Rotation::cur()));
        constraints.push((NAMES[i][0], selector.clone() * (square.clone() - shifted.clone() * shifted.clone())));
        constraints.push((NAMES[i][1], selector.clone() * (fourth.clone() - square.clone() * square)));
        let mut boxed = selector * fourth * shifted.clone();
        if i > 0 {
            boxed = boxed + partial.clone() * shifted;
        }
        for (mixed, row) in mixed.iter_mut().zip(mds) {
            *mixed = mixed.clone() - boxed.clone() * row[i];
        }
    }
    constraints.extend(mixed.map(|mixed| ("round", mixed)));
    constraints
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
        let row = trace.take_rows(if is_full && columns.powers.is_none() { 2 } else { 1 })?;
        for (column, value) in [columns.weights[0], columns.weights[1], columns.constant].into_iter().zip(constants) {
            trace.fix(column, row, *value)?;
        }
        trace.enable(if is_full { full } else { partial }, row)?;
        assign_state(trace, [columns.a, columns.b, c], row, state)?;
        let square = |i: usize| state.map(|s| (s[i] + constants[i]).square());
        match columns.powers {
            Some(powers) => {
                for (i, [squares, fourths]) in powers.into_iter().enumerate().take(if is_full { WIDTH } else { 1 }) {
                    trace.assign(squares, row, square(i))?;
                    trace.assign(fourths, row, square(i).map(|s| s.square()))?;
                }
            }
            None => {
                trace.assign(columns.folded, row, square(0))?;
                if is_full {
                    trace.assign(columns.a, row + 1, square(1))?;
                    trace.assign(columns.b, row + 1, square(2))?;
                }
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
