//! Random small circuits of every op, in one contract or two: the contract and strict native verification give the same answer to a proof and to
//! every way in which it can be wrong.

use crate::{
    differential::{put, refused, word, wrong_encodings_are_refused},
    programs::{random_program, random_witness},
    stand::{Deployed, Stand, compiler},
};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolError,
};
use halo2_proofs::halo2curves::bn256::Fr;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkml_evm::{
    chain::bindings::IProofVerifier,
    circuit::{Objective, plan::candidates},
    proof::{verify, verify::ProofLayout},
    verifier::solc::Settings,
};

/// Rows of the largest circuits that are tried, as long as a program has a smaller one.
const LARGEST: u32 = 11;

/// A random program in one of its shapes, with a proof.
fn stand(rng: &mut ChaCha20Rng) -> Stand {
    let program = random_program(rng);
    let objective = [Objective::Gas, Objective::Balanced, Objective::Prover][rng.gen_range(0..3)];
    let shapes: Vec<_> = candidates(&program, objective).unwrap().into_iter().map(|plan| plan.shape).collect();
    let small: Vec<_> = shapes.iter().filter(|shape| shape.k <= LARGEST).collect();
    let shape = match small.is_empty() {
        true => *shapes.iter().min_by_key(|shape| shape.k).unwrap(),
        false => *small[rng.gen_range(0..small.len())],
    };
    let witness = random_witness(&program, rng);
    Stand::of(program, shape, &witness)
}

/// Of each word of the proof, one byte changed, or all of them.
async fn agrees(seed: u64, every_byte: bool) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let stand = stand(&mut rng);
    let deployed = match rng.r#gen() {
        true => Deployed::split(&stand.split(&compiler(), Settings::VERIFIER)).await,
        false => Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await,
    };
    let (words, proof) = (stand.words(), &stand.proof);
    verify(&stand.keys, &stand.srs, &stand.instances, proof).unwrap();
    deployed.verify(&words, proof).await.unwrap_or_else(|reason| panic!("seed {seed}: {reason}"));
    wrong_encodings_are_refused(&stand, &deployed).await;

    let bytes = (0..proof.len()).step_by(32).flat_map(|at| {
        let one = at + rng.gen_range(0..32);
        if every_byte { at..at + 32 } else { one..one + 1 }
    });
    for at in bytes.collect::<Vec<_>>() {
        let mut changed = proof.clone();
        changed[at] ^= rng.gen_range(1..=255u8);
        refused(&stand, &deployed, &format!("seed {seed}, byte {at}"), &changed).await;
    }
    let layout = ProofLayout::of(&stand.keys.shape);
    let [a, b] = [0, layout.points - 1].map(|point| 64 * point);
    let swap = |proof: &[u8], i: usize, j: usize| put(&put(proof, i, word(proof, j)), j, word(proof, i));
    refused(&stand, &deployed, &format!("seed {seed}, swapped points"), &swap(&swap(proof, a, b), a + 32, b + 32)).await;
    for length in [0, 32, proof.len() - 32, proof.len() - 1, proof.len() + 1, proof.len() + 32] {
        let mut other = proof.clone();
        other.resize(length, 0);
        let reason = refused(&stand, &deployed, &format!("seed {seed}, {length} bytes"), &other).await;
        let (expected, got) = (U256::from(proof.len()), U256::from(length));
        assert_eq!(reason, Bytes::from(IProofVerifier::InvalidProofLength { expected, got }.abi_encode()));
    }
    let r: U256 = crate::R.parse().unwrap();
    for at in 0..words.len() {
        for by in [U256::from(1), r - U256::from(1)] {
            let mut other = words.clone();
            other[at] = (other[at] + by) % r;
            let mut instances = stand.instances.clone();
            instances[at] += if by == U256::from(1) { Fr::one() } else { -Fr::one() };
            assert!(verify(&stand.keys, &stand.srs, &instances, proof).is_err());
            let reason = deployed.verify(&other, proof).await.expect_err("another public input");
            assert_eq!(reason, Bytes::from(IProofVerifier::PairingFailed {}.abi_encode()), "seed {seed}, public input {at}");
        }
    }
    for other in [&words[1..], &[words.clone(), vec![U256::ZERO]].concat()] {
        let (expected, got) = (U256::from(words.len()), U256::from(other.len()));
        let expected = Bytes::from(IProofVerifier::InvalidInstanceCount { expected, got }.abi_encode());
        assert_eq!(deployed.verify(other, proof).await, Err(expected));
    }
}

#[tokio::test]
async fn random_circuits_and_their_contracts_agree() {
    for seed in 0..4 {
        agrees(seed, false).await;
    }
}

#[tokio::test]
#[ignore = "minutes: make test-full"]
async fn many_random_circuits_and_their_contracts_agree() {
    for seed in 100..140 {
        agrees(seed, seed % 8 == 0).await;
    }
}
