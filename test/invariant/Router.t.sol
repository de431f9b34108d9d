// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Invariants} from "./Invariants.sol";
import {RouterHandler} from "./RouterHandler.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract RouterInvariantTest is Invariants {
    uint32 private constant DELAY = 2 days;

    RouterHandler private handler;

    function setUp() public {
        address owner = makeAddr("owner");
        address guardian = makeAddr("guardian");
        InferenceRouter router = new InferenceRouter(owner, guardian, DELAY);
        handler = new RouterHandler(router, owner, guardian, makeAddr("stranger"));
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = handler.register.selector;
        selectors[1] = handler.deprecate.selector;
        selectors[2] = handler.freeze.selector;
        selectors[3] = handler.contradict.selector;
        selectors[4] = handler.setGuardian.selector;
        selectors[5] = handler.warp.selector;
        selectors[6] = handler.registerAggregate.selector;
        selectors[7] = handler.deprecateAggregate.selector;
        selectors[8] = handler.freezeAggregate.selector;
        target(address(handler), selectors);
    }

    function invariant_frozenNeverVerifiesAgain() public view {
        for (uint256 i = 0; i < handler.IDS(); ++i) {
            bytes32 id = handler.idOf(i);
            if (!handler.everFrozen(id)) continue;
            assertEq(uint8(handler.stateOf(id)), uint8(IInferenceRouter.State.Frozen));
            assertFalse(handler.verifies(id));
        }
    }

    function invariant_onlyTheOwnerApproves() public view {
        assertFalse(handler.approvedByOther());
        assertFalse(handler.frozenByStranger());
    }

    function invariant_onlyAContradictionBreaks() public view {
        assertFalse(handler.brokenWithoutContradiction());
    }

    function invariant_scheduledNeverVerifiesEarly() public view {
        for (uint256 i = 0; i < handler.IDS(); ++i) {
            bytes32 id = handler.idOf(i);
            if (handler.verifies(id)) assertGe(block.timestamp, handler.registeredAt(id) + DELAY);
        }
    }

    function invariant_anIdIsRegisteredOnceAndKeepsItsVerifier() public view {
        assertFalse(handler.registeredTwice());
        for (uint256 i = 0; i < handler.IDS(); ++i) {
            bytes32 id = handler.idOf(i);
            assertEq(handler.ROUTER().model(id).verifier, handler.firstVerifier(id));
        }
    }

    function invariant_familiesCountTheirVersions() public view {
        for (uint256 f = 0; f < handler.FAMILIES(); ++f) {
            bytes32 family = handler.familyOf(f);
            uint256 count = handler.ROUTER().versionCount(family);
            assertEq(count, handler.registrations(family));
            for (uint32 v = 1; v <= count; ++v) {
                IInferenceRouter.Model memory m = handler.ROUTER().model(handler.ROUTER().modelAt(family, v));
                assertEq(m.version, v);
                assertEq(m.familyId, family);
            }
        }
    }

    function invariant_verifiesOnlyWhileActiveOrNotYetEnded() public view {
        for (uint256 i = 0; i < handler.IDS(); ++i) {
            IInferenceRouter.Model memory m = handler.ROUTER().model(handler.idOf(i));
            bool open = m.state == IInferenceRouter.State.Active
                || (m.state == IInferenceRouter.State.Deprecated && block.timestamp < m.deprecatedUntil);
            assertEq(handler.verifies(handler.idOf(i)), open);
        }
    }

    /// An aggregate verifies where it is open itself and every model is that somebody relies on.
    function invariant_aSlotVerifiesOnlyWhatItsModelDoes() public view {
        for (uint256 a = 0; a < handler.AGGREGATES(); ++a) {
            bytes32 id = handler.aggregateOf(a);
            IInferenceRouter.Model memory m = handler.ROUTER().model(id);
            bool open = m.state == IInferenceRouter.State.Active
                || (m.state == IInferenceRouter.State.Deprecated && block.timestamp < m.deprecatedUntil);
            for (uint256 relied = 0; relied < 4; ++relied) {
                bool expected = open;
                for (uint256 i = 0; i < 2; ++i) {
                    if (relied >> i & 1 != 0 && !handler.verifies(handler.idOf(i))) expected = false;
                }
                assertEq(handler.verifiesAggregate(id, relied), expected);
            }
        }
    }

    /// The handler does reach aggregates that verify, and such that a model's end keeps from it.
    function test_handlerVerifiesAggregates() public {
        handler.register(0, 0, 0, 0, 1);
        handler.register(1, 0, 1, 0, 2);
        handler.registerAggregate(0, 0);
        handler.warp(DELAY);
        bytes32 id = handler.aggregateOf(0);
        assertTrue(handler.verifiesAggregate(id, 3));
        handler.contradict(0, 2, true, false);
        assertFalse(handler.verifiesAggregate(id, 3));
        assertFalse(handler.verifiesAggregate(id, 1));
        assertTrue(handler.verifiesAggregate(id, 2));
        handler.freezeAggregate(0, 1);
        assertFalse(handler.verifiesAggregate(id, 2));
        invariant_aSlotVerifiesOnlyWhatItsModelDoes();
    }

    /// The handler does reach what the invariants are about.
    function test_handlerRegistersBreaksAndVerifies() public {
        handler.register(0, 0, 0, 0, 1);
        handler.register(1, 0, 1, 0, 2);
        handler.warp(DELAY);
        assertTrue(handler.verifies(handler.idOf(0)));
        handler.contradict(0, 2, true, false);
        handler.contradict(1, 2, true, false);
        assertEq(handler.contradictions(), 1);
        assertFalse(handler.verifies(handler.idOf(0)));
        assertTrue(handler.verifies(handler.idOf(1)));
    }
}
