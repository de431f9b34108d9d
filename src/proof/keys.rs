//! Key generation and key files.

use super::{
    ProofError, Srs,
    artifact::{self, Kind},
    commit::Committer,
    either::{EitherCircuit, EitherParams},
    srs::Provenance,
};
use crate::{
    circuit::{InferenceCircuit, lay_out},
    gates::{Shape, stack},
    quant::Program,
};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::bn256::{Fr, G1Affine},
    plonk::{Circuit, ConstraintSystem, ProvingKey, VerifyingKey, keygen_pk, keygen_vk},
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
    pub pk: ProvingKey<G1Affine>,
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
        self.pk.get_vk()
    }

    /// The content of the proving key's file: the SRS's label, and the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.provenance, &self.pk)
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
        let (provenance, pk) = parse(EitherParams::Inference(shape), payload)?;
        Ok(Self { shape, provenance, pk })
    }
}

/// The keys of a circuit.
pub(super) fn generate(circuit: &EitherCircuit, srs: &Srs) -> Result<ProvingKey<G1Affine>, ProofError> {
    let params = circuit.params();
    let srs = fit(srs, params.k())?;
    check_degree(&params.constraint_system())?;
    let failed = |e| ProofError::Halo2 { doing: "generating keys", problem: format!("{e:?}") };
    let committer = Committer::of(&srs)?;
    let vk = keygen_vk(&committer, circuit).map_err(failed)?;
    keygen_pk(&committer, vk, circuit).map_err(failed)
}

/// See [`Keys::to_bytes`].
pub(super) fn to_bytes(provenance: &Provenance, pk: &ProvingKey<G1Affine>) -> Vec<u8> {
    let mut bytes = provenance.head();
    bytes.extend(pk.to_bytes(SerdeFormat::RawBytes));
    bytes
}

/// A proving key from its bytes, and the label of its SRS. halo2's reader trusts the lengths that a file states and panics on a short or
/// non-canonical one, so the whole structure is walked first.
pub(super) fn parse(params: EitherParams, payload: &[u8]) -> Result<(Provenance, ProvingKey<G1Affine>), ProofError> {
    let malformed = |problem: String| ProofError::malformed(Kind::ProvingKey.name(), problem);
    let split = Provenance::split(payload);
    let (provenance, payload) = split.ok_or_else(|| malformed("it does not say which SRS it was made with".into()))?;
    check_structure(&params, payload)?;
    let pk = ProvingKey::from_bytes::<EitherCircuit>(payload, SerdeFormat::RawBytes, params);
    Ok((provenance, pk.map_err(|e| malformed(e.to_string()))?))
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

/// Walks a key file: `version k compress fixed* permutation*`, then length-prefixed polynomials of canonical scalars.
fn check_structure(params: &EitherParams, payload: &[u8]) -> Result<(), ProofError> {
    let malformed = |problem: String| ProofError::malformed(Kind::ProvingKey.name(), problem);
    let (cs, k) = (params.constraint_system(), params.k());
    check_degree(&cs)?;
    let (fixed, copied) = (cs.num_fixed_columns(), cs.permutation().get_columns().len());
    let header: Vec<u8> = [2u8].into_iter().chain(k.to_le_bytes()).chain([0]).chain((fixed as u32).to_le_bytes()).collect();
    if !payload.starts_with(&header) {
        return Err(malformed("it was made for a circuit of another shape".into()));
    }
    let mut rest = payload.get(header.len() + 64 * (fixed + copied)..).ok_or_else(|| malformed("it is too short".into()))?;
    let counts = [None, None, None, Some(fixed), Some(fixed), Some(copied), Some(copied)];
    for count in counts {
        if let Some(count) = count {
            take_length(&mut rest, count).map_err(&malformed)?;
        }
        for _ in 0..count.unwrap_or(1) {
            take_length(&mut rest, 1 << k).map_err(&malformed)?;
            take_scalars(&mut rest, 1 << k).map_err(&malformed)?;
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(malformed(format!("{} bytes follow its end", rest.len()))) }
}

fn take_length(rest: &mut &[u8], expected: usize) -> Result<(), String> {
    let (length, tail) = rest.split_first_chunk::<4>().ok_or("it ends inside a length")?;
    let length = u32::from_be_bytes(*length) as usize;
    *rest = tail;
    if length == expected { Ok(()) } else { Err(format!("expected {expected} entries, got {length}")) }
}

fn take_scalars(rest: &mut &[u8], count: usize) -> Result<(), String> {
    use halo2_proofs::halo2curves::serde::SerdeObject;
    let (scalars, tail) = rest.split_at_checked(count * 32).ok_or("it ends inside a polynomial")?;
    *rest = tail;
    match scalars.chunks_exact(32).all(|bytes| Fr::from_raw_bytes(bytes).is_some()) {
        true => Ok(()),
        false => Err("a coefficient is not a canonical scalar".into()),
    }
}
