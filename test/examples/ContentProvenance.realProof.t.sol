// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "../helpers/ConsumerProof.sol";
import {ContentProvenance} from "zkml-evm/consumers/ContentProvenance.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// examples/consumers/provenance: the nine numbers that the model makes of a seed, all revealed.
contract ContentProvenanceRealProofTest is ConsumerProof {
    uint256 private constant OUTPUTS = 9;

    ContentProvenance private archive;
    ContentProvenance.Evidence private _evidence;
    bytes private _proof;

    function setUp() public {
        open(
            "provenance",
            IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Reveal, uint16(OUTPUTS)
            )
        );
        vm.prank(deployer());
        archive = new ContentProvenance(router, registry, modelId, schemaId);
        assertBound(address(archive));
        (_evidence, _proof) = (evidenceOf(0), proofOf(0));
        assertEq(inputsOf(0).length, 2 + OUTPUTS);
    }

    function test_namesTheCreator() public {
        int256[] memory output = _output();
        _claim(output);
        (address creator, uint64 attestedAt, bytes32 from) = archive.origins(archive.commitmentOf(output));
        assertEq(creator, subject);
        assertEq(attestedAt, NOW);
        assertEq(from, bytes32(inputsOf(0)[1]));
    }

    function testFuzz_RevertWhen_theOutputIsRetouched(uint256 index, int64 by) public {
        vm.assume(by != 0);
        int256[] memory output = _output();
        output[bound(index, 0, OUTPUTS - 1)] += by;
        expectRejected();
        _claim(output);
    }

    function test_RevertWhen_anOutputIsLeftOut() public {
        int256[] memory output = _output();
        assembly ("memory-safe") {
            mstore(output, 8)
        }
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InvalidInstanceCount.selector, 2 + OUTPUTS, 1 + OUTPUTS));
        _claim(output);
    }

    /// A seed has one picture: nobody can stop the model with a retouched one.
    function test_RevertWhen_thereIsNoContradiction() public {
        uint256[] memory inputs = inputsOf(0);
        bytes memory proof = proofOf(0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.SameAnswer.selector, modelId));
        router.proveContradiction(modelId, inputs, proof, inputs, proof);
        uint256[] memory other = inputsOf(0);
        other[10] = addmod(other[10], 1, R);
        expectRejected();
        router.proveContradiction(modelId, inputs, proof, other, proof);
    }

    function _output() private view returns (int256[] memory output) {
        uint256[] memory inputs = inputsOf(0);
        output = new int256[](OUTPUTS);
        for (uint256 i = 0; i < OUTPUTS; ++i) {
            output[i] = integer(inputs[2 + i]);
        }
    }

    function _claim(int256[] memory output) private {
        vm.prank(subject);
        archive.claim(_evidence, output, _proof);
    }
}
