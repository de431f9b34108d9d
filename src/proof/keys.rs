//! Key generation and key files.

use super::{
    ProofError, Srs,
    artifact::{self, Kind},
    commit::Committer,
    domain::Domain,
    either::{EitherCircuit, EitherParams},
    key_columns,
    srs::Provenance,
    threads::on_threads,
};
use crate::{
    circuit::{InferenceCircuit, lay_out},
    gates::{Shape, stack},
    quant::Program,
};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::Field,
    },
    plonk::{Circuit, ConstraintSystem, ProvingKey, VerifyingKey, keygen_pk, keygen_vk, permutation},
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
    bytes.extend(pk.get_vk().to_bytes(SerdeFormat::RawBytes));
    for column in pk.fixed_values().iter().chain(pk.permutation().permutations()) {
        key_columns::write(column.values(), &mut bytes);
    }
    bytes
}

/// A proving key from its bytes, and the label of its SRS: `version k compress fixed* permutation*` as halo2 writes a verifying key, then the
/// columns' values. halo2's reader panics on what is too short, so the head is compared first.
pub(super) fn parse(params: EitherParams, payload: &[u8]) -> Result<(Provenance, ProvingKey<G1Affine>), ProofError> {
    let malformed = |problem: String| ProofError::malformed(Kind::ProvingKey.name(), problem);
    let split = Provenance::split(payload);
    let (provenance, payload) = split.ok_or_else(|| malformed("it does not say which SRS it was made with".into()))?;
    let (cs, k) = (params.constraint_system(), params.k());
    check_degree(&cs)?;
    let (fixed, copied) = (cs.num_fixed_columns(), cs.permutation().get_columns().len());
    let header: Vec<u8> = [2u8].into_iter().chain(k.to_le_bytes()).chain([0]).chain((fixed as u32).to_le_bytes()).collect();
    if !payload.starts_with(&header) {
        return Err(malformed("it was made for a circuit of another shape".into()));
    }
    let split = payload.split_at_checked(header.len() + 64 * (fixed + copied));
    let (vk, rest) = split.ok_or_else(|| malformed("it is too short".into()))?;
    let key = on_threads(k, || -> Result<_, String> {
        let vk = VerifyingKey::read::<_, EitherCircuit>(&mut &*vk, SerdeFormat::RawBytes, params).map_err(|e| e.to_string())?;
        proving_key(vk, fixed, copied, rest)
    })?;
    Ok((provenance, key.map_err(malformed)?))
}

/// The proving key of the columns in `rest`.
fn proving_key(vk: VerifyingKey<G1Affine>, fixed: usize, copied: usize, mut rest: &[u8]) -> Result<ProvingKey<G1Affine>, String> {
    let halo2 = vk.get_domain();
    let domain = Domain::new(halo2.k(), halo2.get_omega());
    let (n, blinding) = (1usize << halo2.k(), vk.cs().blinding_factors());
    let mut columns = (0..fixed + copied).map(|_| key_columns::take(&mut rest, n)).collect::<Result<Vec<_>, _>>()?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow its end", rest.len()));
    }
    let usable = n.checked_sub(blinding + 1).ok_or("the circuit has fewer rows than its blinding needs")?;
    // 1 on the first row, on the one behind the usable ones, on the usable ones.
    let rows = [0..1, usable..usable + 1, 0..usable];
    columns.extend(rows.map(|rows| (0..n).map(|row| if rows.contains(&row) { Fr::ONE } else { Fr::ZERO }).collect()));
    let all = domain.coefficients(&columns.iter().map(|column| &column[..]).collect::<Vec<_>>());
    let mut polynomials = all.into_iter().map(|polynomial| halo2.coeff_from_vec(polynomial));
    let mut values = columns.into_iter().map(|values| halo2.lagrange_from_vec(values));
    let fixed = (values.by_ref().take(fixed).collect(), polynomials.by_ref().take(fixed).collect());
    let permutation =
        permutation::ProvingKey::from_parts(values.take(copied).collect(), polynomials.by_ref().take(copied).collect());
    let mut next = || polynomials.next().ok_or("a column is missing");
    let (first, last, usable) = (next()?, next()?, next()?);
    drop(polynomials);
    Ok(ProvingKey::from_parts(vk, first, last, usable, fixed.0, fixed.1, permutation))
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
