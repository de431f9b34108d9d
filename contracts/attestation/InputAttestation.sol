// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {Guarded} from "../access/Guarded.sol";
import {IAttestationSource} from "../interfaces/IAttestationSource.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title InputAttestation
/// @dev All prose is in {IInputAttestation}.
contract InputAttestation is IInputAttestation, EIP712, Guarded {
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address subject,bytes32 inputCommitment,bytes32 schemaId,uint64 issuedAt,uint64 expiresAt)"
    );

    /// @inheritdoc IInputAttestation
    mapping(address attestor => mapping(bytes32 structHash => bool)) public isRevoked;

    mapping(address attestor => mapping(bytes32 schemaId => Listing)) private _listings;

    /// Who has ever been listed, for any schema.
    mapping(address attestor => bool) private _known;

    constructor(address initialOwner, address initialGuardian)
        EIP712("zkml-evm InputAttestation", "1")
        Guarded(initialOwner, initialGuardian)
    {}

    /// @inheritdoc IInputAttestation
    function setAttestor(address attestor, bytes32 schemaId, Kind kind) external onlyOwner {
        bool codeless = kind == Kind.Source && attestor.code.length == 0;
        if (attestor == address(0) || codeless) revert InvalidAttestor(attestor);
        if (schemaId == bytes32(0)) revert InvalidSchema(schemaId);
        // Taking off the list has a name of its own, which a slip of the hand does not hit.
        if (kind == Kind.None) revert InvalidKind(kind);
        _listings[attestor][schemaId] = Listing(kind, 0, 0);
        _known[attestor] = true;
        emit AttestorSet(attestor, schemaId, kind);
    }

    /// @inheritdoc IInputAttestation
    function removeAttestor(address attestor, bytes32 schemaId) external onlyOwnerOrGuardian {
        if (_listings[attestor][schemaId].kind == Kind.None) revert AttestorNotAllowed(attestor, schemaId);
        // Whoever lists it again sees that it was here.
        _listings[attestor][schemaId] = Listing(Kind.None, uint64(block.timestamp), 0);
        emit AttestorSet(attestor, schemaId, Kind.None);
    }

    /// @inheritdoc IInputAttestation
    function retireAttestor(address attestor, bytes32 schemaId, uint64 acceptedUntil) external onlyOwnerOrGuardian {
        Listing storage listed = _listings[attestor][schemaId];
        if (listed.kind == Kind.None) revert AttestorNotAllowed(attestor, schemaId);
        if (listed.retiredAt == 0) {
            listed.retiredAt = uint64(block.timestamp);
        } else if (acceptedUntil > listed.acceptedUntil) {
            revert RetirementPostponed(listed.acceptedUntil, acceptedUntil);
        }
        listed.acceptedUntil = acceptedUntil;
        emit AttestorRetired(attestor, schemaId, listed.retiredAt, acceptedUntil);
    }

    /// @inheritdoc IInputAttestation
    function revoke(bytes32 structHash) external {
        // A slip of the hand: another account's revocation would look like one and leave the statement in force.
        if (!_known[msg.sender]) revert AttestorUnknown(msg.sender);
        _revoke(msg.sender, structHash);
    }

    /// @inheritdoc IInputAttestation
    function revokeFor(address attestor, bytes32 structHash) external onlyOwnerOrGuardian {
        _revoke(attestor, structHash);
    }

    /// @inheritdoc IInputAttestation
    function checkAttestation(address attestor, Attestation calldata attestation, bytes calldata signature)
        external
        view
        returns (bytes32 structHash)
    {
        Kind kind = _requireListed(attestor, attestation);
        _requireValidNow(attestation.issuedAt, attestation.expiresAt);
        uint256 commitment = uint256(attestation.inputCommitment);
        if (commitment == 0 || commitment >= FieldElement.R) revert CommitmentOutOfRange(attestation.inputCommitment);

        structHash = hashAttestation(attestation);
        if (isRevoked[attestor][structHash]) revert AttestationIsRevoked(attestor, structHash);
        if (kind == Kind.Source) {
            bytes4 magic = IAttestationSource(attestor).checkEntry(attestation, signature);
            if (magic != IAttestationSource.checkEntry.selector) revert InvalidSourceAnswer(attestor, magic);
        } else {
            bytes32 digest = _hashTypedDataV4(structHash);
            bool signed = SignatureChecker.isValidSignatureNowCalldata(attestor, digest, signature);
            if (!signed) revert InvalidSignature(attestor, digest);
        }
    }

    /// @inheritdoc IInputAttestation
    function digestOf(Attestation calldata attestation) external view returns (bytes32 digest) {
        return _hashTypedDataV4(hashAttestation(attestation));
    }

    /// @inheritdoc IInputAttestation
    function listing(address attestor, bytes32 schemaId) external view returns (Listing memory) {
        return _listings[attestor][schemaId];
    }

    /// @inheritdoc IInputAttestation
    function hashAttestation(Attestation calldata attestation) public pure returns (bytes32 structHash) {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, attestation));
    }

    function _revoke(address attestor, bytes32 structHash) private {
        isRevoked[attestor][structHash] = true;
        emit AttestationRevoked(attestor, structHash, msg.sender);
    }

    function _requireListed(address attestor, Attestation calldata attestation) private view returns (Kind kind) {
        Listing memory listed = _listings[attestor][attestation.schemaId];
        if (listed.kind == Kind.None) revert AttestorNotAllowed(attestor, attestation.schemaId);
        if (listed.retiredAt != 0) {
            if (block.timestamp >= listed.acceptedUntil) {
                revert AttestorGone(attestor, listed.acceptedUntil, block.timestamp);
            }
            if (attestation.issuedAt >= listed.retiredAt) {
                revert IssuedAfterRetirement(attestor, listed.retiredAt, attestation.issuedAt);
            }
        }
        return listed.kind;
    }

    function _requireValidNow(uint64 issuedAt, uint64 expiresAt) private view {
        if (issuedAt >= expiresAt) revert InvalidValidityPeriod(issuedAt, expiresAt);
        if (block.timestamp < issuedAt) revert AttestationNotYetValid(issuedAt, block.timestamp);
        if (block.timestamp >= expiresAt) revert AttestationExpired(expiresAt, block.timestamp);
    }
}
