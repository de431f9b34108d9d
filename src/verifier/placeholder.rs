//! The verifier of a circuit that has no keys yet: what it costs follows from columns and gates, not from the coordinates of commitments.
//!
//! The commitments are points that nobody has a use for, and the SRS has one point. Two things about the columns do show in the gas,
//! and are as they will be: a column of zeros has the point at infinity, which is a cheaper constant, and equal columns have equal points.
//! Such a contract is measured and thrown away: no proof exists that it accepts.

use super::{
    Labels, VerifierError,
    aggregate::{self, Aggregate, Slot},
    render::render_key,
};
use crate::{
    circuit::{InferenceCircuit, build::ShapeParams, lay_out},
    gates::{Shape, Stack, Trace},
    outer::{OuterCircuit, Widths, sheet::stack},
    proof::{ModelId, ProofError, Provenance, Srs},
    quant::Program,
};
use alloy::primitives::{B256, U256, keccak256};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine, G2Affine},
        ff::{Field, FromUniformBytes},
        group::prime::PrimeCurveAffine,
        serde::SerdeObject,
    },
    plonk::{Circuit, ConstraintSystem, VerifyingKey},
};

/// The Solidity source of the verifier that `program` would have in `shape`.
///
/// # Errors
/// As [`render`](super::render()).
pub fn render(program: &Program, shape: &Shape) -> Result<String, VerifierError> {
    let vk = verifying_key(shape, &lay_out(program, *shape, None)?)?;
    let srs = srs(shape.k);
    // A word without a pattern: the compiler writes others shorter.
    render_key(program, shape, &vk, &srs, ModelId::from(keccak256("model id")), weights(program))
}

/// What stands for the commitment to private weights, where the program has them: below r, as every commitment.
pub fn weights(program: &Program) -> Option<B256> {
    program.weights().map(|_| B256::from(U256::from_be_bytes(keccak256("weights").0) >> 3))
}

/// The Solidity source of the verifier that aggregates of these slots would have: as every column is one of its own, the most that it costs.
///
/// # Errors
/// As [`aggregate::render`].
pub fn render_aggregate(widths: &Widths, slots: &[Slot]) -> Result<String, VerifierError> {
    let mut cs = ConstraintSystem::default();
    stack(&mut cs, widths);
    let vk = read::<OuterCircuit>(*widths, widths.k, &cs, point)?;
    let (srs, labels) = (srs(widths.k), Labels::of_outer(widths));
    aggregate::render(&Aggregate { vk: &vk, srs: &srs, labels, slots })
}

fn srs(k: u32) -> Srs {
    let g = vec![G1Affine::generator()];
    // halo2's constructor is a method: of any other SRS.
    let params = Srs::development(1).params.from_parts(k, g.clone(), Some(g), G2Affine::generator(), s_g2());
    Srs { params, provenance: Provenance::InsecureDev }
}

/// A key with the points that its columns would have in common, and at infinity.
fn verifying_key(shape: &Shape, trace: &Trace) -> Result<VerifyingKey<G1Affine>, VerifierError> {
    let mut cs = ConstraintSystem::default();
    let stack = Stack::configure(&mut cs, shape);
    let mut committed: Vec<Vec<&[Fr]>> = vec![Vec::new(); cs.num_fixed_columns()];
    for (place, values) in stack.fixed.iter().zip(&trace.fixed) {
        committed[place.column.index()].push(values);
    }
    let commitment = |at: usize| match committed.get(at) {
        Some(column) if column.iter().copied().flatten().all(|v| *v == Fr::ZERO) => G1Affine::identity(),
        Some(column) => point(committed.iter().position(|other| other == column).unwrap_or(at)),
        // A column of the permutation: never zero, and unlike all others.
        None => point(at),
    };
    read::<InferenceCircuit>(ShapeParams(*shape), shape.k, &cs, commitment)
}

/// halo2 takes no verifying key but a whole one: it is read from the bytes that it would be written as.
fn read<C: Circuit<Fr>>(
    params: C::Params,
    k: u32,
    cs: &ConstraintSystem<Fr>,
    commitment: impl Fn(usize) -> G1Affine,
) -> Result<VerifyingKey<G1Affine>, VerifierError> {
    let (fixed, copied) = (cs.num_fixed_columns(), cs.permutation().get_columns().len());
    let mut bytes: Vec<u8> = [2u8].into_iter().chain(k.to_le_bytes()).chain([0]).collect();
    bytes.extend((fixed as u32).to_le_bytes());
    (0..fixed + copied).for_each(|at| bytes.extend(commitment(at).to_raw_bytes()));
    VerifyingKey::from_bytes::<C>(&bytes, SerdeFormat::RawBytes, params)
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
