// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// @title Where your dapp begins: whoever scores high enough is a member
/// @notice Change what happens after {_useInference}; leave what stands before it.
///
/// What the base does for you: it rebuilds every public input of the proof from what this contract trusts, checks the attestation
/// and its schema, refuses a second use in an epoch, and only then asks the router.
/// What is left to you: name the model, schema, threshold and epoch here and never take them from the caller; range-check any
/// output that the statement reveals; change your own state after the call, not before.
contract Membership is ZkmlConsumer {
    /// @notice Names this use in contexts and nullifiers. Another use of the same model gets another name.
    bytes32 public constant POLICY = keccak256("Membership.v1");

    /// @notice Seconds of an epoch: one use for each subject and epoch.
    uint64 public constant EPOCH = 1 days;

    /// @notice The model that scores, as registered with the router (`modelId` in manifest.json).
    bytes32 public immutable modelId;

    /// @notice The feature schema that attestations must be over (`schemaId` in manifest.json).
    bytes32 public immutable schemaId;

    /// @notice Least score, an integer at the scale of the model's output.
    int256 public immutable threshold;

    /// @notice Whether an account is a member.
    mapping(address account => bool) public isMember;

    /// @notice An account has become a member; the nullifier says on which attestation.
    event Joined(address indexed account, bytes32 nullifier);

    constructor(
        IInferenceVerifier router_,
        IInputAttestation attestations_,
        bytes32 modelId_,
        bytes32 schemaId_,
        int256 threshold_
    ) ZkmlConsumer(router_, attestations_) {
        (modelId, schemaId, threshold) = (modelId_, schemaId_, threshold_);
    }

    /// @notice Makes msg.sender a member, by a proof that its attested input scores at least the threshold.
    /// @param evidence The attestation and what the proof is bound to; `nonce` is {nonceOf} the sender.
    /// @param proof The bytes that `zkml-evm prove --consumer THIS --policy POLICY` wrote.
    function join(Evidence calldata evidence, bytes calldata proof) external {
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = threshold;
        (bytes32 nullifier,) = _useInference(Terms(modelId, schemaId, POLICY, EPOCH), evidence, proof, publicValues);

        isMember[msg.sender] = true;
        emit Joined(msg.sender, nullifier);
    }
}
