// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract RetireAttestorTest is AttestationFixture {
    uint64 private constant GRACE = 7 days;

    /// The order of a rotation: the new key is listed, the old one retired, and nobody has to be attested anew.
    function test_rotation() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        (address next, uint256 nextKey) = makeAddrAndKey("next attestor");
        skip(1 days);
        allow(next);
        _retire(NOW + 1 days + GRACE);

        registry.checkAttestation(attestor, a, signature);
        IInputAttestation.Attestation memory later = statementFor(borrower);
        registry.checkAttestation(next, later, signWith(nextKey, later));
        bytes memory late = sign(later);
        _expectIssuedAfter(later.issuedAt);
        registry.checkAttestation(attestor, later, late);
    }

    function testFuzz_earlierAttestationsCountUntilTheEnd(uint64 grace, uint64 wait) public {
        grace = uint64(bound(grace, 0, 20 days));
        wait = uint64(bound(wait, 0, 20 days));
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        skip(1);
        uint64 until = NOW + 1 + grace;
        _retire(until);
        skip(wait);
        if (wait >= grace) {
            vm.expectRevert(
                abi.encodeWithSelector(IInputAttestation.AttestorGone.selector, attestor, until, block.timestamp)
            );
        }
        registry.checkAttestation(attestor, a, signature);
    }

    /// Issued in the very second of the retirement: too late.
    function test_RevertWhen_issuedInThatSecond() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        uint64 until = NOW + GRACE;
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestorRetired(attestor, SCHEMA, NOW, until);
        _retire(until);
        _expectIssuedAfter(NOW);
        registry.checkAttestation(attestor, a, signature);
    }

    function test_bringsTheEndForward() public {
        _retire(NOW + GRACE);
        skip(1 days);
        _retire(NOW + 2 days);
        IInputAttestation.Listing memory listed = registry.listing(attestor, SCHEMA);
        assertEq(listed.retiredAt, NOW);
        assertEq(listed.acceptedUntil, NOW + 2 days);
    }

    function test_RevertWhen_putOff() public {
        _retire(NOW + GRACE);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.RetirementPostponed.selector, NOW + GRACE, NOW + GRACE + 1)
        );
        _retire(NOW + GRACE + 1);
    }

    function test_listingAgainEndsARetirement() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        _retire(NOW);
        allow(attestor);
        registry.checkAttestation(attestor, a, sign(a));
    }

    function test_RevertWhen_notListed() public {
        remove(attestor);
        expectNotAllowed(attestor);
        _retire(NOW);
    }

    function test_theGuardianRetires() public {
        vm.prank(guardian);
        registry.retireAttestor(attestor, SCHEMA, NOW + GRACE);
        assertEq(registry.listing(attestor, SCHEMA).acceptedUntil, NOW + GRACE);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.RetirementPostponed.selector, NOW + GRACE, NOW + GRACE + 1)
        );
        vm.prank(guardian);
        registry.retireAttestor(attestor, SCHEMA, NOW + GRACE + 1);
    }

    function testFuzz_RevertWhen_callerIsNeither(address caller) public {
        vm.assume(caller != owner && caller != guardian);
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, caller));
        vm.prank(caller);
        registry.retireAttestor(attestor, SCHEMA, NOW);
    }

    function _retire(uint64 until) private {
        vm.prank(owner);
        registry.retireAttestor(attestor, SCHEMA, until);
    }

    function _expectIssuedAfter(uint64 issuedAt) private {
        uint64 retiredAt = registry.listing(attestor, SCHEMA).retiredAt;
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.IssuedAfterRetirement.selector, attestor, retiredAt, issuedAt)
        );
    }
}
