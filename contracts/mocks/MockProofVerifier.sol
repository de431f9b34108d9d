// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title A verifier that checks nothing, for a dapp's own tests
/// @notice Answers as it is told to, for whatever proof bytes. It calls itself a mock, and {InferenceRouter} does not register
/// such a one.
contract MockProofVerifier is IProofVerifier {
    /// @notice Whether every statement is accepted. False after deployment: nothing passes unless a test says so.
    bool public acceptsAll;

    /// @notice Statements accepted one by one: keccak256(abi.encode(publicInputs)).
    mapping(bytes32 statement => bool) public accepted;

    /// @notice Accepts everything, or only what {accept} lists.
    function setAcceptsAll(bool value) external {
        acceptsAll = value;
    }

    /// @notice Accepts this one statement.
    function accept(uint256[] calldata publicInputs) external {
        accepted[keccak256(abi.encode(publicInputs))] = true;
    }

    /// @inheritdoc IProofVerifier
    function verifyProof(uint256[] calldata publicInputs, bytes calldata) external view {
        if (!acceptsAll && !accepted[keccak256(abi.encode(publicInputs))]) revert PairingFailed();
    }

    /// @inheritdoc IProofVerifier
    function verifierKind() external pure returns (bytes32 kind) {
        return keccak256("zkml-evm.verifier.mock");
    }
}
