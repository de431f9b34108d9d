// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {PermanentlyOwned} from "../access/PermanentlyOwned.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title InputAttestation
/// @dev All prose is in {IInputAttestation}.
contract InputAttestation is IInputAttestation, EIP712, PermanentlyOwned {
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address subject,bytes32 inputCommitment,bytes32 schemaId,uint64 issuedAt,uint64 expiresAt)"
    );

    /// @inheritdoc IInputAttestation
    mapping(address attestor => bool) public isAttestor;

    /// @inheritdoc IInputAttestation
    mapping(address attestor => mapping(bytes32 structHash => bool)) public isRevoked;

    constructor(address initialOwner) EIP712("zkml-evm InputAttestation", "1") PermanentlyOwned(initialOwner) {}

    /// @inheritdoc IInputAttestation
    function setAttestor(address attestor, bool allowed) external onlyOwner {
        if (attestor == address(0)) revert InvalidAttestor(attestor);
        isAttestor[attestor] = allowed;
        emit AttestorSet(attestor, allowed);
    }

    /// @inheritdoc IInputAttestation
    function revoke(bytes32 structHash) external {
        if (!isAttestor[msg.sender]) revert AttestorNotAllowed(msg.sender);
        _revoke(msg.sender, structHash);
    }

    /// @inheritdoc IInputAttestation
    function revokeFor(address attestor, bytes32 structHash) external onlyOwner {
        _revoke(attestor, structHash);
    }

    /// @inheritdoc IInputAttestation
    function checkAttestation(address attestor, Attestation calldata attestation, bytes calldata signature)
        external
        view
        returns (bytes32 structHash)
    {
        if (!isAttestor[attestor]) revert AttestorNotAllowed(attestor);
        _requireValidNow(attestation.issuedAt, attestation.expiresAt);
        uint256 commitment = uint256(attestation.inputCommitment);
        if (commitment == 0 || commitment >= FieldElement.R) revert CommitmentOutOfRange(attestation.inputCommitment);

        structHash = hashAttestation(attestation);
        if (isRevoked[attestor][structHash]) revert AttestationIsRevoked(attestor, structHash);
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(attestor, digest, signature)) {
            revert InvalidSignature(attestor, digest);
        }
    }

    /// @inheritdoc IInputAttestation
    function digestOf(Attestation calldata attestation) external view returns (bytes32 digest) {
        return _hashTypedDataV4(hashAttestation(attestation));
    }

    /// @inheritdoc IInputAttestation
    function hashAttestation(Attestation calldata attestation) public pure returns (bytes32 structHash) {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, attestation));
    }

    function _revoke(address attestor, bytes32 structHash) private {
        isRevoked[attestor][structHash] = true;
        emit AttestationRevoked(attestor, structHash, msg.sender);
    }

    function _requireValidNow(uint64 issuedAt, uint64 expiresAt) private view {
        if (issuedAt >= expiresAt) revert InvalidValidityPeriod(issuedAt, expiresAt);
        if (block.timestamp < issuedAt) revert AttestationNotYetValid(issuedAt, block.timestamp);
        if (block.timestamp >= expiresAt) revert AttestationExpired(expiresAt, block.timestamp);
    }
}
