// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuarded} from "./IGuarded.sol";

/// @title Attested statements about inputs
/// @notice A proof shows what a model says of *some* input. This contract says whose input it is: an attestor (a bank, a
/// payroll provider, a credit bureau) vouches that the input behind a commitment belongs to a subject.
/// @dev EIP-712, domain name "zkml-evm InputAttestation", version "1". The owner lists an attestor for one schema at a time, as
///
/// - a signer: an account, or an ERC-1271 contract (an account with an EIP-7702 delegation counts as a contract);
/// - a source: a contract that looks the statement up elsewhere, such as {EasAttestationSource}; see {IAttestationSource}.
///
/// An attestation may be checked any number of times: spending it is the consumer's business. Nothing here sees the input, and
/// nothing here stops an attestor from lying.
///
/// Rotation. In order: list the new key, then {retireAttestor} the old one with a grace period. Attestations that it issued
/// before go on counting until the period ends, those issued later do not count. A stolen key can be used to date statements
/// back, so it is not retired but removed: {removeAttestor}, by owner or guardian, makes all its attestations for the schema
/// fail at once.
interface IInputAttestation is IGuarded {
    /// @notice How an attestor vouches.
    enum Kind {
        None,
        Signer,
        Source
    }

    /// @notice What the owner has said of an attestor for a schema.
    /// @param kind How it vouches; None where it is not listed.
    /// @param retiredAt Unix seconds of its retirement, from which what it issues no longer counts, or with kind None of its
    /// removal; 0 where it was never ended.
    /// @param acceptedUntil Unix seconds from which a retired attestor's attestations no longer count.
    struct Listing {
        Kind kind;
        uint64 retiredAt;
        uint64 acceptedUntil;
    }

    /// @notice What an attestor vouches for.
    /// @param subject The account that the input is about, and the only one that may use it.
    /// @param inputCommitment Commitment to the salted schema integers: a field element, nonzero and below r.
    /// @param schemaId Digest of the feature schema that says what the integers mean.
    /// @param issuedAt Unix seconds from which it holds.
    /// @param expiresAt Unix seconds from which it no longer holds; later than `issuedAt`.
    struct Attestation {
        address subject;
        bytes32 inputCommitment;
        bytes32 schemaId;
        uint64 issuedAt;
        uint64 expiresAt;
    }

    event AttestorSet(address indexed attestor, bytes32 indexed schemaId, Kind kind);
    event AttestorRetired(address indexed attestor, bytes32 indexed schemaId, uint64 retiredAt, uint64 acceptedUntil);
    event AttestationRevoked(address indexed attestor, bytes32 indexed structHash, address indexed by);

    /// @notice The owner has not listed this attestor for this schema, or has removed it.
    error AttestorNotAllowed(address attestor, bytes32 schemaId);

    /// @notice The account has never been listed: it has nothing to take back.
    error AttestorUnknown(address account);

    /// @notice The zero address cannot be an attestor, and a source must be a contract.
    error InvalidAttestor(address attestor);

    /// @notice An attestor is listed as a signer or as a source; {removeAttestor} takes it off.
    error InvalidKind(Kind kind);

    /// @notice The zero schema stands for none.
    error InvalidSchema(bytes32 schemaId);

    /// @notice A retired attestor's last day can be brought forward, never put off.
    error RetirementPostponed(uint64 current, uint64 requested);

    /// @notice The attestor has been retired, and the time in which its earlier attestations counted is over.
    error AttestorGone(address attestor, uint64 acceptedUntil, uint256 timestamp);

    /// @notice The attestor was retired when it issued this.
    error IssuedAfterRetirement(address attestor, uint64 retiredAt, uint64 issuedAt);

    /// @notice The attestation ends before it begins.
    error InvalidValidityPeriod(uint64 issuedAt, uint64 expiresAt);

    /// @notice The attestation does not hold yet.
    error AttestationNotYetValid(uint64 issuedAt, uint256 timestamp);

    /// @notice The attestation no longer holds.
    error AttestationExpired(uint64 expiresAt, uint256 timestamp);

    /// @notice The commitment is zero or not below r.
    error CommitmentOutOfRange(bytes32 inputCommitment);

    /// @notice This attestor's word on this attestation has been taken back.
    error AttestationIsRevoked(address attestor, bytes32 structHash);

    /// @notice The signature is not the attestor's, or not in its one accepted form (65 bytes, low s).
    error InvalidSignature(address attestor, bytes32 digest);

    /// @notice The source did not answer as sources do.
    error InvalidSourceAnswer(address attestor, bytes4 answer);

    /// @notice Lists an attestor for a schema. Owner only. Listing it again ends a retirement.
    function setAttestor(address attestor, bytes32 schemaId, Kind kind) external;

    /// @notice Takes an attestor off a schema's list: all its attestations over it fail at once. Owner or guardian.
    function removeAttestor(address attestor, bytes32 schemaId) external;

    /// @notice Ends an attestor in good order: what it issues from now on does not count, what it issued before counts while
    /// block.timestamp < `acceptedUntil`. Owner or guardian. A second call may only bring the end forward.
    function retireAttestor(address attestor, bytes32 schemaId, uint64 acceptedUntil) external;

    /// @notice The caller, listed now or before, takes back its own word on an attestation, given already or not. The same
    /// statement by another attestor is not touched.
    /// @param structHash {hashAttestation} of the attestation.
    function revoke(bytes32 structHash) external;

    /// @notice Owner or guardian take back one attestor's word on an attestation. There is no way back.
    function revokeFor(address attestor, bytes32 structHash) external;

    /// @notice Reverts unless `attestor` is listed for the schema and vouches for `attestation`, which holds now and is not
    /// revoked.
    /// @param attestor The account, ERC-1271 contract or source.
    /// @param attestation The statement.
    /// @param signature 65 bytes r ‖ s ‖ v of an account, whatever the ERC-1271 contract accepts, or what the source asks for.
    /// @return structHash {hashAttestation} of the attestation: what a consumer builds nullifiers from.
    function checkAttestation(address attestor, Attestation calldata attestation, bytes calldata signature)
        external
        view
        returns (bytes32 structHash);

    /// @notice EIP-712 hashStruct of an attestation. It names the statement, whoever vouches for it and however often.
    function hashAttestation(Attestation calldata attestation) external pure returns (bytes32 structHash);

    /// @notice The 32 bytes that a signer signs: hashStruct under this contract's domain.
    function digestOf(Attestation calldata attestation) external view returns (bytes32 digest);

    /// @notice What the owner has said of an attestor for a schema.
    function listing(address attestor, bytes32 schemaId) external view returns (Listing memory);

    /// @notice Whether this attestor's word on this attestation has been taken back.
    function isRevoked(address attestor, bytes32 structHash) external view returns (bool);
}
