// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {createFrom} from "./Creation.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// A worked consumer with nothing stood in for: the generated verifier of its own model behind the real router, and proofs that
/// the Rust suite made for exactly these calls (`UPDATE_GOLDEN=1 cargo test --release --test golden`).
abstract contract ConsumerProof is Test {
    using stdJson for string;

    uint64 internal constant NOW = 1_800_000_000;
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
    /// Of the development accounts: everybody knows their keys.
    string private constant MNEMONIC = "test test test test test test test test test test test junk";
    uint32 private constant ATTESTOR = 1;

    address internal owner = makeAddr("owner");
    address internal stranger = makeAddr("stranger");
    InferenceRouter internal router;
    InputAttestation internal registry;
    IProofVerifier internal verifier;
    bytes32 internal modelId;
    bytes32 internal schemaId;
    address internal subject;
    string internal json;

    /// Reads a fixture, and puts everything but the consumer in its place.
    function open(string memory name, IInferenceRouter.Statement memory statement) internal {
        vm.chainId(31_337);
        vm.warp(NOW);
        json = vm.readFile(string.concat("test/fixtures/consumers/", name, ".json"));
        modelId = json.readBytes32(".modelId");
        schemaId = json.readBytes32(".schemaId");
        subject = json.readAddress(".call.subject");
        verifier = IProofVerifier(createFrom(json.readBytes(".creationCode")));
        router = new InferenceRouter(owner, address(0), 0);
        vm.prank(deployer());
        registry = new InputAttestation(owner, address(0));
        vm.prank(owner);
        registry.setAttestor(vm.addr(keyOf(ATTESTOR)), schemaId, IInputAttestation.Kind.Signer);
        register(modelId, statement);
    }

    function register(bytes32 id, IInferenceRouter.Statement memory statement) internal {
        vm.prank(owner);
        router.registerModel(
            id,
            IInferenceRouter.Registration({
                familyId: id, verifier: address(verifier), codehash: address(verifier).codehash, statement: statement
            })
        );
    }

    /// Who creates the consumer, next: its address is what the proofs are bound to.
    function deployer() internal view returns (address) {
        return json.readAddress(".call.deployer");
    }

    function assertBound(address consumer) internal view {
        assertEq(consumer, json.readAddress(".call.consumer"), "the proofs are for another address");
    }

    /// A copy, to be changed at will.
    function inputsOf(uint256 index) internal view returns (uint256[] memory) {
        return json.readUintArray(string.concat(_at(index), ".publicInputs"));
    }

    function proofOf(uint256 index) internal view returns (bytes memory) {
        return json.readBytes(string.concat(_at(index), ".proof"));
    }

    /// What a public value stands for.
    function integer(uint256 element) internal pure returns (int256) {
        return element > R / 2 ? int256(element) - int256(R) : int256(element);
    }

    /// The attestation of the input behind a commitment, signed, with what proof `index` is bound to.
    function evidenceOf(uint256 index) internal view returns (ZkmlConsumer.Evidence memory evidence) {
        evidence.attestor = vm.addr(keyOf(ATTESTOR));
        evidence.attestation = attestationOf(subject, bytes32(inputsOf(index)[1]));
        evidence.signature = sign(keyOf(ATTESTOR), registry.digestOf(evidence.attestation));
        evidence.nonce = json.readUint(string.concat(_at(index), ".nonce"));
        evidence.expiry = uint64(json.readUint(string.concat(_at(index), ".expiry")));
    }

    function attestationOf(address of_, bytes32 commitment)
        internal
        view
        returns (IInputAttestation.Attestation memory)
    {
        return IInputAttestation.Attestation({
            subject: of_, inputCommitment: commitment, schemaId: schemaId, issuedAt: NOW, expiresAt: NOW + 30 days
        });
    }

    function keyOf(uint32 account) internal pure returns (uint256) {
        return vm.deriveKey(MNEMONIC, account);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function expectRejected() internal {
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
    }

    function expectFrozen() internal {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, modelId, IInferenceRouter.State.Frozen)
        );
    }

    function _at(uint256 index) private pure returns (string memory) {
        return string.concat(".proofs[", vm.toString(index), "]");
    }
}
