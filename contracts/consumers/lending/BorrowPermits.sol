// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ZkmlConsumer} from "../../ZkmlConsumer.sol";
import {ILendingThreshold} from "../../interfaces/ILendingThreshold.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Borrowers' consent to loans that others send
/// @dev All prose is in {ILendingThreshold}.
abstract contract BorrowPermits is ILendingThreshold, ZkmlConsumer, EIP712 {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "BorrowPermit(address borrower,bytes32 policyId,uint8 tier,uint256 amount,bytes32 attestation,"
        "uint256 nonce,uint64 expiry)"
    );

    /// @inheritdoc ILendingThreshold
    function permitDigest(BorrowRequest calldata request) public view returns (bytes32 digest) {
        bytes32 attestation = attestations.hashAttestation(request.attestation);
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    PERMIT_TYPEHASH,
                    request.attestation.subject,
                    request.policyId,
                    request.tier,
                    request.amount,
                    attestation,
                    request.nonce,
                    request.expiry
                )
            )
        );
    }

    function _requirePermit(BorrowRequest calldata request, bytes calldata permit) internal view {
        address borrower = request.attestation.subject;
        bytes32 digest = permitDigest(request);
        bool signed = SignatureChecker.isValidSignatureNowCalldata(borrower, digest, permit);
        if (!signed) revert InvalidPermit(borrower, digest);
    }
}
