//! The verifier of a circuit that has no keys yet: what it costs follows from columns and gates, not from the coordinates of commitments.
//!
//! The commitments are points that nobody has a use for, and the SRS has one point. Two things about the columns do show in the gas,
//! and are as they will be: a column of zeros has the point at infinity, which is a cheaper constant, and equal columns have equal points.
//! Such a contract is measured and thrown away: no proof exists that it accepts.

use super::{VerifierError, render::render_key};
use crate::{
    circuit::{InferenceCircuit, build::ShapeParams, lay_out},
    gates::{Shape, Stack, Trace},
    proof::{ModelId, ProofError, Provenance, Srs},
    quant::Program,
};
use alloy::primitives::{B256, keccak256};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine, G2Affine},
        ff::{Field, FromUniformBytes},
        group::prime::PrimeCurveAffine,
        serde::SerdeObject,
    },
    plonk::{ConstraintSystem, VerifyingKey},
};

/// The Solidity source of the verifier that `program` would have in `shape`.
///
/// # Errors
/// As [`render`](super::render()).
pub fn render(program: &Program, shape: &Shape) -> Result<String, VerifierError> {
    let vk = verifying_key(shape, &lay_out(program, *shape, None)?)?;
    let g = vec![G1Affine::generator()];
    // halo2's constructor is a method: of any other SRS.
    let params = Srs::development(1).params.from_parts(shape.k, g.clone(), Some(g), G2Affine::generator(), s_g2());
    let srs = Srs { params, provenance: Provenance::InsecureDev };
    // Words without a pattern: the compiler writes others shorter.
    let [id, commitment] = ["model id", "weights"].map(keccak256);
    let weights = program.weights().map(|_| B256::from(commitment));
    render_key(program, shape, &vk, &srs, ModelId::from(id), weights)
}

/// halo2 takes no verifying key but a whole one: it is read from the bytes that it would be written as.
fn verifying_key(shape: &Shape, trace: &Trace) -> Result<VerifyingKey<G1Affine>, VerifierError> {
    let mut cs = ConstraintSystem::default();
    let stack = Stack::configure(&mut cs, shape);
    let (fixed, copied) = (cs.num_fixed_columns(), cs.permutation().get_columns().len());
    let mut committed: Vec<Vec<&[Fr]>> = vec![Vec::new(); fixed];
    for (place, values) in stack.fixed.iter().zip(&trace.fixed) {
        committed[place.column.index()].push(values);
    }
    let commitment = |at: usize| match committed.get(at) {
        Some(column) if column.iter().copied().flatten().all(|v| *v == Fr::ZERO) => G1Affine::identity(),
        Some(column) => point(committed.iter().position(|other| other == column).unwrap_or(at)),
        // A column of the permutation: never zero, and unlike all others.
        None => point(at),
    };
    let mut bytes: Vec<u8> = [2u8].into_iter().chain(shape.k.to_le_bytes()).chain([0]).collect();
    bytes.extend((fixed as u32).to_le_bytes());
    (0..fixed + copied).for_each(|at| bytes.extend(commitment(at).to_raw_bytes()));
    VerifyingKey::from_bytes::<InferenceCircuit>(&bytes, SerdeFormat::RawBytes, ShapeParams(*shape))
        .map_err(|e| VerifierError::Proof(Box::new(ProofError::malformed("placeholder of a verifying key", e.to_string()))))
}

/// Points of the size that commitments have.
fn point(index: usize) -> G1Affine {
    (G1Affine::generator() * scalar(index)).into()
}

fn s_g2() -> G2Affine {
    (G2Affine::generator() * scalar(usize::MAX)).into()
}

fn scalar(index: usize) -> Fr {
    let [low, high] = [0u8, 1].map(|half| keccak256([&[half][..], &(index as u64).to_be_bytes()].concat()).0);
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(&low);
    wide[32..].copy_from_slice(&high);
    Fr::from_uniform_bytes(&wide)
}
