// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract NullifierOfTest is LendingFixture {
    function testFuzz_isTheWrittenFormula(bytes32 structHash, bytes32 policy, uint64 epoch) public view {
        bytes memory encoded = bytes.concat(structHash, policy, bytes32(uint256(epoch)));
        assertEq(lending.nullifierOf(structHash, policy, epoch), keccak256(encoded));
    }

    function testFuzz_slotIsFreeBefore(address subject, bytes32 schemaId, bytes32 policy, uint64 epoch) public view {
        assertEq(lending.spentBy(subject, schemaId, policy, epoch), bytes32(0));
    }

    function test_slotHoldsTheNullifierAfter() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        open(request);
        uint64 epoch = NOW / EPOCH;
        bytes32 structHash = registry.hashAttestation(request.attestation);
        assertEq(lending.spentBy(borrower, SCHEMA, policyId, epoch), lending.nullifierOf(structHash, policyId, epoch));
        assertEq(lending.spentBy(borrower, SCHEMA, policyId, epoch + 1), bytes32(0));
    }
}
