//! What is committed before which challenge, the degree of every shape the planner can choose, and a forger who knows the challenge.

use super::bench::{End, layer_sample, linear, shape};
use super::lab::Lab;
use super::support::{Output, mlp};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    circuit::{Objective, plan},
    gates::{Columns, Shape, field::to_field},
    op::InputMode,
    proof::keys::{MAX_DEGREE, constraint_system},
};

/// Every combination of gates with the smallest and largest widths.
fn shapes() -> Vec<Shape> {
    let widths = [(8, 3, 2, 2, 3), (12, 2, 1, 32, 1), (9, 3, 2, 3, 7), (8, 8, 6, 16, 8)];
    let mut all = Vec::new();
    for bits in 0..64u32 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        for (limb_bits, remainder_limbs, magnitude_limbs, weights, range_limbs) in widths {
            let pack_bits = if on(0) { 24 } else { 0 };
            let [relu, signed, threshold, argmax, function] = [1, 2, 3, 4, 5].map(on);
            // A function table splits its input in two limbs or more.
            if function && magnitude_limbs < 2 {
                continue;
            }
            let k = 13;
            all.push(Shape {
                k,
                weights,
                limb_bits,
                remainder_limbs,
                magnitude_limbs,
                range_limbs,
                pack_bits,
                relu,
                signed,
                threshold,
                argmax,
                function,
                ..Shape::default()
            });
        }
    }
    all
}

#[test]
fn every_column_is_committed_in_its_phase() {
    for shape in shapes() {
        let mut cs = Default::default();
        let columns = Columns::configure(&mut cs, &shape);
        let early = [columns.a, columns.b, columns.limb, columns.multiplicity].into_iter().chain(columns.c);
        for column in early {
            assert_eq!(column.column_type().phase(), 0, "{column:?}");
        }
        for column in [columns.folded, columns.fold, columns.sum] {
            assert_eq!(column.column_type().phase(), 1, "{column:?}");
        }
        // halo2 counts phases from 0: these are drawn when the columns of phase 0 are committed.
        assert_eq!((columns.gamma.phase(), columns.beta.phase()), (0, 0));
        assert_ne!(columns.gamma.index(), columns.beta.index(), "one challenge, one purpose");
        let phases = cs.advice_column_phase();
        assert_eq!(phases.iter().filter(|&&p| p == 1).count(), 3);
        assert!(cs.challenge_phase().iter().all(|&phase| phase == 0));
        assert_eq!(cs.challenge_phase().len(), if shape.function { 3 } else { 2 });
        assert!(cs.lookups().is_empty(), "nothing is looked up but by our own argument");
    }
}

#[test]
fn no_gate_exceeds_the_degree() {
    for shape in shapes() {
        let (cs, degree) = constraint_system(&shape);
        assert!(degree <= MAX_DEGREE, "{degree}: {shape:?}");
        assert!(cs.degree() <= MAX_DEGREE && degree <= cs.degree(), "halo2's own figure is not capped: {shape:?}");
    }
}

#[test]
fn the_planner_chooses_shapes_that_the_gates_are_sound_for() {
    for mode in [InputMode::Committed, InputMode::Public, InputMode::Private] {
        for output in [Output::Reveal, Output::Sigmoid, Output::Threshold, Output::Argmax] {
            let program = mlp(if output == Output::Threshold { &[5, 4, 1] } else { &[5, 4, 3] }, mode, output, 1);
            for objective in [Objective::Prover, Objective::Gas, Objective::Balanced] {
                let shape = plan(&program, objective).unwrap().shape;
                assert!(shape.is_sound(), "{shape:?}");
            }
        }
    }
}

/// The forgery that a constant or early challenge permits: two wrong outputs whose errors cancel in the fold, `γ * 1 + 1 * (-γ) = 0`.
#[test]
fn a_forger_who_knows_the_challenge_succeeds_and_one_who_does_not_fails() {
    let known = 37;
    let layer = linear(&[&[300, -200], &[-411, 77]], &[1000, -70_000]);
    let (x, ranges) = ([417, 55], [-1000, 3000]);
    let honest = layer_sample(shape(), End::Signed, &layer, &x, ranges);
    let instances = honest.instances.clone();
    // The same weights and public inputs; outputs as if the accumulators were y_0 + 1 and y_1 - γ.
    let mut forged = honest.trace.clone();
    let wrong = linear(&[&[300, -200], &[-411, 77]], &[1001, -70_000 - known]);
    let lie = layer_sample(shape(), End::Signed, &wrong, &x, ranges).trace;
    forged.advice = lie.advice;
    assert_ne!(forged.advice, honest.trace.advice);

    let accepts = |challenges: Option<[Fr; 2]>, seed: u64| {
        let lab = Lab::forced_with(forged.clone(), &instances, seed, challenges);
        lab.first_violated(&lab.values)
    };
    assert_eq!(accepts(Some([to_field(known), Fr::from(1234567)]), 0), None, "the known challenge is forgeable");
    for seed in 1..20 {
        let refused = accepts(None, seed);
        assert_eq!(refused.map(|(name, _)| name).as_deref(), Some("fold starts and ends at zero"));
    }
}
