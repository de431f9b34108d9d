// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "../helpers/ConsumerProof.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {AgeGate} from "zkml-evm/consumers/AgeGate.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// examples/consumers/age: a document whose holder is of age, and a proof of just that.
contract AgeGateRealProofTest is ConsumerProof {
    /// Days of 18 years. The model's score has the scale 1: the statement's integers are days.
    int256 private constant OF_AGE = 6575;

    AgeGate private gate;
    ZkmlConsumer.Evidence private _evidence;
    bytes private _proof;

    function setUp() public {
        open("age", _statement(IInferenceRouter.OutputMode.Threshold));
        vm.prank(deployer());
        gate = new AgeGate(router, registry, modelId, schemaId, OF_AGE);
        assertBound(address(gate));
        (_evidence, _proof) = (evidenceOf(0), proofOf(0));
    }

    function test_opensForWhoIsOfAge() public {
        assertFalse(gate.mayEnter(subject));
        _prove(subject, _proof);
        assertTrue(gate.mayEnter(subject));
        assertEq(gate.provenUntil(subject), NOW + gate.VALIDITY());
    }

    /// Of the same document, but of one day more than the gate asks for: another statement.
    function test_RevertWhen_provenForAnotherThreshold() public {
        assertEq(integer(inputsOf(1)[2]), OF_AGE + 1);
        bytes memory other = proofOf(1);
        expectRejected();
        _prove(subject, other);
    }

    function test_RevertWhen_theProofIsStolen() public {
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, subject, stranger));
        _prove(stranger, _proof);
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_RevertWhen_theProofIsTampered(uint256 offset, uint8 by) public {
        vm.assume(by != 0);
        bytes memory changed = _proof;
        offset = bound(offset, 0, changed.length - 1);
        changed[offset] ^= bytes1(by);
        vm.expectRevert();
        _prove(subject, changed);
        assertFalse(gate.mayEnter(subject));
    }

    /// The circuit breaker with two real proofs. Honest proofs of one document differ in their thresholds, which the router
    /// knows of a threshold model; an owner who registers this verifier as one that reveals its output has made a mistake,
    /// and anybody who holds the two proofs stops it at once.
    function test_twoAnswersFreezeAModelThatWasRegisteredWrongly() public {
        uint256[] memory first = inputsOf(0);
        uint256[] memory second = inputsOf(1);
        assertEq(first[1], second[1], "one document");
        bytes memory firstProof = proofOf(0);
        bytes memory secondProof = proofOf(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceRouter.StatementNotDeterministic.selector,
                modelId,
                IInferenceRouter.InputMode.Committed,
                IInferenceRouter.OutputMode.Threshold
            )
        );
        router.proveContradiction(modelId, first, firstProof, second, secondProof);

        bytes32 wrong = keccak256("registered as if its score were revealed");
        register(wrong, _statement(IInferenceRouter.OutputMode.Reveal));
        router.verifyInference(wrong, first, firstProof);
        // Neither proof serves for the other's statement: no contradiction without two proofs.
        expectRejected();
        router.proveContradiction(wrong, first, firstProof, second, firstProof);
        vm.expectEmit(address(router));
        emit IInferenceRouter.ContradictionProven(wrong, stranger, first, second);
        vm.prank(stranger);
        router.proveContradiction(wrong, first, firstProof, second, secondProof);
        assertEq(uint8(router.model(wrong).state), uint8(IInferenceRouter.State.Frozen));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, wrong, IInferenceRouter.State.Frozen)
        );
        router.verifyInference(wrong, first, firstProof);
        // The model under its right registration goes on.
        _prove(subject, firstProof);
    }

    function _statement(IInferenceRouter.OutputMode output) private pure returns (IInferenceRouter.Statement memory) {
        return IInferenceRouter.Statement(IInferenceRouter.InputMode.Committed, output, 1);
    }

    function _prove(address sender, bytes memory proof) private {
        vm.prank(sender);
        gate.prove(_evidence, proof);
    }
}
