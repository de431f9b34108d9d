//! What is committed are the layout's constraints and no others, each column in its phase: with any values in all cells, blinding rows and
//! cells of no column among them, both say the same.

use super::{HONEST, bench::Grid, challenges, small::WIDTHS};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Column, ConstraintSystem},
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkml_evm::outer::{columns::Columns, sheet::stack};

#[test]
fn the_committed_constraints_are_the_layouts() {
    let sheet = &HONEST.sheet;
    let (mut layout, mut committed) = (ConstraintSystem::default(), ConstraintSystem::default());
    let columns = Columns::configure(&mut layout);
    let stack = stack(&mut committed, &WIDTHS);
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let rows = 1usize << WIDTHS.k;
    let advice: Vec<Vec<Fr>> =
        (0..committed.num_advice_columns()).map(|_| (0..rows).map(|_| Fr::random(&mut rng)).collect()).collect();
    let mut fixed = vec![vec![Fr::ZERO; rows]; committed.num_fixed_columns()];
    for (place, values) in stack.fixed.iter().zip(&sheet.fixed) {
        let values = values[..=sheet.end].iter().enumerate();
        values.for_each(|(row, value)| fixed[place.column.index()][stack.row(place, row)] = *value);
    }
    let seen: Vec<Vec<Fr>> = (stack.advice.iter())
        .map(|place| (0..sheet.widths.rows()).map(|row| advice[place.column.index()][stack.row(place, row)]).collect())
        .collect();
    let committed_cells = Grid { fixed: &fixed, advice: &advice, challenges: challenges() };
    let layout_cells = Grid { fixed: &sheet.fixed, advice: &seen, challenges: challenges() };
    assert_eq!(layout.gates().len(), committed.gates().len());
    let (height, active) = (WIDTHS.stack as usize, columns.active.index());
    for (of_layout, of_committed) in layout.gates().iter().zip(committed.gates()) {
        assert_eq!(of_layout.polynomials().len(), of_committed.polynomials().len());
        for (i, (expected, got)) in of_layout.polynomials().iter().zip(of_committed.polynomials()).enumerate() {
            let name = of_layout.constraint_name(i);
            assert_eq!(of_committed.constraint_name(i), name);
            // Every third row: base rows and all others, in turn.
            for at in (0..rows).step_by(3).chain([height * sheet.end]) {
                let row = at / height;
                let is_active = at % height == 0 && (sheet.fixed[active][row] == Fr::ONE || row == sheet.end);
                let pins = row < sheet.end || name == "running sum starts and ends at zero";
                let expected = if is_active && pins { layout_cells.eval(expected, row) } else { Fr::ZERO };
                assert_eq!(committed_cells.eval(got, at), expected, "{name} on row {at}");
            }
        }
    }
}

#[test]
fn what_challenges_must_not_depend_on_is_committed_before_them() {
    let mut cs = ConstraintSystem::default();
    let stack = stack(&mut cs, &WIDTHS);
    let phases = cs.advice_column_phase();
    let phase = |column: &Column<_>| phases[stack.advice[column.index()].column.index()];
    let [early, late] = [stack.columns.early(), stack.columns.late()];
    assert_eq!(early.len() + late.len(), stack.advice.len());
    assert!(early.iter().all(|column| phase(column) == 0) && late.iter().all(|column| phase(column) == 1));
    assert_eq!(cs.challenge_phase(), [0, 0]);
}
