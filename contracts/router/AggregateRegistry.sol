// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAggregateRouter} from "../interfaces/IAggregateRouter.sol";
import {IAggregateVerifier} from "../interfaces/IAggregateVerifier.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title The aggregates of a router, whose slots are of its models
/// @dev All prose is in {IAggregateRouter}.
abstract contract AggregateRegistry is ModelRegistry {
    /// @inheritdoc IAggregateRouter
    function registerAggregate(bytes32 aggregateId, AggregateRegistration calldata registration)
        external
        onlyOwner
        returns (uint32 version)
    {
        (bytes32 familyId, address verifier, bytes32 codehash) =
            (registration.familyId, registration.verifier, registration.codehash);
        uint40 activatesAt;
        (version, activatesAt) = _register(aggregateId, familyId, verifier, codehash, AGGREGATE_KIND);
        (bytes32[] memory modelIds, uint256[] memory sizes) = _requireModels(verifier);
        emit AggregateRegistered(aggregateId, familyId, verifier, version, codehash, activatesAt, modelIds, sizes);
    }

    /// @inheritdoc IInferenceVerifier
    function verifyAggregate(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs,
        bytes calldata proof
    ) external view {
        _requireVerifying(aggregateId, _gates[aggregateId]);
        _requireSlots(aggregateId, modelIds, sizes, publicInputs);
        _verify(aggregateId, publicInputs, proof);
    }

    /// @inheritdoc IAggregateRouter
    function slotsOf(bytes32 aggregateId) public view returns (bytes32[] memory modelIds, uint256[] memory sizes) {
        Gate storage gate = _gates[aggregateId];
        if (!gate.aggregate) revert NotAnAggregate(aggregateId);
        address verifier = gate.verifier;
        _requireCode(verifier, gate.codehash);
        return IAggregateVerifier(verifier).slots();
    }

    /// Every slot takes proofs of a model that was registered and is not frozen, and their statement has a context.
    function _requireModels(address verifier) private view returns (bytes32[] memory, uint256[] memory) {
        try IAggregateVerifier(verifier).slots() returns (bytes32[] memory modelIds, uint256[] memory sizes) {
            if (modelIds.length == 0 || modelIds.length != sizes.length) revert InvalidSlots(verifier);
            for (uint256 i = 0; i < modelIds.length; ++i) {
                if (sizes[i] == 0) revert InvalidSlots(verifier);
                _requireModel(modelIds[i]);
            }
            return (modelIds, sizes);
        } catch {
            revert InvalidSlots(verifier);
        }
    }

    /// Each slot that the caller relies on is of its model, and every statement stands where the verifier reads it.
    function _requireSlots(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs
    ) internal view {
        (bytes32[] memory slotModels, uint256[] memory slotSizes) = slotsOf(aggregateId);
        if (modelIds.length != slotModels.length) {
            revert SlotCountMismatch(aggregateId, slotModels.length, modelIds.length);
        }
        if (sizes.length != slotModels.length) {
            revert SlotCountMismatch(aggregateId, slotModels.length, sizes.length);
        }
        uint256 from = 0;
        bytes32 asked = bytes32(0);
        for (uint256 i = 0; i < slotModels.length; ++i) {
            if (sizes[i] != slotSizes[i]) revert SlotSizeMismatch(i, slotSizes[i], sizes[i]);
            bytes32 modelId = modelIds[i];
            if (modelId != bytes32(0)) {
                if (modelId != slotModels[i]) revert SlotModelMismatch(i, slotModels[i], modelId);
                // A list that is too short is refused below.
                if (from < publicInputs.length && publicInputs[from] == 0) revert EmptySlot(i);
                if (modelId != asked) _requireVerifying(modelId, _gates[modelId]);
                asked = modelId;
            }
            from += slotSizes[i];
        }
        if (publicInputs.length != from) revert IProofVerifier.InvalidInstanceCount(from, publicInputs.length);
    }
}
