// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {createFrom} from "./Creation.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {Test} from "forge-std/Test.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// The credit example's generated verifier and a real proof for it, as the Rust suite made them
/// (`UPDATE_GOLDEN=1 cargo test --release --test golden`).
///
/// A proof is `points` points of 64 bytes, `evaluations` scalars of 32, and the opening's two points.
abstract contract GoldenProof is Test {
    using stdJson for string;

    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
    /// Order of the field of the curve's coordinates.
    uint256 internal constant Q =
        21_888_242_871_839_275_222_246_405_745_257_275_088_696_311_157_297_823_662_689_037_894_645_226_208_583;

    string internal json;
    bytes32 internal modelId;
    uint256 internal points;
    uint256 internal evaluations;
    IProofVerifier internal verifier;
    bytes internal proof;
    uint256[] private _inputs;

    function setUp() public virtual {
        json = vm.readFile("test/fixtures/credit_proof.json");
        modelId = json.readBytes32(".modelId");
        points = json.readUint(".points");
        evaluations = json.readUint(".evaluations");
        proof = json.readBytes(".proof");
        _inputs = json.readUintArray(".publicInputs");
        verifier = IProofVerifier(createFrom(json.readBytes(".creationCode")));
    }

    /// A copy, to be changed at will.
    function inputs() internal view returns (uint256[] memory) {
        return _inputs;
    }

    function verify(bytes memory changed) internal view {
        verifier.verifyProof(_inputs, changed);
    }

    function expectRejected() internal {
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
    }

    /// Where point `index` begins: those before the evaluations, then the opening's two.
    function pointAt(uint256 index) internal view returns (uint256) {
        return index * 64 + (index < points ? 0 : evaluations * 32);
    }

    function evaluationAt(uint256 index) internal view returns (uint256) {
        return points * 64 + index * 32;
    }

    function wordAt(uint256 offset) internal view returns (uint256 word) {
        bytes memory all = proof;
        assembly ("memory-safe") {
            word := mload(add(add(all, 32), offset))
        }
    }

    /// The proof with the 32 bytes at `offset` replaced.
    function withWord(uint256 offset, uint256 word) internal view returns (bytes memory changed) {
        return put(proof, offset, word);
    }

    function put(bytes memory into, uint256 offset, uint256 word) internal pure returns (bytes memory) {
        assertLe(offset + 32, into.length);
        assembly ("memory-safe") {
            mstore(add(add(into, 32), offset), word)
        }
        return into;
    }
}
