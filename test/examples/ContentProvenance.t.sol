// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {ContentProvenance} from "zkml-evm/consumers/ContentProvenance.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

contract ContentProvenanceTest is ExampleFixture {
    ContentProvenance private archive;

    function setUp() public override {
        super.setUp();
        archive = new ContentProvenance(router, registry, MODEL, SCHEMA);
    }

    function testFuzz_namesTheCreator(int120[] calldata numbers) public {
        int256[] memory output = new int256[](numbers.length);
        for (uint256 i = 0; i < numbers.length; ++i) {
            output[i] = numbers[i];
        }
        ZkmlConsumer.Evidence memory evidence = _accepted(borrower, output);
        bytes32 commitment = keccak256(abi.encode(block.chainid, address(archive), MODEL, output));
        bytes32 input = evidence.attestation.inputCommitment;
        vm.expectEmit(address(archive));
        emit ContentProvenance.Claimed(commitment, borrower, input);
        _claim(borrower, evidence, output);
        (address creator, uint64 attestedAt, bytes32 from) = archive.origins(archive.commitmentOf(output));
        assertEq(creator, borrower);
        assertEq(attestedAt, NOW);
        assertEq(from, input);
        assertEq(archive.modelId(), MODEL);
        assertEq(archive.schemaId(), SCHEMA);
    }

    /// One number changed: the proof is of another output.
    function test_RevertWhen_theOutputIsRetouched() public {
        int256[] memory output = _output();
        ZkmlConsumer.Evidence memory evidence = _accepted(borrower, output);
        output[1] += 1;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _claim(borrower, evidence, output);
    }

    /// v and v - r would be one output to the circuit, and two hashes here.
    function test_RevertWhen_theOutputIsSpeltOtherwise() public {
        int256[] memory output = _output();
        ZkmlConsumer.Evidence memory evidence = _accepted(borrower, output);
        output[1] -= int256(R);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, output[1]));
        _claim(borrower, evidence, output);
    }

    function test_RevertWhen_itHasAnOrigin() public {
        int256[] memory output = _output();
        _claim(borrower, _accepted(borrower, output), output);
        ZkmlConsumer.Evidence memory evidence = _accepted(stranger, output);
        vm.expectRevert(
            abi.encodeWithSelector(ContentProvenance.AlreadyClaimed.selector, archive.commitmentOf(output), borrower)
        );
        _claim(stranger, evidence, output);
    }

    /// The copyist has seen the output in the mempool, and has no proof in its own name.
    function test_RevertWhen_aCopyistHurries() public {
        int256[] memory output = _output();
        _accepted(borrower, output);
        ZkmlConsumer.Evidence memory evidence = evidenceFor(archive, stranger);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _claim(stranger, evidence, output);
    }

    function _output() private pure returns (int256[] memory output) {
        output = new int256[](3);
        (output[0], output[1], output[2]) = (-7, 0, 1 << 100);
    }

    function _accepted(address creator, int256[] memory output)
        private
        returns (ZkmlConsumer.Evidence memory evidence)
    {
        evidence = evidenceFor(archive, creator);
        acceptStatement(archive, archive.POLICY(), evidence, output);
    }

    function _claim(address sender, ZkmlConsumer.Evidence memory evidence, int256[] memory output) private {
        vm.prank(sender);
        archive.claim(evidence, output, "proof");
    }
}
