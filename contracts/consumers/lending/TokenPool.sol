// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guarded} from "../../access/Guarded.sol";
import {ILendingThreshold} from "../../interfaces/ILendingThreshold.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title The money of a pool: one token, held by the contract itself
/// @dev All prose is in {ILendingThreshold}.
abstract contract TokenPool is ILendingThreshold, Guarded, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc ILendingThreshold
    IERC20 public immutable token;

    constructor(IERC20 token_) {
        if (address(token_).code.length == 0) revert NotAContract(address(token_));
        token = token_;
    }

    /// @inheritdoc ILendingThreshold
    function fund(uint256 amount) external nonReentrant returns (uint256 received) {
        received = _pull(amount);
        emit Funded(msg.sender, received);
    }

    /// @inheritdoc ILendingThreshold
    function withdraw(uint256 amount) external nonReentrant onlyOwner {
        _requireLiquidity(amount);
        emit Withdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @inheritdoc ILendingThreshold
    /// @dev The balance itself: there are no shares, so a donation can shift nothing, and the pool cannot owe what it has not.
    function liquidity() public view returns (uint256) {
        return token.balanceOf(address(this));
    }

    /// Pays out and makes sure that no more than that has left: what a token charges its sender would be nobody's debt.
    function _pay(address to, uint256 amount) internal {
        uint256 before = liquidity();
        token.safeTransfer(to, amount);
        uint256 afterwards = liquidity();
        if (afterwards + amount < before) revert SenderCharged(amount, before - afterwards);
    }

    /// What arrived, which a token with a fee makes less than `amount`. Never more is credited than was asked for.
    function _pull(uint256 amount) internal returns (uint256 received) {
        if (amount == 0) revert InvalidAmount(amount);
        uint256 before = liquidity();
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 afterwards = liquidity();
        received = afterwards > before ? afterwards - before : 0;
        if (received == 0) revert NothingReceived(amount);
        if (received > amount) received = amount;
    }

    function _requireLiquidity(uint256 needed) internal view {
        uint256 available = liquidity();
        if (available < needed) revert InsufficientLiquidity(available, needed);
    }
}
