// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract RemoveAttestorTest is AttestationFixture {
    function test_endsItsAttestationsAtOnce() public {
        _expectEndBy(owner);
    }

    /// A stolen key is dealt with in one block, though the owner is a timelock.
    function test_theGuardianRemoves() public {
        _expectEndBy(guardian);
        expectNotOwner(guardian);
        vm.prank(guardian);
        registry.setAttestor(attestor, SCHEMA, IInputAttestation.Kind.Signer);
    }

    function test_endsARetirement() public {
        vm.prank(owner);
        registry.retireAttestor(attestor, SCHEMA, type(uint64).max);
        skip(1);
        remove(attestor);
        IInputAttestation.Listing memory ended = registry.listing(attestor, SCHEMA);
        assertEq(ended.retiredAt, NOW + 1, "removals are remembered");
        assertEq(ended.acceptedUntil, 0);
        allow(attestor);
        assertEq(registry.listing(attestor, SCHEMA).retiredAt, 0);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        registry.checkAttestation(attestor, a, sign(a));
    }

    function test_RevertWhen_notListed() public {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorNotAllowed.selector, stranger, SCHEMA));
        vm.prank(guardian);
        registry.removeAttestor(stranger, SCHEMA);
    }

    function testFuzz_RevertWhen_callerIsNeither(address caller) public {
        vm.assume(caller != owner && caller != guardian);
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, caller));
        vm.prank(caller);
        registry.removeAttestor(attestor, SCHEMA);
    }

    function _expectEndBy(address who) private {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        registry.checkAttestation(attestor, a, signature);
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(attestor, SCHEMA, IInputAttestation.Kind.None);
        vm.prank(who);
        registry.removeAttestor(attestor, SCHEMA);
        assertEq(uint8(registry.listing(attestor, SCHEMA).kind), uint8(IInputAttestation.Kind.None));
        expectNotAllowed(attestor);
        registry.checkAttestation(attestor, a, signature);
    }
}
