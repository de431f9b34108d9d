// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract SetAttestorTest is AttestationFixture {
    function testFuzz_lists(address who, bytes32 schemaId) public {
        vm.assume(who != address(0) && schemaId != 0);
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(who, schemaId, IInputAttestation.Kind.Signer);
        registry.setAttestor(who, schemaId, IInputAttestation.Kind.Signer);
        assertEq(uint8(registry.listing(who, schemaId).kind), uint8(IInputAttestation.Kind.Signer));
    }

    function testFuzz_oneSchemaSaysNothingOfAnother(bytes32 schemaId) public view {
        vm.assume(schemaId != SCHEMA);
        assertEq(uint8(registry.listing(attestor, schemaId).kind), uint8(IInputAttestation.Kind.None));
    }

    function test_RevertWhen_kindIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidKind.selector, IInputAttestation.Kind.None));
        list(stranger, IInputAttestation.Kind.None);
    }

    function test_RevertWhen_callerIsGuardian() public {
        expectNotOwner(guardian);
        vm.prank(guardian);
        registry.setAttestor(guardian, SCHEMA, IInputAttestation.Kind.Signer);
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
