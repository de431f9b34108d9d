// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {NotAVerifier, RevertingKind, StubVerifier, Yes} from "../helpers/StubVerifiers.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {MockProofVerifier} from "zkml-evm/mocks/MockProofVerifier.sol";

contract RegisterModelTest is RouterFixture {
    function test_schedulesAndPinsTheCodehash() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelRegistered(MODEL, FAMILY, address(verifier), 1, r.codehash, activatesAt, r.statement);
        schedule();
        IInferenceRouter.Model memory m = router.model(MODEL);
        assertEq(m.verifier, address(verifier));
        assertEq(uint8(m.state), uint8(IInferenceRouter.State.Scheduled));
        assertEq(m.activatesAt, activatesAt);
        assertEq(m.deprecatedUntil, 0);
        assertEq(m.codehash, address(verifier).codehash);
        assertEq(m.familyId, FAMILY);
        assertEq(m.version, 1);
        assertEq(uint8(m.statement.input), uint8(IInferenceRouter.InputMode.Committed));
        assertEq(uint8(m.statement.output), uint8(IInferenceRouter.OutputMode.Argmax));
        assertEq(m.statement.outputs, 1);
        skip(DELAY - 1);
        assertState(MODEL, IInferenceRouter.State.Scheduled);
        skip(1);
        assertState(MODEL, IInferenceRouter.State.Active);
    }

    function test_isActiveAtOnceWithoutADelay() public {
        router = new InferenceRouter(owner, guardian, 0);
        schedule();
        assertState(MODEL, IInferenceRouter.State.Active);
        router.verifyInference(MODEL, someInputs(), "good");
    }

    function test_countsVersionsByFamily() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        for (uint256 i = 1; i <= 3; ++i) {
            vm.prank(owner);
            assertEq(router.registerModel(bytes32(i), r), i);
        }
        r.familyId = keccak256("another");
        vm.prank(owner);
        assertEq(router.registerModel(bytes32(uint256(4)), r), 1);
        assertEq(router.versionCount(FAMILY), 3);
        assertEq(router.versionCount(r.familyId), 1);
        assertEq(router.versionCount(MODEL), 0);
        assertEq(router.modelAt(FAMILY, 0), bytes32(0));
        assertEq(router.modelAt(FAMILY, 1), bytes32(uint256(1)));
        assertEq(router.modelAt(FAMILY, 3), bytes32(uint256(3)));
        assertEq(router.modelAt(FAMILY, 4), bytes32(0));
    }

    function test_latestActiveSkipsWhatDoesNotVerify() public {
        bytes32[3] memory ids = [bytes32(uint256(1)), bytes32(uint256(2)), bytes32(uint256(3))];
        assertEq(router.latestActive(FAMILY), bytes32(0));
        schedule(ids[0], registrationOf(address(verifier)));
        assertEq(router.latestActive(FAMILY), bytes32(0));
        skip(DELAY);
        schedule(ids[1], registrationOf(address(verifier)));
        assertEq(router.latestActive(FAMILY), ids[0]);
        skip(DELAY);
        schedule(ids[2], registrationOf(address(verifier)));
        skip(DELAY);
        assertEq(router.latestActive(FAMILY), ids[2]);
        vm.startPrank(owner);
        router.freezeModel(ids[2]);
        assertEq(router.latestActive(FAMILY), ids[1]);
        router.deprecateModel(ids[1], type(uint40).max);
        assertEq(router.latestActive(FAMILY), ids[0]);
        router.freezeModel(ids[0]);
        vm.stopPrank();
        assertEq(router.latestActive(FAMILY), bytes32(0));
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        expectNotOwner(caller);
        vm.prank(caller);
        router.registerModel(MODEL, r);
    }

    function test_RevertWhen_callerIsGuardian() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        expectNotOwner(guardian);
        vm.prank(guardian);
        router.registerModel(MODEL, r);
    }

    function test_RevertWhen_idIsZero() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InvalidModelId.selector, bytes32(0)));
        schedule(bytes32(0), r);
    }

    function test_RevertWhen_familyIsZero() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        r.familyId = bytes32(0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InvalidFamilyId.selector, bytes32(0)));
        schedule(MODEL, r);
    }

    function testFuzz_statementHasAnOutput(uint8 output, uint16 outputs) public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        r.statement.output = IInferenceRouter.OutputMode(bound(output, 0, 3));
        r.statement.outputs = outputs;
        if (outputs == 0) {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceRouter.InvalidStatement.selector, r.statement.output, outputs)
            );
        }
        schedule(MODEL, r);
    }

    function test_RevertWhen_thereIsNoOutput() public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        r.statement.outputs = 0;
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.InvalidStatement.selector, IInferenceRouter.OutputMode.Argmax, 0)
        );
        schedule(MODEL, r);
    }

    function test_RevertWhen_idIsScheduled() public {
        schedule();
        _expectTaken(IInferenceRouter.State.Scheduled);
    }

    function test_RevertWhen_idIsActive() public {
        register();
        _expectTaken(IInferenceRouter.State.Active);
    }

    function test_RevertWhen_idIsDeprecated() public {
        register();
        deprecate(1);
        _expectTaken(IInferenceRouter.State.Deprecated);
    }

    function test_RevertWhen_idIsFrozen() public {
        register();
        freeze();
        _expectTaken(IInferenceRouter.State.Frozen);
    }

    function testFuzz_RevertWhen_verifierHasNoCode(address codeless) public {
        vm.assume(codeless.code.length == 0);
        IInferenceRouter.Registration memory r = registrationOf(codeless);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, codeless));
        schedule(MODEL, r);
    }

    function testFuzz_RevertWhen_codehashDiffers(bytes32 codehash) public {
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        vm.assume(codehash != r.codehash);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, codehash, r.codehash));
        r.codehash = codehash;
        schedule(MODEL, r);
    }

    function test_RevertWhen_verifierIsTheMock() public {
        _expectWrongKind(address(new MockProofVerifier()), keccak256("zkml-evm.verifier.mock"));
    }

    function test_RevertWhen_contractHasNoKind() public {
        _expectWrongKind(address(new NotAVerifier()), bytes32(0));
    }

    function test_RevertWhen_fallbackAnswersEverything() public {
        _expectWrongKind(address(new Yes()), bytes32(0));
    }

    function test_RevertWhen_theKindComesByRevert() public {
        _expectWrongKind(address(new RevertingKind()), bytes32(0));
    }

    /// A precompile answers anything and has no code.
    function test_RevertWhen_verifierIsPrecompile() public {
        IInferenceRouter.Registration memory r = registrationOf(address(4));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, address(4)));
        schedule(MODEL, r);
    }

    function _expectWrongKind(address contractAddress, bytes32 got) private {
        bytes32 expected = router.PRODUCTION_KIND();
        assertEq(expected, keccak256("zkml-evm.verifier.v1"));
        IInferenceRouter.Registration memory r = registrationOf(contractAddress);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.VerifierKindMismatch.selector, contractAddress, expected, got)
        );
        schedule(MODEL, r);
    }

    function _expectTaken(IInferenceRouter.State state) private {
        IInferenceRouter.Registration memory r = registrationOf(address(new StubVerifier(2)));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelAlreadyRegistered.selector, MODEL, state));
        schedule(MODEL, r);
    }
}
