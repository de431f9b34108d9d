// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract RepayTest is LendingFixture {
    uint256 private _id;

    function setUp() public override {
        super.setUp();
        _id = open(accepted(borrower));
        vm.prank(borrower);
        token.approve(address(lending), type(uint256).max);
    }

    function testFuzz_lowersTheDebt(uint256 amount) public {
        amount = bound(amount, 1, AMOUNT);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.LoanRepaid(_id, borrower, amount, AMOUNT - amount);
        vm.prank(borrower);
        assertEq(lending.repay(_id, amount), amount);
        assertEq(lending.debtOf(borrower), AMOUNT - amount);
        assertEq(lending.loan(_id).outstanding, AMOUNT - amount);
        assertEq(lending.loan(_id).amount, AMOUNT);
        assertEq(lending.liquidity(), POOL - AMOUNT + amount);
    }

    function test_anyoneMayPay() public {
        token.mint(stranger, AMOUNT);
        vm.startPrank(stranger);
        token.approve(address(lending), AMOUNT);
        lending.repay(_id, AMOUNT);
        assertEq(lending.debtOf(borrower), 0);
        assertEq(lending.debtOf(stranger), 0);
    }

    function test_worksWhilePaused() public {
        vm.prank(owner);
        lending.pause();
        vm.prank(borrower);
        lending.repay(_id, AMOUNT);
        assertEq(lending.debtOf(borrower), 0);
    }

    function testFuzz_RevertWhen_moreThanOwed(uint256 amount) public {
        amount = bound(amount, AMOUNT + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.RepaymentExceedsDebt.selector, AMOUNT, amount));
        vm.prank(borrower);
        lending.repay(_id, amount);
    }

    function test_RevertWhen_amountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, 0));
        vm.prank(borrower);
        lending.repay(_id, 0);
    }

    function testFuzz_partsAddUp(uint256 first, uint256 second) public {
        first = bound(first, 1, AMOUNT - 1);
        second = bound(second, 1, AMOUNT - first);
        vm.startPrank(borrower);
        lending.repay(_id, first);
        lending.repay(_id, second);
        uint256 owed = AMOUNT - first - second;
        assertEq(lending.loan(_id).outstanding, owed);
        assertEq(lending.debtOf(borrower), owed);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.RepaymentExceedsDebt.selector, owed, owed + 1));
        lending.repay(_id, owed + 1);
    }

    /// Nonce and debt share a slot, and neither touches the other.
    function test_leavesTheNonceAndOtherLoansAlone() public {
        vm.warp((NOW / EPOCH + 1) * EPOCH);
        uint256 later = open(accepted(borrower));
        assertEq(lending.nonceOf(borrower), 2);
        vm.prank(borrower);
        lending.repay(_id, AMOUNT);
        assertEq(lending.loan(_id).outstanding, 0);
        assertEq(lending.loan(later).outstanding, AMOUNT);
        assertEq(lending.debtOf(borrower), AMOUNT);
        assertEq(lending.nonceOf(borrower), 2);
    }

    /// The ids next to an open loan's: another borrower, policy or epoch.
    function test_RevertWhen_idIsNextToAnOpenLoans() public {
        vm.prank(owner);
        lending.addPolicy(MODEL, SCHEMA, THRESHOLD, AMOUNT, EPOCH + 1);
        uint256[4] memory steps = [uint256(1), 1 << 64, 1 << 65, 1 << 96];
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 unknown = _id + steps[i];
            assertEq(keccak256(abi.encode(lending.loan(unknown))), keccak256(new bytes(5 * 32)));
            vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.LoanUnknown.selector, unknown));
            vm.prank(borrower);
            lending.repay(unknown, 1);
        }
    }

    function testFuzz_RevertWhen_loanIsUnknown(uint256 loanId) public {
        vm.assume(loanId != _id);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.LoanUnknown.selector, loanId));
        lending.repay(loanId, 1);
    }

    function test_RevertWhen_notApproved() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(lending), 0, 1)
        );
        vm.prank(stranger);
        lending.repay(_id, 1);
    }
}
