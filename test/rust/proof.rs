//! Real proofs of small networks: made, checked, and refused when anything about them changes.

mod support;

use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use support::{Output, input, mlp};
use zkml_evm::{
    circuit::{
        CircuitError, InferenceCircuit, Objective, Witness, lay_out, plan,
        plan::{candidates, rows},
    },
    gates::{Shape, lookup::multiplicities},
    model,
    op::{InputMode, Interval, Op},
    proof::{Keys, Srs, prove, verify, verify::ProofLayout},
    quant::{Options, OutputChoice, Precision, Program, Schema, calibrate, run},
};

fn witness(program: &Program, output: Output, seed: u64) -> Witness {
    let values = input(program, seed);
    let committed = program.input().unwrap().mode == InputMode::Committed;
    let threshold = (output == Output::Threshold).then(|| run(program, &values).unwrap().output()[0] - 3);
    Witness::new(program, &values, Fr::from(42), committed.then(|| Fr::from(99)), threshold).unwrap()
}

#[test]
fn every_mode_satisfies_its_circuit() {
    for mode in [InputMode::Committed, InputMode::Public, InputMode::Private] {
        for output in [Output::Reveal, Output::Sigmoid, Output::Threshold, Output::Argmax] {
            let widths: &[usize] = if output == Output::Threshold { &[5, 4, 1] } else { &[5, 4, 3] };
            let program = mlp(widths, mode, output, 1);
            let plan = plan(&program, Objective::Balanced).unwrap();
            let witness = witness(&program, output, 2);
            let trace = lay_out(&program, plan.shape, Some(&witness)).unwrap();
            let instances = witness.statement.instances();
            let prover = MockProver::run(plan.shape.k, &InferenceCircuit::new(trace), vec![instances]).unwrap();
            prover.assert_satisfied();
        }
    }
}

/// Two proofs of one witness have no commitment in common. What hides each column is tested where it is made (`src/proof/prove_tests.rs`).
#[test]
fn proofs_of_one_witness_have_nothing_in_common() {
    let program = mlp(&[5, 4, 3], InputMode::Committed, Output::Argmax, 1);
    for objective in [Objective::Prover, Objective::Gas] {
        let shape = plan(&program, objective).unwrap().shape;
        let srs = Srs::development(shape.k);
        let keys = Keys::generate(&program, shape, &srs).unwrap();
        let witness = witness(&program, Output::Argmax, 2);
        let [first, second] = [(); 2].map(|()| prove(&program, &keys, &srs, &witness).unwrap());
        let points = ProofLayout::of(&shape).points + 2;
        let commitments = |proof: &[u8]| -> Vec<Vec<u8>> {
            let (before, after) = (&proof[..64 * (points - 2)], &proof[proof.len() - 128..]);
            [before, after].concat().chunks(64).map(<[u8]>::to_vec).collect()
        };
        let (first, second) = (commitments(&first), commitments(&second));
        assert_eq!(first.len(), points);
        assert!(first.iter().all(|commitment| !second.contains(commitment)));
    }
}

/// Every example, input mode and output mode, on every shape that the planner could choose: the rows predicted are the rows placed.
#[test]
fn the_planner_predicts_the_rows_exactly() {
    let project = |path: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let graph = model::load(&project("examples/credit/credit_mlp.onnx")).unwrap();
    let schema = Schema::load(&project("examples/credit/credit_schema.json")).unwrap();
    let mut counted = 0;
    for mode in [InputMode::Committed, InputMode::Public, InputMode::Private] {
        let mut programs: Vec<Program> = [Output::Reveal, Output::Sigmoid, Output::Threshold, Output::Argmax]
            .map(|output| mlp(if output == Output::Threshold { &[5, 4, 1] } else { &[5, 4, 3] }, mode, output, 1))
            .into();
        for output in [OutputChoice::Reveal, OutputChoice::Threshold] {
            let options = Options { input: mode, output, precision: Precision::default() };
            programs.push(calibrate(&graph, &schema, &options).unwrap().program);
        }
        for program in programs {
            for plan in candidates(&program, Objective::Balanced).unwrap() {
                let trace = lay_out(&program, plan.shape, None).unwrap();
                assert_eq!(trace.row, rows(&program, &plan.shape).unwrap(), "{mode:?}, {plan:?}");
                assert_eq!(trace.row.max(plan.shape.table_rows()), plan.rows, "{mode:?}, {plan:?}");
                counted += 1;
            }
        }
    }
    assert!(counted >= 18 * 9, "{counted}");
}

/// A program of one layer over one feature of so many bits, all weights zero: nothing but its widths matters.
fn of_widths(shift_bits: u32, magnitude_bits: u32, feature_bits: u32) -> Program {
    let mut program = mlp(&[1, 1], InputMode::Private, Output::Reveal, 1);
    program.precision = Precision { shift_bits, magnitude_bits };
    for node in &mut program.nodes {
        match &mut node.op {
            Op::Input(input) => {
                (input.ranges, input.width_bytes) = (vec![Interval::new(0, ((1u128 << feature_bits) - 1) as i128)], 8);
            }
            Op::Linear(layer) => (layer.weights, layer.bias) = (vec![0], vec![0]),
            Op::Rescale(rescale) => rescale.shift = shift_bits,
            _ => {}
        }
    }
    program
}

#[test]
fn every_candidate_is_sound_and_widths_without_one_are_named() {
    let mut refused = 0;
    for (shift, magnitude) in [(8, 8), (16, 16), (18, 18), (20, 10), (24, 24), (33, 22), (64, 48), (17, 13), (64, 30), (1, 2)] {
        for feature in [1, 16, 60, 63, 64] {
            let program = of_widths(shift, magnitude, feature);
            match plan(&program, Objective::Balanced) {
                Ok(best) => {
                    let all = candidates(&program, Objective::Balanced).unwrap();
                    assert!(all.contains(&best) && all.iter().all(|plan| plan.shape.is_sound()), "{shift} {magnitude} {feature}");
                    lay_out(&program, best.shape, None).unwrap();
                }
                Err(CircuitError::NoLimbs { range, .. }) => {
                    assert_eq!(range, feature.max(1));
                    refused += 1;
                }
                Err(error) => panic!("{shift} {magnitude} {feature}: {error}"),
            }
        }
    }
    // Three precisions that no limb size divides, and limbs of 9 to 11 bits, which do not fill 64 bits exactly.
    assert!(refused > 3 * 5, "{refused}");
}

#[test]
fn a_model_that_is_too_large_is_told_its_rows() {
    let program = mlp(&[1, 1 << 19, 1], InputMode::Private, Output::Reveal, 1);
    let widths = Shape { lanes: 4, weights: 64, remainder_limbs: 2, magnitude_limbs: 2, range_limbs: 2, ..Shape::default() };
    // The one input stands on a row of its layer.
    let shape = Shape { span: 1000, ..widths };
    let needed = rows(&program, &shape).unwrap();
    let refused = plan(&program, Objective::Prover);
    assert!(matches!(refused, Err(CircuitError::TooLarge { rows, .. }) if rows == needed && rows > 1 << 20), "{refused:?}");
}

#[test]
fn a_credit_sized_network_proves_and_verifies() {
    let program = mlp(&[12, 32, 16, 1], InputMode::Committed, Output::Threshold, 1);
    let plan = plan(&program, Objective::Balanced).unwrap();
    eprintln!("{plan:?}");
    let srs = Srs::development(plan.shape.k);
    let keys = Keys::generate(&program, plan.shape, &srs).unwrap();
    let witness = witness(&program, Output::Threshold, 2);
    let start = std::time::Instant::now();
    let proof = prove(&program, &keys, &srs, &witness).unwrap();
    eprintln!("prove {:?}, {} bytes", start.elapsed(), proof.len());
    let instances = witness.statement.instances();
    let start = std::time::Instant::now();
    verify(&keys, &srs, &instances, &proof).unwrap();
    eprintln!("verify {:?}", start.elapsed());

    for i in 0..instances.len() {
        let mut changed = instances.clone();
        changed[i] += Fr::from(1);
        assert!(verify(&keys, &srs, &changed, &proof).is_err(), "instance {i}");
    }
    for at in (0..proof.len()).step_by(97) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        assert!(verify(&keys, &srs, &instances, &changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_revealed_probability_proves_and_verifies() {
    let program = mlp(&[5, 4, 1], InputMode::Private, Output::Sigmoid, 3);
    let plan = plan(&program, Objective::Balanced).unwrap();
    let srs = Srs::development(plan.shape.k);
    let keys = Keys::generate(&program, plan.shape, &srs).unwrap();
    let witness = witness(&program, Output::Sigmoid, 4);
    let proof = prove(&program, &keys, &srs, &witness).unwrap();
    let mut instances = witness.statement.instances();
    verify(&keys, &srs, &instances, &proof).unwrap();
    instances[1] += Fr::from(1);
    assert!(verify(&keys, &srs, &instances, &proof).is_err());
}

/// The linear step of a function with another remainder: the result is a fraction in the field, which its range row refuses.
#[test]
fn a_revealed_probability_has_one_remainder() {
    let program = mlp(&[5, 4, 1], InputMode::Private, Output::Sigmoid, 3);
    let shape = plan(&program, Objective::Balanced).unwrap().shape;
    let witness = witness(&program, Output::Sigmoid, 4);
    let honest = lay_out(&program, shape, Some(&witness)).unwrap();
    let function = honest.columns.function.as_ref().map(|f| f.selector);
    let row = (0..honest.end).find(|&row| honest.is_enabled(function, row)).unwrap();
    let (a, limb, counts) = (honest.columns.a.index(), honest.columns.limbs[0].index(), honest.columns.multiplicity.index());
    let remainder = honest.advice[limb][row + 2];
    let step = Fr::from(256).invert().unwrap();
    for other in (0..256).map(Fr::from).filter(|other| *other != remainder).step_by(15) {
        let mut forged = honest.clone();
        let change = (remainder - other) * step;
        forged.advice[limb][row + 2] = other;
        forged.advice[a][row + 1] += change;
        for (from, to) in &honest.copies {
            if from.row == row + 1 {
                forged.advice[a][to.row] += change;
            }
        }
        for (entry, count) in multiplicities(&forged).into_iter().enumerate() {
            forged.advice[counts][entry] = Fr::from(count);
        }
        let mut instances = witness.statement.instances();
        instances[1] += change;
        let prover = MockProver::run(shape.k, &InferenceCircuit::new(forged), vec![instances]).unwrap();
        assert!(prover.verify().is_err(), "remainder {other:?}");
    }
}
