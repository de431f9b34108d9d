// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ILendingThreshold} from "../../interfaces/ILendingThreshold.sol";

/// @title Many loans in one transaction, of which none can spoil another
/// @dev All prose is in {ILendingThreshold}.
abstract contract LoanBatches is ILendingThreshold {
    /// Gas that a batch keeps for itself beside an item's: its event or revert, and the next item's copy.
    uint256 private constant BATCH_RESERVE = 60_000;
    /// Bytes of a refused item's reason that are told.
    uint256 private constant MAX_REASON = 256;

    function _openAll(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint256 gasPerItem,
        bool allOrNothing,
        bool proven
    ) internal returns (uint256 opened) {
        if (requests.length != permits.length) {
            revert BatchLengthMismatch(requests.length, permits.length);
        }
        for (uint256 i = 0; i < requests.length; ++i) {
            (bool ok, bytes memory reason) = _tryItem(i, requests[i], permits[i], gasPerItem, proven);
            if (ok) {
                ++opened;
            } else {
                if (allOrNothing) revert BatchItemFailed(i, reason);
                emit BatchItemRefused(i, requests[i].attestation.subject, reason);
            }
        }
    }

    /// Calls {openLoanOfBatch} with exactly `gasPerItem`, and copies no more of its answer than the reason's first bytes: an item
    /// can cost the others nothing. Memory is handed back where the item succeeded.
    function _tryItem(
        uint256 index,
        BorrowRequest calldata request,
        bytes calldata permit,
        uint256 gasPerItem,
        bool proven
    ) private returns (bool ok, bytes memory reason) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        bytes memory data = abi.encodeCall(this.openLoanOfBatch, (request, permit, msg.sender, proven));
        // All but a 64th of what is left can be passed on.
        uint256 left = gasleft();
        uint256 spare = left < BATCH_RESERVE ? 0 : left - BATCH_RESERVE;
        if (spare - spare / 64 < gasPerItem) revert BatchGasTooLow(index, gasPerItem);
        uint256 most = MAX_REASON;
        assembly ("memory-safe") {
            ok := call(gasPerItem, address(), 0, add(data, 32), mload(data), 0, 0)
            // The call's data is no longer needed: the reason takes its place.
            mstore(0x40, free)
            if iszero(ok) {
                let size := returndatasize()
                if gt(size, most) { size := most }
                reason := free
                mstore(reason, size)
                returndatacopy(add(reason, 32), 0, size)
                mstore(0x40, and(add(add(reason, size), 63), not(31)))
            }
        }
    }
}
