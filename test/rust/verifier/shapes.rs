//! The renderer over circuits of every kind: each input mode, each output mode, many public inputs, wide and narrow weights.

use crate::{
    differential::wrong_encodings_are_refused,
    stand::{Deployed, Stand, compiler},
    support::{Output, input, mlp, walk, walking_shape},
};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolError,
};
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use zkml_evm::{
    chain::bindings::IProofVerifier,
    circuit::{Item, Objective, PrivateWeights, Witness, plan, plan::candidates},
    op::InputMode,
    proof::{prove, verify, verify::ProofLayout},
    quant::{batch, privatise, run, run_with},
};

async fn agrees(widths: &[usize], mode: InputMode, output: Output, objective: Objective) {
    let stand = Stand::new(widths, mode, output, objective);
    agree(&stand, &format!("{widths:?} {mode:?} {output:?} {objective:?}")).await;
}

async fn agree(stand: &Stand, what: &str) {
    verify(&stand.keys, &stand.srs, &stand.instances, &stand.proof).unwrap();
    let compiled = compiler().compile_verifier(&stand.source()).unwrap();
    let deployed = Deployed::new(&compiled).await;
    let words = stand.words();
    let gas = deployed.verify(&words, &stand.proof).await.unwrap();
    println!("{what}: {} bytes, {gas} gas", compiled.runtime_size);
    let unproven = Bytes::from(IProofVerifier::PairingFailed {}.abi_encode());
    for at in [0, words.len() - 1] {
        let mut changed = words.clone();
        changed[at] ^= U256::from(1);
        assert_eq!(deployed.verify(&changed, &stand.proof).await, Err(unproven.clone()), "public input {at}");
    }
    let layout = ProofLayout::of(&stand.keys.shape);
    for at in (0..layout.evaluations).map(|i| 64 * layout.points + 32 * i + 31) {
        let mut changed = stand.proof.clone();
        changed[at] ^= 1;
        assert_eq!(deployed.verify(&words, &changed).await, Err(unproven.clone()), "byte {at}");
    }
    wrong_encodings_are_refused(stand, &deployed).await;
}

#[tokio::test]
async fn private_input_and_revealed_outputs() {
    agrees(&[5, 4, 3], InputMode::Private, Output::Reveal, Objective::Gas).await;
}

#[tokio::test]
async fn private_input_and_a_class() {
    agrees(&[6, 5, 4], InputMode::Private, Output::Argmax, Objective::Prover).await;
}

#[tokio::test]
async fn a_revealed_sigmoid() {
    agrees(&[4, 3, 1], InputMode::Committed, Output::Sigmoid, Objective::Balanced).await;
}

/// Public inputs as one fraction.
#[tokio::test]
async fn many_public_inputs() {
    agrees(&[60, 3, 2], InputMode::Public, Output::Reveal, Objective::Balanced).await;
}

/// Public inputs are summed several in a turn of a loop, and those that are left behind it.
#[tokio::test]
async fn public_inputs_of_any_number() {
    for features in [1, 2, 9, 10, 100] {
        let stand = Stand::new(&[features, 2], InputMode::Public, Output::Reveal, Objective::Prover);
        agree(&stand, &format!("{features} public features")).await;
    }
}

/// Sections are written straight where the contract is small, as loops and functions where many rotations make it large.
#[tokio::test]
async fn straight_sections_and_loops() {
    let looped = |stand: &Stand| {
        let source = stand.source();
        let marks = ["gt(word, INVERSES)", "function next(", "function fold("].map(|mark| source.contains(mark));
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
        marks[0]
    };
    assert!(!looped(&Stand::new(&[1, 2], InputMode::Public, Output::Reveal, Objective::Prover)));
    let large = Stand::new(&[4, 3, 1], InputMode::Committed, Output::Sigmoid, Objective::Gas);
    assert!(looped(&large), "{:?}", ProofLayout::of(&large.keys.shape));
    agree(&large, "a stack that hashes and has a function").await;
}

/// Stacked columns, under every kind of gate: a hash, a function, an argmax.
#[tokio::test]
async fn columns_in_stacks() {
    agree(&Stand::stacked(), "a stack that hashes").await;
    for (output, mode) in [(Output::Sigmoid, InputMode::Private), (Output::Argmax, InputMode::Public)] {
        let stand = Stand::new(&[4, 3, if output == Output::Sigmoid { 1 } else { 3 }], mode, output, Objective::Gas);
        assert!(stand.keys.shape.is_stacked());
        agree(&stand, &format!("a stack with {output:?}")).await;
    }
}

/// Kernels that walk, in the shallowest stack.
#[tokio::test]
async fn a_convolution_in_a_stack() {
    let program = walk();
    let plans = candidates(&program, Objective::Gas).unwrap().into_iter().map(|plan| plan.shape);
    let shape = plans.filter(|shape| shape.is_stacked() && !shape.steps.is_empty()).min_by_key(|shape| shape.k).unwrap();
    let witness = Witness::new(&program, &input(&program, 3), Fr::from(42), None, None).unwrap();
    agree(&Stand::of(program, shape, &witness), "a convolution in a stack").await;
}

#[tokio::test]
async fn one_public_input_and_a_threshold() {
    agrees(&[1, 1], InputMode::Public, Output::Threshold, Objective::Gas).await;
}

/// A batch: a commitment and a threshold for each input, and kernels that walk from one to the next.
#[tokio::test]
async fn a_batch_of_committed_inputs() {
    agree(&batch_stand(&[3, 2, 1], InputMode::Committed, Output::Threshold, 3), "a batch of 3").await;
}

/// At most 8k gas for each of 64 inputs.
#[tokio::test]
async fn a_large_batch_costs_little_gas_for_each_input() {
    let stand = batch_stand(&[6, 8, 1], InputMode::Private, Output::Reveal, 64);
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    let gas = deployed.verify(&stand.words(), &stand.proof).await.unwrap();
    println!("64 private inputs: {gas} gas, {} for each, k = {}", gas / 64, stand.keys.shape.k);
    assert!(gas / 64 <= 8_000, "{gas}");
}

pub fn batch_stand(widths: &[usize], mode: InputMode, output: Output, items: usize) -> Stand {
    let single = mlp(widths, mode, output, 1);
    let item = |seed| {
        let values = input(&single, seed);
        let threshold = (output == Output::Threshold).then(|| run(&single, &values).unwrap().output()[0] - 3);
        Item { values, salt: (mode == InputMode::Committed).then(|| Fr::from(99 + seed)), threshold }
    };
    let items: Vec<Item> = (0..items as u64).map(item).collect();
    let program = batch(&single, items.len()).unwrap();
    let shape = plan(&program, Objective::Balanced).unwrap().shape;
    let witness = Witness::of(&program, &items, Fr::from(42), None).unwrap();
    Stand::of(program, shape, &witness)
}

/// Weights that only the prover knows. The keys are the same for all weights of this structure: a proof under others is valid for them,
/// and the contract refuses it by their commitment.
#[tokio::test]
async fn private_weights() {
    let made = privatise(&mlp(&[3, 2, 1], InputMode::Committed, Output::Threshold, 1)).unwrap();
    let values = input(&made.program, 3);
    let score = run_with(&made.program, &values, &made.values).unwrap().output()[0];
    let item = Item { values, salt: Some(Fr::from(99)), threshold: Some(score) };
    let weights = PrivateWeights { values: made.values, salt: Fr::from(7) };
    let witness = Witness::of(&made.program, std::slice::from_ref(&item), Fr::from(42), Some(&weights)).unwrap();
    let shape = plan(&made.program, Objective::Balanced).unwrap().shape;
    let stand = Stand::of(made.program, shape, &witness);
    agree(&stand, "private weights").await;

    let others = PrivateWeights { salt: Fr::from(8), ..weights };
    let witness = Witness::of(&stand.program, &[item], Fr::from(42), Some(&others)).unwrap();
    let instances = witness.statement.instances();
    let proof = prove(&stand.program, &stand.keys, &stand.srs, &witness).unwrap();
    verify(&stand.keys, &stand.srs, &instances, &proof).unwrap();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    let words: Vec<U256> = instances.iter().map(|v| U256::from_le_bytes(v.to_repr())).collect();
    let at = words.len() - 2;
    let expected = IProofVerifier::OtherWeights { expected: stand.words()[at], got: words[at] };
    assert_eq!(deployed.verify(&words, &proof).await, Err(Bytes::from(expected.abi_encode())));
}

/// Kernels that walk over an image.
#[tokio::test]
async fn a_convolution() {
    let program = walk();
    let shape = walking_shape(&program);
    let witness = Witness::new(&program, &input(&program, 3), Fr::from(42), None, None).unwrap();
    agree(&Stand::of(program, shape, &witness), "a convolution").await;
}
