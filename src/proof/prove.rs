//! Proof creation. The only place where halo2's prover is instantiated: it takes most of the crate's compile time.

use super::{
    Keys, ProofError, Srs,
    commit::{Committer, Opener, Scheme},
    either::EitherCircuit,
    keys::{check_degree, check_shape, fit},
    opening::{Noted, Session},
    transcript::Purpose,
};
use crate::{
    circuit::{InferenceCircuit, Witness, lay_out, plan::ONE_THREAD_K},
    gates::Trace,
    quant::Program,
};
use halo2_proofs::{
    halo2curves::bn256::{Fr, G1Affine},
    plonk::{Circuit, ProvingKey, create_proof},
};
use rand::rngs::OsRng;

/// Proves `witness` for `program`, to a contract. The blinding comes from the operating system's generator.
///
/// An SRS larger than the circuit is cut down at each call, which costs more than the proof: [`fit`] it once.
///
/// The bytes are the EVM encoding: uncompressed points and scalars, 32 bytes big-endian each.
pub fn prove(program: &Program, keys: &Keys, srs: &Srs, witness: &Witness) -> Result<Vec<u8>, ProofError> {
    prove_for(Purpose::Chain, program, keys, srs, witness)
}

/// Proves `witness` for `program` with the transcript of `purpose`.
pub fn prove_for(purpose: Purpose, program: &Program, keys: &Keys, srs: &Srs, witness: &Witness) -> Result<Vec<u8>, ProofError> {
    check_shape(&keys.shape)?;
    let trace = lay_out(program, keys.shape, Some(witness))?;
    prove_trace_for(purpose, keys, srs, trace, &witness.statement.instances())
}

/// Proves a trace as it stands with the transcript of `purpose`.
pub fn prove_trace_for(purpose: Purpose, keys: &Keys, srs: &Srs, trace: Trace, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_circuit_for(purpose, keys, srs, InferenceCircuit::new(trace), instances)
}

/// Proves a trace as it stands to a contract, honest or not: the attack suite uses it with forged ones.
pub fn prove_trace(keys: &Keys, srs: &Srs, trace: Trace, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_trace_for(Purpose::Chain, keys, srs, trace, instances)
}

/// Proves a trace with its own way to fill the second phase.
pub fn prove_circuit(keys: &Keys, srs: &Srs, circuit: InferenceCircuit, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_circuit_for(Purpose::Chain, keys, srs, circuit, instances)
}

fn prove_circuit_for(
    purpose: Purpose,
    keys: &Keys,
    srs: &Srs,
    circuit: InferenceCircuit,
    instances: &[Fr],
) -> Result<Vec<u8>, ProofError> {
    prove_either(purpose, &keys.pk, srs, EitherCircuit::Inference(Box::new(circuit)), instances)
}

/// Proves any circuit of ours.
pub(super) fn prove_either(
    purpose: Purpose,
    pk: &ProvingKey<G1Affine>,
    srs: &Srs,
    circuit: EitherCircuit,
    instances: &[Fr],
) -> Result<Vec<u8>, ProofError> {
    check_degree(pk.get_vk().cs())?;
    let k = circuit.params().k();
    let srs = fit(srs, k)?;
    if k > ONE_THREAD_K {
        return create(purpose, pk, &srs, circuit, instances);
    }
    let failed = |e: rayon::ThreadPoolBuildError| ProofError::Halo2 { doing: "starting a thread", problem: e.to_string() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(failed)?;
    pool.install(|| create(purpose, pk, &srs, circuit, instances))
}

fn create(
    purpose: Purpose,
    pk: &ProvingKey<G1Affine>,
    srs: &Srs,
    circuit: EitherCircuit,
    instances: &[Fr],
) -> Result<Vec<u8>, ProofError> {
    let session = Session::new(pk);
    let mut transcript = Noted::new(purpose, &session);
    create_proof::<Scheme<'_>, Opener<'_>, _, _, _, _>(
        &Committer::proving(srs, &session)?,
        pk,
        &[circuit],
        &[&[instances]],
        OsRng,
        &mut transcript,
    )
    .map_err(|e| ProofError::Halo2 { doing: "proving", problem: format!("{e:?}") })?;
    Ok(transcript.into_proof())
}
