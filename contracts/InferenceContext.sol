// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The first public input of every proof: what the proof may be used for
library InferenceContext {
    /// @notice Version of the formula; part of the hash.
    bytes32 internal constant TAG = keccak256("zkml-evm.context.v1");

    /// @notice The context of a use in the calling contract, on this chain; see {IZkmlConsumer-contextOf}.
    function contextOf(address subject, bytes32 modelId, bytes32 policyId, uint256 nonce, uint64 expiry)
        internal
        view
        returns (uint256 context)
    {
        bytes32 digest =
            keccak256(abi.encode(TAG, block.chainid, address(this), subject, modelId, policyId, nonce, expiry));
        return uint256(digest) >> 8;
    }
}
