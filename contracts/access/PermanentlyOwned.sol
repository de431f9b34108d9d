// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title A two-step owner that cannot walk away
/// @notice Without an owner nobody could freeze a model, remove an attestor or take liquidity out: renouncing is refused.
abstract contract PermanentlyOwned is Ownable2Step {
    /// @notice Ownership can be handed over, not given up.
    error RenounceRefused(address owner);

    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @notice Always reverts.
    function renounceOwnership() public view override onlyOwner {
        revert RenounceRefused(owner());
    }
}
