// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract WithdrawTest is LendingFixture {
    function testFuzz_ownerTakesOut(uint256 amount) public {
        amount = bound(amount, 0, POOL);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.Withdrawn(owner, amount);
        vm.prank(owner);
        lending.withdraw(amount);
        assertEq(token.balanceOf(owner), amount);
        assertEq(lending.liquidity(), POOL - amount);
    }

    function testFuzz_RevertWhen_moreThanThereIs(uint256 amount) public {
        amount = bound(amount, POOL + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InsufficientLiquidity.selector, POOL, amount));
        vm.prank(owner);
        lending.withdraw(amount);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        lending.withdraw(1);
    }
}

