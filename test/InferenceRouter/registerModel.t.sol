// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {NotAVerifier, StubVerifier, Yes} from "../helpers/StubVerifiers.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {MockProofVerifier} from "zkml-evm/mocks/MockProofVerifier.sol";

contract RegisterModelTest is RouterFixture {
    function test_registersAndPinsTheCodehash() public {
        vm.expectEmit(address(router));
        emit IInferenceRouter.ModelRegistered(MODEL, address(verifier), address(verifier).codehash);
        register();
        IInferenceRouter.Model memory m = router.model(MODEL);
        assertEq(m.verifier, address(verifier));
        assertEq(uint8(m.state), uint8(IInferenceRouter.State.Active));
        assertEq(m.deprecatedUntil, 0);
        assertEq(m.codehash, address(verifier).codehash);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        bytes32 codehash = address(verifier).codehash;
        expectNotOwner(caller);
        vm.prank(caller);
        router.registerModel(MODEL, address(verifier), codehash);
    }

    function test_RevertWhen_callerIsGuardian() public {
        bytes32 codehash = address(verifier).codehash;
        expectNotOwner(guardian);
        vm.prank(guardian);
        router.registerModel(MODEL, address(verifier), codehash);
    }

    function test_RevertWhen_idIsZero() public {
        bytes32 codehash = address(verifier).codehash;
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InvalidModelId.selector, bytes32(0)));
        vm.prank(owner);
        router.registerModel(bytes32(0), address(verifier), codehash);
    }

    function test_RevertWhen_idIsActive() public {
        register();
        _expectTaken(IInferenceRouter.State.Active);
    }

    function test_RevertWhen_idIsDeprecated() public {
        register();
        vm.prank(owner);
        router.deprecateModel(MODEL, 1);
        _expectTaken(IInferenceRouter.State.Deprecated);
    }

    function test_RevertWhen_idIsFrozen() public {
        register();
        freeze();
        _expectTaken(IInferenceRouter.State.Frozen);
    }

    function testFuzz_RevertWhen_verifierHasNoCode(address codeless) public {
        vm.assume(codeless.code.length == 0);
        bytes32 codehash = codeless.codehash;
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, codeless));
        vm.prank(owner);
        router.registerModel(MODEL, codeless, codehash);
    }

    function testFuzz_RevertWhen_codehashDiffers(bytes32 codehash) public {
        bytes32 actual = address(verifier).codehash;
        vm.assume(codehash != actual);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, codehash, actual));
        vm.prank(owner);
        router.registerModel(MODEL, address(verifier), codehash);
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

    /// A precompile answers anything and has no code.
    function test_RevertWhen_verifierIsPrecompile() public {
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, address(4)));
        vm.prank(owner);
        router.registerModel(MODEL, address(4), keccak256(""));
    }

    function _expectWrongKind(address contractAddress, bytes32 got) private {
        bytes32 codehash = contractAddress.codehash;
        bytes32 expected = router.PRODUCTION_KIND();
        assertEq(expected, keccak256("zkml-evm.verifier.v1"));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.VerifierKindMismatch.selector, contractAddress, expected, got)
        );
        vm.prank(owner);
        router.registerModel(MODEL, contractAddress, codehash);
    }

    function _expectTaken(IInferenceRouter.State state) private {
        StubVerifier other = new StubVerifier(2);
        bytes32 codehash = address(other).codehash;
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelAlreadyRegistered.selector, MODEL, state));
        vm.prank(owner);
        router.registerModel(MODEL, address(other), codehash);
    }
}
