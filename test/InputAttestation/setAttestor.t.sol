// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract SetAttestorTest is AttestationFixture {
    function testFuzz_listsAndRemoves(address who, bytes32 schemaId) public {
        vm.assume(who != address(0) && schemaId != 0);
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(who, schemaId, IInputAttestation.Kind.Signer);
        registry.setAttestor(who, schemaId, IInputAttestation.Kind.Signer);
        assertEq(uint8(registry.listing(who, schemaId).kind), uint8(IInputAttestation.Kind.Signer));

        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(who, schemaId, IInputAttestation.Kind.None);
        registry.setAttestor(who, schemaId, IInputAttestation.Kind.None);
        assertEq(uint8(registry.listing(who, schemaId).kind), uint8(IInputAttestation.Kind.None));
    }

    function testFuzz_oneSchemaSaysNothingOfAnother(bytes32 schemaId) public view {
        vm.assume(schemaId != SCHEMA);
        assertEq(uint8(registry.listing(attestor, schemaId).kind), uint8(IInputAttestation.Kind.None));
    }

    function test_removingEndsItsAttestationsAtOnce() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        registry.checkAttestation(attestor, a, signature);
        remove(attestor);
        expectNotAllowed(attestor);
        registry.checkAttestation(attestor, a, signature);
    }

    function test_RevertWhen_attestorIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidAttestor.selector, address(0)));
        allow(address(0));
    }

    function testFuzz_RevertWhen_aSourceHasNoCode(address codeless) public {
        vm.assume(codeless.code.length == 0);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidAttestor.selector, codeless));
        list(codeless, IInputAttestation.Kind.Source);
    }

    function test_RevertWhen_schemaIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidSchema.selector, bytes32(0)));
        vm.prank(owner);
        registry.setAttestor(attestor, bytes32(0), IInputAttestation.Kind.Signer);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        registry.setAttestor(caller, SCHEMA, IInputAttestation.Kind.Signer);
    }
}
