// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";

/// @title An example: a finding in the open, the scan behind a commitment
/// @notice A patient shows an insurer or a study which class a model finds in a scan that a hospital has attested.
///
/// Proven: somebody knows the scan behind the attested commitment, and the model's largest score for it is that of the class.
/// Public: the patient's account, the commitment, the class. Use an account that nothing else leads to.
/// Hidden: the scan, and all scores.
/// Trusted: the hospital, that the scan is the patient's and of the day it says; the model, that its classes mean something.
/// Not protected: a patient who keeps an unwelcome finding back; a finding is no diagnosis by a physician.
/// The model of examples/consumers/diagnosis finds the nearest of four mean scans.
/// One finding per patient and day; a contradiction (two classes for one scan) freezes the model at the router.
contract PrivateDiagnosis is ZkmlConsumer {
    /// @notice A finding as it was proven.
    struct Finding {
        uint64 scannedAt;
        uint64 provenAt;
        uint128 class;
    }

    /// @notice Names this use in contexts and nullifiers.
    bytes32 public constant POLICY = keccak256("PrivateDiagnosis.v1");

    /// @notice The model.
    bytes32 public immutable modelId;

    /// @notice The form of the scans.
    bytes32 public immutable schemaId;

    /// @notice How many classes the model tells apart.
    uint128 public immutable classes;

    /// @notice The findings of a patient by the commitment of the scan.
    mapping(address patient => mapping(bytes32 inputCommitment => Finding)) public findings;

    /// @notice A patient has shown a finding.
    event Found(address indexed patient, bytes32 indexed inputCommitment, uint128 class, uint64 scannedAt);

    /// @notice The model has no such class.
    error ClassUnknown(uint128 class, uint128 classes);

    constructor(
        IInferenceVerifier router_,
        IInputAttestation attestations_,
        bytes32 modelId_,
        bytes32 schemaId_,
        uint128 classes_
    ) ZkmlConsumer(router_, attestations_) {
        (modelId, schemaId, classes) = (modelId_, schemaId_, classes_);
    }

    /// @notice Shows what the model finds in msg.sender's scan.
    /// @param class The claim, which the proof bears out: it is an output, so that it comes from the caller and is range-checked.
    function show(Evidence calldata evidence, uint128 class, bytes calldata proof) external {
        if (class >= classes) revert ClassUnknown(class, classes);
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = int256(uint256(class));
        _useInference(Terms(modelId, schemaId, POLICY, 1 days), evidence, proof, publicValues);

        bytes32 commitment = evidence.attestation.inputCommitment;
        uint64 scannedAt = evidence.attestation.issuedAt;
        findings[msg.sender][commitment] = Finding(scannedAt, uint64(block.timestamp), class);
        emit Found(msg.sender, commitment, class, scannedAt);
    }
}
