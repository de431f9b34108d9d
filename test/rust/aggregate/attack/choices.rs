//! Forged choices in the points' unit: digits of tables and of sums, representatives of elements, slopes where two points have one x.

use super::{
    HONEST, JUDGE,
    bench::{finding_rows, small as number},
    challenges,
    forger::{Choices, digits, element, forged, integer, propagate},
    names, refusals,
    small::{FIRST_SCALAR, Small, WIDTHS, published},
};
use halo2_proofs::{
    arithmetic::{CurveAffine, Field},
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::PrimeField,
        group::Curve,
    },
};
use num_bigint::BigUint;
use std::collections::HashMap;
use zkml_evm::gates::transcript_sponge;
use zkml_evm::outer::{
    Sheet, accumulator_words, lookup,
    modular::modulus,
    multiply::{DIGITS, WINDOW, digit_offset},
    points::{MULTIPLES, Multiple, Points},
};

/// Where 5 P is made of 3 P and 2 P in the first table.
pub const FIVE: usize = 18;

/// Rows that add multiples of the first point to the first sum, the least digit's first.
fn digit_rows() -> Vec<usize> {
    let sheet = &HONEST.sheet;
    let wanted = &sheet.fixed[sheet.columns.wanted.index()];
    let of_point = finding_rows(sheet).filter(|&row| wanted[row] == Fr::ONE).skip(1);
    let mut rows: Vec<usize> = of_point.collect();
    assert_eq!(rows.len(), DIGITS);
    rows.reverse();
    rows
}

fn digit(row: usize) -> usize {
    number(&HONEST.sheet.advice[HONEST.sheet.columns.digit.index()][row]).unwrap() as usize
}

/// The table of the first point with P where 5 P belongs.
pub fn forged_table() -> Sheet {
    forged(&HONEST.sheet, HONEST.rows, &Choices { digits: HashMap::from([(FIVE, MULTIPLES - 1)]), ..Choices::default() })
}

#[test]
fn the_honest_sheet_is_accepted_and_computed_anew_it_is_the_same() {
    let public = published(&HONEST.sheet);
    assert_eq!(refusals(&HONEST.sheet, &public), names([]));
    let again = forged(&HONEST.sheet, HONEST.rows, &Choices::default());
    assert!(again.advice == HONEST.sheet.advice);
    assert_eq!(public[2..], accumulator_words(HONEST.sums()));
}

#[test]
fn a_forged_table_is_refused() {
    let forged = forged_table();
    // It is another multiple that the rest of the table and both sums are made with, in perfect order otherwise.
    assert_ne!(element(&forged, FIVE + 2), element(&HONEST.sheet, FIVE + 2));
    let public = published(&forged);
    assert_ne!(public, published(&HONEST.sheet));
    assert_eq!(refusals(&forged, &public), names(["copy"]));
    // 2 P - P for 3 P; and at the end of a sum 32^50 H added, where it is to be subtracted.
    let last = finding_rows(&HONEST.sheet).last().unwrap();
    for row in [12, last] {
        let choices = Choices { digits: HashMap::from([(row, MULTIPLES - 1)]), ..Choices::default() };
        let forged = self::forged(&HONEST.sheet, HONEST.rows, &choices);
        assert_eq!(refusals(&forged, &published(&forged)), names(["copy"]), "row {row}");
    }
}

#[test]
fn digits_are_those_of_the_scalar() {
    let rows = digit_rows();
    let with = |changed: &[(usize, usize)]| {
        let digits = changed.iter().map(|&(i, digit)| (rows[i], digit)).collect();
        forged(&HONEST.sheet, HONEST.rows, &Choices { digits, ..Choices::default() })
    };
    let d: Vec<usize> = rows.iter().map(|&row| digit(row)).collect();
    let at = (0..DIGITS - 1).find(|&i| d[i] != d[i + 1]).unwrap();
    for changed in [
        vec![(at, d[at + 1]), (at + 1, d[at])],
        vec![(0, d[0] ^ 1)],
        vec![(DIGITS - 1, d[DIGITS - 1] ^ 1)],
        (0..DIGITS).map(|i| (i, 31 - d[i])).collect(),
    ] {
        let forged = with(&changed);
        assert_eq!(refusals(&forged, &published(&forged)), names(["copy"]), "{changed:?}");
    }
    // A digit of 32 more and the next of 1 less: the same scalar, but there is no such multiple.
    let at = (0..DIGITS - 1).find(|&i| d[i + 1] > 0).unwrap();
    let mut sheet = HONEST.sheet.clone();
    for (i, digit) in [(at, d[at] + 32), (at + 1, d[at + 1] - 1)] {
        sheet.advice[sheet.columns.digit.index()][rows[i]] = Fr::from(digit as u64);
    }
    propagate(&mut sheet);
    assert_eq!(refusals(&sheet, &published(&sheet)), names(["multiple"]));
}

/// Survivors: 32^51 is more than 2 r, so a scalar has other digits too. They make the same sum.
#[test]
fn a_scalar_has_other_digits_and_they_make_the_same_sum() {
    let order = BigUint::from_bytes_le(&(-Fr::ONE).to_bytes()) + 1u32;
    let scalar = HONEST.nodes[FIRST_SCALAR] * Fr::TWO_INV + digit_offset();
    let value = BigUint::from_bytes_le(&scalar.to_bytes()) + order;
    assert!(value.bits() <= u64::from(WINDOW) * DIGITS as u64);
    let others = digits(&value, WINDOW, DIGITS);
    let choice = digit_rows().into_iter().zip(others).map(|(row, digit)| (row, number(&digit).unwrap() as usize)).collect();
    let forged = forged(&HONEST.sheet, HONEST.rows, &Choices { digits: choice, ..Choices::default() });
    assert!(forged.advice != HONEST.sheet.advice);
    assert_eq!(refusals(&forged, &published(&HONEST.sheet)), names([]));
}

/// Whether an element has a second representative below 2^254.
fn lifts(sheet: &Sheet, row: usize) -> bool {
    (integer(sheet, row) + modulus()).bits() <= 254
}

/// Survivors: elements are not reduced. Inside a sum nothing tells.
#[test]
fn another_representative_inside_a_sum_changes_nothing() {
    let rows = digit_rows();
    // x and y of sums and doubles, and slopes.
    let inside: Vec<usize> = (rows[0] - 60..rows[0]).step_by(2).filter(|&row| lifts(&HONEST.sheet, row)).collect();
    assert!(inside.len() > 3, "{inside:?}");
    let choices = Choices { lifts: inside.iter().map(|&row| (row, 1)).collect(), ..Choices::default() };
    let forged = forged(&HONEST.sheet, HONEST.rows, &choices);
    assert!(forged.advice != HONEST.sheet.advice);
    assert_eq!(refusals(&forged, &published(&HONEST.sheet)), names([]));
}

/// Survivor: the words of a sum's coordinates can be those of `x + q`. Whoever verifies computes the words of reduced coordinates.
#[test]
fn another_representative_of_a_sum_has_other_words() {
    let last = HONEST.rows - 2;
    let of_sums: Vec<usize> = (0..HONEST.rows).step_by(2).filter(|&row| row + 4 > last && lifts(&HONEST.sheet, row)).collect();
    let Some(&row) = of_sums.first() else { panic!("take other public values: neither coordinate has a second representative") };
    let choices = Choices { lifts: HashMap::from([(row, 1)]), ..Choices::default() };
    let forged = forged(&HONEST.sheet, HONEST.rows, &choices);
    let public = published(&forged);
    assert_eq!(refusals(&forged, &public), names([]));
    assert_ne!(public[2..], accumulator_words(HONEST.sums()));
    assert_eq!(refusals(&forged, &published(&HONEST.sheet)), names(["instance"]));
}

/// Survivor: a proof's point with `x + q` is the same point, and its transcript another one: a try more for whoever tries.
#[test]
fn another_representative_of_a_proofs_point_has_another_transcript() {
    let modulus =
        modulus().to_u64_digits().iter().rev().fold(Fr::ZERO, |sum, &limb| sum * Fr::from(2).pow([64]) + Fr::from(limb));
    let other = Small::of(HONEST.points, Some(Fr::ONE + modulus));
    let sheet = forged(&other.sheet, other.rows, &Choices { lifts: HashMap::from([(2, 1)]), ..Choices::default() });
    assert_eq!(refusals(&sheet, &published(&sheet)), names([]));
    assert_ne!(other.nodes[7], HONEST.nodes[7]);
    assert_eq!(published(&sheet)[2..], accumulator_words(other.sums()));
    // The honest transcript is not the one of that representative.
    let lifted = forged(&HONEST.sheet, HONEST.rows, &Choices { lifts: HashMap::from([(2, 1)]), ..Choices::default() });
    assert_eq!(refusals(&lifted, &published(&lifted)), names(["copy"]));
}

/// x of the two pairs of points that a transcript would take for one.
fn ambiguous() -> [Fq; 2] {
    let low = Fq::from_raw([0x934df252932dec1d, 0x46fb76a5e4491ec4, 0x1df623ef8af183e4, 0]);
    let order = Fq::from_repr((-Fr::ONE).to_repr()).unwrap() + Fq::ONE;
    [low, low + order]
}

#[test]
fn the_x_that_two_points_share_is_refused() {
    let points = ambiguous().map(|x| {
        let y = (x.square() * x + Fq::from(3)).sqrt().unwrap();
        let y = if y.to_repr()[0] & 1 == 0 { y } else { -y };
        G1Affine::from_xy(x, y).unwrap()
    });
    assert!(points[0].x != points[1].x && points[0].y == points[1].y);
    // Both points and all else the same for the transcript, and so every challenge.
    let [x, _] = transcript_sponge::coordinates(&points[0]).unwrap();
    let [low, high] = points.map(|point| Small::of([point, HONEST.points[1]], Some(x)));
    assert_eq!(low.nodes, high.nodes);
    let lifted = forged(&high.sheet, high.rows, &Choices { lifts: HashMap::from([(2, 1)]), ..Choices::default() });
    for (sheet, row) in [(&low.sheet, 2), (&lifted, 2)] {
        let order = BigUint::from_bytes_le(&(-Fr::ONE).to_bytes()) + 1u32;
        let (x, low) = (integer(sheet, row), BigUint::from_bytes_le(&points[0].x.to_repr()));
        assert!(x == low || x == low + order);
        assert_eq!(refusals(sheet, &published(sheet)), names(["scalar row"]));
    }
}

/// A sheet that doubles a point by adding it: P of a table to P, loaded behind it.
fn doubled() -> (Sheet, usize) {
    let mut sheet = Sheet::new(WIDTHS).unwrap();
    let mut points = Points::new(&mut sheet);
    let (id, _) = points.table(&G1Affine::generator()).unwrap();
    points.load(&G1Affine::generator()).unwrap();
    let _ = points.add(Multiple { id, digit: MULTIPLES }).unwrap();
    let rows = points.rows();
    points.finish().unwrap();
    lookup::finish(&mut sheet).unwrap();
    (sheet, rows)
}

#[test]
fn points_of_one_x_are_not_added() {
    let (sheet, rows) = doubled();
    let add = rows - 6;
    let y = Fq::from(2);
    let tangent = Fq::from(3) * y.double().invert().unwrap();
    for slope in [tangent, Fq::from(7), -Fq::ONE] {
        // x of the loaded point as it is, and with q added.
        for lift in [0, 1] {
            let (lifts, slopes) = (HashMap::from([(add - 4, lift)]), HashMap::from([(add, slope)]));
            let forged = forged(&sheet, rows, &Choices { lifts, slopes, ..Choices::default() });
            assert_eq!(refusals(&forged, &[]), names(["different x"]), "{slope:?} {lift}");
        }
    }
    // P - P too: no slope would do there.
    let (digits, slopes) = (HashMap::from([(add, MULTIPLES - 1)]), HashMap::from([(add, Fq::from(7))]));
    let forged = forged(&sheet, rows, &Choices { digits, slopes, ..Choices::default() });
    assert!(refusals(&forged, &[]).is_superset(&names(["different x", "modulo q, native"])));
}

#[test]
fn a_multiple_that_nobody_offers_is_not_added() {
    let rows = digit_rows();
    let columns = &HONEST.sheet.columns;
    // Another point of the sheet, in whose row the forger counts a lookup; and no point at all.
    for from in [rows[3] - 2, FIVE + 4] {
        let mut sheet = HONEST.sheet.clone();
        for (operand, limb) in columns.operand.iter().zip(&columns.element) {
            sheet.advice[operand.index()][rows[0]] = HONEST.sheet.advice[limb.index()][from];
            sheet.advice[operand.index()][rows[0] + 2] = HONEST.sheet.advice[limb.index()][from - 2];
        }
        let public = published(&sheet);
        assert!(JUDGE.refusals(&sheet, &public).contains("multiple"));
        super::bench::count(&mut sheet);
        sheet.advice[columns.plus.index()][from] += HONEST.sheet.fixed[columns.wanted.index()][rows[0]];
        let refused = JUDGE.refusals_as_it_stands(sheet, &public, challenges());
        assert!(refused.contains("running sum starts and ends at zero"), "{refused:?}");
    }
}

/// The sum of two points, from outside.
#[test]
fn the_sums_are_the_curves() {
    let expected = G1Affine::generator() * HONEST.nodes[FIRST_SCALAR] + G1Affine::generator() * HONEST.nodes[12];
    assert_eq!(HONEST.sums()[0], expected.to_affine());
}
