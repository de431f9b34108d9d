// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "../helpers/ConsumerProof.sol";
import {OpponentMove} from "zkml-evm/consumers/OpponentMove.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// examples/consumers/opponent: two turns of a game, each with the model's own proof. The board is public, so that the
/// statement has no commitment in it.
contract OpponentMoveRealProofTest is ConsumerProof {
    uint8 private constant MIDDLE = 4;
    uint8 private constant CORNER = 2;

    OpponentMove private arena;
    uint256 private game;

    function setUp() public {
        open(
            "opponent",
            IInferenceRouter.Statement(IInferenceRouter.InputMode.Public, IInferenceRouter.OutputMode.Argmax, 1)
        );
        vm.prank(deployer());
        arena = new OpponentMove(router, modelId);
        assertBound(address(arena));
        vm.prank(subject);
        game = arena.begin();
    }

    function test_theModelPlays() public {
        _play(0);
        _answer(MIDDLE, 0);
        _play(8);
        assertEq(arena.statementOf(game, CORNER), inputsOf(1));
        _answer(CORNER, 1);
        (, OpponentMove.Phase phase, uint16 mine, uint16 theirs, uint32 turn) = arena.games(game);
        assertEq(uint8(phase), uint8(OpponentMove.Phase.Player));
        assertEq(mine, 1 << 0 | 1 << 8);
        assertEq(theirs, 1 << MIDDLE | 1 << CORNER);
        assertEq(turn, 4);
    }

    /// One move has a proof, and it is the model's.
    function test_RevertWhen_anotherMoveIsClaimed() public {
        _play(0);
        for (uint8 cell = 0; cell < 9; ++cell) {
            if (cell == MIDDLE) continue;
            expectRejected();
            _answer(cell, 0);
        }
    }

    function test_RevertWhen_provenForAnotherTurn() public {
        _play(0);
        expectRejected();
        _answer(CORNER, 1);
    }

    /// The player's second game: the context has its number.
    function test_RevertWhen_provenForAnotherGame() public {
        vm.prank(subject);
        game = arena.begin();
        _play(0);
        expectRejected();
        _answer(MIDDLE, 0);
    }

    /// Boards that differ are no contradiction.
    function test_RevertWhen_theBoardsDiffer() public {
        uint256[] memory first = inputsOf(0);
        uint256[] memory second = inputsOf(1);
        bytes memory firstProof = proofOf(0);
        bytes memory secondProof = proofOf(1);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DifferentQuestion.selector, 5, 0, R - 1));
        router.proveContradiction(modelId, first, firstProof, second, secondProof);
    }

    function _play(uint8 cell) private {
        vm.prank(subject);
        arena.play(game, cell);
    }

    function _answer(uint8 cell, uint256 index) private {
        bytes memory proof = proofOf(index);
        arena.answer(game, cell, proof);
    }
}
