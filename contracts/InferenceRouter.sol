// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {PermanentlyOwned} from "./access/PermanentlyOwned.sol";
import {IInferenceRouter} from "./interfaces/IInferenceRouter.sol";
import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {IProofVerifier} from "./interfaces/IProofVerifier.sol";

/// @title InferenceRouter
/// @dev All prose is in {IInferenceRouter}.
contract InferenceRouter is IInferenceRouter, PermanentlyOwned {
    /// @inheritdoc IInferenceRouter
    bytes32 public constant PRODUCTION_KIND = keccak256("zkml-evm.verifier.v1");

    /// @inheritdoc IInferenceRouter
    address public guardian;

    mapping(bytes32 modelId => Model) private _models;

    constructor(address initialOwner, address initialGuardian) PermanentlyOwned(initialOwner) {
        _setGuardian(initialGuardian);
    }

    /// @inheritdoc IInferenceRouter
    function registerModel(bytes32 modelId, address verifier, bytes32 codehash) external onlyOwner {
        if (modelId == bytes32(0)) revert InvalidModelId(modelId);
        State state = _models[modelId].state;
        if (state != State.Unset) revert ModelAlreadyRegistered(modelId, state);
        _requireCode(verifier, codehash);
        _requireProductionKind(verifier);

        _models[modelId] = Model({verifier: verifier, state: State.Active, deprecatedUntil: 0, codehash: codehash});
        emit ModelRegistered(modelId, verifier, codehash);
    }

    /// @inheritdoc IInferenceRouter
    function deprecateModel(bytes32 modelId, uint64 until) external onlyOwner {
        Model storage m = _models[modelId];
        State state = m.state;
        if (state == State.Deprecated) {
            if (until > m.deprecatedUntil) revert DeprecationPostponed(modelId, m.deprecatedUntil, until);
        } else if (state != State.Active) {
            revert ModelNotActive(modelId, state);
        }
        m.state = State.Deprecated;
        m.deprecatedUntil = until;
        emit ModelDeprecated(modelId, until);
    }

    /// @inheritdoc IInferenceRouter
    function freezeModel(bytes32 modelId) external {
        if (msg.sender != owner() && msg.sender != guardian) revert NotOwnerOrGuardian(msg.sender);
        Model storage m = _models[modelId];
        State state = m.state;
        // An id that was never registered is refused: it is a slip of the hand, and the model would stay open.
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        m.state = State.Frozen;
        emit ModelFrozen(modelId, msg.sender);
    }

    /// @inheritdoc IInferenceRouter
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IInferenceVerifier
    function verifyInference(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) external view {
        Model storage m = _models[modelId];
        State state = m.state;
        if (state == State.Deprecated) {
            uint64 until = m.deprecatedUntil;
            if (block.timestamp >= until) revert ModelDeprecatedSince(modelId, until, block.timestamp);
        } else if (state != State.Active) {
            revert ModelNotActive(modelId, state);
        }
        address verifier = m.verifier;
        _requireCode(verifier, m.codehash);

        try IProofVerifier(verifier).verifyProof(publicInputs, proof) {}
        catch (bytes memory reason) {
            if (reason.length == 0) revert VerifierFailed(modelId, verifier);
            // The verifier's own typed error, unchanged.
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// @inheritdoc IInferenceRouter
    function model(bytes32 modelId) external view returns (Model memory) {
        return _models[modelId];
    }

    function _setGuardian(address newGuardian) private {
        emit GuardianSet(guardian, newGuardian);
        guardian = newGuardian;
    }

    function _requireCode(address verifier, bytes32 codehash) private view {
        if (verifier.code.length == 0) revert NoCode(verifier);
        if (verifier.codehash != codehash) revert CodehashMismatch(codehash, verifier.codehash);
    }

    /// A low-level call, so that a contract without this function gets the typed refusal and not an empty revert.
    function _requireProductionKind(address verifier) private view {
        (bool ok, bytes memory answer) = verifier.staticcall(abi.encodeCall(IProofVerifier.verifierKind, ()));
        bytes32 kind = ok && answer.length == 32 ? abi.decode(answer, (bytes32)) : bytes32(0);
        if (kind != PRODUCTION_KIND) revert VerifierKindMismatch(verifier, PRODUCTION_KIND, kind);
    }
}
