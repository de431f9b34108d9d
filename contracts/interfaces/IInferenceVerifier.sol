// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Verifies that a registered model gave a result
/// @notice What dapps call. The call reverts or returns nothing: there is no boolean to forget.
/// @dev This checks that the proof holds for `publicInputs` under `modelId`, and nothing else. It does not know the caller's
/// policy, and anyone may have copied the proof from somebody's transaction. A contract that calls this directly must itself
///
/// - recompute every public input from what it trusts, and take none from its caller: the context from the call (see
///   {IZkmlConsumer-contextOf}), the input commitment from an attestation checked in the same call, thresholds from its own
///   policy;
/// - name the model itself, never let the caller choose `modelId`;
/// - range-check any revealed output that it reads;
/// - spend a nullifier built from the attestation, never from proof or signature bytes, since both have several valid forms,
///   and spend it before this call.
///
/// {ZkmlConsumer} does all of that: inherit it instead.
interface IInferenceVerifier {
    /// @notice Reverts unless `proof` shows the statement `publicInputs` for the model `modelId`.
    /// @param modelId Digest of verifying key, SRS, statement layout and feature schema.
    /// @param publicInputs The instances in the statement's order: context, inputCommitment (committed input),
    /// modelCommitment (private weights), then the public values as v mod r.
    /// @param proof The proof bytes as the prover wrote them.
    function verifyInference(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) external view;
}
