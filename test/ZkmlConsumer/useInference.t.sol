// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// A dapp that forgot to check its own terms.
contract CarelessConsumer is ZkmlConsumer {
    constructor(IInferenceVerifier router_, IInputAttestation attestations_) ZkmlConsumer(router_, attestations_) {}

    function use(Terms calldata terms, Evidence calldata evidence, int256[] calldata values, bytes calldata proof)
        external
        returns (bytes32 nullifier, uint64 epoch)
    {
        return _useInference(terms, evidence, proof, values);
    }

    function useElements(
        Terms calldata terms,
        Evidence calldata evidence,
        uint256[] calldata values,
        bytes calldata proof
    ) external {
        _useInferenceOf(terms, evidence, proof, values);
    }
}

/// What the base refuses of its own dapp.
contract UseInferenceTest is ExampleFixture {
    bytes32 private constant POLICY = keccak256("policy");

    CarelessConsumer private consumer;

    function setUp() public override {
        super.setUp();
        consumer = new CarelessConsumer(router, registry);
    }

    function testFuzz_rebuildsEveryPublicInput(int120[] calldata numbers) public {
        int256[] memory values = new int256[](numbers.length);
        for (uint256 i = 0; i < numbers.length; ++i) {
            values[i] = numbers[i];
        }
        ZkmlConsumer.Evidence memory evidence = evidenceFor(consumer, borrower);
        acceptStatement(consumer, POLICY, evidence, values);
        vm.prank(borrower);
        (bytes32 nullifier, uint64 epoch) = consumer.use(_terms(1 days), evidence, values, "proof");
        assertEq(epoch, NOW / 1 days);
        assertEq(nullifier, consumer.spentBy(borrower, SCHEMA, POLICY, epoch));
    }

    function test_RevertWhen_theEpochIsZero() public {
        ZkmlConsumer.Evidence memory evidence = evidenceFor(consumer, borrower);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.InvalidEpochLength.selector, uint64(0)));
        vm.prank(borrower);
        consumer.use(_terms(0), evidence, new int256[](0), "proof");
    }

    function testFuzz_RevertWhen_aPublicValueIsNoFieldElement(uint256 value) public {
        uint256[] memory values = new uint256[](2);
        values[1] = bound(value, R, type(uint256).max);
        ZkmlConsumer.Evidence memory evidence = evidenceFor(consumer, borrower);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.NotCanonical.selector, values[1]));
        consumer.useElements(_terms(1 days), evidence, values, "proof");
    }

    function testFuzz_RevertWhen_aPublicValueIsTooLarge(int256 value) public {
        int256 limit = 1 << 120;
        vm.assume(value >= limit || value <= -limit);
        ZkmlConsumer.Evidence memory evidence = evidenceFor(consumer, borrower);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, value));
        vm.prank(borrower);
        consumer.use(_terms(1 days), evidence, one(value), "proof");
    }

    function _terms(uint64 epochLength) private pure returns (ZkmlConsumer.Terms memory) {
        return ZkmlConsumer.Terms(MODEL, SCHEMA, POLICY, epochLength);
    }
}
