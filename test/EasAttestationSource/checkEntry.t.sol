// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {EntryRegistry} from "../helpers/EntryRegistry.sol";
import {ScriptedWallet} from "../helpers/Wallets1271.sol";
import {EasAttestationSource} from "zkml-evm/attestation/EasAttestationSource.sol";
import {IAttestationSource} from "zkml-evm/interfaces/IAttestationSource.sol";
import {IEAS} from "zkml-evm/interfaces/IEAS.sol";
import {IEasAttestationSource} from "zkml-evm/interfaces/IEasAttestationSource.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// An entry of the service in the place of a signature.
contract CheckEntryTest is AttestationFixture {
    bytes32 private constant EAS_SCHEMA = keccak256("bytes32 inputCommitment,bytes32 schemaId");

    EntryRegistry private _eas;
    EasAttestationSource private _source;

    function setUp() public override {
        super.setUp();
        _eas = new EntryRegistry();
        _source = new EasAttestationSource(_eas, attestor, EAS_SCHEMA);
        list(address(_source), IInputAttestation.Kind.Source);
    }

    function test_acceptsAnEntry() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 uid = _enter(a);
        skip(1 days);
        assertEq(_check(a, uid), registry.hashAttestation(a));
        assertEq(address(_source.eas()), address(_eas));
        assertEq(_source.attester(), attestor);
        assertEq(_source.easSchema(), EAS_SCHEMA);
    }

    /// Every field of the statement follows from the entry: one entry gives one nullifier.
    function testFuzz_RevertWhen_aFieldDiffers(uint256 field, uint64 by) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 uid = _enter(a);
        skip(20 days);
        by = uint64(bound(by, 1, 9 days));
        field = bound(field, 0, 4);
        if (field == 0) {
            a.subject = address(uint160(a.subject) ^ by);
        } else if (field == 1) {
            a.inputCommitment = bytes32(uint256(a.inputCommitment) ^ by);
        } else if (field == 2) {
            a.schemaId = bytes32(uint256(a.schemaId) ^ by);
            vm.prank(owner);
            registry.setAttestor(address(_source), a.schemaId, IInputAttestation.Kind.Source);
        } else if (field == 3) {
            a.issuedAt += by;
        } else {
            a.expiresAt -= by;
        }
        vm.assume(a.inputCommitment != 0);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntryMismatch.selector, uid));
        _check(a, uid);
    }

    /// The service keeps entries for ever; the registry does not.
    function test_RevertWhen_theEntryHasNoExpiration() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.prank(attestor);
        bytes32 uid = _eas.attest(EAS_SCHEMA, borrower, 0, abi.encode(a.inputCommitment, a.schemaId));
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntryMismatch.selector, uid));
        _check(a, uid);
        a.expiresAt = 0;
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidValidityPeriod.selector, a.issuedAt, 0));
        _check(a, uid);
    }

    function test_RevertWhen_theEntryHasExpired() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 uid = _enter(a);
        vm.warp(a.expiresAt);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.AttestationExpired.selector, a.expiresAt, block.timestamp)
        );
        _check(a, uid);
    }

    function test_RevertWhen_theEntryIsRevoked() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 uid = _enter(a);
        skip(5);
        vm.prank(attestor);
        _eas.revoke(uid);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntryRevoked.selector, uid, NOW + 5));
        _check(a, uid);
    }

    /// The registry's own list counts besides.
    function test_RevertWhen_theOwnerRevokes() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 uid = _enter(a);
        bytes32 hash = registry.hashAttestation(a);
        vm.prank(owner);
        registry.revokeFor(address(_source), hash);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, address(_source), hash));
        _check(a, uid);
    }

    function testFuzz_RevertWhen_somebodyElseMadeIt(address who) public {
        vm.assume(who != attestor);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.prank(who);
        bytes32 uid = _eas.attest(EAS_SCHEMA, borrower, a.expiresAt, abi.encode(a.inputCommitment, a.schemaId));
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.AttesterMismatch.selector, attestor, who));
        _check(a, uid);
    }

    function testFuzz_RevertWhen_underAnotherSchemaOfTheService(bytes32 schema) public {
        vm.assume(schema != EAS_SCHEMA);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.prank(attestor);
        bytes32 uid = _eas.attest(schema, borrower, a.expiresAt, abi.encode(a.inputCommitment, a.schemaId));
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntrySchemaMismatch.selector, EAS_SCHEMA, schema));
        _check(a, uid);
    }

    function testFuzz_RevertWhen_thereIsNoEntry(bytes32 uid) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntryUnknown.selector, uid));
        _check(a, uid);
    }

    /// The zero id is what an unknown entry answers with.
    function test_RevertWhen_theIdIsZero() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.EntryUnknown.selector, bytes32(0)));
        _check(a, bytes32(0));
    }

    function testFuzz_RevertWhen_evidenceIsNoWord(bytes calldata evidence) public {
        vm.assume(evidence.length != 32);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.InvalidEvidence.selector, evidence.length));
        registry.checkAttestation(address(_source), a, evidence);
    }

    /// A source is not asked for a signature, nor a signer for an entry.
    function test_RevertWhen_theAttesterSignsInstead() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.InvalidEvidence.selector, 65));
        registry.checkAttestation(address(_source), a, signature);
    }

    /// A contract that answers anything, to anything, does not answer as sources do.
    function testFuzz_RevertWhen_theAnswerIsNotTheSelector(bytes4 answer) public {
        vm.assume(answer != IAttestationSource.checkEntry.selector);
        ScriptedWallet liar = new ScriptedWallet(abi.encode(answer), false);
        list(address(liar), IInputAttestation.Kind.Source);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidSourceAnswer.selector, address(liar), answer));
        registry.checkAttestation(address(liar), a, "");
    }

    function test_RevertWhen_builtOnNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.NotAContract.selector, stranger));
        new EasAttestationSource(IEAS(stranger), attestor, EAS_SCHEMA);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.InvalidSource.selector, address(0), EAS_SCHEMA));
        new EasAttestationSource(_eas, address(0), EAS_SCHEMA);
        vm.expectRevert(abi.encodeWithSelector(IEasAttestationSource.InvalidSource.selector, attestor, bytes32(0)));
        new EasAttestationSource(_eas, attestor, bytes32(0));
    }

    function _enter(IInputAttestation.Attestation memory a) private returns (bytes32 uid) {
        vm.prank(attestor);
        return _eas.attest(EAS_SCHEMA, a.subject, a.expiresAt, abi.encode(a.inputCommitment, a.schemaId));
    }

    function _check(IInputAttestation.Attestation memory a, bytes32 uid) private view returns (bytes32) {
        return registry.checkAttestation(address(_source), a, abi.encode(uid));
    }
}
