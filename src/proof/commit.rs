//! KZG with commitments by our own multi-scalar multiplication, which takes a small part of the time that halo2curves' takes.
//!
//! halo2's prover and key generation ask a scheme for their commitments, so nothing of them is rewritten. The opening that ends a proof
//! makes two more; it is [`opening`]'s.

use super::{
    ProofError, Srs,
    msm::msm,
    opening::{self, Session},
};
use halo2_proofs::{
    SerdeFormat,
    arithmetic::g_to_lagrange,
    halo2curves::{
        bn256::{Bn256, Fr, G1, G1Affine},
        group::prime::PrimeCurveAffine,
        serde::SerdeObject,
    },
    poly::{
        Coeff, LagrangeCoeff, Polynomial, ProverQuery,
        commitment::{Blind, CommitmentScheme, Params, ParamsProver, Prover},
        kzg::{commitment::ParamsKZG, msm::MSMKZG},
    },
    transcript::{EncodedChallenge, TranscriptWrite},
};
use rand::RngCore;
use std::{borrow::Cow, io, marker::PhantomData};

/// The scheme of [`Committer`]; its commitments and openings are those of halo2's `KZGCommitmentScheme`.
#[derive(Debug)]
pub(super) struct Scheme<'a>(PhantomData<&'a ()>);

/// An SRS, and its Lagrange basis once more: halo2 commits in it and hands it to nobody.
#[derive(Clone, Debug)]
pub(super) struct Committer<'a> {
    kzg: Cow<'a, ParamsKZG<Bn256>>,
    lagrange: Vec<G1Affine>,
    /// The proof that is being made, if one is.
    session: Option<&'a Session<'a>>,
}

/// Opens what its committer has committed to.
#[derive(Debug)]
pub(super) struct Opener<'a>(&'a Committer<'a>);

impl<'a> Committer<'a> {
    pub(super) fn of(srs: &'a Srs) -> Result<Self, ProofError> {
        let failed = |e: io::Error| ProofError::Halo2 { doing: "reading the SRS", problem: e.to_string() };
        Ok(Self { kzg: Cow::Borrowed(&srs.params), lagrange: lagrange(&srs.params).map_err(failed)?, session: None })
    }

    /// The same for one proof, whose opening needs what was committed to.
    pub(super) fn proving(srs: &'a Srs, session: &'a Session<'a>) -> Result<Self, ProofError> {
        Ok(Self { session: Some(session), ..Self::of(srs)? })
    }

    /// Commits to a polynomial by its coefficients, of which it may have fewer than the SRS has points.
    pub(super) fn commit_coefficients(&self, coefficients: &[Fr]) -> G1 {
        msm(coefficients, self.kzg.get_g())
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

impl<'a> CommitmentScheme for Scheme<'a> {
    type Scalar = Fr;
    type Curve = G1Affine;
    type ParamsProver = Committer<'a>;
    type ParamsVerifier = ParamsKZG<Bn256>;

    fn new_params(k: u32) -> Committer<'a> {
        ParamsProver::new(k)
    }

    fn read_params<R: io::Read>(reader: &mut R) -> io::Result<Committer<'a>> {
        Params::read(reader)
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
        let commitment = msm(values, &self.lagrange);
        if let Some(session) = self.session {
            session.keep_column(commitment, values);
        }
        commitment
    }

    fn write<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.kzg.write(writer)
    }

    fn read<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let kzg = ParamsKZG::read(reader)?;
        let lagrange = lagrange(&kzg)?;
        Ok(Self { kzg: Cow::Owned(kzg), lagrange, session: None })
    }
}

impl<'params> ParamsProver<'params, G1Affine> for Committer<'_> {
    type ParamsVerifier = ParamsKZG<Bn256>;

    fn new(k: u32) -> Self {
        let kzg = ParamsKZG::new(k);
        let lagrange = lagrange_of_powers(&kzg);
        Self { kzg: Cow::Owned(kzg), lagrange, session: None }
    }

    fn commit(&self, coefficients: &Polynomial<Fr, Coeff>, _: Blind<Fr>) -> G1 {
        if let Some(session) = self.session {
            session.keep_piece(coefficients);
        }
        self.commit_coefficients(coefficients)
    }

    fn get_g(&self) -> &[G1Affine] {
        self.kzg.get_g()
    }

    fn verifier_params(&'params self) -> &'params Self::ParamsVerifier {
        &self.kzg
    }
}

impl<'params, 'a> Prover<'params, Scheme<'a>> for Opener<'params> {
    const QUERY_INSTANCE: bool = false;

    fn new(params: &'params Committer<'a>) -> Self {
        Self(params)
    }

    fn create_proof<'com, E, T, R, I>(&self, _: R, transcript: &mut T, _: I) -> io::Result<()>
    where
        E: EncodedChallenge<G1Affine>,
        T: TranscriptWrite<G1Affine, E>,
        I: IntoIterator<Item = ProverQuery<'com, G1Affine>> + Clone,
        R: RngCore,
    {
        let session = self.0.session.ok_or_else(|| io::Error::other("a proof is opened that was not begun"))?;
        opening::open(self.0, session, transcript)
    }
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
