// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The part of the Ethereum Attestation Service that is read here
/// @notice Deployed on many chains; https://docs.attest.org lists the addresses.
interface IEAS {
    /// @notice An entry. Unknown entries come back with all fields zero.
    /// @param uid Its id.
    /// @param schema The id of its data's form.
    /// @param time Unix seconds of its creation, set by the service.
    /// @param expirationTime Unix seconds; 0 for none.
    /// @param revocationTime Unix seconds; 0 while it is not revoked.
    /// @param refUID Another entry that it refers to.
    /// @param recipient Whom it is about.
    /// @param attester Who made it.
    /// @param revocable Whether it can be revoked.
    /// @param data Its data, in the schema's form.
    struct Attestation {
        bytes32 uid;
        bytes32 schema;
        uint64 time;
        uint64 expirationTime;
        uint64 revocationTime;
        bytes32 refUID;
        address recipient;
        address attester;
        bool revocable;
        bytes data;
    }

    /// @notice Looks an entry up.
    function getAttestation(bytes32 uid) external view returns (Attestation memory);
}
