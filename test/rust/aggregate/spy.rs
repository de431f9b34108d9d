//! The challenges that halo2's own verifier draws.

use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    plonk::verify_proof,
    poly::{
        commitment::ParamsProver,
        kzg::{commitment::KZGCommitmentScheme, multiopen::VerifierSHPLONK, strategy::AccumulatorStrategy},
    },
    transcript::{EncodedChallenge, TranscriptRead},
};
use std::io;
use zkml_evm::proof::{
    Keys, Purpose, Srs,
    transcript::{Challenge, Transcript},
};

/// A transcript that notes what is drawn from it.
struct Spy<'a> {
    inner: Transcript<&'a [u8]>,
    drawn: Vec<Fr>,
}

impl halo2_proofs::transcript::Transcript<G1Affine, Challenge> for Spy<'_> {
    fn squeeze_challenge(&mut self) -> Challenge {
        let challenge = self.inner.squeeze_challenge();
        self.drawn.push(challenge.get_scalar());
        challenge
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.inner.common_point(point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.inner.common_scalar(scalar)
    }
}

impl TranscriptRead<G1Affine, Challenge> for Spy<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        self.inner.read_point()
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        self.inner.read_scalar()
    }
}

/// The challenges of a proof for aggregation, in the order of the transcript; the SRS fits the keys.
pub fn challenges(keys: &Keys, srs: &Srs, instances: &[Fr], proof: &[u8]) -> Vec<Fr> {
    let mut spy = Spy { inner: Transcript::new(Purpose::Aggregation, proof), drawn: Vec::new() };
    let params = srs.params.verifier_params();
    verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        keys.vk(),
        AccumulatorStrategy::new(params),
        &[&[instances]],
        &mut spy,
    )
    .unwrap();
    spy.drawn
}
