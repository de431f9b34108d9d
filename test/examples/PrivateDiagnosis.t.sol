// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {PrivateDiagnosis} from "zkml-evm/consumers/PrivateDiagnosis.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract PrivateDiagnosisTest is ExampleFixture {
    uint128 private constant CLASSES = 4;

    PrivateDiagnosis private study;

    function setUp() public override {
        super.setUp();
        study = new PrivateDiagnosis(router, registry, MODEL, SCHEMA, CLASSES);
    }

    function testFuzz_recordsTheClass(uint128 class) public {
        class = uint128(bound(class, 0, CLASSES - 1));
        ZkmlConsumer.Evidence memory evidence = _accepted(class);
        bytes32 commitment = evidence.attestation.inputCommitment;
        skip(10 minutes);
        vm.expectEmit(address(study));
        emit PrivateDiagnosis.Found(borrower, commitment, class, NOW);
        _show(borrower, evidence, class);
        (uint64 scannedAt, uint64 provenAt, uint128 found) = study.findings(borrower, commitment);
        assertEq(scannedAt, NOW);
        assertEq(provenAt, NOW + 10 minutes);
        assertEq(found, class);
    }

    function test_keepsItsParts() public view {
        assertEq(study.modelId(), MODEL);
        assertEq(study.schemaId(), SCHEMA);
        assertEq(study.classes(), CLASSES);
    }

    /// The class is a claim of the caller's; only the model's own has a proof.
    function testFuzz_RevertWhen_anotherClassIsClaimed(uint128 class, uint128 claimed) public {
        class = uint128(bound(class, 0, CLASSES - 1));
        claimed = uint128(bound(claimed, 0, CLASSES - 1));
        vm.assume(class != claimed);
        ZkmlConsumer.Evidence memory evidence = _accepted(class);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _show(borrower, evidence, claimed);
    }

    function testFuzz_RevertWhen_theClassIsUnknown(uint128 class) public {
        class = uint128(bound(class, CLASSES, type(uint128).max));
        ZkmlConsumer.Evidence memory evidence = evidenceFor(study, borrower);
        vm.expectRevert(abi.encodeWithSelector(PrivateDiagnosis.ClassUnknown.selector, class, CLASSES));
        _show(borrower, evidence, class);
    }

    function test_RevertWhen_itIsSomebodyElsesScan() public {
        ZkmlConsumer.Evidence memory evidence = _accepted(1);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, borrower, stranger));
        _show(stranger, evidence, 1);
    }

    function test_RevertWhen_theHospitalTakesItBack() public {
        ZkmlConsumer.Evidence memory evidence = _accepted(1);
        bytes32 hash = registry.hashAttestation(evidence.attestation);
        vm.prank(attestor);
        registry.revoke(hash);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, attestor, hash));
        _show(borrower, evidence, 1);
    }

    function _accepted(uint128 class) private returns (ZkmlConsumer.Evidence memory evidence) {
        evidence = evidenceFor(study, borrower);
        acceptStatement(study, study.POLICY(), evidence, one(int256(uint256(class))));
    }

    function _show(address sender, ZkmlConsumer.Evidence memory evidence, uint128 class) private {
        vm.prank(sender);
        study.show(evidence, class, "proof");
    }
}
