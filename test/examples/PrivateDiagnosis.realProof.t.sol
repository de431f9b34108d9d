// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "../helpers/ConsumerProof.sol";
import {PrivateDiagnosis} from "zkml-evm/consumers/PrivateDiagnosis.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// examples/consumers/diagnosis: a scan that is bright in its third quadrant, of which only the class comes out.
contract PrivateDiagnosisRealProofTest is ConsumerProof {
    uint128 private constant CLASSES = 4;
    uint128 private constant FOUND = 2;

    PrivateDiagnosis private study;
    PrivateDiagnosis.Evidence private _evidence;
    bytes private _proof;

    function setUp() public {
        open(
            "diagnosis",
            IInferenceRouter.Statement(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 1)
        );
        vm.prank(deployer());
        study = new PrivateDiagnosis(router, registry, modelId, schemaId, CLASSES);
        assertBound(address(study));
        (_evidence, _proof) = (evidenceOf(0), proofOf(0));
    }

    function test_showsTheClass() public {
        _show(FOUND);
        (, uint64 provenAt, uint128 class) = study.findings(subject, bytes32(inputsOf(0)[1]));
        assertEq(provenAt, NOW);
        assertEq(class, FOUND);
    }

    function test_RevertWhen_anotherClassIsClaimed() public {
        for (uint128 class = 0; class < CLASSES; ++class) {
            if (class == FOUND) continue;
            expectRejected();
            _show(class);
        }
    }

    function test_RevertWhen_shownTwice() public {
        _show(FOUND);
        bytes32 spent = study.spentBy(subject, schemaId, study.POLICY(), NOW / 1 days);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, spent));
        _show(FOUND);
    }

    /// A class has one proof: nobody can stop the model with a class that it did not find, nor with one answer given twice.
    function test_RevertWhen_thereIsNoContradiction() public {
        uint256[] memory inputs = inputsOf(0);
        bytes memory proof = proofOf(0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.SameAnswer.selector, modelId));
        router.proveContradiction(modelId, inputs, proof, inputs, proof);
        uint256[] memory other = inputsOf(0);
        other[2] = 0;
        expectRejected();
        router.proveContradiction(modelId, inputs, proof, other, proof);
        assertEq(uint8(router.model(modelId).state), uint8(IInferenceRouter.State.Active));
    }

    function test_RevertWhen_theModelIsFrozen() public {
        vm.prank(owner);
        router.freezeModel(modelId);
        expectFrozen();
        _show(FOUND);
    }

    function _show(uint128 class) private {
        vm.prank(subject);
        study.show(_evidence, class, _proof);
    }
}
