// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract SetAttestorTest is AttestationFixture {
    function testFuzz_listsAndRemoves(address who) public {
        vm.assume(who != address(0));
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(who, true);
        allow(who);
        assertTrue(registry.isAttestor(who));

        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorSet(who, false);
        vm.prank(owner);
        registry.setAttestor(who, false);
        assertFalse(registry.isAttestor(who));
    }

    function test_removingEndsItsAttestationsAtOnce() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        registry.checkAttestation(attestor, a, signature);
        vm.prank(owner);
        registry.setAttestor(attestor, false);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorNotAllowed.selector, attestor));
        registry.checkAttestation(attestor, a, signature);
    }

    function test_RevertWhen_attestorIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidAttestor.selector, address(0)));
        allow(address(0));
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        registry.setAttestor(caller, true);
    }
}
