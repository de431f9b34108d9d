// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInputAttestation} from "./IInputAttestation.sol";

/// @title A contract that vouches for attestations by looking them up
/// @notice What {IInputAttestation} asks of an attestor that is listed as a source. The registry has checked times, commitment
/// and its own revocations before it asks.
/// @dev Every field of the attestation must follow from what the source holds, or one entry of the source would give many
/// attestations and with them many nullifiers.
interface IAttestationSource {
    /// @notice Reverts, or returns the selector of this function, where the source holds exactly this statement now.
    /// @param attestation The statement.
    /// @param evidence Where to find it, in the source's own form.
    function checkEntry(IInputAttestation.Attestation calldata attestation, bytes calldata evidence)
        external
        view
        returns (bytes4 magic);
}
