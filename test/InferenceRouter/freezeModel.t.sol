// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract FreezeModelTest is RouterFixture {
    function test_ownerFreezes() public {
        register();
        _expectFrozenBy(owner);
    }

    function test_guardianFreezes() public {
        register();
        _expectFrozenBy(guardian);
    }

    function test_freezesWhileDeprecated() public {
        register();
        vm.prank(owner);
        router.deprecateModel(MODEL, type(uint40).max);
        _expectFrozenBy(guardian);
    }

    /// The time between approval and activation is for exactly this.
    function test_freezesBeforeActivation() public {
        schedule();
        _expectFrozenBy(guardian);
        skip(10 * DELAY);
        expectNotActive(IInferenceRouter.State.Frozen);
        router.verifyInference(MODEL, someInputs(), "good");
    }

    function test_RevertWhen_unset() public {
        expectNotActive(IInferenceRouter.State.Unset);
        freeze();
    }

    function test_RevertWhen_frozenAlready() public {
        register();
        freeze();
        expectNotActive(IInferenceRouter.State.Frozen);
        freeze();
    }

    function testFuzz_RevertWhen_callerIsNeither(address caller) public {
        vm.assume(caller != owner && caller != guardian);
        register();
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, caller));
        vm.prank(caller);
        router.freezeModel(MODEL);
    }

    /// With the guardian set to zero only the owner is left; nobody calls from the zero address, and eth_call is no transaction.
    function test_RevertWhen_guardianWasRemoved() public {
        register();
        vm.prank(owner);
        router.setGuardian(address(0));
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, guardian));
        freeze();
    }

    function _expectFrozenBy(address who) private {
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelFrozen(MODEL, who);
        vm.prank(who);
        router.freezeModel(MODEL);
        assertEq(uint8(router.model(MODEL).state), uint8(IInferenceRouter.State.Frozen));
        expectNotActive(IInferenceRouter.State.Frozen);
        router.verifyInference(MODEL, someInputs(), "good");
    }
}
