// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInferenceRouter} from "./interfaces/IInferenceRouter.sol";
import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {AggregateRegistry} from "./router/AggregateRegistry.sol";
import {ModelRegistry} from "./router/ModelRegistry.sol";

/// @title InferenceRouter
/// @dev All prose is in {IInferenceRouter}.
contract InferenceRouter is AggregateRegistry {
    constructor(address initialOwner, address initialGuardian, uint32 activationDelay_)
        ModelRegistry(initialOwner, initialGuardian, activationDelay_)
    {}

    /// @inheritdoc IInferenceRouter
    function registerModel(bytes32 modelId, Registration calldata registration)
        external
        onlyOwner
        returns (uint32 version)
    {
        Statement memory statement = registration.statement;
        if (statement.outputs == 0) revert InvalidStatement(statement.output, statement.outputs);
        (bytes32 familyId, address verifier, bytes32 codehash) =
            (registration.familyId, registration.verifier, registration.codehash);
        uint40 activatesAt;
        (version, activatesAt) = _register(modelId, familyId, verifier, codehash, PRODUCTION_KIND);
        _cards[modelId].statement = statement;
        emit ModelRegistered(modelId, familyId, verifier, version, codehash, activatesAt, statement);
    }

    /// @inheritdoc IInferenceRouter
    function proveContradiction(
        bytes32 modelId,
        uint256[] calldata firstInputs,
        bytes calldata firstProof,
        uint256[] calldata secondInputs,
        bytes calldata secondProof
    ) external {
        _requireContradiction(modelId, firstInputs, secondInputs);
        // Verifiers are called without the right to write, so that nothing changes in between.
        _verify(modelId, firstInputs, firstProof);
        _verify(modelId, secondInputs, secondProof);
        emit ContradictionProven(modelId, msg.sender, firstInputs, secondInputs);
        _freeze(modelId);
    }

    /// @inheritdoc IInferenceVerifier
    function verifyInference(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) external view {
        Gate storage gate = _gates[modelId];
        if (gate.aggregate) revert NotAModel(modelId);
        _requireVerifying(modelId, gate);
        _verify(modelId, publicInputs, proof);
    }

    /// The model's output is a function of the question, the question is the same, and the answers differ.
    function _requireContradiction(bytes32 modelId, uint256[] calldata first, uint256[] calldata second) private view {
        _requireModel(modelId);
        Statement memory form = _cards[modelId].statement;
        bool answers = form.output == OutputMode.Reveal || form.output == OutputMode.Argmax;
        if (!answers || form.input == InputMode.Private) {
            revert StatementNotDeterministic(modelId, form.input, form.output);
        }
        // Context, at least one word of question, the outputs.
        if (first.length != second.length || first.length < 2 + uint256(form.outputs)) {
            revert InputsNotComparable(first.length, second.length);
        }
        uint256 outputsFrom = first.length - form.outputs;
        for (uint256 i = 1; i < outputsFrom; ++i) {
            if (first[i] != second[i]) revert DifferentQuestion(i, first[i], second[i]);
        }
        for (uint256 i = outputsFrom; i < first.length; ++i) {
            if (first[i] != second[i]) return;
        }
        revert SameAnswer(modelId);
    }
}
