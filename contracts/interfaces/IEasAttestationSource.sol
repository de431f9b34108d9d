// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAttestationSource} from "./IAttestationSource.sol";
import {IEAS} from "./IEAS.sol";

/// @title Attestations kept by the Ethereum Attestation Service
/// @notice One attester's entries under one EAS schema, "bytes32 inputCommitment,bytes32 schemaId". The subject is the
/// recipient, issuedAt the entry's time, expiresAt its expiration, which must be set; a revoked entry does not count. Evidence is
/// abi.encode(uid). The attester rotates its key at EAS's side: another attester is another source.
interface IEasAttestationSource is IAttestationSource {
    /// @notice The service's address has no code.
    error NotAContract(address account);

    /// @notice The zero address or the zero schema would match entries that do not exist.
    error InvalidSource(address attester, bytes32 easSchema);

    /// @notice Evidence is one word: the entry's id.
    error InvalidEvidence(uint256 length);

    /// @notice The service holds no entry of this id.
    error EntryUnknown(bytes32 uid);

    /// @notice The entry has been revoked.
    error EntryRevoked(bytes32 uid, uint64 revocationTime);

    /// @notice The entry is under another schema of the service.
    error EntrySchemaMismatch(bytes32 expected, bytes32 got);

    /// @notice Somebody else made the entry.
    error AttesterMismatch(address expected, address got);

    /// @notice The entry says something else than the attestation.
    error EntryMismatch(bytes32 uid);

    /// @notice The service.
    function eas() external view returns (IEAS);

    /// @notice Whose entries count.
    function attester() external view returns (address);

    /// @notice The service's id of the data's form.
    function easSchema() external view returns (bytes32);
}
