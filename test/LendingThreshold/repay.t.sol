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
        emit ILendingThreshold.LoanRepaid(_id, borrower, amount, 0, AMOUNT - amount);
        vm.prank(borrower);
        assertEq(lending.repay(_id, amount), amount);
        assertEq(lending.principalOf(borrower), AMOUNT - amount);
        assertEq(principalOf(_id), AMOUNT - amount);
        assertEq(lending.policy(policyId).principal, AMOUNT - amount);
        assertEq(lending.liquidity(), POOL - AMOUNT + amount);
    }

    function test_anyoneMayPay() public {
        token.mint(stranger, AMOUNT);
        vm.startPrank(stranger);
        token.approve(address(lending), AMOUNT);
        lending.repay(_id, AMOUNT);
        assertEq(lending.principalOf(borrower), 0);
        assertEq(lending.principalOf(stranger), 0);
    }

    function test_worksWhilePaused() public {
        vm.prank(owner);
        lending.pause();
        vm.prank(borrower);
        lending.repay(_id, AMOUNT);
        assertEq(lending.principalOf(borrower), 0);
    }

    /// Nobody can know to the unit what a loan owes when the transaction is mined: no more is pulled than that.
    function testFuzz_pullsNoMoreThanIsOwed(uint256 amount, uint32 elapsed) public {
        skip(elapsed);
        uint256 interest = interestOn(AMOUNT, RATE, elapsed);
        assertEq(interestOf(_id), interest);
        amount = bound(amount, AMOUNT + interest, type(uint256).max);
        token.mint(borrower, interest);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.LoanRepaid(_id, borrower, AMOUNT, interest, 0);
        vm.prank(borrower);
        assertEq(lending.repay(_id, amount), AMOUNT + interest);
        assertEq(token.balanceOf(borrower), 0);
        assertEq(lending.liquidity(), POOL + interest);
        assertEq(lending.policy(policyId).principal, 0);
        skip(365 days);
        assertEq(interestOf(_id), 0);
    }

    /// Interest first, then principal; what is paid of the principal bears no more.
    function testFuzz_paysInterestFirst(uint256 paid, uint32 first, uint32 second) public {
        first = uint32(bound(first, 1, 3650 days));
        skip(first);
        uint256 interest = interestOn(AMOUNT, RATE, first);
        paid = bound(paid, 1, AMOUNT);
        vm.prank(borrower);
        lending.repay(_id, paid);
        uint256 toInterest = paid < interest ? paid : interest;
        uint256 left = AMOUNT - (paid - toInterest);
        assertEq(principalOf(_id), left);
        assertEq(interestOf(_id), interest - toInterest);
        assertEq(lending.principalOf(borrower), left);
        skip(second);
        assertEq(interestOf(_id), interest - toInterest + interestOn(left, RATE, second));
    }

    /// Rounded up at each payment: paying often never costs less than waiting.
    function testFuzz_payingOftenSavesNothing(uint16[8] calldata waits) public {
        uint256 elapsed;
        uint256 paid;
        token.mint(borrower, 8);
        for (uint256 i = 0; i < 8; ++i) {
            uint256 wait = 1 + uint256(waits[i]);
            skip(wait);
            elapsed += wait;
            vm.prank(borrower);
            paid += lending.repay(_id, 1);
        }
        assertGe(interestOf(_id) + paid + principalOf(_id), AMOUNT + interestOn(AMOUNT, RATE, elapsed));
    }

    /// The largest loan at the highest rate, for as long as time is counted: nothing overflows, and it can be paid.
    function test_theLargestLoanForTheLongestTime() public {
        uint256 most = type(uint96).max;
        token.mint(address(lending), most);
        ILendingThreshold.PolicyTerms memory t = terms();
        (t.cap, t.borrowerLimit) = (type(uint128).max, type(uint128).max);
        t.tiers[0] = ILendingThreshold.Tier(THRESHOLD, most, 10_000);
        policyId = add(lending, t);
        ILendingThreshold.BorrowRequest memory request = accepted(stranger);
        request.amount = most;
        _id = open(request);
        vm.warp(type(uint40).max);
        uint256 interest = interestOn(most, 10_000, type(uint40).max - NOW);
        assertEq(interestOf(_id), interest);
        token.mint(stranger, interest);
        vm.startPrank(stranger);
        token.approve(address(lending), type(uint256).max);
        lending.repay(_id, 1);
        assertEq(interestOf(_id), interest - 1);
        assertEq(lending.repay(_id, type(uint256).max), most + interest - 1);
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
        assertEq(principalOf(_id), owed);
        assertEq(lending.principalOf(borrower), owed);
    }

    function test_RevertWhen_nothingIsOwed() public {
        vm.startPrank(borrower);
        lending.repay(_id, AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.NothingOwed.selector, _id));
        lending.repay(_id, 1);
    }

    /// Nonce and debt share a slot, and neither touches the other.
    function test_leavesTheNonceAndOtherLoansAlone() public {
        vm.warp((NOW / EPOCH + 1) * EPOCH);
        uint256 later = open(accepted(borrower));
        assertEq(lending.nonceOf(borrower), 2);
        vm.prank(borrower);
        lending.repay(_id, AMOUNT);
        assertLt(principalOf(_id), AMOUNT);
        assertEq(principalOf(later), AMOUNT);
        assertEq(lending.principalOf(borrower), AMOUNT + principalOf(_id));
        assertEq(lending.nonceOf(borrower), 2);
    }

    /// The ids next to an open loan's: another borrower, policy or epoch.
    function test_RevertWhen_idIsNextToAnOpenLoans() public {
        add(lending, termsOver(EPOCH + 1));
        uint256[4] memory steps = [uint256(1), 1 << 64, 1 << 65, 1 << 96];
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 unknown = _id + steps[i];
            assertEq(keccak256(abi.encode(lending.loan(unknown))), keccak256(new bytes(6 * 32)));
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
