//! The model's identity on chain.
//!
//! halo2's own key digest hashes a debug string and omits s·g2, so the identity is ours:
//!
//! ```text
//! modelId = keccak256("zkml-evm.model.v1" | len(vk) vk | len(srsDigest) srsDigest | len(layout) layout | len(schemaId) schemaId)
//! ```
//!
//! and `| len(modelCommitment) modelCommitment` where weights are private; lengths are 8 bytes big-endian; `vk` is the key's compressed encoding preceded by the shape's canonical one, up to its
//! fields from `steps` on, which follow as a fifth part of their own where one of them is set, but for the stack, which is a part of its own where there is one; `layout` is the
//! JSON of the statement layout (`circuit::statement::layout`), keys in declaration order, no whitespace.

use super::{Keys, ProofError, Srs};
use crate::{
    circuit::statement::{self, PublicValue},
    quant::Program,
};
use alloy::primitives::{B256, keccak256};
use halo2_proofs::SerdeFormat;

/// keccak256 of everything that fixes what a proof of this model means.
pub type ModelId = B256;

/// The identity of `program`, whose weights are fixed, under `keys` and `srs`.
///
/// # Errors
/// As [`model_id_with`].
pub fn model_id(program: &Program, keys: &Keys, srs: &Srs) -> Result<ModelId, ProofError> {
    model_id_with(program, keys, srs, None)
}

/// The identity of `program` under `keys` and `srs`, with the commitment to its weights where they are private.
///
/// # Errors
/// A commitment to fixed weights, or none to private ones.
pub fn model_id_with(program: &Program, keys: &Keys, srs: &Srs, commitment: Option<B256>) -> Result<ModelId, ProofError> {
    model_id_stated(program, &statement::layout(program)?, keys, srs, commitment)
}

/// [`model_id_with`] where the statement's layout is known.
///
/// # Errors
/// As [`model_id_with`].
pub fn model_id_stated(
    program: &Program,
    layout: &[PublicValue],
    keys: &Keys,
    srs: &Srs,
    commitment: Option<B256>,
) -> Result<ModelId, ProofError> {
    if program.weights().is_some() != commitment.is_some() {
        let problem = "a commitment belongs to private weights, and to them only".into();
        return Err(ProofError::Halo2 { doing: "encoding the model id", problem });
    }
    let encoding = |e: &dyn std::fmt::Display| ProofError::Halo2 { doing: "encoding the model id", problem: e.to_string() };
    let shape = &keys.shape;
    let more = postcard::to_stdvec(&(shape.steps, shape.border, shape.maximum, shape.lanes, shape.span, shape.pooled))
        .map_err(|e| encoding(&e))?;
    let stack = postcard::to_stdvec(&shape.stack).map_err(|e| encoding(&e))?;
    let mut vk = postcard::to_stdvec(shape).map_err(|e| encoding(&e))?;
    vk.truncate(vk.len().saturating_sub(more.len() + stack.len()));
    vk.extend(keys.vk().to_bytes(SerdeFormat::Processed));
    let layout = serde_json::to_vec(layout).map_err(|e| encoding(&e))?;
    let mut bytes = b"zkml-evm.model.v1".to_vec();
    let more = (!shape.steps.is_empty() || shape.maximum || shape.lanes > 1 || shape.pooled).then_some(more);
    let stack = shape.is_stacked().then_some(stack);
    for part in [vk, srs.digest().to_vec(), layout, program.schema_id.to_vec()]
        .into_iter()
        .chain(more)
        .chain(stack)
        .chain(commitment.map(|c| c.to_vec()))
    {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    Ok(keccak256(bytes))
}
