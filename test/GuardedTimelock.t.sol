// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {GuardedTimelock} from "zkml-evm/access/GuardedTimelock.sol";

/// Who holds which role from the first block on. What they do with them is tested with the scripts that deploy it.
contract GuardedTimelockTest is Test {
    address private decider = makeAddr("decider");
    address private guardian = makeAddr("guardian");

    function testFuzz_theRolesAreFixed(address other, uint32 delay) public {
        GuardedTimelock timelock = new GuardedTimelock(delay, decider, guardian);
        vm.assume(other != decider && other != guardian && other != address(timelock));
        assertEq(timelock.getMinDelay(), delay);
        bytes32[4] memory roles = [
            timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE(), timelock.DEFAULT_ADMIN_ROLE()
        ];
        address[4] memory holders = [decider, decider, guardian, address(timelock)];
        address[5] memory all = [decider, guardian, address(timelock), other, address(this)];
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 j = 0; j < all.length; ++j) {
                assertEq(timelock.hasRole(roles[i], all[j]), all[j] == holders[i]);
            }
        }
    }

    /// Nobody cancels what the decider schedules but somebody else.
    function test_RevertWhen_theGuardianIsNobodyElse() public {
        vm.expectRevert(abi.encodeWithSelector(GuardedTimelock.InvalidGuardian.selector, decider, address(0)));
        new GuardedTimelock(1 days, decider, address(0));
        vm.expectRevert(abi.encodeWithSelector(GuardedTimelock.InvalidGuardian.selector, decider, decider));
        new GuardedTimelock(1 days, decider, decider);
    }
}
