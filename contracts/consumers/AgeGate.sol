// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";

/// @title An example: one fact out of an attested document, and nothing else of it
/// @notice Whoever proves that the predicate's score over an attested document reaches the threshold may enter for a while: of
/// age, resident, or whatever the model computes.
///
/// Proven: somebody knows the document's fields behind the attested commitment, and the model's score of them is at least the
/// threshold; with the model of examples/consumers/age, which computes age in days, at least 6,575 of them for 18 years.
/// Public: the account, the commitment, the threshold, when the fact was proven and until when it counts.
/// Hidden: name, date of birth, address, the score itself.
/// Trusted: the attestor, that the document is the account holder's; the model, that its score is what the threshold means.
/// Not protected: an account that is lent to somebody else; a document revoked after the proof counts until `provenUntil`.
contract AgeGate is ZkmlConsumer {
    /// @notice Names this use in contexts and nullifiers.
    bytes32 public constant POLICY = keccak256("AgeGate.v1");

    /// @notice Seconds that a proof opens the gate for, at most: never beyond the attestation's own end.
    uint64 public constant VALIDITY = 30 days;

    /// @notice The model of the predicate.
    bytes32 public immutable modelId;

    /// @notice The form of the documents.
    bytes32 public immutable schemaId;

    /// @notice Least score.
    int256 public immutable threshold;

    /// @notice Unix seconds up to which an account may enter.
    mapping(address account => uint64) public provenUntil;

    /// @notice An account has proven the fact.
    event Proven(address indexed account, uint64 until);

    constructor(
        IInferenceVerifier router_,
        IInputAttestation attestations_,
        bytes32 modelId_,
        bytes32 schemaId_,
        int256 threshold_
    ) ZkmlConsumer(router_, attestations_) {
        (modelId, schemaId, threshold) = (modelId_, schemaId_, threshold_);
    }

    /// @notice Proves the fact of msg.sender, once a day at most.
    function prove(Evidence calldata evidence, bytes calldata proof) external {
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = threshold;
        _useInference(Terms(modelId, schemaId, POLICY, 1 days), evidence, proof, publicValues);

        uint64 until = uint64(block.timestamp) + VALIDITY;
        if (until > evidence.attestation.expiresAt) until = evidence.attestation.expiresAt;
        provenUntil[msg.sender] = until;
        emit Proven(msg.sender, until);
    }

    /// @notice Whether an account may enter now.
    function mayEnter(address account) external view returns (bool) {
        return block.timestamp < provenUntil[account];
    }
}
