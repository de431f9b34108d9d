// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract FundTest is LendingFixture {
    function testFuzz_anyoneFunds(address from, uint128 amount) public {
        vm.assume(from != address(0) && from != address(lending) && amount != 0);
        token.mint(from, amount);
        vm.startPrank(from);
        token.approve(address(lending), amount);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.Funded(from, amount);
        assertEq(lending.fund(amount), amount);
        assertEq(lending.liquidity(), POOL + amount);
    }

    function test_RevertWhen_fundingNothing() public {
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, 0));
        lending.fund(0);
    }
}

