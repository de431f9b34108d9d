//! The renderer over circuits of every kind: each input mode, each output mode, many public inputs, wide and narrow weights.

use crate::{
    differential::wrong_encodings_are_refused,
    stand::{Deployed, Stand, compiler},
    support::{Output, input, walk, walking_shape},
};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolError,
};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    chain::bindings::IProofVerifier,
    circuit::{Objective, Witness},
    op::InputMode,
    proof::{verify, verify::ProofLayout},
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

/// More public inputs than the contract unrolls its inversion for.
#[tokio::test]
async fn many_public_inputs() {
    agrees(&[60, 3, 2], InputMode::Public, Output::Reveal, Objective::Balanced).await;
}

/// As many words to invert as are unrolled, and one more.
#[tokio::test]
async fn the_last_unrolled_inversion_and_the_first_looped() {
    for features in [27, 28, 29] {
        agrees(&[features, 2], InputMode::Public, Output::Reveal, Objective::Prover).await;
    }
}

#[tokio::test]
async fn one_public_input_and_a_threshold() {
    agrees(&[1, 1], InputMode::Public, Output::Threshold, Objective::Gas).await;
}

/// Kernels that walk over an image.
#[tokio::test]
async fn a_convolution() {
    let program = walk();
    let shape = walking_shape(&program);
    let witness = Witness::new(&program, &input(&program, 3), Fr::from(42), None, None).unwrap();
    agree(&Stand::of(program, shape, &witness), "a convolution").await;
}
