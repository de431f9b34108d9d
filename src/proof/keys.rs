//! Key generation and key files.

use super::{
    ProofError, Srs,
    artifact::{self, Kind},
    commit::Committer,
    either::{EitherCircuit, EitherParams},
    key::ProvingKey,
    srs::Provenance,
};
use crate::{
    circuit::{InferenceCircuit, lay_out},
    gates::{Shape, stack},
    quant::Program,
};
use halo2_proofs::{
    halo2curves::bn256::{Fr, G1Affine},
    plonk::{Circuit, ConstraintSystem, VerifyingKey, keygen_pk, keygen_vk},
    poly::commitment::Params,
};
use std::path::Path;

/// The largest degree of a gate. halo2 caps it by an environment variable and fails only at verification when a circuit exceeds it.
pub const MAX_DEGREE: usize = 5;

/// The variable that caps the degree halo2 works with, wherever it asks for it: a cap below the true degree makes other keys and
/// proofs that nobody accepts, and one that is no number a panic.
const DEGREE_VARIABLE: &str = "MAX_DEGREE";

/// The keys of one circuit.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The circuit's widths.
    pub shape: Shape,
    /// Where the SRS that they were made with comes from.
    pub provenance: Provenance,
    /// Proving key, with the verifying key inside.
    pub pk: ProvingKey,
}

impl Keys {
    /// Generates the keys of `program` laid out in `shape`.
    pub fn generate(program: &Program, shape: Shape, srs: &Srs) -> Result<Self, ProofError> {
        let circuit = InferenceCircuit::new(lay_out(program, shape, None)?);
        let pk = generate(&EitherCircuit::Inference(Box::new(circuit)), srs)?;
        Ok(Self { shape, provenance: srs.provenance.clone(), pk })
    }

    /// The verifying key.
    pub fn vk(&self) -> &VerifyingKey<G1Affine> {
        &self.pk.vk
    }

    /// The content of the proving key's file: the SRS's label, and the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pk.to_bytes(&self.provenance)
    }

    /// Writes the proving key's file.
    pub fn save(&self, path: &Path) -> Result<(), ProofError> {
        artifact::write(Kind::ProvingKey, path, &self.to_bytes())
    }

    /// Reads a proving key for `shape`.
    pub fn load(shape: Shape, path: &Path) -> Result<Self, ProofError> {
        let payload = artifact::read(Kind::ProvingKey, path)?;
        Self::parse(shape, &payload).map_err(|e| e.at(path))
    }

    /// Parses a proving key.
    pub fn parse(shape: Shape, payload: &[u8]) -> Result<Self, ProofError> {
        check_shape(&shape)?;
        let (provenance, pk) = ProvingKey::parse(EitherParams::Inference(shape), payload)?;
        Ok(Self { shape, provenance, pk })
    }
}

/// The keys of a circuit.
pub(super) fn generate(circuit: &EitherCircuit, srs: &Srs) -> Result<ProvingKey, ProofError> {
    let params = circuit.params();
    let srs = fit(srs, params.k())?;
    check_degree(&params.constraint_system())?;
    let failed = |e| ProofError::Halo2 { doing: "generating keys", problem: format!("{e:?}") };
    let committer = Committer::of(&srs)?;
    let vk = keygen_vk(&committer, circuit).map_err(failed)?;
    keygen_pk(&committer, vk, circuit).map(ProvingKey::from).map_err(failed)
}

/// The SRS cut down to `2^k` points.
pub fn fit(srs: &Srs, k: u32) -> Result<std::borrow::Cow<'_, Srs>, ProofError> {
    match srs.k().cmp(&k) {
        std::cmp::Ordering::Less => Err(ProofError::SrsTooSmall { available: srs.k(), needed: k }),
        std::cmp::Ordering::Equal => Ok(std::borrow::Cow::Borrowed(srs)),
        std::cmp::Ordering::Greater => {
            let mut smaller = srs.clone();
            smaller.params.downsize(k);
            Ok(std::borrow::Cow::Owned(smaller))
        }
    }
}

/// The gates of a shape, and their true degree.
pub fn constraint_system(shape: &Shape) -> (ConstraintSystem<Fr>, usize) {
    let cs = stack::constraint_system(shape);
    let degree = degree(&cs);
    (cs, degree)
}

/// The true degree of a constraint system, which halo2's own figure equals unless the environment caps it: the gates', and
/// at least the permutation argument's 3.
pub(super) fn degree(cs: &ConstraintSystem<Fr>) -> usize {
    cs.gates().iter().flat_map(|g| g.polynomials()).map(|p| p.degree()).fold(3, usize::max)
}

/// Nothing is made or checked with halo2 unless it works with the true degree, and that is at most [`MAX_DEGREE`].
pub(super) fn check_degree(cs: &ConstraintSystem<Fr>) -> Result<(), ProofError> {
    let degree = degree(cs);
    if degree > MAX_DEGREE {
        let problem = format!("a gate has degree {degree}, allowed is {MAX_DEGREE}");
        return Err(ProofError::Halo2 { doing: "checking the gates", problem });
    }
    let Some(value) = std::env::var_os(DEGREE_VARIABLE) else { return Ok(()) };
    match value.to_str().and_then(|text| text.parse::<usize>().ok()) {
        Some(cap) if cap >= degree => Ok(()),
        _ => Err(ProofError::DegreeCap { value: value.to_string_lossy().into_owned(), degree }),
    }
}

pub(super) fn check_shape(shape: &Shape) -> Result<(), ProofError> {
    if shape.is_sound() { Ok(()) } else { Err(crate::circuit::CircuitError::Shape(Box::new(*shape)).into()) }
}
