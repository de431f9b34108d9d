// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationHandler} from "./AttestationHandler.sol";
import {Invariants} from "./Invariants.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";

contract AttestationInvariantTest is Invariants {
    AttestationHandler private handler;

    function setUp() public {
        address owner = makeAddr("owner");
        address guardian = makeAddr("guardian");
        InputAttestation registry = new InputAttestation(owner, guardian);
        handler = new AttestationHandler(registry, owner, guardian, makeAddr("stranger"));
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = handler.list.selector;
        selectors[1] = handler.remove.selector;
        selectors[2] = handler.retire.selector;
        selectors[3] = handler.revoke.selector;
        selectors[4] = handler.revokeInVain.selector;
        selectors[5] = handler.sign.selector;
        selectors[6] = handler.warp.selector;
        target(address(handler), selectors);
    }

    function invariant_whatCountsIsWhatTheBookSays() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            assertEq(handler.counts(i), handler.mustCount(i));
        }
    }

    function invariant_revokedNeverCountsAgain() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            if (handler.isRevoked(i)) assertFalse(handler.counts(i));
        }
    }

    function invariant_onlyTheOwnerLists() public view {
        assertFalse(handler.listedByOther());
        assertFalse(handler.stoppedByStranger());
    }

    function invariant_aRetirementIsNeverPutOff() public view {
        assertFalse(handler.postponed());
    }

    /// The handler does reach what the invariants are about.
    function test_handlerSignsRetiresAndRevokes() public {
        handler.list(0, 0, 2);
        handler.sign(0, 0, 20 days, 1);
        assertFalse(handler.counts(0));
        handler.list(0, 0, 0);
        assertTrue(handler.counts(0));
        handler.revokeInVain(0);
        assertTrue(handler.counts(0));
        handler.warp(1 days);
        handler.retire(0, 0, 1, 5 days);
        handler.sign(0, 0, 20 days, 2);
        assertTrue(handler.counts(0));
        assertFalse(handler.counts(1));
        handler.revoke(0, 2, false);
        assertTrue(handler.counts(0));
        handler.revoke(0, 0, true);
        assertEq(handler.revocations(), 1);
        assertFalse(handler.counts(0));
        handler.list(0, 0, 0);
        assertTrue(handler.counts(1));
        assertFalse(handler.counts(0));
        invariant_whatCountsIsWhatTheBookSays();
        invariant_onlyTheOwnerLists();
    }
}
