// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title A router that checks nothing, for tests of consumers
/// @notice Accepts the statements that a test lists, for whatever proof bytes. A consumer takes its router at construction:
/// never give one of these to a contract that holds value.
contract MockRouter is IInferenceVerifier {
    /// @notice Whether every statement of every model is accepted. False after deployment.
    bool public acceptsAll;

    /// @notice Statements accepted one by one: keccak256(abi.encode(modelId, publicInputs)), and of aggregates
    /// keccak256(abi.encode(aggregateId, modelIds, sizes, publicInputs)).
    mapping(bytes32 statement => bool) public accepted;

    /// @notice Accepts everything, or only what {accept} lists.
    function setAcceptsAll(bool value) external {
        acceptsAll = value;
    }

    /// @notice Accepts this one statement: a test that builds it by itself also tests the consumer's public inputs.
    function accept(bytes32 modelId, uint256[] calldata publicInputs) external {
        accepted[keccak256(abi.encode(modelId, publicInputs))] = true;
    }

    /// @notice Accepts these statements of an aggregate's slots, together.
    function acceptAggregate(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs
    ) external {
        accepted[keccak256(abi.encode(aggregateId, modelIds, sizes, publicInputs))] = true;
    }

    /// @inheritdoc IInferenceVerifier
    function verifyInference(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata) external view {
        if (!acceptsAll && !accepted[keccak256(abi.encode(modelId, publicInputs))]) {
            revert IProofVerifier.PairingFailed();
        }
    }

    /// @inheritdoc IInferenceVerifier
    function verifyAggregate(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs,
        bytes calldata
    ) external view {
        if (!acceptsAll && !accepted[keccak256(abi.encode(aggregateId, modelIds, sizes, publicInputs))]) {
            revert IProofVerifier.PairingFailed();
        }
    }
}
