// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract DeprecateModelTest is RouterFixture {
    function testFuzz_recordsTheEnd(uint40 until) public {
        register();
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelDeprecated(MODEL, until);
        deprecate(until);
        IInferenceRouter.Model memory m = router.model(MODEL);
        assertEq(uint8(m.state), uint8(IInferenceRouter.State.Deprecated));
        assertEq(m.activatesAt, block.timestamp);
        assertEq(m.deprecatedUntil, until);
        assertEq(m.verifier, address(verifier));
    }

    function testFuzz_bringsTheEndForward(uint40 first, uint40 second) public {
        second = uint40(bound(second, 0, first));
        register();
        deprecate(first);
        deprecate(second);
        assertEq(router.model(MODEL).deprecatedUntil, second);
    }

    function testFuzz_RevertWhen_putOff(uint40 first, uint40 second) public {
        first = uint40(bound(first, 0, type(uint40).max - 1));
        second = uint40(bound(second, uint256(first) + 1, type(uint40).max));
        register();
        deprecate(first);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DeprecationPostponed.selector, MODEL, first, second));
        deprecate(second);
    }

    function test_RevertWhen_unset() public {
        expectNotActive(IInferenceRouter.State.Unset);
        deprecate(1);
    }

    function test_RevertWhen_frozen() public {
        register();
        freeze();
        expectNotActive(IInferenceRouter.State.Frozen);
        deprecate(1);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        register();
        expectNotOwner(caller);
        vm.prank(caller);
        router.deprecateModel(MODEL, 1);
    }

    function test_RevertWhen_callerIsGuardian() public {
        register();
        expectNotOwner(guardian);
        vm.prank(guardian);
        router.deprecateModel(MODEL, 1);
    }

    /// It would verify for a while before it is active: whoever does not want it freezes it.
    function test_RevertWhen_scheduled() public {
        schedule();
        expectNotActive(IInferenceRouter.State.Scheduled);
        deprecate(1);
    }

    function testFuzz_RevertWhen_theTimeIsInMilliseconds(uint64 until) public {
        until = uint64(bound(until, uint256(type(uint40).max) + 1, type(uint64).max));
        register();
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.TimeOutOfRange.selector, until));
        deprecate(until);
    }
}
