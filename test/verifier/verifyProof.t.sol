// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GoldenProof} from "../helpers/GoldenProof.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// The generated verifier with a real proof: public inputs, lengths and evaluations.
contract VerifyProofTest is GoldenProof {
    function test_acceptsTheProof() public view {
        verifier.verifyProof(inputs(), proof);
        assertEq(verifier.verifierKind(), keccak256("zkml-evm.verifier.v1"));
        assertEq(proof.length, 64 * (points + 2) + 32 * evaluations);
    }

    function test_RevertWhen_aPublicInputIsOneOff() public {
        for (uint256 i = 0; i < inputs().length; ++i) {
            for (uint256 off = 1; off < R; off += R - 2) {
                uint256[] memory changed = inputs();
                changed[i] = addmod(changed[i], off, R);
                expectRejected();
                verifier.verifyProof(changed, proof);
            }
        }
    }

    function testFuzz_RevertWhen_aPublicInputIsAnother(uint256 index, uint256 value) public {
        uint256[] memory changed = inputs();
        index = bound(index, 0, changed.length - 1);
        value = bound(value, 0, R - 1);
        vm.assume(value != changed[index]);
        changed[index] = value;
        expectRejected();
        verifier.verifyProof(changed, proof);
    }

    /// The same number modulo r, in every form that fits 256 bits.
    function test_RevertWhen_aPublicInputIsAliased() public {
        for (uint256 i = 0; i < inputs().length; ++i) {
            uint256[] memory changed = inputs();
            while (changed[i] <= type(uint256).max - R) {
                changed[i] += R;
                vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InstanceOutOfRange.selector, i, changed[i]));
                verifier.verifyProof(changed, proof);
            }
        }
    }

    function test_RevertWhen_publicInputsAreExchanged() public {
        uint256[] memory changed = inputs();
        (changed[0], changed[1]) = (changed[1], changed[0]);
        expectRejected();
        verifier.verifyProof(changed, proof);
    }

    function testFuzz_RevertWhen_theNumberOfPublicInputsDiffers(uint8 count) public {
        uint256[] memory right = inputs();
        vm.assume(count != right.length);
        uint256[] memory changed = new uint256[](count);
        for (uint256 i = 0; i < count && i < right.length; ++i) {
            changed[i] = right[i];
        }
        vm.expectRevert(
            abi.encodeWithSelector(IProofVerifier.InvalidInstanceCount.selector, right.length, uint256(count))
        );
        verifier.verifyProof(changed, proof);
    }

    function testFuzz_RevertWhen_theProofIsTruncated(uint256 length) public {
        length = bound(length, 0, proof.length - 1);
        bytes memory changed = proof;
        assembly ("memory-safe") {
            mstore(changed, length)
        }
        _expectLength(length);
        verify(changed);
    }

    function testFuzz_RevertWhen_theProofIsExtended(bytes calldata tail) public {
        vm.assume(tail.length != 0);
        _expectLength(proof.length + tail.length);
        verify(bytes.concat(proof, tail));
    }

    function test_RevertWhen_theProofIsEmpty() public {
        _expectLength(0);
        verify("");
    }

    function test_RevertWhen_anEvaluationIsAliased() public {
        for (uint256 i = 0; i < evaluations; ++i) {
            uint256 aliased = wordAt(evaluationAt(i)) + R;
            vm.expectRevert(abi.encodeWithSelector(IProofVerifier.EvaluationOutOfRange.selector, i, aliased));
            verify(withWord(evaluationAt(i), aliased));
        }
    }

    function test_RevertWhen_anEvaluationIsOneOff() public {
        for (uint256 i = 0; i < evaluations; ++i) {
            uint256 offset = evaluationAt(i);
            expectRejected();
            verify(withWord(offset, addmod(wordAt(offset), 1, R)));
        }
    }

    /// Behind the array's end, where an ABI decoder does not look: still the same call, and still the same answer.
    function testFuzz_trailingCalldataChangesNothing(bytes calldata tail) public view {
        bytes memory data = bytes.concat(abi.encodeCall(IProofVerifier.verifyProof, (inputs(), proof)), tail);
        (bool accepted, bytes memory returned) = address(verifier).staticcall(data);
        assertTrue(accepted);
        assertEq(returned.length, 0);
    }

    function testFuzz_RevertWhen_calldataIsTruncated(uint256 length) public {
        bytes memory data = abi.encodeCall(IProofVerifier.verifyProof, (inputs(), proof));
        // The last bytes are the ABI's padding: a proof is a whole number of words, so there are none here.
        assertEq(proof.length % 32, 0);
        length = bound(length, 0, data.length - 1);
        assembly ("memory-safe") {
            mstore(data, length)
        }
        (bool accepted,) = address(verifier).staticcall(data);
        assertFalse(accepted);
    }

    function _expectLength(uint256 got) private {
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InvalidProofLength.selector, proof.length, got));
    }
}
