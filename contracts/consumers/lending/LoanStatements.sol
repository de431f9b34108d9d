// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../../FieldElement.sol";
import {ZkmlConsumer} from "../../ZkmlConsumer.sol";
import {IInputAttestation} from "../../interfaces/IInputAttestation.sol";
import {LendingPolicies} from "./LendingPolicies.sol";

/// @title What the one proof of many loans must state
/// @dev All prose is in {ILendingThreshold}.
abstract contract LoanStatements is LendingPolicies, ZkmlConsumer {
    /// Public inputs of one score: context, commitment, threshold.
    uint256 private constant STATEMENT = 3;

    /// The one proof of a batch. Whose inputs they are, and whether they are spent, is each item's own matter afterwards.
    function _requireScores(BorrowRequest[] calldata requests, uint64 expiry, bytes calldata proof) internal view {
        bytes32 policyId = requests[0].policyId;
        PolicyRecord storage p = _activePolicy(policyId);
        bytes32[] memory commitments = new bytes32[](requests.length);
        uint256[] memory thresholds = new uint256[](requests.length);
        for (uint256 i = 0; i < requests.length; ++i) {
            if (requests[i].policyId != policyId) revert BatchPolicyMismatch(i, policyId, requests[i].policyId);
            commitments[i] = requests[i].attestation.inputCommitment;
            thresholds[i] = FieldElement.fromInt(_tierOf(p, requests[i]).threshold);
        }
        uint256 context = contextOf(msg.sender, p.modelId, policyId, nonceOf(msg.sender), expiry);
        _verifyStatement(p.modelId, context, commitments, thresholds, proof);
    }

    /// The one proof of many borrowers' proofs: in each slot a request's own statement, as {openLoan} would have it.
    function _requireAggregate(BorrowRequest[] calldata requests, Aggregate calldata aggregate) internal view {
        (uint256[] memory sizes, uint256 words) = _sizesOf(aggregate.otherSlots, requests.length);
        bytes32[] memory modelIds = new bytes32[](sizes.length);
        uint256[] memory inputs = new uint256[](words);
        uint256 place = 0;
        uint256 next = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256[] calldata other = aggregate.otherSlots[i];
            if (other.length == 0) {
                modelIds[i] = _putStatement(inputs, place, requests[next]);
                ++next;
            }
            for (uint256 j = 0; j < other.length; ++j) {
                inputs[place + j] = other[j];
            }
            place += sizes[i];
        }
        router.verifyAggregate(aggregate.aggregateId, modelIds, sizes, inputs, aggregate.proof);
    }

    /// How many words stand in each slot, and in all: the router refuses any other number than the slot's.
    function _sizesOf(uint256[][] calldata otherSlots, uint256 requests)
        private
        pure
        returns (uint256[] memory sizes, uint256 words)
    {
        sizes = new uint256[](otherSlots.length);
        uint256 taken = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256 size = otherSlots[i].length;
            if (size == 0) {
                ++taken;
                size = STATEMENT;
            }
            sizes[i] = size;
            words += size;
        }
        if (taken != requests) revert BatchSlotsMismatch(taken, requests);
    }

    /// The statement of a request alone. Of a policy that is retired too: the item is refused by itself, and its slot still
    /// has this statement.
    function _putStatement(uint256[] memory inputs, uint256 place, BorrowRequest calldata request)
        private
        view
        returns (bytes32 modelId)
    {
        PolicyRecord storage p = _knownPolicy(request.policyId);
        modelId = p.modelId;
        IInputAttestation.Attestation calldata a = request.attestation;
        inputs[place] = contextOf(a.subject, modelId, request.policyId, request.nonce, request.expiry);
        inputs[place + 1] = FieldElement.requireCanonical(uint256(a.inputCommitment));
        inputs[place + 2] = FieldElement.fromInt(_tierOf(p, request).threshold);
    }
}
