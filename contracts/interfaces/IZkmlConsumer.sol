// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "./IInferenceVerifier.sol";
import {IInputAttestation} from "./IInputAttestation.sol";

/// @title What every contract built on {ZkmlConsumer} shows
/// @notice The base rebuilds the whole statement from what it trusts and takes no public input from its caller.
///
///     context         from the call: chain, this contract, subject, model, policy, nonce, expiry
///     inputCommitment from the attestation, by which an allowed attestor vouches for the subject's input
///     public values   from the consumer's own policy
///
/// The subject sends the transaction, or a consumer that has relayers checks the subject's consent.
///
/// @dev Nullifiers. An attestation serves a policy once per epoch, epoch = issuedAt / epochLength. Two keys say so:
///
///     nullifier = keccak256(abi.encode(attestation struct hash, policyId, epoch))
///     slot      = keccak256(abi.encode(subject, schemaId, policyId, epoch))
///
/// The slot stores the nullifier that took it. A re-issued attestation (another salt, another attestor) has another
/// nullifier but the same slot, and gives nothing. An attestation determines its slot, so one storage write spends both.
/// Neither key holds bytes of a proof or a signature, which are malleable.
///
/// Whoever holds attestations of many epochs must not use them all in one day: the attestation's epoch must be the present one,
/// now / epochLength, or the one before. In any stretch of n epochs a subject has at most n + 1 uses of a policy, however many
/// attestations there are and whatever their dates. The epoch before counts so that an attestation does not lose its worth at
/// midnight: it serves for at least one whole epoch after its issue, unless it expires.
interface IZkmlConsumer {
    /// @notice The call is made by another account than the attested subject.
    error SubjectMismatch(address expected, address got);

    /// @notice The attestation is over another feature schema than the policy's.
    error SchemaMismatch(bytes32 expected, bytes32 got);

    /// @notice The request was for use up to and including `expiry` (Unix seconds).
    error RequestExpired(uint64 expiry, uint256 timestamp);

    /// @notice The request carries another nonce than the subject's next one; prove again with the expected one.
    error NonceMismatch(uint256 expected, uint256 got);

    /// @notice An attestation of this subject, schema and epoch has served this policy; `nullifier` is that attestation's.
    error NullifierSpent(bytes32 nullifier);

    /// @notice The attestation is of an earlier epoch than the one before the present one; get attested again.
    error EpochPassed(uint64 epoch, uint64 present);

    /// @notice A policy needs an epoch of at least one second.
    error InvalidEpochLength(uint64 epochLength);

    /// @notice The router or the registry handed to the constructor is not a contract.
    error NotAContract(address account);

    /// @notice A subject used an attestation under a policy.
    event NullifierUsed(bytes32 indexed nullifier, bytes32 indexed slot, address indexed subject);

    /// @notice A subject took back what it had proven or signed for a nonce.
    event NonceCancelled(address indexed subject, uint256 nonce);

    /// @notice Uses up the caller's present nonce: proofs and permits made for it, wherever they are, are worth nothing. What was
    /// made for a later nonce is not touched, and comes nearer: call once more for each.
    function cancelNonce() external;

    /// @notice Where inferences are verified.
    function router() external view returns (IInferenceVerifier);

    /// @notice Where attestations are checked.
    function attestations() external view returns (IInputAttestation);

    /// @notice The first public input of every proof for this contract:
    /// keccak256(abi.encode(keccak256("zkml-evm.context.v1"), block.chainid, address(this), subject, modelId, policyId,
    /// nonce, expiry)) >> 8, with the types (bytes32, uint256, address, address, bytes32, bytes32, uint256, uint64). The
    /// shift makes it a field element.
    function contextOf(address subject, bytes32 modelId, bytes32 policyId, uint256 nonce, uint64 expiry)
        external
        view
        returns (uint256 context);

    /// @notice The nonce that the subject's next request must carry.
    function nonceOf(address subject) external view returns (uint256 nonce);

    /// @notice The nullifier of an attestation under a policy.
    /// @param structHash {IInputAttestation-hashAttestation} of the attestation.
    /// @param epoch issuedAt / epochLength of the policy.
    function nullifierOf(bytes32 structHash, bytes32 policyId, uint64 epoch) external pure returns (bytes32 nullifier);

    /// @notice The nullifier that took a subject's slot; zero while it is free.
    function spentBy(address subject, bytes32 schemaId, bytes32 policyId, uint64 epoch)
        external
        view
        returns (bytes32 nullifier);
}
