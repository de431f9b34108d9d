// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract SetGuardianTest is RouterFixture {
    function test_constructorSetsOwnerAndGuardian() public {
        vm.expectEmit();
        emit IInferenceRouter.GuardianSet(address(0), guardian);
        InferenceRouter fresh = new InferenceRouter(owner, guardian, DELAY);
        assertEq(fresh.owner(), owner);
        assertEq(fresh.guardian(), guardian);
        assertEq(fresh.activationDelay(), DELAY);
    }

    function testFuzz_replaces(address next) public {
        vm.expectEmit(address(router));
        emit IInferenceRouter.GuardianSet(guardian, next);
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
