//! The contract and strict native verification give the same answer to every way in which a proof can be wrong.

use crate::stand::{Deployed, Stand, compiler};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolError,
};
use halo2_proofs::halo2curves::{
    bn256::{Fq, G1Affine},
    ff::PrimeField,
};
use zkml_evm::{
    chain::bindings::IProofVerifier,
    proof::{verify, verify::ProofLayout},
};

/// The order of the coordinates' field.
fn q() -> U256 {
    U256::from_str_radix("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16).unwrap()
}

pub fn word(proof: &[u8], at: usize) -> U256 {
    U256::from_be_slice(&proof[at..at + 32])
}

pub fn put(proof: &[u8], at: usize, value: U256) -> Vec<u8> {
    let mut changed = proof.to_vec();
    changed[at..at + 32].copy_from_slice(&value.to_be_bytes::<32>());
    changed
}

/// Where each point of the proof begins.
fn points(layout: &ProofLayout) -> Vec<usize> {
    let opening = 64 * layout.points + 32 * layout.evaluations;
    (0..layout.points).map(|i| 64 * i).chain([opening, opening + 64]).collect()
}

/// Every point in turn: the identity, the generator, its negation, another encoding, beside the curve, on the curve's twist of
/// coordinates, and its neighbour; with the contract's reason.
fn wrong_points(proof: &[u8], layout: &ProofLayout) -> Vec<(String, Vec<u8>, Bytes)> {
    let mut all = Vec::new();
    let generator = G1Affine::generator();
    let [gx, gy] = [generator.x, generator.y].map(|c: Fq| U256::from_le_bytes(c.to_repr()));
    let places = points(layout);
    for (i, &at) in places.iter().enumerate() {
        let (x, y) = (word(proof, at), word(proof, at + 32));
        let next = places[(i + 1) % places.len()];
        let beside: Bytes = IProofVerifier::PointNotOnCurve { index: U256::from(i) }.abi_encode().into();
        let other: Bytes = IProofVerifier::PairingFailed {}.abi_encode().into();
        for (what, u, v, reason) in [
            ("identity", U256::ZERO, U256::ZERO, &beside),
            ("generator", gx, gy, &other),
            ("negation", x, q() - y, &other),
            ("x + q", x + q(), y, &beside),
            ("y + q", x, y + q(), &beside),
            ("beside the curve", x, y ^ U256::from(1), &beside),
            ("exchanged coordinates", y, x, &beside),
            ("its neighbour", word(proof, next), word(proof, next + 32), &other),
            ("all ones", U256::MAX, U256::MAX, &beside),
        ] {
            all.push((format!("point {i}: {what}"), put(&put(proof, at, u), at + 32, v), reason.clone()));
        }
    }
    all
}

/// Both refuse; the contract's reason.
pub async fn refused(stand: &Stand, deployed: &Deployed, what: &str, proof: &[u8]) -> Bytes {
    let native = verify(&stand.keys, &stand.srs, &stand.instances, proof);
    assert!(native.is_err(), "{what}: native verification accepts");
    deployed.verify(&stand.words(), proof).await.expect_err(what)
}

/// Every wrong point, and every evaluation and public input under a second name.
pub async fn wrong_encodings_are_refused(stand: &Stand, deployed: &Deployed) {
    let layout = ProofLayout::of(&stand.keys.shape);
    for (what, proof, expected) in wrong_points(&stand.proof, &layout) {
        assert_eq!(refused(stand, deployed, &what, &proof).await, expected, "{what}");
    }
    let r: U256 = crate::R.parse().unwrap();
    for index in 0..layout.evaluations {
        let at = 64 * layout.points + 32 * index;
        for value in [word(&stand.proof, at) + r, r] {
            let reason = refused(stand, deployed, "an evaluation + r, or r", &put(&stand.proof, at, value)).await;
            let expected = IProofVerifier::EvaluationOutOfRange { index: U256::from(index), value };
            assert_eq!(reason, Bytes::from(expected.abi_encode()));
        }
    }
    // The commitment to private weights is a constant of the contract, with which it is compared first.
    let pinned = stand.program.weights().and_then(|_| stand.program.commitments().ok());
    for index in 0..stand.instances.len() {
        let mut words = stand.words();
        let before = words[index];
        for value in [before + r, r] {
            words[index] = value;
            let expected = match pinned == Some(index) {
                true => IProofVerifier::OtherWeights { expected: before, got: value }.abi_encode(),
                false => IProofVerifier::InstanceOutOfRange { index: U256::from(index), value }.abi_encode(),
            };
            let reason = deployed.verify(&words, &stand.proof).await.expect_err("a public input + r, or r");
            assert_eq!(reason, Bytes::from(expected));
        }
    }
}

#[tokio::test]
async fn every_wrong_point_is_refused_by_both() {
    let stand = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    wrong_encodings_are_refused(&stand, &deployed).await;
}

#[tokio::test]
async fn every_word_that_changes_is_refused_by_both() {
    let stand = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    for at in (0..stand.proof.len()).step_by(32) {
        for value in [U256::ZERO, word(&stand.proof, at) ^ U256::from(1), word(&stand.proof, at) ^ (U256::from(1) << 255)] {
            refused(&stand, &deployed, &format!("word {}", at / 32), &put(&stand.proof, at, value)).await;
        }
    }
}

#[tokio::test]
#[ignore = "minutes: make test-full"]
async fn every_single_byte_change_is_refused_by_both() {
    let stand = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    for at in 0..stand.proof.len() {
        for by in [1, 0x80] {
            let mut changed = stand.proof.clone();
            changed[at] ^= by;
            refused(&stand, &deployed, &format!("byte {at} ^ {by}"), &changed).await;
        }
    }
}
