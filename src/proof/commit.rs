//! KZG with commitments by our own multi-scalar multiplication, which takes a small part of the time that halo2curves' takes.
//!
//! halo2's key generation asks a scheme for its commitments, so nothing of it is rewritten.

use super::{ProofError, Srs, msm::msm};
use halo2_proofs::{
    SerdeFormat,
    arithmetic::g_to_lagrange,
    halo2curves::{
        bn256::{Bn256, Fr, G1, G1Affine},
        group::prime::PrimeCurveAffine,
        serde::SerdeObject,
    },
    poly::{
        LagrangeCoeff, Polynomial,
        commitment::{Blind, Params, ParamsProver},
        kzg::{commitment::ParamsKZG, msm::MSMKZG},
    },
};
use std::{borrow::Cow, io};

/// An SRS, and its Lagrange basis once more: halo2 commits in it and hands it to nobody.
#[derive(Clone, Debug)]
pub(super) struct Committer<'a> {
    kzg: Cow<'a, ParamsKZG<Bn256>>,
    lagrange: Vec<G1Affine>,
}

impl<'a> Committer<'a> {
    pub(super) fn of(srs: &'a Srs) -> Result<Self, ProofError> {
        let failed = |e: io::Error| ProofError::Halo2 { doing: "reading the SRS", problem: e.to_string() };
        Ok(Self { kzg: Cow::Borrowed(&srs.params), lagrange: lagrange(&srs.params).map_err(failed)? })
    }

    /// Commits to a polynomial by its coefficients, of which it may have fewer than the SRS has points.
    pub(super) fn commit_coefficients(&self, coefficients: &[Fr]) -> G1 {
        msm(coefficients, self.kzg.get_g())
    }

    /// Commits to a polynomial by its values at the roots of unity.
    pub(super) fn commit_values(&self, values: &[Fr]) -> G1 {
        msm(values, &self.lagrange)
    }
}

/// Bytes of a point as halo2 writes it for itself.
const POINT: usize = 64;

/// The Lagrange basis out of what halo2 would write to a file: k, the powers, the basis, two points of G2.
fn lagrange(kzg: &ParamsKZG<Bn256>) -> io::Result<Vec<G1Affine>> {
    let length = POINT << kzg.k();
    let mut basis = Window { before: 4 + length, inside: length, bytes: Vec::with_capacity(length) };
    kzg.write_custom(&mut basis, SerdeFormat::RawBytesUnchecked)?;
    Ok(basis.bytes.chunks_exact(POINT).map(G1Affine::from_raw_bytes_unchecked).collect())
}

/// The same computed anew, which takes much longer.
fn lagrange_of_powers(kzg: &ParamsKZG<Bn256>) -> Vec<G1Affine> {
    g_to_lagrange(kzg.get_g().iter().map(|g| g.to_curve()).collect(), kzg.k())
}

/// Keeps the bytes between `before` and `before + inside` of what is written to it.
struct Window {
    before: usize,
    inside: usize,
    bytes: Vec<u8>,
}

impl io::Write for Window {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = self.before.min(bytes.len());
        self.before -= skipped;
        let kept = (bytes.len() - skipped).min(self.inside);
        self.inside -= kept;
        self.bytes.extend_from_slice(&bytes[skipped..skipped + kept]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'params> Params<'params, G1Affine> for Committer<'_> {
    type MSM = MSMKZG<Bn256>;

    fn k(&self) -> u32 {
        self.kzg.k()
    }

    fn n(&self) -> u64 {
        self.kzg.n()
    }

    fn downsize(&mut self, k: u32) {
        self.kzg.to_mut().downsize(k);
        self.lagrange = lagrange_of_powers(&self.kzg);
    }

    fn empty_msm(&'params self) -> Self::MSM {
        self.kzg.empty_msm()
    }

    fn commit_lagrange(&self, values: &Polynomial<Fr, LagrangeCoeff>, _: Blind<Fr>) -> G1 {
        self.commit_values(values)
    }

    fn write<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.kzg.write(writer)
    }

    fn read<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let kzg = ParamsKZG::read(reader)?;
        let lagrange = lagrange(&kzg)?;
        Ok(Self { kzg: Cow::Owned(kzg), lagrange })
    }
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
