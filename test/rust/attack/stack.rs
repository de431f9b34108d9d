//! Stacked columns: what is committed says what the layout says, cell for cell and phase for phase.

use super::bench::{every_gate_stacked, stacked};
use super::system::{CellId, Constraint, committed, layout};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{Any, Column, ConstraintSystem},
};
use std::collections::BTreeSet;
use zkml_evm::gates::{Columns, Shape, Stack, Steps};

/// Multiplied out over all rows of the circuit: on the base row of each row of the layout stand the layout's constraints of that row,
/// in the same cells with the same factors; on every other row nothing does, blinding rows and rows that wrap around among them.
#[test]
fn the_committed_columns_hold_the_layouts_constraints_and_no_others() {
    let challenges = [Fr::from(1 << 40), Fr::from(77), Fr::from(123_456_789)];
    let mut compared = 0;
    for sample in every_gate_stacked() {
        let stack = sample.trace.shape.stack as usize;
        let real = committed(&sample.trace, challenges);
        let meant: Vec<Constraint> =
            layout(&sample.trace, challenges).into_iter().map(|c| Constraint { row: c.row * stack, ..c }).collect();
        let unknown = real.iter().find(|c| c.cells().contains(&CellId::MAX));
        assert!(unknown.is_none(), "{}: {unknown:?} reads a cell that the layout does not have", sample.name);
        assert_eq!(real.len(), meant.len(), "{}", sample.name);
        for (real, meant) in real.iter().zip(&meant) {
            assert_eq!((&real.name, real.row, &real.terms), (&meant.name, meant.row, &meant.terms), "{}", sample.name);
        }
        compared += real.len();
    }
    assert!(compared > 20_000, "{compared}");
}

/// Each column of the layout in a committed column of its own phase, no two cells in one place, challenges behind the first phase, and
/// only the column of the copyable one in the copy argument.
#[test]
fn stacked_columns_keep_their_phase_and_their_cells() {
    let walks = Shape { weights: 6, steps: Steps::new(&[2, 8]), border: true, ..stacked(7, 3) };
    let hashes = Shape { pack_bits: 8, threshold: true, ..stacked(2, 1) };
    let looks_up = Shape { function: true, argmax: true, signed: true, relu: true, ..stacked(64, 8) };
    for shape in [walks, hashes, looks_up] {
        let mut layout = ConstraintSystem::default();
        let columns = Columns::configure(&mut layout, &shape);
        let mut cs = ConstraintSystem::default();
        let stack = Stack::configure(&mut cs, &shape);
        let phases = cs.advice_column_phase();
        assert_eq!(stack.advice.len(), layout.num_advice_columns());
        for (place, phase) in stack.advice.iter().zip(layout.advice_column_phase()) {
            assert_eq!(phases[place.column.index()], phase);
        }
        assert!(cs.challenge_phase().iter().all(|&phase| phase == 0));
        assert_eq!(stack.challenges.len(), layout.num_challenges());
        let advice = stack.advice.iter().map(|place| (0, place.column.index(), place.offset));
        let fixed = stack.fixed.iter().map(|place| (1, place.column.index(), place.offset));
        let places: BTreeSet<_> = advice.chain(fixed).collect();
        assert_eq!(places.len(), stack.advice.len() + stack.fixed.len());
        assert!(places.iter().all(|(_, _, offset)| *offset < shape.stack as usize));
        let active = stack.fixed[columns.active.index()];
        let beside = stack.fixed.iter().filter(|place| place.column == active.column).count();
        assert_eq!((active.offset, beside), (0, 1), "nothing stands between the rows of `active`");
        let a: Column<Any> = stack.advice[columns.a.index()].column.into();
        assert_eq!(cs.permutation().get_columns(), vec![a, stack.instance.into()]);
    }
}
