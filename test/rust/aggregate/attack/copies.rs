//! Copies: every digit is tied to a scalar, and no class of copies can be left out.

use super::{
    HONEST,
    bench::outside,
    choices::forged_table,
    forger::{Choices, forged, yield_scalars},
    names, refusals,
    small::published,
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fr, G1Affine},
        group::Curve,
    },
    plonk::{Advice, Column},
};
use std::collections::{HashMap, HashSet};
use zkml_evm::outer::{Sheet, sheet::Cell};

/// Rows that look up a multiple whose digit no copy, over any number of steps, ties to a row of scalars.
pub fn loose_digits(sheet: &Sheet) -> Vec<usize> {
    let at = |cell: &Cell| (cell.column.index(), cell.row);
    let mut tied: HashMap<(usize, usize), Vec<(usize, usize)>> = HashMap::new();
    for (from, to) in &sheet.copies {
        tied.entry(at(from)).or_default().push(at(to));
        tied.entry(at(to)).or_default().push(at(from));
    }
    let columns = &sheet.columns;
    let scalars: Vec<usize> = columns.scalars.iter().chain([&columns.result]).map(Column::index).collect();
    let is_loose = |row: &usize| {
        let mut reached = HashSet::from([(columns.digit.index(), *row)]);
        let mut left = vec![(columns.digit.index(), *row)];
        while let Some(cell) = left.pop() {
            let next = tied.get(&cell).into_iter().flatten();
            left.extend(next.filter(|next| reached.insert(**next)));
        }
        reached.iter().all(|(column, _)| !scalars.contains(column))
    };
    super::bench::finding_rows(sheet).filter(is_loose).collect()
}

#[test]
fn every_digit_is_tied_to_a_scalar() {
    assert!(loose_digits(&HONEST.sheet).is_empty());
    let cut = without(&HONEST.sheet, |_, to| to.column == HONEST.sheet.columns.digit);
    assert_eq!(loose_digits(&cut)[0], 12, "the lint sees what is missing");
}

fn without(sheet: &Sheet, is_cut: impl Fn(&Cell, &Cell) -> bool) -> Sheet {
    let mut sheet = sheet.clone();
    let before = sheet.copies.len();
    sheet.copies.retain(|(from, to)| !is_cut(from, to));
    assert!(sheet.copies.len() < before);
    sheet
}

/// Refused with its copies and accepted without the class.
fn needed(sheet: &Sheet, is_cut: impl Fn(&Cell, &Cell) -> bool) {
    let public = published(sheet);
    assert_eq!(refusals(sheet, &public), names(["copy"]));
    assert_eq!(refusals(&without(sheet, is_cut), &public), names([]));
}

#[test]
fn without_its_copies_a_forged_table_passes() {
    let digit = HONEST.sheet.columns.digit;
    needed(&forged_table(), |_, to| to.column == digit);
}

#[test]
fn without_its_copies_a_forged_digit_passes() {
    let columns = &HONEST.sheet.columns;
    let row = super::bench::finding_rows(&HONEST.sheet).filter(|row| *row > 280).nth(20).unwrap();
    let honest = super::bench::small(&HONEST.sheet.advice[columns.digit.index()][row]).unwrap() as usize;
    let choices = Choices { digits: HashMap::from([(row, honest ^ 1)]), ..Choices::default() };
    let sheet = forged(&HONEST.sheet, HONEST.rows, &choices);
    // The digits' sum no longer meets the scalar's.
    let zero = |cell: &Cell| HONEST.sheet.value(*cell) == Fr::ZERO;
    needed(&sheet, |from, to| from.column == columns.result && to.column == columns.result && !zero(from));
    // The sum of the honest digits does.
    let mut sheet = sheet;
    for column in columns.scalars.iter().chain([&columns.result]).map(|c| c.index()) {
        sheet.advice[column].clone_from(&HONEST.sheet.advice[column]);
    }
    needed(&sheet, |from, _| from.column == columns.digit || columns.element.contains(&from.column));
}

#[test]
fn without_its_copies_another_point_passes_for_the_one_absorbed() {
    let columns = &HONEST.sheet.columns;
    let other = (G1Affine::generator() * Fr::from(99)).to_affine();
    let choices = Choices { points: HashMap::from([(2, other)]), ..Choices::default() };
    let mut sheet = forged(&HONEST.sheet, HONEST.rows, &choices);
    // The transcript stays that of the honest point.
    let of_sponge = columns.state.iter().chain([&columns.square, &columns.boxed]);
    for column in columns.scalars.iter().chain([&columns.result]).chain(of_sponge) {
        sheet.advice[column.index()].clone_from(&HONEST.sheet.advice[column.index()]);
    }
    needed(&sheet, |from, _| columns.element.contains(&from.column));
}

/// A copy into a row of scalars whose result nothing reads: cut, it shows and nothing else does.
fn loose_end(sources: &[Column<Advice>]) -> Cell {
    let (sheet, result) = (&HONEST.sheet, HONEST.sheet.columns.result);
    let reads = |cell: Cell| sheet.copies.iter().any(|(from, to)| *from == cell || *to == cell);
    let mut ends =
        sheet.copies.iter().filter(|(from, to)| sources.contains(&from.column) && sheet.columns.scalars.contains(&to.column));
    ends.find(|(_, to)| !reads(Cell { column: result, row: to.row })).unwrap().1
}

#[test]
fn without_its_copies_a_sponge_takes_and_gives_anything() {
    let columns = &HONEST.sheet.columns;
    for sources in [vec![columns.state[1]], vec![columns.square, columns.boxed]] {
        let end = loose_end(&sources);
        let mut sheet = HONEST.sheet.clone();
        sheet.advice[end.column.index()][end.row] += Fr::ONE;
        yield_scalars(&mut sheet);
        needed(&sheet, |from, to| *to == end && sources.contains(&from.column));
    }
}

#[test]
fn without_its_copy_an_inverse_is_anything() {
    let columns = &HONEST.sheet.columns;
    let [a, b, _] = columns.scalars;
    let mut found = 0;
    for (zero, result) in &HONEST.sheet.copies {
        if result.column != columns.result || HONEST.sheet.value(*zero) != Fr::ZERO {
            continue;
        }
        let inverse = Cell { column: b, row: result.row };
        if HONEST.sheet.copies.iter().any(|(from, _)| *from == inverse) {
            continue;
        }
        let mut sheet = HONEST.sheet.clone();
        sheet.advice[b.index()][result.row] = Fr::ZERO;
        assert_ne!(sheet.advice[a.index()][result.row], Fr::ZERO);
        sheet.advice[columns.result.index()][result.row] = -Fr::ONE;
        needed(&sheet, |_, to| to == result);
        found += 1;
    }
    assert_eq!(found, 2, "one for each x that is absorbed");
}

#[test]
fn every_public_value_is_exposed() {
    let public = published(&HONEST.sheet);
    for index in 0..public.len() {
        let mut other = public.clone();
        other[index] += Fr::ONE;
        assert_eq!(outside(&HONEST.sheet, &other), names(["instance"]));
        let mut sheet = HONEST.sheet.clone();
        sheet.exposed.retain(|(_, at)| *at != index);
        assert_eq!(outside(&sheet, &other), names([]));
    }
}
