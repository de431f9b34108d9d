// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProofVerifier} from "./IProofVerifier.sol";

/// @title A generated verifier of aggregates
/// @notice Checks one proof that says: the proof in each slot holds, for its model and its statement. Generated from the keys of
/// the circuit that verifies the proofs in the slots, and as much without owner, storage and upgrade as {IProofVerifier}.
/// @dev {IProofVerifier-verifyProof} takes the statements of all slots behind each other. Not every slot of an aggregate need be
/// taken: in an empty one stands the statement of a proof with the context 0, which whoever made the aggregate made too. It
/// says nothing; of private weights, not even which. No consumer's context is 0.
///
/// {IProofVerifier-verifierKind} is keccak256("zkml-evm.aggregate.v1").
interface IAggregateVerifier is IProofVerifier {
    /// @notice What the slots take, in the order of their statements.
    /// @return modelIds The model of each slot.
    /// @return sizes How many public inputs the statement of each slot has.
    function slots() external pure returns (bytes32[] memory modelIds, uint256[] memory sizes);
}
