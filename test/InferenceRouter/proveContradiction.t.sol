// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {SilentVerifier, StubVerifier} from "../helpers/StubVerifiers.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// The stub accepts any statement with the proof "good": a broken verifier, which is what the breaker is for.
contract ProveContradictionTest is RouterFixture {
    function test_anyoneFreezes() public {
        register();
        _expectBroken(inputsOf(1, 22, 3), inputsOf(2, 22, 4));
    }

    /// The contexts may be equal or not: proofs for any account and any policy count.
    function testFuzz_freezesByAnyTwoAnswersToOneQuestion(
        uint128[2] calldata contexts,
        uint128 commitment,
        uint128[2] calldata outputs
    ) public {
        vm.assume(outputs[0] != outputs[1]);
        register();
        _expectBroken(inputsOf(contexts[0], commitment, outputs[0]), inputsOf(contexts[1], commitment, outputs[1]));
    }

    function test_freezesBeforeActivation() public {
        schedule();
        _expectBroken(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    function test_freezesWhileDeprecated() public {
        register();
        deprecate(type(uint40).max);
        _expectBroken(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    /// Private weights and several revealed outputs: commitment, model commitment, two outputs of which one differs.
    function test_freezesByOneOfManyOutputs() public {
        _scheduleAs(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Reveal, 2);
        _expectBroken(_five(9, 1, 2, 3, 4), _five(8, 1, 2, 3, 5));
    }

    /// Features stand in the open: they are the question.
    function test_freezesByPublicFeatures() public {
        _scheduleAs(IInferenceRouter.InputMode.Public, IInferenceRouter.OutputMode.Argmax, 1);
        _expectBroken(_five(9, 1, 2, 3, 4), _five(9, 1, 2, 3, 5));
    }

    /// A batch: two commitments, then two classes, of which the second differs.
    function test_freezesByOneItemOfABatch() public {
        _scheduleAs(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 2);
        _expectBroken(_five(9, 1, 2, 3, 4), _five(8, 1, 2, 3, 5));
    }

    function test_RevertWhen_anItemOfABatchDiffers() public {
        _scheduleAs(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 2);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DifferentQuestion.selector, 2, 2, 6));
        _prove(_five(9, 1, 2, 3, 4), _five(9, 1, 6, 3, 5));
    }

    function test_RevertWhen_theInputDiffers() public {
        register();
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DifferentQuestion.selector, 1, 22, 23));
        _prove(inputsOf(1, 22, 3), inputsOf(1, 23, 4));
        assertState(MODEL, IInferenceRouter.State.Active);
    }

    /// Another model commitment is another model.
    function test_RevertWhen_theWeightsDiffer() public {
        _scheduleAs(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 1);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.DifferentQuestion.selector, 3, 3, 4));
        _prove(_five(9, 1, 2, 3, 4), _five(9, 1, 2, 4, 5));
    }

    function testFuzz_RevertWhen_theAnswersAreEqual(uint128[2] calldata contexts, uint128 output) public {
        register();
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.SameAnswer.selector, MODEL));
        _prove(inputsOf(contexts[0], 22, output), inputsOf(contexts[1], 22, output));
        assertState(MODEL, IInferenceRouter.State.Active);
    }

    function test_RevertWhen_theFirstProofIsBad() public {
        register();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.proveContradiction(MODEL, inputsOf(1, 22, 3), "bad", inputsOf(1, 22, 4), "good");
        assertState(MODEL, IInferenceRouter.State.Active);
    }

    function test_RevertWhen_theSecondProofIsBad() public {
        register();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.proveContradiction(MODEL, inputsOf(1, 22, 3), "good", inputsOf(1, 22, 4), "bad");
        assertState(MODEL, IInferenceRouter.State.Active);
    }

    /// Modes in which honest proofs differ cannot be used: a prover chooses the threshold, and the salt of a commitment.
    function testFuzz_RevertWhen_honestProofsMayDiffer(uint8 input, bool salted) public {
        IInferenceRouter.InputMode mode = IInferenceRouter.InputMode(bound(input, 0, 2));
        IInferenceRouter.OutputMode output =
            salted ? IInferenceRouter.OutputMode.Commit : IInferenceRouter.OutputMode.Threshold;
        _scheduleAs(mode, output, 1);
        _expectNotDeterministic(mode, output);
    }

    /// A private input is named nowhere: two proofs may be about two inputs.
    function testFuzz_RevertWhen_theInputIsPrivate(bool argmax) public {
        IInferenceRouter.OutputMode output =
            argmax ? IInferenceRouter.OutputMode.Argmax : IInferenceRouter.OutputMode.Reveal;
        _scheduleAs(IInferenceRouter.InputMode.Private, output, 1);
        _expectNotDeterministic(IInferenceRouter.InputMode.Private, output);
    }

    /// Without a word of question between context and outputs, any two proofs would do.
    function testFuzz_RevertWhen_thereIsNoQuestion(uint8 length, uint8 outputs) public {
        outputs = uint8(bound(outputs, 1, 40));
        length = uint8(bound(length, 0, outputs + 1));
        _scheduleAs(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Reveal, outputs);
        uint256[] memory second = new uint256[](length);
        if (length != 0) second[length - 1] = 1;
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InputsNotComparable.selector, length, length));
        _prove(new uint256[](length), second);
    }

    function testFuzz_RevertWhen_lengthsDiffer(uint8 first, uint8 second) public {
        vm.assume(first != second);
        register();
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InputsNotComparable.selector, first, second));
        _prove(new uint256[](first), new uint256[](second));
    }

    /// 4 and 4 + r are one answer: the verifier refuses the second spelling.
    function test_RevertWhen_theAnswerIsAliased() public {
        register();
        uint256 order =
            21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InstanceOutOfRange.selector, 2, order + 4));
        _prove(inputsOf(1, 22, 4), inputsOf(1, 22, order + 4));
    }

    function test_RevertWhen_codeWasSwapped() public {
        register();
        bytes32 pinned = address(verifier).codehash;
        vm.etch(address(verifier), address(new StubVerifier(2)).code);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, pinned, address(verifier).codehash)
        );
        _prove(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    function test_RevertWhen_codeIsGone() public {
        register();
        vm.etch(address(verifier), "");
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, address(verifier)));
        _prove(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    /// Too little gas must not look like two verdicts.
    function test_RevertWhen_theVerifierStops() public {
        SilentVerifier silent = new SilentVerifier();
        schedule(MODEL, registrationOf(address(silent)));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.VerifierFailed.selector, MODEL, address(silent)));
        router.proveContradiction{gas: 1_000_000}(MODEL, inputsOf(1, 22, 3), "good", inputsOf(1, 22, 4), "good");
    }

    function test_RevertWhen_unset() public {
        expectNotActive(IInferenceRouter.State.Unset);
        _prove(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    function test_RevertWhen_frozenAlready() public {
        register();
        freeze();
        expectNotActive(IInferenceRouter.State.Frozen);
        _prove(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
    }

    function _scheduleAs(IInferenceRouter.InputMode input, IInferenceRouter.OutputMode output, uint16 outputs) private {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        r.statement = IInferenceRouter.Statement(input, output, outputs);
        schedule(MODEL, r);
    }

    function _expectNotDeterministic(IInferenceRouter.InputMode input, IInferenceRouter.OutputMode output) private {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.StatementNotDeterministic.selector, MODEL, input, output)
        );
        _prove(inputsOf(1, 22, 3), inputsOf(1, 22, 4));
        assertState(MODEL, IInferenceRouter.State.Scheduled);
    }

    function _expectBroken(uint256[] memory first, uint256[] memory second) private {
        vm.expectEmit(address(router));
        emit IInferenceRouter.ContradictionProven(MODEL, stranger, first, second);
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelFrozen(MODEL, stranger);
        _prove(first, second);
        assertState(MODEL, IInferenceRouter.State.Frozen);
        skip(DELAY);
        expectNotActive(IInferenceRouter.State.Frozen);
        router.verifyInference(MODEL, first, "good");
    }

    function _prove(uint256[] memory first, uint256[] memory second) private {
        vm.prank(stranger);
        router.proveContradiction(MODEL, first, "good", second, "good");
    }

    function _five(uint256 a, uint256 b, uint256 c, uint256 d, uint256 e)
        private
        pure
        returns (uint256[] memory inputs)
    {
        inputs = new uint256[](5);
        (inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]) = (a, b, c, d, e);
    }
}
