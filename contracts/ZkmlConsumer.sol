// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "./FieldElement.sol";
import {InferenceContext} from "./InferenceContext.sol";
import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "./interfaces/IInputAttestation.sol";
import {IZkmlConsumer} from "./interfaces/IZkmlConsumer.sol";

/// @title ZkmlConsumer
/// @notice The base that a dapp inherits: call {_useInference} with your own terms, the caller's evidence and the public
/// values of your policy; when it returns, the model's statement holds for msg.sender and cannot be used again. Where somebody
/// else may send the subject's transaction, check the subject's consent and call {_useInferenceOf}.
/// @dev All prose is in {IZkmlConsumer}.
abstract contract ZkmlConsumer is IZkmlConsumer {
    /// @notice What the consumer trusts: from its own storage, never from the caller.
    struct Terms {
        bytes32 modelId;
        bytes32 schemaId;
        bytes32 policyId;
        uint64 epochLength;
    }

    /// @notice What the caller brings besides the proof; see {ILendingThreshold-BorrowRequest} for the fields.
    struct Evidence {
        address attestor;
        IInputAttestation.Attestation attestation;
        bytes signature;
        uint256 nonce;
        uint64 expiry;
    }

    /// What is kept of a subject, in one slot: a second one would cost every new subject 22,100 gas.
    struct SubjectRecord {
        uint64 nonce;
        uint192 tally;
    }

    /// @inheritdoc IZkmlConsumer
    IInferenceVerifier public immutable router;

    /// @inheritdoc IZkmlConsumer
    IInputAttestation public immutable attestations;

    mapping(address subject => SubjectRecord) private _subjects;
    mapping(bytes32 slot => bytes32 nullifier) private _spent;

    constructor(IInferenceVerifier router_, IInputAttestation attestations_) {
        if (address(router_).code.length == 0) revert NotAContract(address(router_));
        if (address(attestations_).code.length == 0) revert NotAContract(address(attestations_));
        router = router_;
        attestations = attestations_;
    }

    /// @inheritdoc IZkmlConsumer
    function cancelNonce() external {
        uint64 nonce = _subjects[msg.sender].nonce;
        _subjects[msg.sender].nonce = nonce + 1;
        emit NonceCancelled(msg.sender, nonce);
    }

    /// @inheritdoc IZkmlConsumer
    function nonceOf(address subject) public view returns (uint256 nonce) {
        return _subjects[subject].nonce;
    }

    /// @inheritdoc IZkmlConsumer
    function spentBy(address subject, bytes32 schemaId, bytes32 policyId, uint64 epoch)
        public
        view
        returns (bytes32 nullifier)
    {
        return _spent[_slotOf(subject, schemaId, policyId, epoch)];
    }

    /// @inheritdoc IZkmlConsumer
    function contextOf(address subject, bytes32 modelId, bytes32 policyId, uint256 nonce, uint64 expiry)
        public
        view
        returns (uint256 context)
    {
        return InferenceContext.contextOf(subject, modelId, policyId, nonce, expiry);
    }

    /// @inheritdoc IZkmlConsumer
    function nullifierOf(bytes32 structHash, bytes32 policyId, uint64 epoch) public pure returns (bytes32 nullifier) {
        return keccak256(abi.encode(structHash, policyId, epoch));
    }

    /// @dev Reverts unless msg.sender is the attested subject and the model's statement holds; spends the nullifier first.
    /// @param proof From calldata: a few kilobytes, copied once, into the call to the router.
    /// @param publicValues Integers of the policy, in the statement's order after the commitment. An output that the statement
    /// reveals comes from the caller, as a claim: check its range before you act on it.
    /// @return nullifier What was spent.
    /// @return epoch The attestation's epoch under the policy; {spentBy} it is the nullifier from now on.
    function _useInference(
        Terms memory terms,
        Evidence memory evidence,
        bytes calldata proof,
        int256[] memory publicValues
    ) internal returns (bytes32 nullifier, uint64 epoch) {
        address subject = evidence.attestation.subject;
        if (msg.sender != subject) revert SubjectMismatch(subject, msg.sender);
        uint256[] memory elements = new uint256[](publicValues.length);
        for (uint256 i = 0; i < publicValues.length; ++i) {
            elements[i] = FieldElement.fromInt(publicValues[i]);
        }
        return _useInferenceOf(terms, evidence, proof, elements);
    }

    /// @dev {_useInference} for the attested subject, whoever sends the transaction: only after the subject's consent to this
    /// very use has been checked. An attestor knows the opening too, and could prove in the subject's name.
    /// @param publicValues Field elements, each below r.
    function _useInferenceOf(
        Terms memory terms,
        Evidence memory evidence,
        bytes calldata proof,
        uint256[] memory publicValues
    ) internal returns (bytes32 nullifier, uint64 epoch) {
        (nullifier, epoch) = _spendEvidence(terms, evidence);
        address subject = evidence.attestation.subject;
        uint256 context = contextOf(subject, terms.modelId, terms.policyId, evidence.nonce, evidence.expiry);
        bytes32[] memory commitments = new bytes32[](1);
        commitments[0] = evidence.attestation.inputCommitment;
        _verifyStatement(terms.modelId, context, commitments, publicValues, proof);
    }

    /// @dev The first half of {_useInferenceOf}: checks the attestation and spends it. It verifies nothing: only after
    /// {_verifyStatement} over this attestation's commitment, in the same transaction.
    function _spendEvidence(Terms memory terms, Evidence memory evidence)
        internal
        returns (bytes32 nullifier, uint64 epoch)
    {
        _checkRequest(terms, evidence);
        return _spend(terms, evidence);
    }

    /// @dev The second half: reverts unless the model's statement holds: context, the commitment of each input, public values.
    /// It spends nothing, and knows nothing of the commitments.
    function _verifyStatement(
        bytes32 modelId,
        uint256 context,
        bytes32[] memory commitments,
        uint256[] memory publicValues,
        bytes calldata proof
    ) internal view {
        uint256[] memory inputs = new uint256[](1 + commitments.length + publicValues.length);
        inputs[0] = context;
        for (uint256 i = 0; i < commitments.length; ++i) {
            inputs[1 + i] = FieldElement.requireCanonical(uint256(commitments[i]));
        }
        for (uint256 i = 0; i < publicValues.length; ++i) {
            inputs[1 + commitments.length + i] = FieldElement.requireCanonical(publicValues[i]);
        }
        router.verifyInference(modelId, inputs, proof);
    }

    /// @dev A number that the dapp keeps of a subject. It lies in the slot that every use of an inference writes anyway.
    function _setTally(address subject, uint192 tally) internal {
        _subjects[subject].tally = tally;
    }

    /// @dev What {_setTally} was given last.
    function _tallyOf(address subject) internal view returns (uint192 tally) {
        return _subjects[subject].tally;
    }

    function _checkRequest(Terms memory terms, Evidence memory evidence) private view {
        if (evidence.attestation.schemaId != terms.schemaId) {
            revert SchemaMismatch(terms.schemaId, evidence.attestation.schemaId);
        }
        if (block.timestamp > evidence.expiry) revert RequestExpired(evidence.expiry, block.timestamp);
        if (terms.epochLength == 0) revert InvalidEpochLength(terms.epochLength);
    }

    function _spend(Terms memory terms, Evidence memory evidence) private returns (bytes32 nullifier, uint64 epoch) {
        bytes32 structHash = attestations.checkAttestation(evidence.attestor, evidence.attestation, evidence.signature);
        epoch = evidence.attestation.issuedAt / terms.epochLength;
        // Not later than the present one: the registry takes no attestation from the future.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 present = uint64(block.timestamp / terms.epochLength);
        if (present - epoch > 1) revert EpochPassed(epoch, present);
        nullifier = nullifierOf(structHash, terms.policyId, epoch);
        address subject = evidence.attestation.subject;
        bytes32 slot = _slotOf(subject, terms.schemaId, terms.policyId, epoch);
        bytes32 before = _spent[slot];
        // Ahead of the nonce, so that a plain replay is told what it is.
        if (before != bytes32(0)) revert NullifierSpent(before);
        uint64 nonce = _subjects[subject].nonce;
        if (evidence.nonce != nonce) revert NonceMismatch(nonce, evidence.nonce);

        _spent[slot] = nullifier;
        _subjects[subject].nonce = nonce + 1;
        emit NullifierUsed(nullifier, slot, subject);
    }

    function _slotOf(address subject, bytes32 schemaId, bytes32 policyId, uint64 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(subject, schemaId, policyId, epoch));
    }
}
