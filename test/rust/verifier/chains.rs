//! Chains and challenges that the contract does not work with: it says so, and never calls a proof valid.

use crate::stand::{Deployed, Stand, compiler};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolError,
};
use halo2_proofs::{halo2curves::ff::PrimeField, poly::commitment::ParamsProver};
use zkml_evm::{chain::bindings::IProofVerifier, proof::verify::ProofLayout};

/// An address without code, in the place of a precompile.
const NOBODY: &str = "0x5afe";

/// The contract with every occurrence of `from` in its source replaced.
async fn with(stand: &Stand, from: &str, to: &str) -> Deployed {
    let source = stand.source();
    assert!(source.contains(from), "{from}");
    Deployed::new(&compiler().compile_verifier(&source.replace(from, to)).unwrap()).await
}

async fn refusal(deployed: &Deployed, stand: &Stand, proof: &[u8]) -> Bytes {
    deployed.verify(&stand.words(), proof).await.expect_err("accepted")
}

#[tokio::test]
async fn a_missing_precompile_is_named() {
    let stand = Stand::credit_sized();
    let missing = Bytes::from(IProofVerifier::PrecompileFailed {}.abi_encode());
    for precompile in 5..=8 {
        let call = |to: &str| format!("staticcall(gas(), {to}, ");
        let deployed = with(&stand, &call(&precompile.to_string()), &call(NOBODY)).await;
        assert_eq!(refusal(&deployed, &stand, &stand.proof).await, missing, "precompile {precompile}");
    }
}

/// Without the curve's precompiles the sum would stay what the prover sent last: the powers of the SRS would do for any statement.
#[tokio::test]
async fn a_chain_without_curve_arithmetic_is_not_fooled() {
    let stand = Stand::credit_sized();
    let source = stand.source().replace("staticcall(gas(), 6, ", "staticcall(gas(), 0x5afe, ");
    let source = source.replace("staticcall(gas(), 7, ", "staticcall(gas(), 0x5afe, ");
    let deployed = Deployed::new(&compiler().compile_verifier(&source).unwrap()).await;
    let layout = ProofLayout::of(&stand.keys.shape);
    let generator = [U256::from(1), U256::from(2)];
    let power = stand.srs.params.get_g()[1];
    let power = [power.x, power.y].map(|c| U256::from_le_bytes(c.to_repr()));
    let bytes = |point: &[U256; 2]| point.iter().flat_map(|c| c.to_be_bytes::<32>()).collect::<Vec<u8>>();
    for placed in 0..layout.points {
        let mut proof: Vec<u8> = (0..layout.points).flat_map(|i| bytes(if i == placed { &power } else { &generator })).collect();
        proof.resize(64 * layout.points + 32 * layout.evaluations, 0);
        proof.extend(bytes(&generator).repeat(2));
        let expected = Bytes::from(IProofVerifier::PrecompileFailed {}.abi_encode());
        assert_eq!(refusal(&deployed, &stand, &proof).await, expected, "point {placed}");
    }
}

/// An evaluation point in the rows' domain: every quotient by z^n - 1 would be nonsense.
#[tokio::test]
async fn a_degenerate_challenge_is_named() {
    let stand = Stand::credit_sized();
    let deployed = with(&stand, "mstore(POINT, mod(hash, r))", "mstore(POINT, 1)").await;
    let expected = Bytes::from(IProofVerifier::DegenerateChallenge {}.abi_encode());
    assert_eq!(refusal(&deployed, &stand, &stand.proof).await, expected);
}

/// A compiler that needs the words below the contract's own.
#[tokio::test]
async fn a_compiler_that_takes_too_much_memory_is_named() {
    let stand = Stand::credit_sized();
    let deployed = with(&stand, "if (_memoryTaken() > 0x1000)", "if (_memoryTaken() > 0x60)").await;
    let expected = Bytes::from(IProofVerifier::UnsupportedCompiler {}.abi_encode());
    assert_eq!(refusal(&deployed, &stand, &stand.proof).await, expected);
}
