// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

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

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        lending.pause();
        expectNotOwner(caller);
        vm.prank(caller);
        lending.unpause();
    }
}
