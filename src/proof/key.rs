//! A proving key: halo2's verifying key, and what the columns hold that it commits to.
//!
//! halo2's own key holds each column twice more, as scalars and by its coefficients. Who verifies needs neither, and a proof makes them of the key's columns
//! as it makes them of its own.

use super::{
    ProofError,
    artifact::Kind,
    bare_domain::bare_domain,
    domain::{Domain, TOGETHER},
    either::{EitherCircuit, EitherParams},
    key_columns::Column,
    keys::check_degree,
    srs::Provenance,
    threads::on_threads,
};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine},
        serde::SerdeObject,
    },
    plonk::{self, Circuit, ConstraintSystem, VerifyingKey, permutation},
};
use rayon::prelude::*;

/// Bytes of a point as halo2 writes it for itself.
pub(super) const POINT: usize = 64;

/// What proves: the verifying key and its columns.
#[derive(Clone, Debug)]
pub struct ProvingKey {
    /// The verifying key.
    pub(super) vk: VerifyingKey<G1Affine>,
    pub(super) fixed: Vec<Column>,
    pub(super) permutation: Vec<Column>,
}

impl From<plonk::ProvingKey<G1Affine>> for ProvingKey {
    fn from(key: plonk::ProvingKey<G1Affine>) -> Self {
        let fixed = key.fixed_values().iter().map(|column| Column::of(column.values())).collect();
        let permutation = key.permutation().permutations().iter().map(|column| Column::of(column.values())).collect();
        Self { vk: key.get_vk().clone(), fixed, permutation }
    }
}

impl ProvingKey {
    /// The content of its file: the SRS's label; `version k compress fixed* permutation*` as halo2 writes a verifying key; the columns.
    pub(super) fn to_bytes(&self, provenance: &Provenance) -> Vec<u8> {
        let mut bytes = provenance.head();
        bytes.extend(self.vk.to_bytes(SerdeFormat::RawBytes));
        self.fixed.iter().chain(&self.permutation).for_each(|column| column.write(&mut bytes));
        bytes
    }

    /// The key of a file's content, and the label of its SRS.
    ///
    /// # Errors
    /// A key of another circuit, points off the curve, columns that are too short, too long, or not in their one form.
    pub(super) fn parse(params: EitherParams, payload: &[u8]) -> Result<(Provenance, Self), ProofError> {
        let malformed = |problem: String| ProofError::malformed(Kind::ProvingKey.name(), problem);
        let split = Provenance::split(payload);
        let (provenance, payload) = split.ok_or_else(|| malformed("it does not say which SRS it was made with".into()))?;
        let mut cs = ConstraintSystem::default();
        EitherCircuit::configure_with_params(&mut cs, params);
        check_degree(&cs)?;
        let k = params.k();
        let key = on_threads(k, || Self::of_circuit(cs, k, payload))?;
        Ok((provenance, key.map_err(malformed)?))
    }

    /// The key for a circuit's gates; no circuit of ours has selectors of halo2's, which would stand behind the points.
    fn of_circuit(cs: ConstraintSystem<Fr>, k: u32, payload: &[u8]) -> Result<Self, String> {
        let (fixed, copied) = (cs.num_fixed_columns(), cs.permutation().get_columns().len());
        let n = 1usize << k;
        if n <= cs.blinding_factors() + 1 {
            return Err("the circuit has fewer rows than its blinding needs".into());
        }
        let header: Vec<u8> = [2u8].into_iter().chain(k.to_le_bytes()).chain([0]).chain((fixed as u32).to_le_bytes()).collect();
        let payload = payload.strip_prefix(&header[..]).ok_or("it was made for a circuit of another shape")?;
        let (points, mut rest) = payload.split_at_checked(POINT * (fixed + copied)).ok_or("it is too short")?;
        // halo2's own reader does not ask whether a point is on the curve.
        let points: Option<Vec<G1Affine>> = points.chunks_exact(POINT).map(G1Affine::from_raw_bytes).collect();
        let mut points = points.ok_or("a commitment is no point of the curve")?;
        let permutation = permutation::VerifyingKey::from_commitments(points.split_off(fixed));
        let mut columns = (0..fixed + copied).map(|_| Column::take(&mut rest, n)).collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow its end", rest.len()));
        }
        let domain = bare_domain(cs.degree() as u32, k);
        let vk = VerifyingKey::from_parts(domain, points, permutation, cs, Vec::new(), false);
        let permutation = columns.split_off(fixed);
        Ok(Self { vk, fixed: columns, permutation })
    }

    /// The coefficients of its columns, and of those that every circuit of its size has.
    pub(super) fn polynomials(&self, domain: &Domain) -> Polynomials {
        let n = 1usize << self.vk.get_domain().k();
        let usable = n - (self.vk.cs().blinding_factors() + 1);
        let coefficients = |columns: &[Column]| -> Vec<Vec<Fr>> {
            let some = |columns: &[Column]| {
                let values: Vec<_> = columns.iter().map(Column::values).collect();
                domain.coefficients(&values.iter().map(|values| &values[..]).collect::<Vec<_>>())
            };
            columns.par_chunks(TOGETHER).flat_map_iter(some).collect()
        };
        let rows = [0..1, usable..usable + 1, 0..usable].map(|rows| Column::ones(&rows, n));
        Polynomials { fixed: coefficients(&self.fixed), permutation: coefficients(&self.permutation), rows: coefficients(&rows) }
    }
}

/// What a key commits to, by its coefficients.
pub(super) struct Polynomials {
    pub fixed: Vec<Vec<Fr>>,
    pub permutation: Vec<Vec<Fr>>,
    /// 1 on the first row, on the one behind the usable ones, on the usable ones; 0 on all others.
    pub rows: Vec<Vec<Fr>>,
}
