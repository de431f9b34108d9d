// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";

/// @title An example: a face that matches, shown to nobody
/// @notice A trusted sensor takes a probe, puts the account's enrolled template beside it and attests the pair; the account
/// proves that the two are similar enough, and gets a session.
///
/// Proven: somebody knows probe and template behind the attested commitment, and the model's similarity of the two is at least
/// the threshold.
/// Public: the account, the commitment of the pair, the threshold, when the session begins and ends.
/// Hidden: probe, template, the similarity.
/// Trusted: the sensor, that the probe is live, that the template is the enrolled one, and that it keeps neither; the model's
/// rate of false matches at the threshold.
/// The model of examples/consumers/biometric gives minus the squared distance of the two, so that its thresholds are negative.
/// Not protected: whoever holds the opening of an attested pair can prove within its short life. One session per epoch.
contract BiometricAccess is ZkmlConsumer {
    /// @notice Names this use in contexts and nullifiers.
    bytes32 public constant POLICY = keccak256("BiometricAccess.v1");

    /// @notice Seconds of a session, and of an epoch.
    uint64 public constant SESSION = 10 minutes;

    /// @notice Oldest probe that counts, in seconds.
    uint64 public constant FRESHNESS = 2 minutes;

    /// @notice The model of similarity.
    bytes32 public immutable modelId;

    /// @notice The form of a pair of probe and template.
    bytes32 public immutable schemaId;

    /// @notice Least similarity.
    int256 public immutable threshold;

    /// @notice Unix seconds up to which an account's session runs.
    mapping(address account => uint64) public sessionUntil;

    /// @notice A session began.
    event SessionOpened(address indexed account, uint64 until);

    /// @notice The probe was taken too long ago.
    error ProbeTooOld(uint64 takenAt, uint256 timestamp);

    constructor(
        IInferenceVerifier router_,
        IInputAttestation attestations_,
        bytes32 modelId_,
        bytes32 schemaId_,
        int256 threshold_
    ) ZkmlConsumer(router_, attestations_) {
        (modelId, schemaId, threshold) = (modelId_, schemaId_, threshold_);
    }

    /// @notice Opens a session for msg.sender.
    function open(Evidence calldata evidence, bytes calldata proof) external {
        uint64 takenAt = evidence.attestation.issuedAt;
        if (block.timestamp > uint256(takenAt) + FRESHNESS) revert ProbeTooOld(takenAt, block.timestamp);
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = threshold;
        _useInference(Terms(modelId, schemaId, POLICY, SESSION), evidence, proof, publicValues);

        uint64 until = uint64(block.timestamp) + SESSION;
        sessionUntil[msg.sender] = until;
        emit SessionOpened(msg.sender, until);
    }

    /// @notice Whether an account's session runs now.
    function isOpen(address account) external view returns (bool) {
        return block.timestamp < sessionUntil[account];
    }
}
