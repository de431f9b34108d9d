// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuarded} from "../interfaces/IGuarded.sol";
import {PermanentlyOwned} from "./PermanentlyOwned.sol";

/// @title Guarded
/// @dev All prose is in {IGuarded}.
abstract contract Guarded is IGuarded, PermanentlyOwned {
    /// @inheritdoc IGuarded
    address public guardian;

    modifier onlyOwnerOrGuardian() {
        if (msg.sender != owner() && msg.sender != guardian) revert NotOwnerOrGuardian(msg.sender);
        _;
    }

    constructor(address initialOwner, address initialGuardian) PermanentlyOwned(initialOwner) {
        _setGuardian(initialGuardian);
    }

    /// @inheritdoc IGuarded
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    function _setGuardian(address newGuardian) private {
        emit GuardianSet(guardian, newGuardian);
        guardian = newGuardian;
    }
}
