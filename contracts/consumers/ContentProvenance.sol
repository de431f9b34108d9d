// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";

/// @title An example: who made this with which model
/// @notice Binds a model's output to the creator whose input it came from: a commitment to the output names creator, model and
/// time from then on.
///
/// Proven: somebody knows the input behind the attested commitment, and the model makes exactly this output of it.
/// Public: the creator's account, the commitment of the input, the output and its hash.
/// Hidden: the input (the prompt, the sketch, the seed).
/// Trusted: the attestor, that the input was the creator's at the time it says; the router, that the id stands for the model.
/// The model of examples/consumers/provenance makes a picture of nine numbers out of a seed of eight.
/// Not protected: an output that is changed by one number has another hash; a creator may have copied the input. First come,
/// first served: whoever has the same input attested and proven later is refused.
contract ContentProvenance is ZkmlConsumer {
    /// @notice Where an output comes from.
    struct Origin {
        address creator;
        uint64 attestedAt;
        bytes32 inputCommitment;
    }

    /// @notice Names this use in contexts and nullifiers.
    bytes32 public constant POLICY = keccak256("ContentProvenance.v1");

    /// @notice The model.
    bytes32 public immutable modelId;

    /// @notice The form of its inputs.
    bytes32 public immutable schemaId;

    /// @notice Origins by {commitmentOf} the output.
    mapping(bytes32 outputCommitment => Origin) public origins;

    /// @notice An output has got its origin.
    event Claimed(bytes32 indexed outputCommitment, address indexed creator, bytes32 indexed inputCommitment);

    /// @notice The output has an origin.
    error AlreadyClaimed(bytes32 outputCommitment, address creator);

    constructor(IInferenceVerifier router_, IInputAttestation attestations_, bytes32 modelId_, bytes32 schemaId_)
        ZkmlConsumer(router_, attestations_)
    {
        (modelId, schemaId) = (modelId_, schemaId_);
    }

    /// @notice Claims an output for msg.sender, one an hour at most.
    /// @param output Every output of the model, as the integers of its statement.
    function claim(Evidence calldata evidence, int256[] calldata output, bytes calldata proof) external {
        bytes32 commitment = commitmentOf(output);
        address creator = origins[commitment].creator;
        if (creator != address(0)) revert AlreadyClaimed(commitment, creator);
        _useInference(Terms(modelId, schemaId, POLICY, 1 hours), evidence, proof, output);

        bytes32 input = evidence.attestation.inputCommitment;
        origins[commitment] = Origin(msg.sender, evidence.attestation.issuedAt, input);
        emit Claimed(commitment, msg.sender, input);
    }

    /// @notice What an output is filed under: its hash, with the model and the place.
    function commitmentOf(int256[] calldata output) public view returns (bytes32 commitment) {
        return keccak256(abi.encode(block.chainid, address(this), modelId, output));
    }
}
