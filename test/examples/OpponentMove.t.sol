// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {OpponentMove} from "zkml-evm/consumers/OpponentMove.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

contract OpponentMoveTest is ExampleFixture {
    OpponentMove private arena;
    uint256 private game;
    int256[9] private _cells;
    uint32 private _turn;

    function setUp() public override {
        super.setUp();
        arena = new OpponentMove(router, MODEL);
        vm.expectEmit(address(arena));
        emit OpponentMove.Begun(1, borrower);
        vm.prank(borrower);
        game = arena.begin();
    }

    function test_thePlayerWins() public {
        _play(0, OpponentMove.Phase.Model);
        _answer(3, OpponentMove.Phase.Player);
        _play(1, OpponentMove.Phase.Model);
        _answer(4, OpponentMove.Phase.Player);
        _play(2, OpponentMove.Phase.PlayerWon);
        _expectPhase(OpponentMove.Phase.PlayerWon);
        arena.answer(game, 5, "proof");
        _expectPhase(OpponentMove.Phase.PlayerWon);
        vm.prank(borrower);
        arena.play(game, 5);
    }

    function test_theModelWins() public {
        _play(0, OpponentMove.Phase.Model);
        _answer(2, OpponentMove.Phase.Player);
        _play(1, OpponentMove.Phase.Model);
        _answer(4, OpponentMove.Phase.Player);
        _play(3, OpponentMove.Phase.Model);
        _answer(6, OpponentMove.Phase.ModelWon);
    }

    function test_nobodyWins() public {
        uint8[9] memory cells = [0, 1, 2, 4, 3, 5, 7, 6, 8];
        for (uint256 i = 0; i < 9; ++i) {
            bool last = i == 8;
            if (i % 2 == 0) _play(cells[i], last ? OpponentMove.Phase.Drawn : OpponentMove.Phase.Model);
            else _answer(cells[i], OpponentMove.Phase.Player);
        }
    }

    /// The model points at a taken cell: its turn is gone, the board is as it was.
    function test_theModelMissesItsTurn() public {
        _play(4, OpponentMove.Phase.Model);
        _accept(4);
        vm.expectEmit(address(arena));
        emit OpponentMove.Moved(game, 1, 4, true, OpponentMove.Phase.Player);
        arena.answer(game, 4, "proof");
        (address player, OpponentMove.Phase phase, uint16 mine, uint16 theirs, uint32 turn) = arena.games(game);
        assertEq(player, borrower);
        assertEq(uint8(phase), uint8(OpponentMove.Phase.Player));
        assertEq(mine, 1 << 4);
        assertEq(theirs, 0);
        assertEq(turn, 2);
    }

    /// What a prover takes from the contract is what it is judged by.
    function test_statementIsTheBoard() public {
        _play(4, OpponentMove.Phase.Model);
        _answer(0, OpponentMove.Phase.Player);
        _play(8, OpponentMove.Phase.Model);
        uint256[] memory inputs = arena.statementOf(game, 2);
        assertEq(inputs.length, 11);
        assertEq(inputs[0], contextFor(address(arena), borrower, bytes32(game), 3, type(uint64).max));
        for (uint256 i = 0; i < 9; ++i) {
            assertEq(inputs[1 + i], elementOf(_cells[i]));
        }
        assertEq(inputs[10], 2);
    }

    /// Only the move that the model makes has a proof.
    function testFuzz_RevertWhen_itIsNotTheModelsMove(uint8 cell) public {
        cell = uint8(bound(cell, 0, 8));
        vm.assume(cell != 7);
        _play(4, OpponentMove.Phase.Model);
        _accept(7);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        arena.answer(game, cell, "proof");
    }

    /// The same board in another game, by the same player: a proof of its own.
    function test_RevertWhen_provenForAnotherGame() public {
        _play(4, OpponentMove.Phase.Model);
        _accept(7);
        vm.startPrank(borrower);
        uint256 other = arena.begin();
        arena.play(other, 4);
        vm.stopPrank();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        arena.answer(other, 7, "proof");
    }

    /// Missed once, the same proof does not serve for the next turn on the same board.
    function test_RevertWhen_provenForAnEarlierTurn() public {
        _play(4, OpponentMove.Phase.Model);
        _answer(0, OpponentMove.Phase.Player);
        _expectPhase(OpponentMove.Phase.Player);
        arena.answer(game, 0, "proof");
        _play(8, OpponentMove.Phase.Model);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        arena.answer(game, 0, "proof");
    }

    function testFuzz_RevertWhen_thereIsNoSuchCell(uint8 cell) public {
        cell = uint8(bound(cell, 9, 255));
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.InvalidCell.selector, cell));
        vm.prank(borrower);
        arena.play(game, cell);
        _play(4, OpponentMove.Phase.Model);
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.InvalidCell.selector, cell));
        arena.answer(game, cell, "proof");
    }

    function test_RevertWhen_theCellIsTaken() public {
        _play(4, OpponentMove.Phase.Model);
        _answer(0, OpponentMove.Phase.Player);
        for (uint8 cell = 0; cell <= 4; cell += 4) {
            vm.expectRevert(abi.encodeWithSelector(OpponentMove.InvalidCell.selector, cell));
            vm.prank(borrower);
            arena.play(game, cell);
        }
    }

    function testFuzz_RevertWhen_somebodyElsePlays(address caller) public {
        vm.assume(caller != borrower);
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.NotThePlayer.selector, borrower, caller));
        vm.prank(caller);
        arena.play(game, 0);
    }

    function test_RevertWhen_thePlayerMovesTwice() public {
        _play(4, OpponentMove.Phase.Model);
        _expectPhase(OpponentMove.Phase.Model);
        vm.prank(borrower);
        arena.play(game, 0);
    }

    function test_RevertWhen_theGameWasNeverBegun() public {
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.NotThePlayer.selector, address(0), borrower));
        vm.prank(borrower);
        arena.play(game + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.WrongPhase.selector, game + 1, OpponentMove.Phase.Player));
        arena.answer(game + 1, 0, "proof");
    }

    function test_RevertWhen_builtOnNothing() public {
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.NotAContract.selector, stranger));
        new OpponentMove(IInferenceVerifier(stranger), MODEL);
    }

    function _play(uint8 cell, OpponentMove.Phase next) private {
        vm.expectEmit(address(arena));
        emit OpponentMove.Moved(game, _turn, cell, false, next);
        vm.prank(borrower);
        arena.play(game, cell);
        _cells[cell] = 1;
        ++_turn;
    }

    function _answer(uint8 cell, OpponentMove.Phase next) private {
        _accept(cell);
        vm.expectEmit(address(arena));
        emit OpponentMove.Moved(game, _turn, cell, false, next);
        vm.prank(stranger);
        arena.answer(game, cell, "proof");
        _cells[cell] = -1;
        ++_turn;
    }

    /// The statement by the written formulas, from a board of the test's own.
    function _accept(uint8 cell) private {
        uint256[] memory inputs = new uint256[](11);
        inputs[0] = contextFor(address(arena), borrower, bytes32(game), _turn, type(uint64).max);
        for (uint256 i = 0; i < 9; ++i) {
            inputs[1 + i] = elementOf(_cells[i]);
        }
        inputs[10] = cell;
        router.accept(MODEL, inputs);
    }

    function _expectPhase(OpponentMove.Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(OpponentMove.WrongPhase.selector, game, phase));
    }
}
