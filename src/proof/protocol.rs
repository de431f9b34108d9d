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

/// Polynomials that are opened at the same points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSet {
    /// The rotations.
    pub rotations: Vec<i32>,
    /// The polynomials; the i-th has the factor `μ^i`.
    pub polys: Vec<usize>,
}

/// The sets of SHPLONK (Boneh, Drake, Fisch, Gabizon 2020, section 4) for queries, each a polynomial and a rotation, in the order of their
/// first queries; the s-th has the factor `ν^s`. halo2 and snark-verifier group the same way.
pub fn rotation_sets(queries: impl Iterator<Item = (usize, i32)>) -> Vec<RotationSet> {
    let mut polys: Vec<(usize, Vec<i32>)> = Vec::new();
    for (poly, rotation) in queries {
        match polys.iter_mut().find(|(p, _)| *p == poly) {
            Some((_, rotations)) if rotations.contains(&rotation) => {}
            Some((_, rotations)) => rotations.push(rotation),
            None => polys.push((poly, vec![rotation])),
        }
    }
    let mut sets: Vec<RotationSet> = Vec::new();
    for (poly, rotations) in polys {
        let same =
            |set: &RotationSet| set.rotations.len() == rotations.len() && rotations.iter().all(|r| set.rotations.contains(r));
        match sets.iter_mut().find(|set| same(set)) {
            Some(set) => set.polys.push(poly),
            None => sets.push(RotationSet { rotations, polys: vec![poly] }),
        }
    }
    sets
}
