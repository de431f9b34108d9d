//! What snark-verifier makes of a verifying key: the protocol that its verifiers follow.

use super::{Keys, ProofError, Srs, keys::fit};
use halo2_proofs::{halo2curves::bn256::G1Affine, plonk::VerifyingKey};
use snark_verifier::{
    system::halo2::{Config, compile},
    verifier::plonk::PlonkProtocol,
};

/// The protocol of `keys` for statements of their shape.
///
/// # Errors
/// A smaller SRS than the circuit's.
pub fn protocol(keys: &Keys, srs: &Srs) -> Result<PlonkProtocol<G1Affine>, ProofError> {
    Ok(compiled(keys.vk(), fit(srs, keys.shape.k)?.as_ref(), keys.shape.instances as usize))
}

/// The protocol of a key for statements of `instances` public values; `srs` fits the key.
pub(crate) fn compiled(vk: &VerifyingKey<G1Affine>, srs: &Srs, instances: usize) -> PlonkProtocol<G1Affine> {
    compile(&srs.params, vk, Config::kzg().with_num_instance(vec![instances]))
}
