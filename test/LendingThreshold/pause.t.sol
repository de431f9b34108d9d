// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";

contract PauseTest is LendingFixture {
    function test_pausesAndUnpauses() public {
        vm.startPrank(owner);
        lending.pause();
        assertTrue(lending.paused());
        vm.expectRevert(Pausable.EnforcedPause.selector);
        lending.pause();
        lending.unpause();
        assertFalse(lending.paused());
        vm.expectRevert(Pausable.ExpectedPause.selector);
        lending.unpause();
    }

    /// The guardian closes the pool, and only the owner opens it again.
    function test_theGuardianOnlyPauses() public {
        vm.prank(guardian);
        lending.pause();
        expectNotOwner(guardian);
        vm.prank(guardian);
        lending.unpause();
        expectNotOwner(guardian);
        vm.prank(guardian);
        lending.withdraw(1);
        expectNotOwner(guardian);
        vm.prank(guardian);
        lending.setGuardian(stranger);
        vm.prank(owner);
        lending.unpause();
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner && caller != guardian);
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, caller));
        vm.prank(caller);
        lending.pause();
        expectNotOwner(caller);
        vm.prank(caller);
        lending.unpause();
    }
}
