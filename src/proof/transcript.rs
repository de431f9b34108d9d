//! The transcript of proofs: one encoding, two hashes.
//!
//! A point is its two coordinates and a scalar is itself, 32 bytes each, big-endian, canonical. For a chain the hash is Keccak-256, as
//! snark-verifier's `EvmTranscript` has it and the Solidity verifier repeats it; for aggregation it is a Poseidon sponge
//! (`gates/transcript_sponge.rs`), which an outer circuit repeats. The choice is a value and no type: one prover serves both.

use crate::gates::transcript_sponge::{Sponge, coordinates};
use alloy::primitives::keccak256;
use halo2_proofs::{
    halo2curves::{
        CurveAffine,
        bn256::{Fq, Fr, G1Affine},
        ff::{FromUniformBytes, PrimeField},
    },
    transcript::{self, EncodedChallenge},
};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// Who verifies a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A contract: the transcript is Keccak-256.
    #[default]
    Chain,
    /// An outer circuit: the transcript is a Poseidon sponge.
    Aggregation,
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Aggregation => "aggregation",
        })
    }
}

/// A transcript that is read from or written to `S`.
#[derive(Debug)]
pub struct Transcript<S> {
    hash: Hash,
    stream: S,
}

/// What challenges are made of.
#[derive(Debug)]
enum Hash {
    /// The last hash, if there was one, and what came since.
    Keccak(Vec<u8>),
    Poseidon(Sponge),
}

/// A challenge, uniform up to the bias of a reduction modulo r.
#[derive(Clone, Copy, Debug)]
pub struct Challenge(Fr);

impl EncodedChallenge<G1Affine> for Challenge {
    type Input = Fr;

    fn new(input: &Fr) -> Self {
        Self(*input)
    }

    fn get_scalar(&self) -> Fr {
        self.0
    }
}

impl<S> Transcript<S> {
    /// A transcript with nothing in it.
    pub fn new(purpose: Purpose, stream: S) -> Self {
        let hash = match purpose {
            Purpose::Chain => Hash::Keccak(Vec::new()),
            Purpose::Aggregation => Hash::Poseidon(Sponge::default()),
        };
        Self { hash, stream }
    }

    /// What was written, or what is left to read.
    pub fn into_stream(self) -> S {
        self.stream
    }
}

impl<S> transcript::Transcript<G1Affine, Challenge> for Transcript<S> {
    fn squeeze_challenge(&mut self) -> Challenge {
        match &mut self.hash {
            Hash::Keccak(bytes) => {
                if bytes.len() == 32 {
                    bytes.push(1);
                }
                *bytes = keccak256(&*bytes).to_vec();
                let mut wide = [0; 64];
                wide.iter_mut().zip(bytes.iter().rev()).for_each(|(wide, byte)| *wide = *byte);
                Challenge(Fr::from_uniform_bytes(&wide))
            }
            Hash::Poseidon(sponge) => Challenge(sponge.squeeze()),
        }
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        let reduced = coordinates(&point).ok_or_else(|| io::Error::other("the point at infinity has no coordinates"))?;
        match &mut self.hash {
            Hash::Keccak(bytes) => bytes.extend(encode_point(&point)),
            Hash::Poseidon(sponge) => reduced.into_iter().for_each(|coordinate| sponge.absorb(coordinate)),
        }
        Ok(())
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        match &mut self.hash {
            Hash::Keccak(bytes) => bytes.extend(big_endian(scalar.to_repr())),
            Hash::Poseidon(sponge) => sponge.absorb(scalar),
        }
        Ok(())
    }
}

impl<R: Read> transcript::TranscriptRead<G1Affine, Challenge> for Transcript<R> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let mut bytes = [0; 64];
        self.stream.read_exact(&mut bytes)?;
        let point = decode_point(&bytes).ok_or_else(|| io::Error::other("a point is not canonical or not on the curve"))?;
        transcript::Transcript::common_point(self, point)?;
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        let mut bytes = [0; 32];
        self.stream.read_exact(&mut bytes)?;
        let scalar = decode_scalar(&bytes).ok_or_else(|| io::Error::other("a scalar is not below the field's order"))?;
        transcript::Transcript::common_scalar(self, scalar)?;
        Ok(scalar)
    }
}

impl<W: Write> transcript::TranscriptWrite<G1Affine, Challenge> for Transcript<W> {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        transcript::Transcript::common_point(self, point)?;
        self.stream.write_all(&encode_point(&point))
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        transcript::Transcript::common_scalar(self, scalar)?;
        self.stream.write_all(&big_endian(scalar.to_repr()))
    }
}

/// A scalar of a proof; none where the number is r or above.
pub fn decode_scalar(bytes: &[u8; 32]) -> Option<Fr> {
    Fr::from_repr_vartime(big_endian(*bytes))
}

/// A point of a proof; none where a coordinate is q or above, or the point is not on the curve. Infinity has no encoding.
pub fn decode_point(bytes: &[u8; 64]) -> Option<G1Affine> {
    let coordinate = |from: usize| Fq::from_repr_vartime(std::array::from_fn(|i| bytes[from + 31 - i]));
    let (x, y) = (coordinate(0)?, coordinate(32)?);
    // halo2curves takes (0, 0) for the point at infinity.
    if x == Fq::default() && y == Fq::default() { None } else { G1Affine::from_xy(x, y).into() }
}

/// The EVM encoding: x and y, 32 bytes big-endian each.
pub fn encode_point(point: &G1Affine) -> [u8; 64] {
    let (x, y) = (big_endian(point.x.to_repr()), big_endian(point.y.to_repr()));
    std::array::from_fn(|i| if i < 32 { x[i] } else { y[i - 32] })
}

fn big_endian(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::{
        arithmetic::Field,
        halo2curves::group::{Curve, Group, prime::PrimeCurveAffine},
        transcript::{Transcript as _, TranscriptRead, TranscriptWrite, TranscriptWriterBuffer},
    };
    use rand::rngs::OsRng;
    use snark_verifier::{
        loader::native::NativeLoader,
        system::halo2::transcript::evm::{ChallengeEvm, EvmTranscript},
    };

    type Evm = EvmTranscript<G1Affine, NativeLoader, Vec<u8>, Vec<u8>>;

    fn points(count: usize) -> Vec<G1Affine> {
        (0..count).map(|_| halo2_proofs::halo2curves::bn256::G1::random(OsRng).to_affine()).collect()
    }

    #[test]
    fn for_a_chain_it_is_snark_verifiers() {
        let mut expected: Evm = TranscriptWriterBuffer::<_, G1Affine, ChallengeEvm<_>>::init(Vec::new());
        let mut got = Transcript::new(Purpose::Chain, Vec::new());
        let same = |expected: &mut Evm, got: &mut Transcript<Vec<u8>>| {
            let theirs: ChallengeEvm<G1Affine> = halo2_proofs::transcript::Transcript::squeeze_challenge(expected);
            assert_eq!(got.squeeze_challenge().get_scalar(), theirs.get_scalar());
        };
        same(&mut expected, &mut got);
        for (i, point) in points(5).into_iter().enumerate() {
            let scalar = Fr::random(OsRng);
            TranscriptWrite::<_, ChallengeEvm<_>>::write_point(&mut expected, point).unwrap();
            TranscriptWrite::<_, ChallengeEvm<_>>::write_scalar(&mut expected, scalar).unwrap();
            got.write_point(point).unwrap();
            got.write_scalar(scalar).unwrap();
            for _ in 0..i {
                same(&mut expected, &mut got);
            }
        }
        // A lone scalar behind a challenge, and one at the start: 32 bytes of hash, 32 of hash and 32 of scalar.
        got.common_scalar(Fr::from(7)).unwrap();
        halo2_proofs::transcript::Transcript::<_, ChallengeEvm<_>>::common_scalar(&mut expected, Fr::from(7)).unwrap();
        same(&mut expected, &mut got);
        assert_eq!(got.into_stream(), TranscriptWriterBuffer::<_, _, ChallengeEvm<_>>::finalize(expected));
        let mut first: Evm = TranscriptWriterBuffer::<_, G1Affine, ChallengeEvm<_>>::init(Vec::new());
        let mut ours = Transcript::new(Purpose::Chain, Vec::new());
        halo2_proofs::transcript::Transcript::<_, ChallengeEvm<_>>::common_scalar(&mut first, Fr::from(7)).unwrap();
        ours.common_scalar(Fr::from(7)).unwrap();
        same(&mut first, &mut ours);
    }

    #[test]
    fn a_reader_draws_the_writers_challenges() {
        for purpose in [Purpose::Chain, Purpose::Aggregation] {
            let mut writer = Transcript::new(purpose, Vec::new());
            let (points, scalar) = (points(3), Fr::random(OsRng));
            points.iter().for_each(|p| writer.write_point(*p).unwrap());
            writer.write_scalar(scalar).unwrap();
            let challenge = writer.squeeze_challenge().get_scalar();
            let bytes = writer.into_stream();
            let mut reader = Transcript::new(purpose, &bytes[..]);
            points.iter().for_each(|p| assert_eq!(reader.read_point().unwrap(), *p));
            assert_eq!(reader.read_scalar().unwrap(), scalar);
            assert_eq!(reader.squeeze_challenge().get_scalar(), challenge);
            assert!(reader.into_stream().is_empty());
        }
    }

    #[test]
    fn only_canonical_encodings_are_read() {
        let modulus = |bytes: [u8; 32]| -> [u8; 32] {
            let mut sum = bytes;
            *sum.last_mut().unwrap() += 1;
            sum
        };
        assert_eq!(decode_scalar(&big_endian((-Fr::ONE).to_repr())), Some(-Fr::ONE));
        assert_eq!(decode_scalar(&modulus(big_endian((-Fr::ONE).to_repr()))), None);
        let generator = encode_point(&G1Affine::generator());
        assert_eq!(decode_point(&generator), Some(G1Affine::generator()));
        let mut above = generator;
        above[..32].copy_from_slice(&modulus(modulus(big_endian((-Fq::ONE).to_repr()))));
        assert_eq!(decode_point(&above), None, "q + 1");
        let mut off = generator;
        off[63] = 3;
        assert_eq!(decode_point(&off), None);
        assert_eq!(decode_point(&[0; 64]), None);
        for purpose in [Purpose::Chain, Purpose::Aggregation] {
            assert!(Transcript::new(purpose, Vec::new()).write_point(G1Affine::identity()).is_err());
            assert!(Transcript::new(purpose, &[0; 64][..]).read_point().is_err());
            assert!(Transcript::new(purpose, &[0; 63][..]).read_point().is_err());
        }
    }
}
