//! The contract and strict native verification give the same answer to every way in which a proof can be wrong.

use crate::stand::{Deployed, Stand, compiler};
use alloy::primitives::U256;
use halo2_proofs::halo2curves::{
    bn256::{Fq, G1Affine},
    ff::PrimeField,
};
use zkml_evm::proof::{verify, verify::ProofLayout};

/// The order of the coordinates' field.
fn q() -> U256 {
    U256::from_str_radix("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16).unwrap()
}

fn word(proof: &[u8], at: usize) -> U256 {
    U256::from_be_slice(&proof[at..at + 32])
}

fn put(proof: &[u8], at: usize, value: U256) -> Vec<u8> {
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
/// coordinates, and its neighbour.
fn wrong_points(proof: &[u8], layout: &ProofLayout) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let generator = G1Affine::generator();
    let [gx, gy] = [generator.x, generator.y].map(|c: Fq| U256::from_le_bytes(c.to_repr()));
    let places = points(layout);
    for (i, &at) in places.iter().enumerate() {
        let (x, y) = (word(proof, at), word(proof, at + 32));
        let next = places[(i + 1) % places.len()];
        for (what, u, v) in [
            ("identity", U256::ZERO, U256::ZERO),
            ("generator", gx, gy),
            ("negation", x, q() - y),
            ("x + q", x + q(), y),
            ("y + q", x, y + q()),
            ("beside the curve", x, y ^ U256::from(1)),
            ("exchanged coordinates", y, x),
            ("its neighbour", word(proof, next), word(proof, next + 32)),
            ("all ones", U256::MAX, U256::MAX),
        ] {
            all.push((format!("point {i}: {what}"), put(&put(proof, at, u), at + 32, v)));
        }
    }
    all
}

async fn agree(stand: &Stand, deployed: &Deployed, what: &str, proof: &[u8]) {
    let native = verify(&stand.keys, &stand.srs, &stand.instances, proof);
    let contract = deployed.verify(&stand.words(), proof).await;
    assert!(native.is_err(), "{what}: native verification accepts");
    let reason = contract.expect_err(what);
    assert!(reason.len() >= 4, "{what}: refused without a reason");
}

#[tokio::test]
async fn every_wrong_point_is_refused_by_both() {
    let stand = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    for (what, proof) in wrong_points(&stand.proof, &ProofLayout::of(&stand.keys.shape)) {
        agree(&stand, &deployed, &what, &proof).await;
    }
}

#[tokio::test]
async fn every_word_that_changes_is_refused_by_both() {
    let stand = Stand::credit_sized();
    let deployed = Deployed::new(&compiler().compile_verifier(&stand.source()).unwrap()).await;
    for at in (0..stand.proof.len()).step_by(32) {
        for value in [U256::ZERO, word(&stand.proof, at) ^ U256::from(1), word(&stand.proof, at) ^ (U256::from(1) << 255)] {
            agree(&stand, &deployed, &format!("word {}", at / 32), &put(&stand.proof, at, value)).await;
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
            agree(&stand, &deployed, &format!("byte {at} ^ {by}"), &changed).await;
        }
    }
}
