//! snark-verifier's own verifier on values, with its own opening.

use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1Affine};
use snark_verifier::{
    Error,
    loader::native::{LOADER, NativeLoader},
    pcs::kzg::{Bdfg21, KzgAs, KzgSuccinctVerifyingKey},
    util::transcript::{Transcript, TranscriptRead},
    verifier::{
        SnarkVerifier,
        plonk::{PlonkProtocol, PlonkSuccinctVerifier},
    },
};
use zkml_evm::proof::{
    sponge::{Sponge, coordinates},
    transcript::{decode_point, decode_scalar},
};

/// A proof that is left to read, and what was read of it.
struct Reader<'a> {
    bytes: &'a [u8],
    sponge: Sponge,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.bytes.split_first_chunk().unwrap();
        self.bytes = rest;
        *taken
    }
}

impl Transcript<G1Affine, NativeLoader> for Reader<'_> {
    fn loader(&self) -> &NativeLoader {
        &LOADER
    }

    fn squeeze_challenge(&mut self) -> Fr {
        self.sponge.squeeze()
    }

    fn common_ec_point(&mut self, point: &G1Affine) -> Result<(), Error> {
        coordinates(point).unwrap().into_iter().for_each(|coordinate| self.sponge.absorb(coordinate));
        Ok(())
    }

    fn common_scalar(&mut self, scalar: &Fr) -> Result<(), Error> {
        self.sponge.absorb(*scalar);
        Ok(())
    }
}

impl TranscriptRead<G1Affine, NativeLoader> for Reader<'_> {
    fn read_scalar(&mut self) -> Result<Fr, Error> {
        let scalar = decode_scalar(&self.take()).unwrap();
        self.common_scalar(&scalar).map(|()| scalar)
    }

    fn read_ec_point(&mut self) -> Result<G1Affine, Error> {
        let point = decode_point(&self.take()).unwrap();
        self.common_ec_point(&point).map(|()| point)
    }
}

/// The two sides of the pairing that a proof for aggregation comes down to.
pub fn sides(protocol: &PlonkProtocol<G1Affine>, instances: &[Fr], proof: &[u8]) -> [G1Affine; 2] {
    type Succinct = PlonkSuccinctVerifier<KzgAs<Bn256, Bdfg21>>;
    let key = KzgSuccinctVerifyingKey::new(G1Affine::generator());
    let instances = [instances.to_vec()];
    let mut reader = Reader { bytes: proof, sponge: Sponge::default() };
    let read = Succinct::read_proof(&key, protocol, &instances, &mut reader).unwrap();
    assert!(reader.bytes.is_empty());
    let accumulators = Succinct::verify(&key, protocol, &instances, &read).unwrap();
    assert_eq!(accumulators.len(), 1);
    [accumulators[0].lhs, accumulators[0].rhs]
}
