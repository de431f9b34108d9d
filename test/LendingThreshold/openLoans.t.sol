// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {HookToken} from "../helpers/Tokens.sol";
import {BurningWallet, HungryWallet, VerboseWallet} from "../helpers/Wallets1271.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// Many borrowers in one transaction: every item stands or falls alone.
contract OpenLoansTest is LendingFixture {
    uint256 private constant ITEM_GAS = 1_000_000;

    ILendingThreshold.BorrowRequest[] private _requests;
    bytes[] private _permits;

    function test_opensAll() public {
        for (uint256 i = 0; i < 4; ++i) {
            _add(i);
        }
        assertEq(_send(ITEM_GAS, false), 4);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(token.balanceOf(_subject(i)), AMOUNT);
            assertEq(lending.nonceOf(_subject(i)), 1);
        }
        assertEq(lending.loanCount(), 4);
        assertEq(lending.policy(policyId).principal, 4 * AMOUNT);
    }

    function test_emptyBatchDoesNothing() public {
        assertEq(_send(ITEM_GAS, true), 0);
    }

    /// One bad proof: it is told by index and reason, changes nothing, and the others get their loans.
    function testFuzz_aBadItemLeavesTheOthersAlone(uint8 bad) public {
        bad = uint8(bound(bad, 0, 3));
        for (uint256 i = 0; i < 4; ++i) {
            _add(i);
        }
        _requests[bad].expiry += 1;
        _permits[bad] = permitOf(_keyOf(bad), _requests[bad]);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            bad, _subject(bad), abi.encodeWithSelector(IProofVerifier.PairingFailed.selector)
        );
        assertEq(_send(ITEM_GAS, false), 3);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 expected = i == bad ? 0 : 1;
            assertEq(lending.nonceOf(_subject(i)), expected);
            assertEq(token.balanceOf(_subject(i)), expected * AMOUNT);
            assertEq(lending.principalOf(_subject(i)), expected * AMOUNT);
        }
        // Nothing of it was spent.
        acceptProofOf(_requests[bad]);
        vm.prank(_subject(bad));
        lending.openLoan(_requests[bad]);
    }

    /// The same borrower twice: the second item meets what the first one left.
    function test_theSecondItemOfOneSubjectIsRefused() public {
        _add(0);
        _add(0);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            1, _subject(0), abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, nullifierOf(_requests[0]))
        );
        assertEq(_send(ITEM_GAS, false), 1);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
    }

    function test_RevertWhen_allOrNothing() public {
        _add(0);
        _add(1);
        _permits[1] = "";
        bytes32 digest = lending.permitDigest(_requests[1]);
        bytes memory reason = abi.encodeWithSelector(ILendingThreshold.InvalidPermit.selector, _subject(1), digest);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchItemFailed.selector, 1, reason));
        _send(ITEM_GAS, true);
        assertEq(lending.loanCount(), 0);
        assertEq(lending.nonceOf(_subject(0)), 0);
    }

    /// The sender's own item needs no permit; everybody else's does.
    function test_theSenderNeedsNoPermit() public {
        _add(0);
        _add(1);
        (_permits[0], _permits[1]) = (bytes(""), bytes(""));
        vm.prank(_subject(0));
        assertEq(lending.openLoans(_requests, _permits, ITEM_GAS, false), 1);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
        assertEq(token.balanceOf(_subject(1)), 0);
    }

    /// The pool empties on the way: who comes first is served.
    function test_theOthersAreRefusedWhenThePoolIsEmpty() public {
        vm.prank(owner);
        lending.withdraw(POOL - 2 * AMOUNT);
        for (uint256 i = 0; i < 3; ++i) {
            _add(i);
        }
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            2, _subject(2), abi.encodeWithSelector(ILendingThreshold.InsufficientLiquidity.selector, 0, AMOUNT)
        );
        assertEq(_send(ITEM_GAS, false), 2);
        assertEq(lending.liquidity(), 0);
    }

    /// An attestor that burns what it gets burns its own item's gas only.
    function test_aBurningAttestorCostsNoMoreThanItsGas() public {
        BurningWallet wallet = new BurningWallet();
        allow(address(wallet));
        _add(0);
        _add(1);
        _requests[0].attestor = address(wallet);
        uint256 before = gasleft();
        assertEq(_send(ITEM_GAS, false), 1);
        assertLt(before - gasleft(), 2 * ITEM_GAS);
        assertEq(token.balanceOf(_subject(1)), AMOUNT);
    }

    /// A token or wallet that answers with kilobytes: no more than the first 256 bytes are copied.
    function test_aLongReasonIsCut() public {
        HookToken hook = new HookToken();
        lending = poolOf(address(hook));
        policyId = addPolicyTo(lending);
        hook.mint(address(lending), POOL);
        hook.setHook(address(new VerboseWallet()), "");
        hook.setBubbles(true);
        _add(0);
        bytes memory reason = new bytes(256);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(0, _subject(0), reason);
        assertEq(_send(ITEM_GAS, false), 0);
        // The next batch is as good as ever.
        hook.setHook(address(0), "");
        assertEq(_send(ITEM_GAS, false), 1);
    }

    /// A sender cannot make an item fail by sending too little gas, and call that a refusal.
    function testFuzz_RevertWhen_gasIsNotEnough(uint256 gasGiven) public {
        _add(0);
        gasGiven = bound(gasGiven, 200_000, ITEM_GAS);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchGasTooLow.selector, 0, ITEM_GAS));
        lending.openLoans{gas: gasGiven}(_requests, _permits, ITEM_GAS, false);
    }

    /// An item that needs all that it is promised, and a sender that gives a little too little, by any amount: either the batch
    /// reverts, or the item opens. It is never refused for want of gas that it was promised.
    function test_thePromisedGasIsGivenOrTheBatchReverts() public {
        address wallet = address(new HungryWallet());
        allow(wallet);
        _add(0);
        _requests[0].attestor = wallet;
        uint256 clean = vm.snapshotState();
        (uint256 tooLittle, uint256 enough) = (8_000_000, 8_500_000);
        while (enough - tooLittle > 1) {
            uint256 middle = (enough + tooLittle) / 2;
            if (_send(middle, false) == 1) enough = middle;
            else tooLittle = middle;
            assertTrue(vm.revertToState(clean));
        }
        bytes memory call = abi.encodeCall(lending.openLoans, (_requests, _permits, enough, false));
        bytes memory tooLow = abi.encodeWithSelector(ILendingThreshold.BatchGasTooLow.selector, 0, enough);
        uint256 opened;
        uint256 reverted;
        for (uint256 given = enough; given < enough * 64 / 63 + 150_000; given += 4001) {
            vm.prank(stranger);
            (bool ok, bytes memory answer) = address(lending).call{gas: given}(call);
            if (ok) {
                ++opened;
                assertEq(abi.decode(answer, (uint256)), 1, "refused for want of gas");
            } else {
                ++reverted;
                assertEq(answer, tooLow);
            }
            assertTrue(vm.revertToState(clean));
        }
        assertGt(opened, 0);
        assertGt(reverted, 0);
    }

    function testFuzz_RevertWhen_gasPerItemIsAbsurd(uint256 gasPerItem) public {
        _add(0);
        gasPerItem = bound(gasPerItem, 1 << 40, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchGasTooLow.selector, 0, gasPerItem));
        _send(gasPerItem, false);
    }

    /// Too small an allowance refuses the item, without a reason, and spends nothing of it.
    function test_anItemThatRunsOutOfGasIsRefused() public {
        _add(0);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(0, _subject(0), "");
        assertEq(_send(20_000, false), 0);
        assertEq(lending.nonceOf(_subject(0)), 0);
        assertEq(_send(ITEM_GAS, false), 1);
    }

    /// A token that calls back finds the pool closed, from within a batch too.
    function test_hookToken_cannotEnterAgain() public {
        HookToken hook = new HookToken();
        lending = poolOf(address(hook));
        policyId = addPolicyTo(lending);
        hook.mint(address(lending), POOL);
        _add(0);
        bytes memory again = abi.encodeCall(lending.openLoans, (_requests, _permits, ITEM_GAS, false));
        hook.setHook(address(lending), again);
        assertEq(_send(2 * ITEM_GAS, false), 1);
        bytes4 refused = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertEq(hook.answer(), abi.encodeWithSelector(refused));

        _add(1);
        ILendingThreshold.BorrowRequest memory own = accepted(address(hook));
        hook.setHook(address(lending), abi.encodeCall(lending.openLoanOfBatch, (own, "", address(hook), true)));
        assertEq(_send(2 * ITEM_GAS, false), 1);
        assertEq(hook.answer(), abi.encodeWithSelector(ILendingThreshold.NotABatch.selector, address(hook)));
    }

    function testFuzz_RevertWhen_anItemIsCalledFromOutside(address caller) public {
        vm.assume(caller != address(lending));
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.NotABatch.selector, caller));
        vm.prank(caller);
        lending.openLoanOfBatch(request, "", borrower, true);
    }

    function test_RevertWhen_lengthsDiffer() public {
        _add(0);
        _permits.push("");
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchLengthMismatch.selector, 1, 2));
        _send(ITEM_GAS, false);
    }

    function test_RevertWhen_paused() public {
        _add(0);
        vm.prank(owner);
        lending.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        _send(ITEM_GAS, false);
    }

    function _add(uint256 index) private {
        ILendingThreshold.BorrowRequest memory request = accepted(_subject(index));
        _requests.push(request);
        _permits.push(permitOf(_keyOf(index), request));
    }

    function _send(uint256 gasPerItem, bool allOrNothing) private returns (uint256 opened) {
        vm.prank(stranger);
        return lending.openLoans(_requests, _permits, gasPerItem, allOrNothing);
    }

    function _keyOf(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("batch", index)));
    }

    function _subject(uint256 index) private pure returns (address) {
        return vm.addr(_keyOf(index));
    }
}
