//! The structured reference string.

use super::{
    ProofError,
    artifact::{self, Kind},
    development, srs_check,
};
use alloy::primitives::{B256, keccak256};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine, G2Affine},
        ff::{Field, PrimeField},
        group::Curve,
        serde::SerdeObject,
    },
    poly::{commitment::Params, kzg::commitment::ParamsKZG},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where an SRS comes from; it follows every artifact made with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Generated here from a public seed: anybody can forge proofs. For local chains only.
    InsecureDev,
    /// A public ceremony: its name, its file's power and hash.
    Ceremony(String),
}

impl Provenance {
    /// Reads what `Display` writes. A ceremony's name is short and plain: it goes into the contract's source.
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("ceremony ") {
            None => (text == "insecure-dev").then_some(Self::InsecureDev),
            Some(name) => Self::ceremony(name),
        }
    }

    /// As the payload of a file begins: the label's length in four bytes, and the label.
    pub(super) fn head(&self) -> Vec<u8> {
        let label = self.to_string().into_bytes();
        // A label has at most 201 bytes.
        [&(label.len() as u32).to_be_bytes()[..], &label].concat()
    }

    /// Takes [`Provenance::head`] off a payload.
    pub(super) fn split(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = payload.split_first_chunk::<4>()?;
        let (label, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        Some((Self::parse(std::str::from_utf8(label).ok()?)?, rest))
    }

    /// A ceremony's label: name, power and hash.
    pub(super) fn ceremony(label: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        // Sixty for the name, two for the power, 128 hexadecimal digits, two dots.
        let name = label.split('.').next().unwrap_or_default();
        (!name.is_empty() && label.len() <= 192 && label.bytes().all(plain)).then(|| Self::Ceremony(label.into()))
    }

    /// Whether proofs made with it mean nothing.
    pub fn is_insecure(&self) -> bool {
        *self == Self::InsecureDev
    }
}

impl std::fmt::Display for Provenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InsecureDev => write!(f, "insecure-dev"),
            Self::Ceremony(hash) => write!(f, "ceremony {hash}"),
        }
    }
}

/// Powers of tau with their origin.
#[derive(Clone, Debug)]
pub struct Srs {
    /// The points.
    pub params: ParamsKZG<Bn256>,
    /// Their origin.
    pub provenance: Provenance,
}

impl Srs {
    /// The development SRS with `2^k` points: the same on every machine, since its secret is drawn from a fixed public seed.
    pub fn development(k: u32) -> Self {
        let seed = *keccak256("zkml-evm insecure development SRS");
        let secret = Fr::random(ChaCha20Rng::from_seed(seed));
        let (powers, lagrange) = development::points(k, secret);
        let [g2, s_g2] = [G2Affine::generator(), (G2Affine::generator() * secret).to_affine()];
        // halo2 makes parameters of given points from other parameters only; of these it takes nothing.
        let any = ParamsKZG::<Bn256>::setup(1, ChaCha20Rng::from_seed(seed));
        Self { params: any.from_parts(k, powers, Some(lagrange), g2, s_g2), provenance: Provenance::InsecureDev }
    }

    /// log2 of the number of points.
    pub fn k(&self) -> u32 {
        self.params.k()
    }

    /// keccak256 of g2 and s·g2: the part that a verifier depends on, whatever the size.
    pub fn digest(&self) -> B256 {
        let mut bytes = Vec::new();
        for point in [self.params.g2(), self.params.s_g2()] {
            bytes.extend_from_slice(&g2_bytes(&point));
        }
        keccak256(bytes)
    }

    /// Whether a verifier's code on chain has this SRS's s·g2 among its constants: all that it holds of a ceremony.
    pub fn is_in(&self, code: &[u8]) -> bool {
        let G2Affine { x, y } = self.params.s_g2();
        [x.c0, x.c1, y.c0, y.c1].iter().all(|coordinate| {
            let mut word = coordinate.to_repr().as_ref().to_vec();
            word.reverse();
            // A constant is pushed without its leading zeros.
            let digits = &word[word.iter().take_while(|byte| **byte == 0).count()..];
            code.windows(digits.len().max(1)).any(|part| part == digits)
        })
    }

    /// Checks that all points are consecutive powers of one secret, and the Lagrange basis theirs (`srs_check`). A prover may leave it
    /// out: its own check of each proof fails where it matters.
    ///
    /// # Errors
    /// [`ProofError::SrsInconsistent`].
    pub fn check(&self) -> Result<(), ProofError> {
        srs_check::full(&self.params).map_err(inconsistent)
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> Result<(), ProofError> {
        let mut payload = self.provenance.head();
        self.params.write_custom(&mut payload, SerdeFormat::RawBytes).map_err(|source| ProofError::Io {
            doing: "write",
            path: path.into(),
            source,
        })?;
        artifact::write(Kind::Srs, path, &payload)
    }

    /// Reads and checks a file, as [`Srs::parse`] does.
    pub fn load(path: &Path) -> Result<Self, ProofError> {
        Self::parse(&artifact::read(Kind::Srs, path)?).map_err(|e| e.at(path))
    }

    /// Reads and checks a file's payload: the stated number of points, every one on its curve, those that verification uses
    /// consistent, and no development SRS under a ceremony's name. [`Srs::check`] does the rest.
    ///
    /// # Errors
    /// [`ProofError::Artifact`], [`ProofError::SrsInconsistent`], [`ProofError::SrsRelabelled`].
    pub fn parse(payload: &[u8]) -> Result<Self, ProofError> {
        let malformed = |problem: &str| ProofError::malformed(Kind::Srs.name(), problem);
        let split = Provenance::split(payload);
        let (provenance, points) = split.ok_or_else(|| malformed("the provenance is not one of insecure-dev, ceremony"))?;
        let k = points.first_chunk::<4>().map(|k| u32::from_le_bytes(*k)).filter(|k| (1..=28).contains(k));
        let k = k.ok_or_else(|| malformed("its size is not 2^1 to 2^28 points"))?;
        // k, 2^k points in both bases, two points of G2.
        let expected = 4u64 + (1u64 << k) * 128 + 256;
        if points.len() as u64 != expected {
            return Err(malformed(&format!("2^{k} points take {expected} bytes, got {}", points.len())));
        }
        // halo2's own reader asks whether coordinates are canonical, not whether points are on their curve.
        let (of_g1, of_g2) = points[4..].split_at(128 << k);
        let on_curve = |point: &[u8]| G1Affine::from_raw_bytes(point).is_some();
        if !of_g1.chunks_exact(64).all(on_curve)
            || !of_g2.chunks_exact(128).all(|point| G2Affine::from_raw_bytes(point).is_some())
        {
            return Err(malformed("a point is not on its curve"));
        }
        let params =
            ParamsKZG::read_custom(&mut &points[..], SerdeFormat::RawBytesUnchecked).map_err(|e| malformed(&e.to_string()))?;
        srs_check::quick(&params).map_err(inconsistent)?;
        let srs = Self { params, provenance };
        srs.refuse_relabelled().map(|()| srs)
    }

    /// The development secret does not depend on the size, so neither does the digest.
    pub(super) fn refuse_relabelled(&self) -> Result<(), ProofError> {
        match !self.provenance.is_insecure() && self.digest() == Self::development(1).digest() {
            true => Err(ProofError::SrsRelabelled { path: Default::default(), label: self.provenance.to_string() }),
            false => Ok(()),
        }
    }
}

fn inconsistent(problem: &'static str) -> ProofError {
    ProofError::SrsInconsistent { path: Default::default(), problem }
}

/// The four coordinates of a point of G2, 32 bytes each, in the order and endianness of halo2curves' uncompressed form.
fn g2_bytes(point: &G2Affine) -> Vec<u8> {
    point.to_raw_bytes()
}

#[cfg(test)]
#[path = "srs_tests.rs"]
mod tests;
