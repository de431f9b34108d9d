// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A contract whose guardian can stop things, and nothing else
/// @notice The owner is meant to be a timelock, which is slow by design. What must be quick in an emergency, and can at most
/// stand in the way, is the guardian's too: freezing a model, removing an attestor, pausing a pool. The owner replaces the
/// guardian.
interface IGuarded {
    event GuardianSet(address indexed previous, address indexed current);

    /// @notice Only the owner and the guardian may stop this.
    error NotOwnerOrGuardian(address caller);

    /// @notice Replaces the guardian; zero for none. Owner only.
    function setGuardian(address newGuardian) external;

    /// @notice Who may stop things besides the owner.
    function guardian() external view returns (address);
}
