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
        uint64 epochLength,
        uint128 cap,
        uint128 borrowerLimit,
        uint256 seed
    ) public {
        vm.assume(modelId != 0 && schemaId != 0 && cap != 0 && borrowerLimit != 0 && epochLength != 0);
        ILendingThreshold.PolicyTerms memory t;
        (t.modelId, t.schemaId, t.epochLength, t.cap, t.borrowerLimit) =
        (modelId, schemaId, epochLength, cap, borrowerLimit);
        t.tiers = _someTiers(seed);
        bytes32 expected = keccak256(abi.encode(address(lending), t));
        vm.expectEmit(address(lending));
        emit ILendingThreshold.PolicyAdded(expected, modelId, t);
        assertEq(add(lending, t), expected);
        ILendingThreshold.Policy memory p = lending.policy(expected);
        assertEq(abi.encode(p.terms), abi.encode(t));
        assertEq(p.principal, 0);
        assertTrue(p.active);
    }

    function test_RevertWhen_added() public {
        _expect(terms(), abi.encodeWithSelector(ILendingThreshold.PolicyExists.selector, policyId));
    }

    function test_RevertWhen_retired() public {
        vm.prank(owner);
        lending.retirePolicy(policyId);
        _expect(terms(), abi.encodeWithSelector(ILendingThreshold.PolicyExists.selector, policyId));
    }

    function test_RevertWhen_noModelOrSchema() public {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.modelId = 0;
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidPolicy.selector, bytes32(0), SCHEMA, 2));
        (t.modelId, t.schemaId) = (MODEL, 0);
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidPolicy.selector, MODEL, bytes32(0), 2));
    }

    function testFuzz_hasOneToSixteenTiers(uint8 count) public {
        count = uint8(bound(count, 0, 40));
        ILendingThreshold.PolicyTerms memory t = terms();
        t.tiers = new ILendingThreshold.Tier[](count);
        for (uint256 i = 0; i < count; ++i) {
            t.tiers[i] = ILendingThreshold.Tier(int256(i), AMOUNT, RATE);
        }
        if (count == 0 || count > 16) {
            _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidPolicy.selector, MODEL, SCHEMA, count));
        } else {
            assertEq(lending.policy(add(lending, t)).terms.tiers.length, count);
        }
    }

    function testFuzz_RevertWhen_capOrLimitDoesNotFit(uint256 amount) public {
        amount = bound(amount, uint256(type(uint128).max) + 1, type(uint256).max);
        _expectAmountRefused(amount);
        _expectAmountRefused(0);
    }

    function testFuzz_RevertWhen_tierLimitDoesNotFit(uint256 limit) public {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.tiers[1].limit = bound(limit, uint256(type(uint96).max) + 1, type(uint256).max);
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidTier.selector, 1));
        t.tiers[1].limit = 0;
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidTier.selector, 1));
    }

    function testFuzz_RevertWhen_rateIsTooHigh(uint32 rate) public {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.tiers[0].rate = uint32(bound(rate, 10_001, type(uint32).max));
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidTier.selector, 0));
    }

    /// Two tiers of one threshold would be two prices of one proof.
    function testFuzz_RevertWhen_thresholdsDoNotRise(int256 second) public {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.tiers[1].threshold = bound(second, 1 - LIMIT, THRESHOLD);
        _expect(t, abi.encodeWithSelector(ILendingThreshold.InvalidTier.selector, 1));
    }

    function test_RevertWhen_epochIsZero() public {
        _expect(termsOver(0), abi.encodeWithSelector(IZkmlConsumer.InvalidEpochLength.selector, uint64(0)));
    }

    /// A threshold near r would wrap in the circuit and let everyone pass.
    function testFuzz_RevertWhen_thresholdIsOutOfRange(int256 threshold) public {
        vm.assume(threshold >= LIMIT || threshold <= -LIMIT);
        bytes memory reason = abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, threshold);
        _expect(termsWith(threshold), reason);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        lending.addPolicy(terms());
    }

    function _someTiers(uint256 seed) private pure returns (ILendingThreshold.Tier[] memory tiers) {
        tiers = new ILendingThreshold.Tier[](1 + seed % 16);
        int256 threshold = 1 - LIMIT;
        for (uint256 i = 0; i < tiers.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            tiers[i] = ILendingThreshold.Tier(threshold, 1 + uint96(random) / 2, uint32(random % 10_001));
            threshold += int256(1 + (random % uint256(LIMIT / 8)));
        }
    }

    function _expectAmountRefused(uint256 amount) private {
        bytes memory reason = abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, amount);
        ILendingThreshold.PolicyTerms memory t = terms();
        t.cap = amount;
        _expect(t, reason);
        t = terms();
        t.borrowerLimit = amount;
        _expect(t, reason);
    }

    function _expect(ILendingThreshold.PolicyTerms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(owner);
        lending.addPolicy(t);
    }
}
