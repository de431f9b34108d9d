// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ChargingToken, FeeToken, GenerousToken, HookToken, LyingToken, SilentToken} from "../helpers/Tokens.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Tokens that are not like OpenZeppelin's.
contract TokensTest is LendingFixture {
    function test_feeToken_creditsWhatArrives() public {
        FeeToken fee = new FeeToken();
        _poolOver(address(fee));
        fee.mint(address(this), 4 * AMOUNT);
        fee.approve(address(lending), type(uint256).max);

        assertEq(lending.fund(2 * AMOUNT), 2 * AMOUNT * 99 / 100);
        assertEq(lending.liquidity(), 2 * AMOUNT * 99 / 100);
        open(accepted(borrower));
        // The borrower bears the fee and owes what left the pool.
        assertEq(fee.balanceOf(borrower), AMOUNT * 99 / 100);
        assertEq(lending.principalOf(borrower), AMOUNT);
        assertEq(lending.repay(loanIdOf(borrower, 0), AMOUNT), AMOUNT * 99 / 100);
        assertEq(lending.principalOf(borrower), AMOUNT / 100);
        assertEq(principalOf(loanIdOf(borrower, 0)), AMOUNT / 100);
        // The rest can be paid to the last unit, since a fee on less than 100 units is none here.
        uint256 outstanding = lending.principalOf(borrower);
        while (outstanding != 0) {
            outstanding -= lending.repay(loanIdOf(borrower, 0), outstanding);
        }
        assertEq(lending.principalOf(borrower), 0);
    }

    function test_hookToken_cannotEnterAgain() public {
        HookToken hook = new HookToken();
        _poolOver(address(hook));
        hook.mint(address(this), 10 * AMOUNT);
        hook.approve(address(lending), type(uint256).max);
        lending.fund(5 * AMOUNT);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);

        // The token itself holds an attestation, a proof and tokens, so that only the guard can refuse it.
        ILendingThreshold.BorrowRequest memory own = accepted(address(hook));
        hook.setHook(address(lending), abi.encodeCall(lending.openLoan, (own)));
        uint256 id = open(request);
        _assertRefused(hook);
        hook.setHook(address(lending), abi.encodeCall(lending.repay, (id, 1)));
        lending.fund(1);
        _assertRefused(hook);
        hook.setHook(address(lending), abi.encodeCall(lending.fund, (1)));
        lending.repay(id, 1);
        _assertRefused(hook);
        vm.prank(owner);
        lending.transferOwnership(address(hook));
        vm.prank(address(hook));
        lending.acceptOwnership();
        hook.setHook(address(lending), abi.encodeCall(lending.withdraw, (1)));
        lending.fund(1);
        _assertRefused(hook);

        // With the hook off, its request is a good one.
        hook.setHook(address(0), "");
        open(own);
        assertEq(lending.loanCount(), 2);
    }

    /// On the other two roads to a loan, with a request and a permit that are good.
    function test_hookToken_cannotEnterAgainForOthers() public {
        HookToken hook = new HookToken();
        _poolOver(address(hook));
        hook.mint(address(lending), 10 * AMOUNT);
        (address other, uint256 key) = makeAddrAndKey("other");
        router.setAcceptsAll(true);
        ILendingThreshold.BorrowRequest[] memory requests = new ILendingThreshold.BorrowRequest[](1);
        bytes[] memory permits = new bytes[](1);
        requests[0] = requestFor(other);
        permits[0] = permitOf(key, requests[0]);
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);

        hook.setHook(address(lending), abi.encodeCall(lending.openLoanFor, (requests[0], permits[0])));
        open(request);
        _assertRefused(hook);
        hook.forget();
        bytes memory together = abi.encodeCall(
            lending.openLoansTogether, (requests, permits, uint64(block.timestamp), "proof", 1_000_000, true)
        );
        hook.setHook(address(lending), together);
        vm.prank(owner);
        lending.withdraw(1);
        _assertRefused(hook);

        // With the hook off both are good.
        hook.setHook(address(0), "");
        uint256 clean = vm.snapshotState();
        lending.openLoanFor(requests[0], permits[0]);
        assertTrue(vm.revertToState(clean));
        (bool ok,) = address(lending).call(together);
        assertTrue(ok);
        assertEq(lending.loanCount(), 2);
    }

    function test_silentToken_works() public {
        SilentToken silent = new SilentToken();
        _poolOver(address(silent));
        silent.mint(address(this), 2 * AMOUNT);
        silent.approve(address(lending), type(uint256).max);
        lending.fund(AMOUNT);
        open(accepted(borrower));
        lending.repay(loanIdOf(borrower, 0), AMOUNT);
        assertEq(lending.principalOf(borrower), 0);
    }

    /// More arrives than was asked for: no more is credited, and no debt goes below zero.
    function test_generousToken_creditsNoMoreThanAsked() public {
        GenerousToken generous = new GenerousToken();
        _poolOver(address(generous));
        generous.mint(address(this), 3 * AMOUNT);
        generous.approve(address(lending), type(uint256).max);
        assertEq(lending.fund(AMOUNT), AMOUNT);
        assertEq(lending.liquidity(), AMOUNT + 1);
        open(accepted(borrower));
        assertEq(lending.repay(loanIdOf(borrower, 0), AMOUNT), AMOUNT);
        assertEq(lending.principalOf(borrower), 0);
    }

    /// What the token takes on top would be nobody's debt: nothing is paid out, neither to a borrower nor to the owner.
    function test_RevertWhen_tokenChargesTheSender() public {
        ChargingToken charging = new ChargingToken();
        _poolOver(address(charging));
        charging.mint(address(lending), POOL);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.SenderCharged.selector, AMOUNT, AMOUNT + AMOUNT / 100));
        open(request);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.SenderCharged.selector, 100, 101));
        vm.prank(owner);
        lending.withdraw(100);
        assertEq(lending.liquidity(), POOL);
        assertEq(lending.loanCount(), 0);
        // It charges nothing on small amounts: these go.
        vm.prank(owner);
        lending.withdraw(99);
        assertEq(lending.liquidity(), POOL - 99);
    }

    function test_RevertWhen_tokenSaysFalse() public {
        LyingToken lying = new LyingToken();
        _poolOver(address(lying));
        lying.mint(address(lending), AMOUNT);
        bytes memory failed = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lying));
        vm.expectRevert(failed);
        lending.fund(1);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(failed);
        open(request);
        assertEq(lending.principalOf(borrower), 0);
    }

    function test_RevertWhen_tokenMovesNothing() public {
        LyingToken lying = new LyingToken();
        _poolOver(address(lying));
        lying.setVerdict(true);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.NothingReceived.selector, 5));
        lending.fund(5);
    }

    function _poolOver(address erc20) private {
        lending = poolOf(erc20);
        policyId = addPolicyTo(lending);
    }

    function _assertRefused(HookToken hook) private view {
        assertEq(hook.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }
}
