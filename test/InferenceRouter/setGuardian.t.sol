// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";

contract SetGuardianTest is RouterFixture {
    function test_constructorSetsOwnerAndGuardian() public {
        vm.expectEmit();
        emit IGuarded.GuardianSet(address(0), guardian);
        InferenceRouter fresh = new InferenceRouter(owner, guardian, DELAY);
        assertEq(fresh.owner(), owner);
        assertEq(fresh.guardian(), guardian);
        assertEq(fresh.activationDelay(), DELAY);
    }

    function testFuzz_replaces(address next) public {
        vm.expectEmit(address(router));
        emit IGuarded.GuardianSet(guardian, next);
        vm.prank(owner);
        router.setGuardian(next);
        assertEq(router.guardian(), next);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        router.setGuardian(caller);
    }

    function test_RevertWhen_callerIsGuardian() public {
        expectNotOwner(guardian);
        vm.prank(guardian);
        router.setGuardian(stranger);
    }
}
