//! What a verification costs, by part, measured in revm.
//!
//! The verifier takes the same steps for every proof, so the execution's gas is one number and needs no valid proof: the measured
//! one consists of generators and zeros and is refused at the very end. Calldata is the exception: a zero byte costs 4, another 16, and
//! proofs are random.

use super::{
    ChainError,
    bindings::{FamilyVerifier, IProofVerifier},
    embedded::{
        Hardfork,
        profile::{profile, profile_beside},
    },
};
use crate::{
    circuit::statement::{MODEL_COMMITMENT, PublicValue},
    gates::Shape,
    outer::{Widths, sheet::stack},
    proof::{keys::constraint_system, verify::ProofLayout},
    verifier::Compiled,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolCall,
};
use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};
use serde::Serialize;

/// The parts of a verification and the contract's functions that they are made of, in the order of their calls.
const PARTS: [(&str, &[&str]); 10] = [
    ("transcript", &["_readTranscript"]),
    ("checks of scalars and points", &["_checkScalars", "_checkPoints"]),
    ("inversions", &["_setDenominators", "_invert"]),
    ("public inputs", &["_evaluatePublicInputs"]),
    ("gates", &["_evaluateGates"]),
    ("lookups", &["_evaluateLookups"]),
    ("copies", &["_evaluateCopies"]),
    ("opening's scalars", &["_interpolate", "_evaluateOpening"]),
    ("sum of commitments", &["_addCommitments"]),
    (ACCUMULATOR, &["_addAccumulator"]),
];
/// The part that only verifiers of aggregates have.
const ACCUMULATOR: &str = "accumulator";
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
    /// Bytes of its family's code, where it calls that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_code_bytes: Option<usize>,
}

/// The form of a verifier's calls, and the points that it adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The halo2 proof.
    pub proof: ProofLayout,
    /// Public inputs that the caller gives.
    pub public_inputs: usize,
    /// Commitments of the verifying key.
    pub key: usize,
    /// Whether an accumulator's two points stand before the proof.
    pub accumulates: bool,
    /// The public input that the contract compares with a constant, the commitment to private weights: its position, and that constant.
    pub pinned: Option<(usize, U256)>,
}

impl Form {
    /// The form of an inference verifier.
    pub fn of_shape(shape: &Shape) -> Self {
        Self { accumulates: false, ..Self::of_aggregate(&constraint_system(shape).0, shape.instances as usize) }
    }

    /// The same of a model with this statement and, where its weights are private, this commitment to them.
    pub fn with_weights(self, statement: &[PublicValue], commitment: Option<B256>) -> Self {
        let at = statement.iter().position(|value| value.name == MODEL_COMMITMENT);
        Self { pinned: at.zip(commitment.map(Into::into)), ..self }
    }

    /// The form of an aggregate's verifier: its outer circuit's gates, and the public inputs of all slots.
    pub fn of_aggregate(cs: &ConstraintSystem<Fr>, public_inputs: usize) -> Self {
        let key = cs.num_fixed_columns() + cs.permutation().get_columns().len();
        Self { proof: ProofLayout::of_gates(cs), public_inputs, key, accumulates: true, pinned: None }
    }

    /// The form of the verifier of aggregates of these widths.
    pub fn of_widths(widths: &Widths, public_inputs: usize) -> Self {
        let mut cs = ConstraintSystem::default();
        stack(&mut cs, widths);
        Self::of_aggregate(&cs, public_inputs)
    }

    /// The accumulator's points.
    fn accumulator(&self) -> usize {
        if self.accumulates { 2 } else { 0 }
    }
}

/// Measures `compiled`, the verifier of circuits of this form: one rendered from keys, or [`placeholder`](crate::verifier::placeholder)'s.
///
/// # Errors
/// [`ChainError::Profile`] for code that is no verifier of ours.
pub fn measure(compiled: &Compiled, form: &Form, hardfork: Hardfork) -> Result<GasReport, ChainError> {
    let (parts, execution) = by_part(compiled, refused_call(form), hardfork)?;
    Ok(report(parts, execution, form, compiled.runtime_size, None))
}

/// Measures `model`, which calls `family`'s code at an address: the parts are that code's, and what the model's contract adds to it is in the last.
///
/// # Errors
/// As [`measure`].
pub fn measure_split(
    model: &Compiled,
    family: &Compiled,
    at: Address,
    form: &Form,
    hardfork: Hardfork,
) -> Result<GasReport, ChainError> {
    let (parts, _) = by_part(family, refused_call_with_key(form), hardfork)?;
    let call = refused_call(form);
    let paid = calldata_gas(&call);
    let whole = profile_beside(Some((at, &family.runtime)), &model.creation, &[], call, hardfork)?;
    let execution = whole.total.saturating_sub(TRANSACTION + paid);
    if whole.succeeded || execution < parts.iter().map(|part| part.gas).sum() {
        return Err(ChainError::Profile { reason: "it did not call its family's code".into() });
    }
    Ok(report(parts, execution, form, model.runtime_size, Some(family.runtime_size)))
}

/// What a refused call uses, by part, and in all but for the transaction and calldata.
fn by_part(compiled: &Compiled, call: Bytes, hardfork: Hardfork) -> Result<(Vec<Part>, u64), ChainError> {
    let all = PARTS.into_iter().chain([("pairing", [PAIRING].as_slice())]);
    // Of a part with several functions of one kind all but the first have numbers.
    let kind = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let of_part = |names: &[&str]| -> Vec<usize> {
        let functions = compiled.functions.iter().filter(|(name, _)| names.contains(&kind(name).as_str()));
        functions.map(|(_, entry)| *entry).collect()
    };
    let parts: Vec<(&str, Vec<usize>)> = all.map(|(name, names)| (name, of_part(names))).collect();
    let entries: Vec<usize> = parts.iter().flat_map(|(_, entries)| entries).copied().collect();
    let paid = calldata_gas(&call);
    let profile = profile(&compiled.creation, &entries, call, hardfork)?;
    let used = |wanted: &[usize]| -> u64 {
        let used = entries.iter().zip(&profile.functions).filter(|(entry, _)| wanted.contains(entry));
        used.map(|(_, gas)| gas).sum()
    };
    let measured: Vec<Part> = parts
        .iter()
        .filter(|(name, entries)| *name != ACCUMULATOR || !entries.is_empty())
        .map(|(name, entries)| Part { name, gas: used(entries) })
        .collect();
    if profile.succeeded || measured.last().is_none_or(|pairing| pairing.gas < PAIRING_FLOOR) {
        return Err(ChainError::Profile { reason: "it did not reach the pairing".into() });
    }
    Ok((measured, profile.total.saturating_sub(TRANSACTION + paid)))
}

fn report(measured: Vec<Part>, execution: u64, form: &Form, code_bytes: usize, shared_code_bytes: Option<usize>) -> GasReport {
    let largest = largest_call(form);
    let calldata = calldata_gas(&largest);
    let known: u64 = measured.iter().map(|part| part.gas).sum();
    let mut parts = vec![Part { name: "transaction", gas: TRANSACTION }, Part { name: "calldata, at most", gas: calldata }];
    parts.extend(measured);
    parts.push(Part { name: "call and dispatch", gas: execution.saturating_sub(known) });
    let commitments = (form.proof.points + 2 + form.key + form.accumulator()) as u64;
    GasReport {
        total: parts.iter().map(|part| part.gas).sum(),
        parts,
        execution,
        floor: TRANSACTION + calldata + commitments * COMMITMENT + PAIRING_FLOOR,
        calldata_bytes: largest.len(),
        code_bytes,
        shared_code_bytes,
    }
}

/// Gas of any transaction.
const TRANSACTION: u64 = 21_000;
/// A multiplication and an addition of the curve's precompiles.
const COMMITMENT: u64 = 6_150;
/// The pairing precompile with two pairs.
const PAIRING_FLOOR: u64 = 113_000;

/// The most that the calldata of one `verifyProof` costs.
pub fn calldata_bound(shape: &Shape) -> u64 {
    calldata_gas(&largest_call(&Form::of_shape(shape)))
}

fn calldata_gas(data: &[u8]) -> u64 {
    data.iter().map(|&byte| if byte == 0 { 4 } else { 16 }).sum()
}

/// A call that passes every check but the last: generators as points, zeros as evaluations and public inputs but for the one that the contract knows.
fn refused_call(form: &Form) -> Bytes {
    let mut words = vec![U256::ZERO; form.public_inputs];
    if let Some((word, value)) = form.pinned.and_then(|(at, value)| Some((words.get_mut(at)?, value))) {
        *word = value;
    }
    call(words, refused_proof(form))
}

/// The same of a family's code: the key has generators, too.
fn refused_call_with_key(form: &Form) -> Bytes {
    let key = [vec![0; 32], generator().repeat(form.key)].concat();
    let (public_inputs, proof) = (vec![U256::ZERO; form.public_inputs], refused_proof(form));
    FamilyVerifier::verifyProofCall { key: key.into(), publicInputs: public_inputs, proof: proof.into() }.abi_encode().into()
}

fn generator() -> Vec<u8> {
    [U256::from(1), U256::from(2)].iter().flat_map(|c| c.to_be_bytes::<32>()).collect()
}

fn refused_proof(form: &Form) -> Vec<u8> {
    let generator = generator();
    let mut proof = generator.repeat(form.accumulator() + form.proof.points);
    proof.resize(proof.len() + 32 * form.proof.evaluations, 0);
    proof.extend(generator.repeat(2));
    proof
}

/// The call with the dearest calldata: no zero byte but the ABI's own.
fn largest_call(form: &Form) -> Bytes {
    call(vec![U256::MAX; form.public_inputs], vec![0xff; 64 * form.accumulator() + form.proof.length()])
}

fn call(public_inputs: Vec<U256>, proof: Vec<u8>) -> Bytes {
    IProofVerifier::verifyProofCall { publicInputs: public_inputs, proof: proof.into() }.abi_encode().into()
}
