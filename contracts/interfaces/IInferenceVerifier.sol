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

    /// @notice Reverts unless `proof` shows, for every slot of the aggregate that the caller relies on, the statement of that
    /// slot for the caller's model.
    /// @dev What {verifyInference} asks of its callers holds for each slot by itself: recompute its statement, name its model,
    /// spend what it is about. Nothing says that slots differ: the same proof may stand in two of them. `aggregateId` may
    /// come from anybody, since the router's owner approved what it stands for, and every model in it is asked for here.
    /// @param aggregateId Which aggregate the proof is of.
    /// @param modelIds For each slot the model that the caller relies on, or 0 where it does not rely on the slot: what stands
    /// there, and whether its model is still approved, then plays no part. A slot that is relied on has a context other than 0.
    /// @param sizes How many of `publicInputs` the caller takes for the statement of each slot. Another number than the slot's is
    /// refused: a statement would stand in the slot of another model, whose proof shows something else.
    /// @param publicInputs The statements of all slots behind each other, those that nobody relies on too.
    /// @param proof The proof bytes as the aggregator wrote them.
    function verifyAggregate(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs,
        bytes calldata proof
    ) external view;
}
