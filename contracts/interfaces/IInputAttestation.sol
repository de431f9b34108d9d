// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Signed statements about inputs
/// @notice A proof shows what a model says of *some* input. This contract says whose input it is: an attestor (a bank, a
/// payroll provider, a credit bureau) signs that the input behind a commitment belongs to a subject.
/// @dev EIP-712, domain name "zkml-evm InputAttestation", version "1". Attestors are accounts or ERC-1271 contracts on the
/// owner's list; an account with an EIP-7702 delegation counts as a contract. An attestation may be checked any number of
/// times: spending it is the consumer's business. Nothing here sees the input, and nothing here stops an attestor from lying.
interface IInputAttestation {
    /// @notice What an attestor signs.
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

    event AttestorSet(address indexed attestor, bool allowed);
    event AttestationRevoked(address indexed attestor, bytes32 indexed structHash, address indexed by);

    /// @notice The owner has not listed this attestor, or has removed it.
    error AttestorNotAllowed(address attestor);

    /// @notice The zero address cannot be an attestor.
    error InvalidAttestor(address attestor);

    /// @notice The attestation ends before it begins.
    error InvalidValidityPeriod(uint64 issuedAt, uint64 expiresAt);

    /// @notice The attestation does not hold yet.
    error AttestationNotYetValid(uint64 issuedAt, uint256 timestamp);

    /// @notice The attestation no longer holds.
    error AttestationExpired(uint64 expiresAt, uint256 timestamp);

    /// @notice The commitment is zero or not below r.
    error CommitmentOutOfRange(bytes32 inputCommitment);

    /// @notice This attestor's signature on this attestation has been taken back.
    error AttestationIsRevoked(address attestor, bytes32 structHash);

    /// @notice The signature is not the attestor's, or not in its one accepted form (65 bytes, low s).
    error InvalidSignature(address attestor, bytes32 digest);

    /// @notice Lists or removes an attestor. Owner only. Removing makes all its attestations fail at once.
    function setAttestor(address attestor, bool allowed) external;

    /// @notice A listed attestor takes back its own signature on an attestation, signed already or not. The same statement
    /// signed by another attestor is not touched.
    /// @param structHash {hashAttestation} of the attestation.
    function revoke(bytes32 structHash) external;

    /// @notice The owner takes back one attestor's signature on an attestation.
    function revokeFor(address attestor, bytes32 structHash) external;

    /// @notice Reverts unless `attestor` is listed and has signed `attestation`, which holds now and is not revoked.
    /// @param attestor The account or ERC-1271 contract that signed.
    /// @param attestation The statement.
    /// @param signature 65 bytes r ‖ s ‖ v of an account, or whatever the ERC-1271 contract accepts.
    /// @return structHash {hashAttestation} of the attestation: what a consumer builds nullifiers from.
    function checkAttestation(address attestor, Attestation calldata attestation, bytes calldata signature)
        external
        view
        returns (bytes32 structHash);

    /// @notice EIP-712 hashStruct of an attestation. It names the statement, whoever signs it and however often.
    function hashAttestation(Attestation calldata attestation) external pure returns (bytes32 structHash);

    /// @notice The 32 bytes that an attestor signs: hashStruct under this contract's domain.
    function digestOf(Attestation calldata attestation) external view returns (bytes32 digest);

    /// @notice Whether the owner has listed this attestor.
    function isAttestor(address attestor) external view returns (bool);

    /// @notice Whether this attestor's signature on this attestation has been taken back.
    function isRevoked(address attestor, bytes32 structHash) external view returns (bool);
}
