//! What a verification costs, by part, measured in revm.
//!
//! The verifier takes the same steps for every proof, so the execution's gas is one number and needs no valid proof: the measured
//! one consists of generators and zeros and is refused at the very end. Calldata is the exception: a zero byte costs 4, another 16, and
//! proofs are random.

use super::{
    ChainError,
    bindings::IProofVerifier,
    embedded::{Hardfork, profile::profile},
};
use crate::{
    gates::Shape,
    proof::{keys::constraint_system, verify::ProofLayout},
    verifier::Compiled,
};
use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolCall,
};
use serde::Serialize;

/// The parts of a verification and the contract's functions that they are made of, in the order of their calls.
const PARTS: [(&str, &[&str]); 9] = [
    ("transcript", &["_readTranscript"]),
    ("checks of scalars and points", &["_checkScalars", "_checkPoints"]),
    ("inversions", &["_setDenominators", "_invert"]),
    ("public inputs", &["_evaluatePublicInputs"]),
    ("gates", &["_evaluateGates"]),
    ("lookups", &["_evaluateLookups"]),
    ("copies", &["_evaluateCopies"]),
    ("opening's scalars", &["_interpolate", "_evaluateOpening"]),
    ("sum of commitments", &["_addCommitments"]),
];
/// The part behind these.
const PAIRING: &str = "_checkPairing";

/// Gas of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub name: &'static str,
    /// Gas.
    pub gas: u64,
}

/// What a verification costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GasReport {
    /// Every part; calldata is a bound.
    pub parts: Vec<Part>,
    /// The parts' sum: the most that a transaction of one `verifyProof` uses.
    pub total: u64,
    /// The execution alone, exact: without the transaction's 21,000 and without calldata.
    pub execution: u64,
    /// The least that any verifier of this protocol needs: transaction, calldata, one multiplication and addition for each commitment, the pairing.
    pub floor: u64,
    /// Bytes of calldata.
    pub calldata_bytes: usize,
    /// Bytes of the contract's code.
    pub code_bytes: usize,
}

/// Measures `compiled`, the verifier of circuits of this shape: one rendered from keys, or [`placeholder`](crate::verifier::placeholder)'s.
///
/// # Errors
/// [`ChainError::Profile`] for code that is no verifier of ours.
pub fn measure(compiled: &Compiled, shape: &Shape, hardfork: Hardfork) -> Result<GasReport, ChainError> {
    let names: Vec<&str> = PARTS.iter().flat_map(|(_, names)| names.iter().copied()).chain([PAIRING]).collect();
    let entry = |name: &str| compiled.functions.iter().find(|(n, _)| n == name).map_or(usize::MAX, |(_, entry)| *entry);
    let entries: Vec<usize> = names.iter().map(|name| entry(name)).collect();
    let call = refused_call(shape);
    let paid = calldata_gas(&call);
    let profile = profile(&compiled.creation, &entries, call, hardfork)?;
    let execution = profile.total.saturating_sub(TRANSACTION + paid);
    let of = |name: &str| names.iter().position(|n| *n == name).map_or(0, |at| profile.functions[at]);
    let pairing = of(PAIRING);
    if profile.succeeded || pairing < PAIRING_FLOOR {
        return Err(ChainError::Profile { reason: "it did not reach the pairing".into() });
    }
    let largest = largest_call(shape);
    let calldata = calldata_gas(&largest);
    let mut parts = vec![Part { name: "transaction", gas: TRANSACTION }, Part { name: "calldata, at most", gas: calldata }];
    parts.extend(PARTS.iter().map(|(name, functions)| Part { name, gas: functions.iter().map(|f| of(f)).sum() }));
    parts.push(Part { name: "pairing", gas: pairing });
    let known: u64 = parts.iter().skip(2).map(|part| part.gas).sum();
    parts.push(Part { name: "call and dispatch", gas: execution.saturating_sub(known) });
    let (cs, _) = constraint_system(shape);
    let fixed = cs.num_fixed_columns() + cs.permutation().get_columns().len();
    let commitments = (ProofLayout::of(shape).points + 2 + fixed) as u64;
    Ok(GasReport {
        total: parts.iter().map(|part| part.gas).sum(),
        parts,
        execution,
        floor: TRANSACTION + calldata + commitments * COMMITMENT + PAIRING_FLOOR,
        calldata_bytes: largest.len(),
        code_bytes: compiled.runtime_size,
    })
}

/// Gas of any transaction.
const TRANSACTION: u64 = 21_000;
/// A multiplication and an addition of the curve's precompiles.
const COMMITMENT: u64 = 6_150;
/// The pairing precompile with two pairs.
const PAIRING_FLOOR: u64 = 113_000;

/// The most that the calldata of one `verifyProof` costs.
pub fn calldata_bound(shape: &Shape) -> u64 {
    calldata_gas(&largest_call(shape))
}

fn calldata_gas(data: &[u8]) -> u64 {
    data.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum()
}

/// A call that passes every check but the last: generators as points, zeros as evaluations and public inputs.
fn refused_call(shape: &Shape) -> Bytes {
    let layout = ProofLayout::of(shape);
    let generator: Vec<u8> = [U256::from(1), U256::from(2)].iter().flat_map(|c| c.to_be_bytes::<32>()).collect();
    let mut proof = generator.repeat(layout.points);
    proof.resize(proof.len() + 32 * layout.evaluations, 0);
    proof.extend(generator.repeat(2));
    call(vec![U256::ZERO; shape.instances as usize], proof)
}

/// The call with the dearest calldata: no zero byte but the ABI's own.
fn largest_call(shape: &Shape) -> Bytes {
    call(vec![U256::MAX; shape.instances as usize], vec![0xff; ProofLayout::of(shape).length()])
}

fn call(public_inputs: Vec<U256>, proof: Vec<u8>) -> Bytes {
    IProofVerifier::verifyProofCall { publicInputs: public_inputs, proof: proof.into() }.abi_encode().into()
}
