// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingHandler} from "./LendingHandler.sol";
import {Test} from "forge-std/Test.sol";

contract LendingInvariantTest is Test {
    LendingHandler private handler;

    function setUp() public {
        handler = new LendingHandler();
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = handler.borrow.selector;
        selectors[1] = handler.replay.selector;
        selectors[2] = handler.steal.selector;
        selectors[3] = handler.repay.selector;
        selectors[4] = handler.fund.selector;
        selectors[5] = handler.withdraw.selector;
        selectors[6] = handler.warp.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_poolIsSolvent() public view {
        (uint256 liquidity, uint256 loans) = handler.pool();
        (uint256 outstanding, uint256 debts) = handler.sums();
        assertEq(liquidity, handler.expectedBalance());
        assertEq(outstanding, debts);
        assertEq(outstanding, handler.lent() - handler.repaid());
        assertEq(loans, handler.nullifierCount());
    }

    function invariant_nullifierIsSpentOnce() public view {
        for (uint256 i = 0; i < handler.nullifierCount(); ++i) {
            assertEq(handler.timesUsed(handler.nullifiers(i)), 1);
            assertEq(handler.loansInEpoch(handler.epochs(i)), 1);
            assertEq(handler.timesGiven(handler.loanIds(i)), 1);
        }
    }

    function invariant_nonceCountsLoans() public view {
        for (uint256 i = 0; i < handler.SUBJECTS(); ++i) {
            assertEq(handler.nonceOf(i), handler.loansOf(handler.subjectOf(i)));
        }
    }

    function invariant_nobodyBorrowsOnAnothersAttestation() public view {
        assertEq(handler.stolen(), 0);
    }

    /// The handler does open loans; an invariant over nothing would hold too.
    function test_handlerBorrowsReplaysAndRepays() public {
        handler.borrow(0, 1);
        handler.borrow(1, 2);
        handler.replay(0, true, "x");
        handler.steal(0, 2);
        assertEq(handler.nullifierCount(), 2);
        handler.repay(0, type(uint256).max);
        assertGt(handler.repaid(), 0);
        invariant_poolIsSolvent();
        invariant_nonceCountsLoans();
    }
}
