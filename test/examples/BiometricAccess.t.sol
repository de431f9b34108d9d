// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {BiometricAccess} from "zkml-evm/consumers/BiometricAccess.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract BiometricAccessTest is ExampleFixture {
    int256 private constant SIMILARITY = 58_982;

    BiometricAccess private door;

    function setUp() public override {
        super.setUp();
        door = new BiometricAccess(router, registry, MODEL, SCHEMA, SIMILARITY);
    }

    function test_opensASession() public {
        ZkmlConsumer.Evidence memory evidence = _accepted();
        skip(2 minutes);
        uint64 until = NOW + 12 minutes;
        vm.expectEmit(address(door));
        emit BiometricAccess.SessionOpened(borrower, until);
        _open(borrower, evidence);
        assertEq(door.sessionUntil(borrower), until);
        vm.warp(until - 1);
        assertTrue(door.isOpen(borrower));
        vm.warp(until);
        assertFalse(door.isOpen(borrower));
    }

    function test_keepsItsParts() public view {
        assertEq(door.modelId(), MODEL);
        assertEq(door.schemaId(), SCHEMA);
        assertEq(door.threshold(), SIMILARITY);
    }

    /// A recording: the attestation is still in force, the probe is old.
    function testFuzz_RevertWhen_theProbeIsOld(uint64 age) public {
        age = uint64(bound(age, 2 minutes + 1, 20 minutes));
        ZkmlConsumer.Evidence memory evidence = _accepted();
        skip(age);
        vm.expectRevert(abi.encodeWithSelector(BiometricAccess.ProbeTooOld.selector, NOW, block.timestamp));
        _open(borrower, evidence);
    }

    function test_RevertWhen_lessSimilar() public {
        ZkmlConsumer.Evidence memory evidence = evidenceFor(door, borrower);
        acceptStatement(door, door.POLICY(), evidence, one(SIMILARITY - 1));
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _open(borrower, evidence);
    }

    function test_RevertWhen_usedTwice() public {
        ZkmlConsumer.Evidence memory evidence = _accepted();
        _open(borrower, evidence);
        bytes32 spent = door.spentBy(borrower, SCHEMA, door.POLICY(), NOW / 10 minutes);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, spent));
        _open(borrower, evidence);
    }

    function test_RevertWhen_anUnknownSensorAttests() public {
        ZkmlConsumer.Evidence memory evidence = _accepted();
        evidence.attestor = stranger;
        expectNotAllowed(stranger);
        _open(borrower, evidence);
    }

    /// The sensor's clock is ahead.
    function test_RevertWhen_theProbeIsFromTheFuture() public {
        ZkmlConsumer.Evidence memory evidence = _accepted();
        vm.warp(NOW - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.AttestationNotYetValid.selector, NOW, uint256(NOW) - 1)
        );
        _open(borrower, evidence);
    }

    function _accepted() private returns (ZkmlConsumer.Evidence memory evidence) {
        evidence = evidenceFor(door, borrower);
        acceptStatement(door, door.POLICY(), evidence, one(SIMILARITY));
    }

    function _open(address sender, ZkmlConsumer.Evidence memory evidence) private {
        vm.prank(sender);
        door.open(evidence, "proof");
    }
}
