// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";

contract ContextOfTest is LendingFixture {
    function testFuzz_isTheWrittenFormula(
        address subject,
        bytes32 modelId,
        bytes32 policy,
        uint256 nonce,
        uint64 expiry,
        uint64 chainId
    ) public {
        vm.assume(chainId != 0);
        vm.chainId(chainId);
        bytes memory encoded = bytes.concat(
            keccak256("zkml-evm.context.v1"),
            bytes32(uint256(chainId)),
            bytes32(uint256(uint160(address(lending)))),
            bytes32(uint256(uint160(subject))),
            modelId,
            policy,
            bytes32(nonce),
            bytes32(uint256(expiry))
        );
        uint256 context = lending.contextOf(subject, modelId, policy, nonce, expiry);
        assertEq(context, uint256(keccak256(encoded)) / 256);
        assertLt(context, R);
    }

    /// A vector for other implementations: chain 31337, consumer 0x00..0c0ffee, subject 0x00..0b0b, nonce 7.
    function test_vector() public {
        vm.chainId(31_337);
        address target = address(0xc0ffee);
        vm.etch(target, address(lending).code);
        uint256 context =
            IVectorTarget(target).contextOf(address(0xb0b), bytes32(uint256(1)), bytes32(uint256(2)), 7, 1_900_000_000);
        assertEq(bytes32(context), VECTOR);
    }

    bytes32 private constant VECTOR = 0x00f171cda6137337c9ef5bea2e44b28d4c9ec05663f713bbae32e14ef02935d3;
}

interface IVectorTarget {
    function contextOf(address, bytes32, bytes32, uint256, uint64) external view returns (uint256);
}
