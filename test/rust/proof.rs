//! Real proofs of small networks: made, checked, and refused when anything about them changes.

mod support;

use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use support::{Output, input, mlp};
use zkml_evm::{
    circuit::{InferenceCircuit, Objective, Witness, lay_out, plan},
    gates::lookup::multiplicities,
    op::InputMode,
    proof::{Keys, Srs, prove, verify},
    quant::{Program, run},
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
            assert_eq!(trace.row, plan.rows.min(trace.row), "the plan counts rows as the layout places them");
            let instances = witness.statement.instances();
            let prover = MockProver::run(plan.shape.k, &InferenceCircuit::new(trace), vec![instances]).unwrap();
            prover.assert_satisfied();
        }
    }
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
    let (a, limb, counts) = (honest.columns.a.index(), honest.columns.limb.index(), honest.columns.multiplicity.index());
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
