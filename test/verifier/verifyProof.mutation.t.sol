// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GoldenProof} from "../helpers/GoldenProof.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// A proof that differs in anything is refused, whatever the reason.
contract VerifyProofMutationTest is GoldenProof {
    function testFuzz_RevertWhen_AnyByteOfTheProofChanges(uint256 offset, uint8 by) public {
        vm.assume(by != 0);
        bytes memory changed = proof;
        offset = bound(offset, 0, changed.length - 1);
        changed[offset] ^= bytes1(by);
        vm.expectRevert();
        verify(changed);
    }

    function testFuzz_RevertWhen_aWordIsReplaced(uint256 word, uint256 value) public {
        word = bound(word, 0, proof.length / 32 - 1);
        vm.assume(value != wordAt(word * 32));
        vm.expectRevert();
        verify(withWord(word * 32, value));
    }

    function testFuzz_RevertWhen_twoWordsAreExchanged(uint256 first, uint256 second) public {
        first = 32 * bound(first, 0, proof.length / 32 - 1);
        second = 32 * bound(second, 0, proof.length / 32 - 1);
        (uint256 a, uint256 b) = (wordAt(first), wordAt(second));
        vm.assume(a != b);
        vm.expectRevert();
        verify(put(withWord(first, b), second, a));
    }

    function testFuzz_RevertWhen_theProofIsNoise(bytes32 seed) public {
        bytes memory changed = proof;
        for (uint256 offset = 0; offset < changed.length; offset += 32) {
            changed = put(changed, offset, uint256(keccak256(abi.encode(seed, offset))) % R);
        }
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.PointNotOnCurve.selector, 0));
        verify(changed);
    }

    /// Whatever the gas, a valid proof is never called invalid: too little ends in a failed call or in {PrecompileFailed}.
    function testFuzz_neverCallsAValidProofInvalidForLackOfGas(uint256 limit) public view {
        limit = bound(limit, 0, 400_000);
        (bool ok, bytes memory reason) =
            address(verifier).staticcall{gas: limit}(abi.encodeCall(IProofVerifier.verifyProof, (inputs(), proof)));
        if (!ok && reason.length != 0) assertEq(bytes4(reason), IProofVerifier.PrecompileFailed.selector);
    }

    /// The gas that a refusal takes does not depend on how the proof is wrong: a bad point is found before any precompile runs.
    function test_aBadPointCostsNoMoreThanItsCheck() public {
        bytes memory changed = withWord(0, wordAt(0) ^ 1);
        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.PointNotOnCurve.selector, 0));
        verifier.verifyProof(inputs(), changed);
        assertLt(before - gasleft(), 150_000);
    }
}
