// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "../helpers/RouterFixture.sol";
import {SilentVerifier, StubVerifier, TokenVerifier, WritingVerifier} from "../helpers/StubVerifiers.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

contract VerifyInferenceTest is RouterFixture {
    uint256 private constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;

    function test_returnsNothingForAGoodProof() public {
        register();
        router.verifyInference(MODEL, someInputs(), "good");
    }

    /// The verifier gets what the caller gave, bit for bit.
    function testFuzz_passesInputsAndProofUnchanged(uint256[] calldata inputs, bytes calldata proof) public {
        register();
        bytes memory call = abi.encodeCall(IProofVerifier.verifyProof, (inputs, proof));
        vm.mockCall(address(verifier), call, "");
        vm.expectCall(address(verifier), call);
        router.verifyInference(MODEL, inputs, proof);
    }

    function test_RevertWhen_proofIsRejected() public {
        register();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.verifyInference(MODEL, someInputs(), "bad");
    }

    /// x and x + r are one statement for the circuit: the verifier's refusal comes through with its arguments.
    function testFuzz_RevertWhen_publicInputIsNotBelowR(uint256 value, uint256 index) public {
        register();
        uint256[] memory inputs = someInputs();
        index = bound(index, 0, inputs.length - 1);
        value = bound(value, R, type(uint256).max);
        inputs[index] = value;
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InstanceOutOfRange.selector, index, value));
        router.verifyInference(MODEL, inputs, "good");
    }

    function testFuzz_bubblesAnyReason(bytes calldata reason) public {
        vm.assume(reason.length != 0);
        register();
        vm.mockCallRevert(address(verifier), abi.encodeWithSelector(IProofVerifier.verifyProof.selector), reason);
        vm.expectRevert(reason);
        router.verifyInference(MODEL, someInputs(), "good");
    }

    function test_RevertWhen_verifierGivesNoReason() public {
        _expectFailed(address(new SilentVerifier()));
    }

    /// The call is static: a verifier cannot keep state or re-enter anything.
    function test_RevertWhen_verifierWrites() public {
        _expectFailed(address(new WritingVerifier()));
    }

    function testFuzz_RevertWhen_unset(bytes32 modelId) public {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, modelId, IInferenceRouter.State.Unset)
        );
        router.verifyInference(modelId, someInputs(), "good");
    }

    function test_RevertWhen_frozen() public {
        register();
        freeze();
        expectNotActive(IInferenceRouter.State.Frozen);
        router.verifyInference(MODEL, someInputs(), "good");
    }

    function testFuzz_scheduledModelVerifiesFromItsTimeOn(uint64 wait) public {
        schedule();
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        wait = uint64(bound(wait, 0, 2 * DELAY));
        skip(wait);
        if (wait < DELAY) {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceRouter.ModelNotYetActive.selector, MODEL, activatesAt, block.timestamp)
            );
        }
        router.verifyInference(MODEL, someInputs(), "good");
    }

    /// A proof of one version is judged by that version's verifier only.
    function test_RevertWhen_theProofIsOfAnotherVersion() public {
        register();
        TokenVerifier second = new TokenVerifier();
        bytes32 secondId = keccak256("second");
        schedule(secondId, registrationOf(address(second)));
        skip(DELAY);
        router.verifyInference(secondId, someInputs(), "second");
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.verifyInference(secondId, someInputs(), "good");
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.verifyInference(MODEL, someInputs(), "second");
    }

    function testFuzz_deprecatedModelVerifiesUntilItsEnd(uint40 until, uint40 timestamp) public {
        register();
        deprecate(until);
        vm.warp(timestamp);
        if (timestamp >= until) {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceRouter.ModelDeprecatedSince.selector, MODEL, until, uint256(timestamp))
            );
        }
        router.verifyInference(MODEL, someInputs(), "good");
    }

    function test_RevertWhen_codeWasSwapped() public {
        register();
        bytes32 pinned = address(verifier).codehash;
        vm.etch(address(verifier), address(new StubVerifier(2)).code);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, pinned, address(verifier).codehash)
        );
        router.verifyInference(MODEL, someInputs(), "good");
    }

    /// A call to an address without code succeeds and checks nothing.
    function test_RevertWhen_codeIsGone() public {
        register();
        vm.etch(address(verifier), "");
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, address(verifier)));
        router.verifyInference(MODEL, someInputs(), "good");
    }

    /// Too little gas for the verifier must never look like a verdict.
    function testFuzz_neverAcceptsForLackOfGas(uint256 gasGiven) public {
        register();
        gasGiven = bound(gasGiven, 0, 60_000);
        bytes memory call = abi.encodeCall(router.verifyInference, (MODEL, someInputs(), "bad"));
        (bool ok,) = address(router).staticcall{gas: gasGiven}(call);
        assertFalse(ok);
    }

    function _expectFailed(address bad) private {
        schedule(MODEL, registrationOf(bad));
        skip(DELAY);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.VerifierFailed.selector, MODEL, bad));
        router.verifyInference{gas: 1_000_000}(MODEL, someInputs(), "good");
    }
}
