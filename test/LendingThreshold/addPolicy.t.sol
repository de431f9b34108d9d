// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract AddPolicyTest is LendingFixture {
    int256 private constant LIMIT = 1 << 120;

    function testFuzz_idIsTheHashOfAllTerms(
        bytes32 modelId,
        bytes32 schemaId,
        int256 threshold,
        uint128 amount,
        uint64 epochLength
    ) public {
        vm.assume(modelId != 0 && schemaId != 0 && amount != 0 && epochLength != 0);
        threshold = bound(threshold, 1 - LIMIT, LIMIT - 1);
        bytes32 expected =
            keccak256(abi.encode(address(lending), modelId, schemaId, threshold, uint256(amount), epochLength));
        vm.expectEmit(address(lending));
        emit ILendingThreshold.PolicyAdded(expected, modelId, schemaId, threshold, amount, epochLength);
        vm.prank(owner);
        bytes32 id = lending.addPolicy(modelId, schemaId, threshold, amount, epochLength);
        assertEq(id, expected);
        ILendingThreshold.Policy memory p = lending.policy(id);
        assertEq(p.modelId, modelId);
        assertEq(p.schemaId, schemaId);
        assertEq(p.threshold, threshold);
        assertEq(p.amount, amount);
        assertEq(p.epochLength, epochLength);
        assertTrue(p.active);
    }

    function test_RevertWhen_added() public {
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyExists.selector, policyId));
        addPolicy();
    }

    function test_RevertWhen_retired() public {
        vm.prank(owner);
        lending.retirePolicy(policyId);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyExists.selector, policyId));
        addPolicy();
    }

    function test_RevertWhen_noModelOrSchema() public {
        _expect(abi.encodeWithSelector(ILendingThreshold.InvalidPolicy.selector, bytes32(0), SCHEMA));
        lending.addPolicy(bytes32(0), SCHEMA, THRESHOLD, AMOUNT, EPOCH);
        _expect(abi.encodeWithSelector(ILendingThreshold.InvalidPolicy.selector, MODEL, bytes32(0)));
        lending.addPolicy(MODEL, bytes32(0), THRESHOLD, AMOUNT, EPOCH);
    }

    function testFuzz_RevertWhen_amountIsZeroOrTooLarge(uint256 amount) public {
        amount = bound(amount, uint256(type(uint128).max) + 1, type(uint256).max);
        _expect(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, amount));
        lending.addPolicy(MODEL, SCHEMA, THRESHOLD, amount, EPOCH);
        _expect(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, 0));
        lending.addPolicy(MODEL, SCHEMA, THRESHOLD, 0, EPOCH);
    }

    function test_RevertWhen_epochIsZero() public {
        _expect(abi.encodeWithSelector(IZkmlConsumer.InvalidEpochLength.selector, uint64(0)));
        lending.addPolicy(MODEL, SCHEMA, THRESHOLD, AMOUNT, 0);
    }

    /// A threshold near r would wrap in the circuit and let everyone pass.
    function testFuzz_RevertWhen_thresholdIsOutOfRange(int256 threshold) public {
        vm.assume(threshold >= LIMIT || threshold <= -LIMIT);
        _expect(abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, threshold));
        lending.addPolicy(MODEL, SCHEMA, threshold, AMOUNT, EPOCH);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        lending.addPolicy(MODEL, SCHEMA, THRESHOLD, AMOUNT, EPOCH);
    }

    function _expect(bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(owner);
    }
}
