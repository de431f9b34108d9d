// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterHandler} from "./RouterHandler.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract RouterInvariantTest is Test {
    RouterHandler private handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        address owner = makeAddr("owner");
        address guardian = makeAddr("guardian");
        InferenceRouter router = new InferenceRouter(owner, guardian);
        handler = new RouterHandler(router, owner, guardian, makeAddr("stranger"));
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = handler.register.selector;
        selectors[1] = handler.deprecate.selector;
        selectors[2] = handler.freeze.selector;
        selectors[3] = handler.setGuardian.selector;
        selectors[4] = handler.warp.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
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

    function invariant_anIdIsRegisteredOnceAndKeepsItsVerifier() public view {
        assertFalse(handler.registeredTwice());
        for (uint256 i = 0; i < handler.IDS(); ++i) {
            bytes32 id = handler.idOf(i);
            assertEq(handler.ROUTER().model(id).verifier, handler.firstVerifier(id));
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
}
