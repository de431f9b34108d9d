//! Forged lanes, quotients and carries, each with what depends on it redone as far as it can be.

use super::{
    HONEST, JUDGE, challenges,
    choices::FIVE,
    forger::{Choices, digits, forged, integer, packed},
    names, refusals,
    small::published,
};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use num_bigint::BigUint;
use std::collections::HashMap;
use zkml_evm::{
    gates::field::power_of_two,
    outer::{
        Sheet,
        shape::{CARRY_LANES, ELEMENT_LANES, LANE_BITS, LIMB_BITS, LIMB_LANES},
    },
};

/// Writes the lanes and limbs of a quotient.
fn write(sheet: &mut Sheet, row: usize, value: &BigUint) {
    let lanes = digits(value, LANE_BITS, ELEMENT_LANES);
    let columns = sheet.columns.clone();
    columns.lanes.iter().zip(&lanes).for_each(|(column, lane)| sheet.advice[column.index()][row] = *lane);
    let limbs = columns.element.iter().zip(lanes.chunks(LIMB_LANES));
    limbs.for_each(|(column, lanes)| sheet.advice[column.index()][row] = packed(lanes));
}

/// Adds to a carry, in its lowest lane.
fn carry(sheet: &mut Sheet, row: usize, by: Fr) {
    let columns = sheet.columns.clone();
    let first = ELEMENT_LANES + 1;
    sheet.advice[columns.lanes[first].index()][row] += by;
    let lanes: Vec<Fr> = columns.lanes[first..][..CARRY_LANES].iter().map(|lane| sheet.advice[lane.index()][row]).collect();
    sheet.advice[columns.carry.index()][row] = packed(&lanes);
}

fn order() -> BigUint {
    BigUint::from_bytes_le(&(-Fr::ONE).to_bytes()) + 1u32
}

/// Rows of a slope, an x and a y, and of the two identities behind a loaded point.
const IDENTITIES: [usize; 5] = [FIVE, FIVE + 2, FIVE + 4, 2, 4];

#[test]
fn a_quotient_has_one_value() {
    let public = published(&HONEST.sheet);
    for row in IDENTITIES {
        let quotient = integer(&HONEST.sheet, row + 1);
        for other in [&quotient + 1u32, &quotient - 1u32] {
            let mut sheet = HONEST.sheet.clone();
            write(&mut sheet, row + 1, &other);
            let refused = refusals(&sheet, &public);
            assert!(refused.is_superset(&names(["modulo q, native", "modulo q, low limbs"])), "{row} {refused:?}");
            // With fractions for carries the limbs agree; they are no lanes, and the native equation sees it anyway.
            balance(&mut sheet, row);
            assert_eq!(refusals(&sheet, &public), names(["lane", "modulo q, native"]), "{row}");
        }
        // The native field cannot tell a quotient from one of r more; its limbs can.
        let mut sheet = HONEST.sheet.clone();
        write(&mut sheet, row + 1, &(quotient + order()));
        let refused = refusals(&sheet, &public);
        assert!(!refused.contains("modulo q, native") && refused.contains("modulo q, low limbs"), "{row} {refused:?}");
        balance(&mut sheet, row);
        assert_eq!(refusals(&sheet, &public), names(["lane"]), "{row}");
    }
}

/// Chooses both carries so that the equations of the limbs hold in the field.
fn balance(sheet: &mut Sheet, row: usize) {
    let square = power_of_two(2 * LIMB_BITS);
    let q = zkml_evm::outer::modular::modulus();
    let q: Vec<Fr> = digits(&q, 13, ELEMENT_LANES).chunks(LIMB_LANES).map(packed).collect();
    let change: Vec<Fr> = (sheet.columns.element.iter())
        .map(|limb| sheet.advice[limb.index()][row + 1] - HONEST.sheet.advice[limb.index()][row + 1])
        .collect();
    let coefficient = |at: usize| -> Fr { (0..=at).map(|i| change[i] * q[at - i]).sum() };
    let pair = |at: usize| coefficient(at) + coefficient(at + 1) * power_of_two(LIMB_BITS);
    let inverse = square.invert().unwrap();
    let low = -pair(0) * inverse;
    carry(sheet, row, low);
    carry(sheet, row + 1, (low - pair(2)) * inverse);
}

#[test]
fn a_carry_has_one_value() {
    let public = published(&HONEST.sheet);
    for row in IDENTITIES {
        for by in [Fr::ONE, -Fr::ONE] {
            let mut sheet = HONEST.sheet.clone();
            carry(&mut sheet, row, by);
            let refused = refusals(&sheet, &public);
            assert!(refused.is_superset(&names(["modulo q, low limbs", "modulo q, high limbs"])), "{refused:?}");
            // The next one can make up for it only as a fraction.
            carry(&mut sheet, row + 1, by * power_of_two(2 * LIMB_BITS).invert().unwrap());
            assert_eq!(refusals(&sheet, &public), names(["lane", "modulo q, low limbs"]));
            let mut sheet = HONEST.sheet.clone();
            carry(&mut sheet, row + 1, by);
            assert!(refusals(&sheet, &public).contains("modulo q, high limbs"));
        }
    }
}

#[test]
fn an_element_has_254_bits() {
    let public = published(&HONEST.sheet);
    for row in [FIVE, FIVE + 2, FIVE + 4] {
        for lift in [2, 3, 5] {
            let choices = Choices { lifts: HashMap::from([(row, lift)]), ..Choices::default() };
            let mut sheet = forged(&HONEST.sheet, HONEST.rows, &choices);
            // Only its top lane betrays it.
            assert!(integer(&sheet, row).bits() > 254);
            assert_eq!(refusals(&sheet, &public), names(["lane"]), "{row} {lift}");
            let repeated = sheet.columns.lanes[ELEMENT_LANES].index();
            sheet.advice[repeated][row] = Fr::from(8128);
            assert_eq!(refusals(&sheet, &public), names(["top lane"]), "{row} {lift}");
        }
    }
}

#[test]
fn no_multiplicity_answers_for_a_lane_outside_the_table() {
    let public = published(&HONEST.sheet);
    let columns = &HONEST.sheet.columns;
    let lane = columns.lanes[ELEMENT_LANES].index();
    // The repeated lane of a quotient's row is read by the lookup alone.
    let mut sheet = HONEST.sheet.clone();
    sheet.advice[lane][FIVE + 1] = Fr::from(1 << LANE_BITS);
    assert_eq!(refusals(&sheet, &public), names(["lane"]));
    super::bench::count(&mut sheet);
    for row in [0, 1, (1 << LANE_BITS) - 1, 1 << LANE_BITS, sheet.end - 1] {
        let mut sheet = sheet.clone();
        sheet.advice[columns.multiplicity.index()][row] += Fr::ONE;
        let refused = JUDGE.refusals_as_it_stands(sheet, &public, challenges());
        assert_eq!(refused, names(["running sum starts and ends at zero"]), "{row}");
    }
    // Nor does a sum that is written as it should be.
    let [beta, theta] = challenges();
    zkml_evm::outer::lookup::assign_phase2(&mut sheet, beta, theta);
    let end = sheet.end;
    sheet.advice[columns.sum.index()][end] = Fr::ZERO;
    assert_eq!(JUDGE.violated(&sheet, Some([beta, theta])), names(["lookup step"]));
}

/// Survivors: rows behind the range table repeat its entry 0, and rows that offer nothing may claim lookups that cancel.
#[test]
fn multiplicities_that_cancel_are_accepted() {
    let (mut sheet, public) = (HONEST.sheet.clone(), published(&HONEST.sheet));
    let columns = sheet.columns.clone();
    let end = sheet.end;
    for (column, row, by) in [
        (columns.multiplicity, 0, -Fr::ONE),
        (columns.multiplicity, 1 << LANE_BITS, Fr::ONE),
        (columns.plus, end - 10, Fr::from(5)),
        (columns.plus, end - 12, -Fr::from(5)),
    ] {
        sheet.advice[column.index()][row] += by;
    }
    assert_eq!(JUDGE.refusals_as_it_stands(sheet, &public, challenges()), names([]));
}
