//! Renders `InferenceVerifier.sol`: the verification of one circuit's proofs, section by section (`docs/verifier.md`).

use super::{
    VerifierError,
    labels::Labels,
    protocol::Circuit,
    sections::{ENTRY, PROOF_INTERFACE, describe, fill},
};
use crate::{
    circuit::statement::{self, MODEL_COMMITMENT, PublicValue},
    gates::Shape,
    proof::{Keys, ModelId, Srs},
    quant::Program,
};
use alloy::primitives::B256;
use halo2_proofs::{halo2curves::bn256::G1Affine, plonk::VerifyingKey};

/// The Solidity source of the verifier of `keys` (and of the commitment to private weights, which the keys do not hold): one self-contained file, contract `InferenceVerifier`, no constructor arguments.
///
/// # Errors
/// A program without a statement, an SRS smaller than the keys, or a protocol with a part that the contract has no section for.
pub fn render(
    program: &Program,
    keys: &Keys,
    srs: &Srs,
    model_id: ModelId,
    weights: Option<B256>,
) -> Result<String, VerifierError> {
    render_key(program, &keys.shape, keys.vk(), srs, model_id, weights)
}

/// The same from the verifying key alone.
pub(super) fn render_key(
    program: &Program,
    shape: &Shape,
    vk: &VerifyingKey<G1Affine>,
    srs: &Srs,
    model_id: ModelId,
    weights: Option<B256>,
) -> Result<String, VerifierError> {
    let layout = statement::layout(program)?;
    if layout.len() != shape.instances as usize {
        return Err(VerifierError::Render(format!(
            "statements have {} public values, the shape {}",
            layout.len(),
            shape.instances
        )));
    }
    let [constant, check] = weights_check(&layout, weights)?;
    let own = vec![
        ("{proof_interface}", PROOF_INTERFACE.into()),
        ("{entry}", ENTRY.into()),
        ("{more_interface}", String::new()),
        ("{interface}", "IProofVerifier".into()),
        ("{contract}", "InferenceVerifier".into()),
        ("{header}", HEADER.into()),
        ("{identity}", IDENTITY.into()),
        ("{kind}", "zkml-evm.verifier.v1".into()),
        ("{model_id}", model_id.to_string()),
        ("{layout}", describe(&layout)),
        ("{own_constants}", constant),
        ("{own_check}", check),
    ];
    let labels = Labels::of_shape(shape);
    fill(&Circuit { vk, srs, labels, public_inputs: layout.len(), accumulates: false, split: false }, own)
}

const HEADER: &str = "/// @title Verifier of one model's proofs of inference
/// @notice Model {model_id}
/// @notice SRS {srs}, digest {srs_digest}
/// @notice Rows 2^{k}, verifying key digest {digest}
/// @dev Public inputs:
{layout}";

const IDENTITY: &str = "    /// @notice The model this verifier was generated for.
    bytes32 public constant MODEL_ID = {model_id};
";

/// The commitment to private weights as a constant, and its comparison: without it a proof under other weights would be one of this model.
///
/// # Errors
/// A commitment to fixed weights, or none to private ones.
pub(super) fn weights_check(layout: &[PublicValue], weights: Option<B256>) -> Result<[String; 2], VerifierError> {
    match (layout.iter().position(|value| value.name == MODEL_COMMITMENT), weights) {
        (None, None) => Ok([String::new(), String::new()]),
        (Some(at), Some(commitment)) => Ok([
            format!(
                "    /// @dev The commitment to the model's private weights.\n    uint256 private constant WEIGHTS = {commitment};\n"
            ),
            format!("        if (publicInputs[{at}] != WEIGHTS) revert OtherWeights(WEIGHTS, publicInputs[{at}]);\n"),
        ]),
        _ => Err(VerifierError::Weights),
    }
}
