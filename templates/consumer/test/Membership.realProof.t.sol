// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {stdJson} from "forge-std/StdJson.sol";
import {Test} from "forge-std/Test.sol";
import {Membership} from "src/Membership.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// Nothing stood in for: the generated verifier of the model in model/ behind the real router, and a proof of model/input.json.
/// A proof is bound to chain, contract, account, policy, nonce and expiry, so that they are the ones of the fixture here.
contract MembershipRealProofTest is Test {
    using stdJson for string;

    /// Of the development accounts: everybody knows their keys. The second one attests.
    string private constant MNEMONIC = "test test test test test test test test test test test junk";
    uint64 private constant NOW = 1_800_000_000;

    string private json;
    Membership private club;
    address private member;
    ZkmlConsumer.Evidence private evidence;
    bytes private proof;

    function setUp() public {
        json = vm.readFile("test/fixtures/consumers/membership.json");
        vm.chainId(json.readUint(".call.chainId"));
        vm.warp(NOW);
        member = json.readAddress(".call.subject");
        proof = json.readBytes(".proofs[0].proof");
        uint256[] memory inputs = json.readUintArray(".proofs[0].publicInputs");

        InferenceRouter router = new InferenceRouter(address(this), address(0), 0);
        _register(router);
        // The first two creations of one account, whose second is the contract that the proof is bound to.
        address deployer = json.readAddress(".call.deployer");
        vm.prank(deployer);
        InputAttestation registry = new InputAttestation(address(this), address(0));
        registry.setAttestor(vm.addr(_attestorKey()), json.readBytes32(".schemaId"), IInputAttestation.Kind.Signer);
        vm.prank(deployer);
        club = new Membership(
            router, registry, json.readBytes32(".modelId"), json.readBytes32(".schemaId"), int256(inputs[2])
        );
        assertEq(address(club), json.readAddress(".call.consumer"));
        _attest(registry, bytes32(inputs[1]));
    }

    function test_aProofJoins() public {
        vm.prank(member);
        club.join(evidence, proof);
        assertTrue(club.isMember(member));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_RevertWhen_theProofIsTampered(uint256 offset, uint8 by) public {
        vm.assume(by != 0);
        proof[bound(offset, 0, proof.length - 1)] ^= bytes1(by);
        vm.expectRevert();
        vm.prank(member);
        club.join(evidence, proof);
        assertFalse(club.isMember(member));
    }

    function test_RevertWhen_theExpiryIsPutOff() public {
        evidence.expiry += 1;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        vm.prank(member);
        club.join(evidence, proof);
    }

    function _register(InferenceRouter router) private {
        bytes memory code = json.readBytes(".creationCode");
        address verifier;
        assembly ("memory-safe") {
            verifier := create(0, add(code, 32), mload(code))
        }
        router.registerModel(
            json.readBytes32(".modelId"),
            IInferenceRouter.Registration({
                familyId: keccak256("points"),
                verifier: verifier,
                codehash: verifier.codehash,
                statement: IInferenceRouter.Statement(
                    IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1
                )
            })
        );
    }

    function _attest(InputAttestation registry, bytes32 commitment) private {
        evidence.attestor = vm.addr(_attestorKey());
        evidence.attestation = IInputAttestation.Attestation({
            subject: member,
            inputCommitment: commitment,
            schemaId: json.readBytes32(".schemaId"),
            issuedAt: NOW,
            expiresAt: NOW + 30 days
        });
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_attestorKey(), registry.digestOf(evidence.attestation));
        evidence.signature = abi.encodePacked(r, s, v);
        evidence.nonce = json.readUint(".proofs[0].nonce");
        evidence.expiry = uint64(json.readUint(".proofs[0].expiry"));
    }

    function _attestorKey() private pure returns (uint256) {
        return vm.deriveKey(MNEMONIC, 1);
    }
}
