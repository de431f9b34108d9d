// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAttestationSource} from "../interfaces/IAttestationSource.sol";
import {IEAS} from "../interfaces/IEAS.sol";
import {IEasAttestationSource} from "../interfaces/IEasAttestationSource.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";

/// @title EasAttestationSource
/// @dev All prose is in {IEasAttestationSource}.
contract EasAttestationSource is IEasAttestationSource {
    /// @inheritdoc IEasAttestationSource
    IEAS public immutable eas;

    /// @inheritdoc IEasAttestationSource
    address public immutable attester;

    /// @inheritdoc IEasAttestationSource
    bytes32 public immutable easSchema;

    constructor(IEAS eas_, address attester_, bytes32 easSchema_) {
        if (address(eas_).code.length == 0) revert NotAContract(address(eas_));
        if (attester_ == address(0) || easSchema_ == bytes32(0)) revert InvalidSource(attester_, easSchema_);
        (eas, attester, easSchema) = (eas_, attester_, easSchema_);
    }

    /// @inheritdoc IAttestationSource
    function checkEntry(IInputAttestation.Attestation calldata attestation, bytes calldata evidence)
        external
        view
        returns (bytes4 magic)
    {
        if (evidence.length != 32) revert InvalidEvidence(evidence.length);
        // Exactly 32 bytes, by the line above.
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes32 uid = bytes32(evidence);
        IEAS.Attestation memory entry = eas.getAttestation(uid);
        if (uid == bytes32(0) || entry.uid != uid) revert EntryUnknown(uid);
        if (entry.schema != easSchema) revert EntrySchemaMismatch(easSchema, entry.schema);
        if (entry.attester != attester) revert AttesterMismatch(attester, entry.attester);
        if (entry.revocationTime != 0) revert EntryRevoked(uid, entry.revocationTime);
        // An entry without expiration never matches: the registry takes no attestation that expires at 0.
        bool same = entry.recipient == attestation.subject && entry.time == attestation.issuedAt
            && entry.expirationTime == attestation.expiresAt
            && keccak256(entry.data) == keccak256(abi.encode(attestation.inputCommitment, attestation.schemaId));
        if (!same) revert EntryMismatch(uid);
        return IAttestationSource.checkEntry.selector;
    }
}
