// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract RepayTest is LendingFixture {
    function setUp() public override {
        super.setUp();
        open(accepted(borrower));
        vm.prank(borrower);
        token.approve(address(lending), type(uint256).max);
    }

    function testFuzz_lowersTheDebt(uint256 amount) public {
        amount = bound(amount, 1, AMOUNT);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.LoanRepaid(1, borrower, amount, AMOUNT - amount);
        vm.prank(borrower);
        assertEq(lending.repay(1, amount), amount);
        assertEq(lending.debtOf(borrower), AMOUNT - amount);
        assertEq(lending.loan(1).outstanding, AMOUNT - amount);
        assertEq(lending.loan(1).amount, AMOUNT);
        assertEq(lending.liquidity(), POOL - AMOUNT + amount);
    }

    function test_anyoneMayPay() public {
        token.mint(stranger, AMOUNT);
        vm.startPrank(stranger);
        token.approve(address(lending), AMOUNT);
        lending.repay(1, AMOUNT);
        assertEq(lending.debtOf(borrower), 0);
        assertEq(lending.debtOf(stranger), 0);
    }

    function test_worksWhilePaused() public {
        vm.prank(owner);
        lending.pause();
        vm.prank(borrower);
        lending.repay(1, AMOUNT);
        assertEq(lending.debtOf(borrower), 0);
    }

    function testFuzz_RevertWhen_moreThanOwed(uint256 amount) public {
        amount = bound(amount, AMOUNT + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.RepaymentExceedsDebt.selector, AMOUNT, amount));
        vm.prank(borrower);
        lending.repay(1, amount);
    }

    function test_RevertWhen_amountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, 0));
        vm.prank(borrower);
        lending.repay(1, 0);
    }

    function testFuzz_RevertWhen_loanIsUnknown(uint256 loanId) public {
        vm.assume(loanId != 1);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.LoanUnknown.selector, loanId));
        lending.repay(loanId, 1);
    }

    function test_RevertWhen_notApproved() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(lending), 0, 1)
        );
        vm.prank(stranger);
        lending.repay(1, 1);
    }
}
