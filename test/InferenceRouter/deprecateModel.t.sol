// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract DeprecateModelTest is RouterFixture {
    function testFuzz_recordsTheEnd(uint64 until) public {
        register();
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelDeprecated(MODEL, until);
        _deprecate(until);
        IInferenceRouter.Model memory m = router.model(MODEL);
        assertEq(uint8(m.state), uint8(IInferenceRouter.State.Deprecated));
        assertEq(m.deprecatedUntil, until);
        assertEq(m.verifier, address(verifier));
    }

    function testFuzz_bringsTheEndForward(uint64 first, uint64 second) public {
        second = uint64(bound(second, 0, first));
        register();
        _deprecate(first);
        _deprecate(second);
        assertEq(router.model(MODEL).deprecatedUntil, second);
    }

    function testFuzz_RevertWhen_putOff(uint64 first, uint64 second) public {
        first = uint64(bound(first, 0, type(uint64).max - 1));
        second = uint64(bound(second, uint256(first) + 1, type(uint64).max));
        register();
        _deprecate(first);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DeprecationPostponed.selector, MODEL, first, second));
        _deprecate(second);
    }

    function test_RevertWhen_unset() public {
        expectNotActive(IInferenceRouter.State.Unset);
        _deprecate(1);
    }

    function test_RevertWhen_frozen() public {
        register();
        freeze();
        expectNotActive(IInferenceRouter.State.Frozen);
        _deprecate(1);
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

    function _deprecate(uint64 until) private {
        vm.prank(owner);
        router.deprecateModel(MODEL, until);
    }
}
