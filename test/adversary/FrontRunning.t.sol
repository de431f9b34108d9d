// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// What somebody who sees a transaction before it is mined can do with it.
contract FrontRunningTest is LendingFixture {
    uint256 private _key;
    address private _thief = makeAddr("thief");

    function setUp() public override {
        super.setUp();
        (borrower, _key) = makeAddrAndKey("borrower");
    }

    /// The calldata, as it is, from another account.
    function test_aCopiedLoanIsRefused() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, borrower, _thief));
        vm.prank(_thief);
        lending.openLoan(request);
        open(request);
    }

    /// The relayed one: whoever is first pays the gas, and the borrower gets the tokens either way.
    function test_aCopiedPermitServesTheBorrower() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.prank(_thief);
        lending.openLoanFor(request, permit);
        assertEq(token.balanceOf(borrower), AMOUNT);
        assertEq(token.balanceOf(_thief), 0);
    }

    /// An item taken out of a batch and sent ahead: the batch goes on without it.
    function test_anItemSentAheadDoesNotStopTheBatch() public {
        (address other, uint256 otherKey) = makeAddrAndKey("other borrower");
        ILendingThreshold.BorrowRequest[] memory requests = new ILendingThreshold.BorrowRequest[](2);
        (requests[0], requests[1]) = (accepted(borrower), accepted(other));
        bytes[] memory permits = new bytes[](2);
        (permits[0], permits[1]) = (permitOf(_key, requests[0]), permitOf(otherKey, requests[1]));
        vm.prank(_thief);
        lending.openLoanFor(requests[0], permits[0]);
        assertEq(lending.openLoans(requests, permits, 1_000_000, false), 1);
        assertEq(token.balanceOf(other), AMOUNT);
        assertEq(token.balanceOf(borrower), AMOUNT);
    }

    /// A repayment of one unit ahead of the whole one: the whole one pulls what is left, and does not fail.
    function test_aSmallRepaymentAheadDoesNotStopTheWholeOne() public {
        uint256 id = open(accepted(borrower));
        token.mint(_thief, 1);
        vm.startPrank(_thief);
        token.approve(address(lending), 1);
        lending.repay(id, 1);
        vm.stopPrank();
        vm.startPrank(borrower);
        token.approve(address(lending), AMOUNT);
        assertEq(lending.repay(id, type(uint256).max), AMOUNT - 1);
        assertEq(principalOf(id), 0);
    }

    /// Nobody can use up another account's nonce.
    function test_cancellingIsForOneselfOnly() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.prank(_thief);
        lending.cancelNonce();
        assertEq(lending.nonceOf(borrower), 0);
        open(request);
    }

    /// A donation shifts nothing but what can be lent.
    function test_aDonationIsNoLever() public {
        uint256 id = open(accepted(borrower));
        token.mint(address(lending), 5);
        assertEq(principalOf(id), AMOUNT);
        assertEq(lending.policy(policyId).principal, AMOUNT);
        assertEq(lending.liquidity(), POOL - AMOUNT + 5);
    }
}
