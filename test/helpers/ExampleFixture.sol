// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "./AttestationFixture.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {MockRouter} from "zkml-evm/mocks/MockRouter.sol";

/// A registry with one attestor and a router that accepts exactly the statements that a test builds itself.
abstract contract ExampleFixture is AttestationFixture {
    bytes32 internal constant MODEL = keccak256("model");
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;

    MockRouter internal router;

    function setUp() public virtual override {
        super.setUp();
        router = new MockRouter();
    }

    function evidenceOver(ZkmlConsumer consumer, IInputAttestation.Attestation memory a)
        internal
        view
        returns (ZkmlConsumer.Evidence memory)
    {
        return ZkmlConsumer.Evidence({
            attestor: attestor,
            attestation: a,
            signature: sign(a),
            nonce: consumer.nonceOf(a.subject),
            expiry: uint64(block.timestamp) + 1 hours
        });
    }

    function evidenceFor(ZkmlConsumer consumer, address subject) internal view returns (ZkmlConsumer.Evidence memory) {
        return evidenceOver(consumer, statementFor(subject));
    }

    /// Tells the router to accept context, commitment and these integers, by the written formulas.
    function acceptStatement(
        ZkmlConsumer consumer,
        bytes32 policy,
        ZkmlConsumer.Evidence memory evidence,
        int256[] memory values
    ) internal {
        uint256[] memory inputs = new uint256[](2 + values.length);
        inputs[0] = contextFor(address(consumer), evidence.attestation.subject, policy, evidence.nonce, evidence.expiry);
        inputs[1] = uint256(evidence.attestation.inputCommitment);
        for (uint256 i = 0; i < values.length; ++i) {
            inputs[2 + i] = elementOf(values[i]);
        }
        router.accept(MODEL, inputs);
    }

    function contextFor(address consumer, address subject, bytes32 policy, uint256 nonce, uint64 expiry)
        internal
        view
        returns (uint256)
    {
        bytes32 tag = keccak256("zkml-evm.context.v1");
        return uint256(keccak256(abi.encode(tag, block.chainid, consumer, subject, MODEL, policy, nonce, expiry))) / 256;
    }

    function elementOf(int256 value) internal pure returns (uint256) {
        return value < 0 ? R - uint256(-value) : uint256(value);
    }

    function one(int256 value) internal pure returns (int256[] memory values) {
        values = new int256[](1);
        values[0] = value;
    }
}
