// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title A timelock in which one account decides and another can stop it
/// @notice OpenZeppelin's, with its roles fixed from the first block on: the decider schedules and executes, the guardian
/// cancels, and neither can do the other's part. Without an administrator: roles and delay change by delayed calls only.
/// @dev OpenZeppelin makes every proposer a canceller. Whoever stole the decider's key would then cancel the call that takes the
/// key its role, and nobody else could cancel what the thief schedules.
contract GuardedTimelock is TimelockController {
    /// @notice The guardian must be an account, and another than the decider.
    error InvalidGuardian(address decider, address guardian);

    constructor(uint256 minDelay, address decider, address guardian)
        TimelockController(minDelay, _one(decider), _one(decider), address(0))
    {
        if (guardian == address(0) || guardian == decider) revert InvalidGuardian(decider, guardian);
        _revokeRole(CANCELLER_ROLE, decider);
        _grantRole(CANCELLER_ROLE, guardian);
    }

    function _one(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
