// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {InferenceContext} from "../InferenceContext.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";

/// @title An example: an opponent that plays by its model and nothing else
/// @notice Noughts and crosses against a model. The board is on chain, so the input is public and needs no attestation: this
/// contract calls the router directly, and so rebuilds every public input itself.
///
/// Proven: for this very board the model's largest score is that of the cell.
/// Public: everything. The statement is [context, nine cells, cell]; a cell is 1 for the player, -1 for the model, 0 if free.
/// Hidden: nothing but scores and, in part, weights.
/// Trusted: the router, that the id stands for the model that the player agreed to.
/// The model of examples/consumers/opponent wins where it can, else blocks, else likes the middle best.
/// Anyone may bring the model's move: there is exactly one that has a proof, so nobody can choose it, and the player brings it if
/// nobody else does. A model that points at a taken cell misses its turn. The context binds a proof to game and turn, so that the
/// same board in another game needs its own; nothing is spent, since a turn is taken once.
contract OpponentMove {
    /// @notice Who is to move, or how it ended.
    enum Phase {
        Player,
        Model,
        PlayerWon,
        ModelWon,
        Drawn
    }

    /// @notice A game. `mine` and `theirs` have a bit for each cell of the player and of the model.
    struct Game {
        address player;
        Phase phase;
        uint16 mine;
        uint16 theirs;
        uint32 turn;
    }

    /// @notice No time limit: the context's last field.
    uint64 private constant NO_EXPIRY = type(uint64).max;
    uint16 private constant FULL = 0x1ff;

    /// @notice Where moves are verified.
    IInferenceVerifier public immutable router;

    /// @notice The opponent.
    bytes32 public immutable modelId;

    /// @notice Games by number.
    mapping(uint256 game => Game) public games;

    /// @notice How many games were begun.
    uint256 public gameCount;

    /// @notice A game began.
    event Begun(uint256 indexed game, address indexed player);

    /// @notice A cell was taken; `missed` where the model pointed at a taken one.
    event Moved(uint256 indexed game, uint32 turn, uint8 cell, bool missed, Phase phase);

    /// @notice The router is not a contract.
    error NotAContract(address account);

    /// @notice It is not this game's turn for that.
    error WrongPhase(uint256 game, Phase phase);

    /// @notice Only the game's player moves its pieces.
    error NotThePlayer(address player, address caller);

    /// @notice The board has cells 0 to 8, and the player takes free ones.
    error InvalidCell(uint8 cell);

    constructor(IInferenceVerifier router_, bytes32 modelId_) {
        if (address(router_).code.length == 0) revert NotAContract(address(router_));
        (router, modelId) = (router_, modelId_);
    }

    /// @notice Begins a game; msg.sender moves first.
    function begin() external returns (uint256 game) {
        game = ++gameCount;
        games[game].player = msg.sender;
        emit Begun(game, msg.sender);
    }

    /// @notice The player's move.
    function play(uint256 game, uint8 cell) external {
        Game storage g = games[game];
        if (msg.sender != g.player) revert NotThePlayer(g.player, msg.sender);
        if (g.phase != Phase.Player) revert WrongPhase(game, g.phase);
        if (cell > 8 || _has(g.mine | g.theirs, cell)) revert InvalidCell(cell);
        g.mine |= uint16(1) << cell;
        _end(game, g, cell, false, _wins(g.mine) ? Phase.PlayerWon : Phase.Model);
    }

    /// @notice The model's move, by whoever has its proof.
    function answer(uint256 game, uint8 cell, bytes calldata proof) external {
        Game storage g = games[game];
        if (g.phase != Phase.Model) revert WrongPhase(game, g.phase);
        if (cell > 8) revert InvalidCell(cell);
        router.verifyInference(modelId, statementOf(game, cell), proof);
        bool missed = _has(g.mine | g.theirs, cell);
        if (!missed) g.theirs |= uint16(1) << cell;
        _end(game, g, cell, missed, _wins(g.theirs) ? Phase.ModelWon : Phase.Player);
    }

    /// @notice The public inputs of the model's move in a game as it stands.
    function statementOf(uint256 game, uint8 cell) public view returns (uint256[] memory inputs) {
        Game storage g = games[game];
        inputs = new uint256[](11);
        inputs[0] = InferenceContext.contextOf(g.player, modelId, bytes32(game), g.turn, NO_EXPIRY);
        for (uint8 i = 0; i < 9; ++i) {
            inputs[1 + i] = FieldElement.fromInt(_has(g.mine, i) ? int256(1) : _has(g.theirs, i) ? -1 : int256(0));
        }
        inputs[10] = cell;
    }

    function _end(uint256 game, Game storage g, uint8 cell, bool missed, Phase next) private {
        bool open = next == Phase.Player || next == Phase.Model;
        if (open && (g.mine | g.theirs) == FULL) next = Phase.Drawn;
        emit Moved(game, g.turn, cell, missed, next);
        g.phase = next;
        ++g.turn;
    }

    function _has(uint16 cells, uint8 cell) private pure returns (bool) {
        return cells >> cell & 1 == 1;
    }

    function _wins(uint16 cells) private pure returns (bool) {
        uint16[8] memory lines = [uint16(0x007), 0x038, 0x1c0, 0x049, 0x092, 0x124, 0x111, 0x054];
        for (uint256 i = 0; i < 8; ++i) {
            if (cells & lines[i] == lines[i]) return true;
        }
        return false;
    }
}
