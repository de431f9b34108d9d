// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ExampleFixture} from "../helpers/ExampleFixture.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {AgeGate} from "zkml-evm/consumers/AgeGate.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract AgeGateTest is ExampleFixture {
    int256 private constant DAYS = 6574;

    AgeGate private gate;

    function setUp() public override {
        super.setUp();
        gate = new AgeGate(router, registry, MODEL, SCHEMA, DAYS);
    }

    function test_opensForAWhile() public {
        ZkmlConsumer.Evidence memory evidence = _accepted(statementFor(borrower));
        assertFalse(gate.mayEnter(borrower));
        uint64 until = NOW + 30 days;
        vm.expectEmit(address(gate));
        emit AgeGate.Proven(borrower, until);
        _prove(borrower, evidence);
        assertEq(gate.provenUntil(borrower), until);
        vm.warp(until - 1);
        assertTrue(gate.mayEnter(borrower));
        vm.warp(until);
        assertFalse(gate.mayEnter(borrower));
    }

    /// The fact does not outlive the document.
    function test_endsWithTheAttestation() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.expiresAt = NOW + 2 days;
        _prove(borrower, _accepted(a));
        assertEq(gate.provenUntil(borrower), NOW + 2 days);
    }

    function test_keepsItsParts() public view {
        assertEq(gate.modelId(), MODEL);
        assertEq(gate.schemaId(), SCHEMA);
        assertEq(gate.threshold(), DAYS);
        assertEq(address(gate.router()), address(router));
        assertEq(address(gate.attestations()), address(registry));
    }

    function test_RevertWhen_theProofIsRejected() public {
        ZkmlConsumer.Evidence memory evidence = evidenceFor(gate, borrower);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _prove(borrower, evidence);
    }

    /// A proof of seventeen years is a proof of another threshold.
    function test_RevertWhen_provenForALowerThreshold() public {
        ZkmlConsumer.Evidence memory evidence = evidenceFor(gate, borrower);
        acceptStatement(gate, gate.POLICY(), evidence, one(DAYS - 365));
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _prove(borrower, evidence);
    }

    function testFuzz_RevertWhen_somebodyElseSendsIt(address thief) public {
        vm.assume(thief != borrower);
        ZkmlConsumer.Evidence memory evidence = _accepted(statementFor(borrower));
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, borrower, thief));
        _prove(thief, evidence);
    }

    /// A proof for one gate opens no other, on the same chain and for the same model.
    function test_RevertWhen_provenForAnotherGate() public {
        ZkmlConsumer.Evidence memory evidence = _accepted(statementFor(borrower));
        gate = new AgeGate(router, registry, MODEL, SCHEMA, DAYS);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _prove(borrower, evidence);
    }

    function test_RevertWhen_provenTwiceInADay() public {
        _prove(borrower, _accepted(statementFor(borrower)));
        ZkmlConsumer.Evidence memory evidence = _accepted(statementFor(borrower));
        bytes32 spent = gate.spentBy(borrower, SCHEMA, gate.POLICY(), NOW / 1 days);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, spent));
        _prove(borrower, evidence);
    }

    function test_RevertWhen_theDocumentIsOfAnotherForm() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.schemaId = keccak256("other");
        ZkmlConsumer.Evidence memory evidence = _accepted(a);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SchemaMismatch.selector, SCHEMA, a.schemaId));
        _prove(borrower, evidence);
    }

    /// A threshold that no statement can hold is told by its number, and never wraps.
    function test_RevertWhen_theThresholdWouldWrap() public {
        int256 tooMuch = 1 << 120;
        gate = new AgeGate(router, registry, MODEL, SCHEMA, tooMuch);
        ZkmlConsumer.Evidence memory evidence = evidenceFor(gate, borrower);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, tooMuch));
        _prove(borrower, evidence);
    }

    function test_RevertWhen_builtOnNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NotAContract.selector, stranger));
        new AgeGate(IInferenceVerifier(stranger), registry, MODEL, SCHEMA, DAYS);
    }

    function _accepted(IInputAttestation.Attestation memory a) private returns (ZkmlConsumer.Evidence memory evidence) {
        evidence = evidenceOver(gate, a);
        acceptStatement(gate, gate.POLICY(), evidence, one(DAYS));
    }

    function _prove(address sender, ZkmlConsumer.Evidence memory evidence) private {
        vm.prank(sender);
        gate.prove(evidence, "proof");
    }
}
