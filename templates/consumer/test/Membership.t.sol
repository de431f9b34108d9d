// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {Membership} from "src/Membership.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";
import {MockRouter} from "zkml-evm/mocks/MockRouter.sol";

/// How a dapp is tested without a prover: the real attestation registry, and a router that accepts exactly the statement which
/// the test builds by itself. If the contract asks for any other statement, the router refuses.
contract MembershipTest is Test {
    bytes32 private constant MODEL = keccak256("model");
    bytes32 private constant SCHEMA = keccak256("schema");
    int256 private constant THRESHOLD = 42_000;

    MockRouter private router;
    InputAttestation private registry;
    Membership private club;
    address private alice = makeAddr("alice");
    address private attestor;
    uint256 private attestorKey;

    function setUp() public {
        vm.warp(1_800_000_000);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        router = new MockRouter();
        registry = new InputAttestation(address(this), address(0));
        registry.setAttestor(attestor, SCHEMA, IInputAttestation.Kind.Signer);
        club = new Membership(router, registry, MODEL, SCHEMA, THRESHOLD);
    }

    function test_aHighScoreJoins() public {
        ZkmlConsumer.Evidence memory evidence = _evidence();
        _accept(evidence, THRESHOLD);
        vm.prank(alice);
        club.join(evidence, "proof");
        assertTrue(club.isMember(alice));
    }

    function test_RevertWhen_theScoreIsProvenForLess() public {
        ZkmlConsumer.Evidence memory evidence = _evidence();
        _accept(evidence, THRESHOLD - 1);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        vm.prank(alice);
        club.join(evidence, "proof");
        assertFalse(club.isMember(alice));
    }

    function testFuzz_RevertWhen_somebodyElseSendsIt(address thief) public {
        vm.assume(thief != alice);
        ZkmlConsumer.Evidence memory evidence = _evidence();
        _accept(evidence, THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, alice, thief));
        vm.prank(thief);
        club.join(evidence, "proof");
    }

    function test_RevertWhen_usedTwiceInAnEpoch() public {
        ZkmlConsumer.Evidence memory evidence = _evidence();
        _accept(evidence, THRESHOLD);
        vm.startPrank(alice);
        club.join(evidence, "proof");
        bytes32 spent = club.spentBy(alice, SCHEMA, club.POLICY(), uint64(block.timestamp) / club.EPOCH());
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, spent));
        club.join(evidence, "proof");
    }

    function test_keepsItsTerms() public view {
        assertEq(club.modelId(), MODEL);
        assertEq(club.schemaId(), SCHEMA);
        assertEq(club.threshold(), THRESHOLD);
    }

    /// An attestation of Alice's input, signed, with what her proof is bound to.
    function _evidence() private view returns (ZkmlConsumer.Evidence memory evidence) {
        evidence.attestor = attestor;
        evidence.attestation = IInputAttestation.Attestation({
            subject: alice,
            inputCommitment: bytes32(uint256(0xc0ffee)),
            schemaId: SCHEMA,
            issuedAt: uint64(block.timestamp),
            expiresAt: uint64(block.timestamp) + 30 days
        });
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, registry.digestOf(evidence.attestation));
        evidence.signature = abi.encodePacked(r, s, v);
        evidence.nonce = club.nonceOf(alice);
        evidence.expiry = uint64(block.timestamp) + 1 hours;
    }

    /// The statement of a proof: context, commitment, threshold.
    function _accept(ZkmlConsumer.Evidence memory evidence, int256 provenThreshold) private {
        uint256[] memory statement = new uint256[](3);
        statement[0] = club.contextOf(alice, MODEL, club.POLICY(), evidence.nonce, evidence.expiry);
        statement[1] = uint256(evidence.attestation.inputCommitment);
        statement[2] = uint256(provenThreshold);
        router.accept(MODEL, statement);
    }
}
