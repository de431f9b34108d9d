// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// The creation of a contract failed.
error CreationFailed(uint256 bytesOfCode);

/// Creates a contract from its creation code.
function createFrom(bytes memory code) returns (address created) {
    assembly ("memory-safe") {
        created := create(0, add(code, 32), mload(code))
    }
    if (created.code.length == 0) revert CreationFailed(code.length);
}
