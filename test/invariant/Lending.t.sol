// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Invariants} from "./Invariants.sol";
import {LendingHandler} from "./LendingHandler.sol";

contract LendingInvariantTest is Invariants {
    LendingHandler private handler;

    function setUp() public {
        handler = new LendingHandler();
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = handler.borrow.selector;
        selectors[1] = handler.relay.selector;
        selectors[2] = handler.batch.selector;
        selectors[3] = handler.replay.selector;
        selectors[4] = handler.steal.selector;
        selectors[5] = handler.cancel.selector;
        selectors[6] = handler.repay.selector;
        selectors[7] = handler.fund.selector;
        selectors[8] = handler.withdraw.selector;
        selectors[9] = handler.warp.selector;
        selectors[10] = handler.pause.selector;
        selectors[11] = handler.retirePolicy.selector;
        target(address(handler), selectors);
    }

    /// What the pool holds is what came in less what went out, and every principal is counted the same in three places.
    function invariant_poolIsSolvent() public view {
        (uint256 liquidity, uint256 loans) = handler.pool();
        (uint256 byLoans, uint256 byBorrowers, uint256 byPolicy) = handler.sums();
        assertEq(liquidity, handler.expectedBalance());
        assertEq(byLoans, byBorrowers);
        assertEq(byLoans, byPolicy);
        assertEq(byLoans, handler.lent() - handler.repaid());
        assertEq(loans, handler.nullifierCount());
    }

    function invariant_loansStayWithinTheLimits() public view {
        assertLe(handler.mostOwedUnderAPolicy(), handler.CAP());
        assertLe(handler.mostOwedByABorrower(), handler.BORROWER_LIMIT());
    }

    function invariant_nullifierIsSpentOnce() public view {
        for (uint256 i = 0; i < handler.nullifierCount(); ++i) {
            assertEq(handler.timesUsed(handler.nullifiers(i)), 1);
            assertEq(handler.loansInEpoch(handler.epochs(i)), 1);
        }
    }

    function invariant_nonceCountsLoansAndCancellations() public view {
        for (uint256 i = 0; i < handler.SUBJECTS(); ++i) {
            address subject = handler.subjectOf(i);
            assertEq(handler.nonceOf(i), handler.expectedNonce(subject));
        }
    }

    function invariant_nothingForbiddenOpens() public view {
        assertEq(handler.forbidden(), 0);
    }

    function invariant_nobodyBorrowsInAnothersName() public view {
        assertEq(handler.stolen(), 0);
    }

    /// The handler does open loans on every road; an invariant over nothing would hold too.
    function test_handlerBorrowsReplaysAndRepays() public {
        uint256 amount = 1000e6;
        handler.borrow(0, 1, false, amount);
        handler.relay(1, 1, 2, true, amount);
        handler.relay(2, 1, 2, true, amount);
        assertEq(handler.nullifierCount(), 2);
        handler.replay(0, true, "x");
        handler.steal(0, 2);
        assertEq(handler.nullifierCount(), 2);
        handler.batch(5, 7, false, amount, false);
        assertEq(handler.nullifierCount(), 4);
        handler.pause(0, 3, false, amount);
        handler.retirePolicy(0, 3);
        handler.batch(3, 9, false, amount, true);
        assertEq(handler.nullifierCount(), 7);
        handler.warp(type(uint32).max);
        handler.repay(0, type(uint256).max);
        assertGt(handler.repaid(), 0);
        assertGt(handler.interestPaid(), 0);
        handler.cancel(0);
        invariant_poolIsSolvent();
        invariant_loansStayWithinTheLimits();
        invariant_nullifierIsSpentOnce();
        invariant_nonceCountsLoansAndCancellations();
        invariant_nobodyBorrowsInAnothersName();
        invariant_nothingForbiddenOpens();
    }
}
