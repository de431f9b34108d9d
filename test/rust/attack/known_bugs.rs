//! Bugs that circuits of this field have had, one test each: what goes wrong is tried here, and refused.
//!
//! With a home elsewhere: constant or early challenges (`phases.rs`, `forgeries.rs`), a statement padded with zeros (`forgeries.rs`), keys that
//! change with the witness (`credit.rs`).

use super::bench::{
    End, MATRICES, Sample, conv_sample, function_sample, hash_sample, layer_sample, linear, maximum_sample, product_sample,
    shape, stencils, sum_sample, tiny_function, tiny_function_sample,
};
use super::forgeries::Mint;
use super::lab::{Changes, Lab};
use super::mutation::{Effort, attack};
use super::rank::{hash_cells, phase2_cells};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    circuit::build::assign_phase2,
    gates::{
        Shape,
        field::{power_of_two, to_field},
    },
    proof::{ProofError, verify, verify::ProofLayout},
};

/// A value written again where a copy was meant satisfies every honest test. Each copy of each gate in turn is left out, and the
/// harness must see it with one of the witnesses, or with another result where that is public.
#[test]
fn an_assign_where_a_copy_was_meant_is_caught() {
    let three = linear(&[&[300, -200], &[-411, 77], &[5, 901]], &[1000, -70_000, 12]);
    let one = linear(&[&[300, -200]], &[1000]);
    let layer = |end, layer, x: [i128; 2]| layer_sample(shape(), end, layer, &x, [-1000, 3000]);
    // A pixel of this one takes part in five outputs, so the forger needs a dozen repairs.
    let (stencil, steps) = stencils().pop().unwrap();
    let effort = Effort { stop: true, depth: 24, ..Effort::FULL };
    let circuits: [Vec<Sample>; 9] = [
        vec![layer(End::Signed, &three, [417, 1055])],
        vec![layer(End::Threshold(-20), &one, [417, -55])],
        // Each of the classes is chosen once.
        vec![
            layer(End::Argmax, &three, [417, 600]),
            layer(End::Argmax, &three, [900, -600]),
            layer(End::Argmax, &three, [-900, 0]),
        ],
        vec![function_sample(shape(), 21)],
        vec![hash_sample(shape(), &[0, 200, -5, 17])],
        vec![sum_sample(shape(), &[417, -55], [-1000, 3000])],
        vec![conv_sample(shape(), stencil, &steps)],
        vec![product_sample(shape(), MATRICES)],
        vec![maximum_sample(shape(), &[17, -3, 17, 99, -100]), maximum_sample(shape(), &[-1, -2, -1, -1, -1])],
    ];
    let mut dropped = 0;
    for samples in circuits {
        for copy in 0..samples[0].trace.copies.len() {
            let caught = samples.iter().any(|sample| {
                let mut trace = sample.trace.clone();
                trace.copies.remove(copy);
                let outputs: Vec<usize> = if trace.shape.function { vec![1] } else { vec![] };
                let mut lab = Lab::new(trace, &sample.instances, 11).open(&outputs);
                !attack(&mut lab, effort).survivors.is_empty()
                    || !phase2_cells(&lab).1.is_empty()
                    || !hash_cells(&lab).1.is_empty()
            });
            let (from, to) = samples[0].trace.copies[copy];
            assert!(caught, "{}: nothing is seen without the copy from row {} to row {}", samples[0].name, from.row, to.row);
            dropped += 1;
        }
    }
    assert!(dropped > 15, "{dropped}");
}

/// `y = 2^s q + R` with everything but the honest q and R: floor and ceiling, R equal to the divisor, q unbounded. Each would be
/// accepted if limbs were not looked up, so nothing else is wrong with it.
#[test]
fn a_division_has_one_answer() {
    let identity = linear(&[&[1]], &[0]);
    let (s, bits) = (shape().shift_bits(), shape().limb_bits);
    let half = 1i128 << (s - 1);
    for y in [5 * (1 << s) - half, 5 * (1 << s) - half + 1, 77_777, -77_777, -(5 << s) - half] {
        let shape = || Shape { range_limbs: 5, ..shape() };
        let sample = layer_sample(shape(), End::Signed, &identity, &[y], [-200_000, 200_000]);
        let (a, b) = (sample.trace.columns.a.index(), sample.trace.columns.b.index());
        let (limb, row) = (sample.trace.columns.limbs[0].index(), sample.trace.shape.range_rows());
        // The sign of the magnitude in q = b G - (1 - b) (1 + G).
        let up = if sample.trace.advice[b][row] == Fr::ONE { Fr::ONE } else { -Fr::ONE };
        let top = shape().remainder_limbs as usize - 1;
        let unit = power_of_two(bits);
        let fraction = power_of_two(s).invert().unwrap();
        let mut lab = sample.lab();
        let value = |column: usize, row: usize| lab.values[lab.cell(column, row) as usize];
        // (what is added to q, to which remainder limb, how much)
        let answers = [
            ("the ceiling", Fr::ONE, top, -unit),
            ("the remainder and the divisor", -Fr::ONE, top, unit),
            ("a quotient beyond every bound", -fraction, 0, Fr::ONE),
            ("another one", fraction, 0, -Fr::ONE),
        ];
        let forged: Vec<(&str, Changes)> = answers
            .iter()
            .map(|&(what, step, at, remainder)| {
                let cells = [(a, row, step), (limb, row + at, remainder), (limb, row + top + 1, up * step)];
                (what, cells.map(|(column, row, add)| (lab.cell(column, row), value(column, row) + add)).to_vec())
            })
            .collect();
        for (what, changes) in &forged {
            assert!(lab.survives_locally(changes), "{what} of {y} satisfies the gate");
            assert!(!lab.survives(changes), "{what} of {y}");
        }
        let mut lab = lab.without("lookup step").without("running sum starts and ends at zero");
        for (what, changes) in &forged {
            assert!(lab.survives(changes), "{what} of {y} is refused by the lookup alone");
        }
    }
}

/// Minus zero: the sign bit of a negative number with the magnitude that makes it zero, -(1 + G) = 0.
#[test]
fn zero_has_one_sign() {
    let identity = linear(&[&[1]], &[0]);
    for end in [End::Signed, End::Relu] {
        let sample = layer_sample(shape(), end, &identity, &[17], [-1000, 3000]);
        let row = sample.trace.shape.range_rows();
        let (b, limb) = (sample.trace.columns.b.index(), sample.trace.columns.limbs[0].index());
        let first = row + shape().remainder_limbs as usize;
        assert_eq!((sample.trace.advice[b][row], sample.trace.advice[limb][first]), (Fr::ONE, Fr::ZERO));
        let mut lab = sample.lab();
        let changes = vec![(lab.cell(b, row), Fr::ZERO), (lab.cell(limb, first), -Fr::ONE)];
        assert!(lab.survives_locally(&changes), "minus zero satisfies the gate");
        assert!(!lab.survives(&changes));
        assert!(lab.without("lookup step").without("running sum starts and ends at zero").survives(&changes));
    }
}

/// Rows below the tables hold the entry (0, 0, 0) with tag 0. A function lookup of (0, 0, 0) has tag 1, and no row answers it.
#[test]
fn the_default_row_of_a_table_answers_no_function() {
    let q = -6;
    let function = tiny_function();
    assert_eq!((function.values[0], function.eval(q)), (0, 2), "segment 0 starts at 0 and rises");
    let sample = tiny_function_sample(q, true);
    let columns = sample.trace.columns.clone();
    let [a, b, limb, multiplicity] = [columns.a, columns.b, columns.limbs[0], columns.multiplicity].map(|c| c.index());
    let entries = 1usize << sample.trace.shape.limb_bits;
    let (row, end) = (sample.trace.shape.range_rows(), sample.trace.end);
    let check = row + sample.trace.shape.function_rows();
    let default = 2 * entries + 3;
    // Slope 0 instead of 3: the result is 0 and the remainder the half that was added.
    let forge = |lab: &Lab, answering: usize| -> Changes {
        let mut forged = lab.trace.clone();
        forged.advice[b][row + 1] = Fr::ZERO;
        forged.advice[limb][row + 2] = Fr::from(2);
        (forged.advice[a][row + 1], forged.advice[a][check]) = (Fr::ZERO, Fr::ZERO);
        for (i, digit) in [0u64, 0, 3, 3].into_iter().enumerate() {
            forged.advice[limb][check + i] = Fr::from(digit);
        }
        for (entry, count) in zkml_evm::gates::lookup::multiplicities(&forged).into_iter().enumerate() {
            forged.advice[multiplicity][entry] = Fr::from(count);
        }
        // The honest count of segment 0 goes to the row that is to answer.
        forged.advice[multiplicity][entries] -= Fr::ONE;
        forged.advice[multiplicity][answering] += Fr::ONE;
        let cells = [a, b, limb, multiplicity].into_iter().flat_map(|column| (0..end).map(move |row| (column, row)));
        let changed = cells.filter(|&(column, row)| forged.advice[column][row] != lab.trace.advice[column][row]);
        changed.map(|(column, row)| (lab.cell(column, row), forged.advice[column][row])).collect()
    };
    let mut lab = tiny_function_sample(q, true).lab().open(&[1]);
    for answering in 0..end {
        let changes = forge(&lab, answering);
        assert!(lab.survives_locally(&changes), "the forgery satisfies the gates");
        assert!(!lab.survives_globally(&changes), "row {answering} answers");
    }
    // The bug: an unused row with the functions' tag.
    let mut broken = sample.trace;
    let tag = columns.function.as_ref().map(|f| f.table_tag.index()).unwrap();
    broken.fixed[tag][default] = Fr::ONE;
    let mut lab = Lab::new(broken, &[to_field(q), to_field(2)], 11).open(&[1]);
    let changes = forge(&lab, default);
    assert!(lab.survives(&changes), "a default row with a tag answers");
    assert_eq!(lab.published(&changes, 1), Fr::ZERO);
}

/// `context` has no constraint: only the transcript binds a proof to it.
#[test]
fn every_public_value_is_in_the_transcript() {
    let mint = Mint::new();
    let instances = mint.instances();
    let proof = mint.prove(&mint.trace, assign_phase2, &instances).unwrap();
    verify(&mint.keys, &mint.srs, &instances, &proof).unwrap();
    for i in 0..instances.len() {
        for other in [instances[i] + Fr::ONE, -instances[i], Fr::ZERO] {
            let mut changed = instances.clone();
            changed[i] = other;
            let refused = verify(&mint.keys, &mint.srs, &changed, &proof);
            assert!(matches!(refused, Err(ProofError::Invalid(_))), "public value {i}");
        }
    }
}

/// Bytes that are no proof are an error, never a panic: cut, extended, empty, random, points at infinity, scalars and coordinates
/// that are not canonical, everywhere.
#[test]
fn a_malformed_proof_is_an_error_and_no_panic() {
    let mint = Mint::new();
    let instances = mint.instances();
    let proof = mint.prove(&mint.trace, assign_phase2, &instances).unwrap();
    let refused = |proof: &[u8], what: &str| {
        let result = verify(&mint.keys, &mint.srs, &instances, proof);
        assert!(matches!(result, Err(ProofError::Invalid(_))), "{what}: {result:?}");
    };
    (0..proof.len()).step_by(31).for_each(|length| refused(&proof[..length], "cut"));
    refused(&[&proof[..], &[0]].concat(), "extended");
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut random = proof.clone();
    (0..20).for_each(|_| {
        rng.fill_bytes(&mut random);
        refused(&random, "random");
    });
    for byte in [0, 0xff] {
        refused(&vec![byte; proof.len()], "one byte everywhere");
    }
    let layout = ProofLayout::of(&mint.keys.shape);
    let opening = 64 * layout.points + 32 * layout.evaluations;
    for (i, at) in (0..layout.points).map(|i| 64 * i).chain([opening, opening + 64]).enumerate() {
        for byte in [0, 0xff] {
            let mut changed = proof.clone();
            changed[at..at + 64].fill(byte);
            refused(&changed, &format!("point {i} of bytes {byte}"));
        }
    }
    for word in (0..proof.len()).step_by(32) {
        let mut changed = proof.clone();
        changed[word..word + 32].fill(0xff);
        refused(&changed, &format!("a word beyond every modulus at {word}"));
    }
}
