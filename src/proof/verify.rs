//! Strict native verification: canonical encodings, exact lengths.

use super::{
    Keys, ProofError, Srs,
    keys::{check_degree, constraint_system, degree},
    threads::on_threads,
    transcript::{Purpose, Transcript},
};
use crate::gates::Shape;
use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    plonk::{ConstraintSystem, VerifyingKey, verify_proof},
    poly::{
        VerificationStrategy,
        commitment::ParamsProver,
        kzg::{commitment::KZGCommitmentScheme, multiopen::VerifierSHPLONK, strategy::AccumulatorStrategy},
    },
};

/// Checks `proof`, made for a contract, against the instances, all of them in the statement's order.
///
/// # Errors
/// [`ProofError::Invalid`] with the reason; a shorter or longer list of instances (halo2 pads it with zeros), trailing or missing bytes, non-canonical scalars and off-curve points among them.
pub fn verify(keys: &Keys, srs: &Srs, instances: &[Fr], proof: &[u8]) -> Result<(), ProofError> {
    verify_for(Purpose::Chain, keys, srs, instances, proof)
}

/// [`verify`] with the transcript of `purpose`.
///
/// # Errors
/// As [`verify`]; a proof for another purpose is invalid.
pub fn verify_for(purpose: Purpose, keys: &Keys, srs: &Srs, instances: &[Fr], proof: &[u8]) -> Result<(), ProofError> {
    let (expected, got) = (keys.shape.instances as usize, instances.len());
    if got != expected {
        return Err(ProofError::Invalid(format!("a statement of this circuit has {expected} public values, got {got}")));
    }
    verify_key(purpose, keys.vk(), srs, instances, proof)
}

/// Checks a proof of any circuit of ours, whose statement has as many values as `instances`.
pub(super) fn verify_key(
    purpose: Purpose,
    vk: &VerifyingKey<G1Affine>,
    srs: &Srs,
    instances: &[Fr],
    proof: &[u8],
) -> Result<(), ProofError> {
    check_degree(vk.cs())?;
    let expected = ProofLayout::of_gates(vk.cs()).length();
    if proof.len() != expected {
        return Err(ProofError::Invalid(format!("a proof of this circuit has {expected} bytes, got {}", proof.len())));
    }
    on_threads(vk.get_domain().k(), || verify_bytes(vk, srs, instances, Transcript::new(purpose, proof)))?
}

fn verify_bytes(
    vk: &VerifyingKey<G1Affine>,
    srs: &Srs,
    instances: &[Fr],
    mut transcript: Transcript<&[u8]>,
) -> Result<(), ProofError> {
    let params = srs.params.verifier_params();
    let strategy = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        vk,
        AccumulatorStrategy::new(params),
        &[&[instances]],
        &mut transcript,
    )
    .map_err(|e| ProofError::Invalid(format!("{e:?}")))?;
    let accepted = <AccumulatorStrategy<'_, Bn256> as VerificationStrategy<
        '_,
        KZGCommitmentScheme<Bn256>,
        VerifierSHPLONK<'_, Bn256>,
    >>::finalize(strategy);
    if accepted { Ok(()) } else { Err(ProofError::Invalid("the pairing check failed".into())) }
}

/// Where points and scalars stand in a proof: points, then evaluations, then the two opening points of SHPLONK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofLayout {
    /// Points before the evaluations: advice, permutation products, the vanishing argument's random and quotient polynomials.
    pub points: usize,
    /// Evaluations.
    pub evaluations: usize,
}

impl ProofLayout {
    /// The layout of every proof of `shape`.
    pub fn of(shape: &Shape) -> Self {
        Self::of_gates(&constraint_system(shape).0)
    }

    /// The layout of every proof of a circuit with these gates, copies among them and no lookup of halo2's own.
    pub fn of_gates(cs: &ConstraintSystem<Fr>) -> Self {
        let degree = degree(cs);
        let columns = cs.permutation().get_columns().len();
        let products = columns.div_ceil(degree - 2);
        let points = cs.num_advice_columns() + products + 1 + (degree - 1);
        let queries = cs.advice_queries().len() + cs.fixed_queries().len();
        let permutation = columns + 3 * products - 1;
        Self { points, evaluations: queries + 1 + permutation }
    }

    /// Bytes of a proof.
    pub fn length(&self) -> usize {
        64 * (self.points + 2) + 32 * self.evaluations
    }
}
