// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract RevokeTest is AttestationFixture {
    IInputAttestation.Attestation private _a;
    bytes32 private _hash;

    function setUp() public override {
        super.setUp();
        _a = statementFor(borrower);
        _hash = registry.hashAttestation(_a);
    }

    function test_attestorTakesBackItsOwn() public {
        bytes memory signature = sign(_a);
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestationRevoked(attestor, _hash, attestor);
        vm.prank(attestor);
        registry.revoke(_hash);
        assertTrue(registry.isRevoked(attestor, _hash));
        _expectRevoked(attestor);
        registry.checkAttestation(attestor, _a, signature);
    }

    function test_ownerTakesBackForAnAttestor() public {
        bytes memory signature = sign(_a);
        vm.expectEmit(address(registry));
        emit IInputAttestation.AttestationRevoked(attestor, _hash, owner);
        vm.prank(owner);
        registry.revokeFor(attestor, _hash);
        _expectRevoked(attestor);
        registry.checkAttestation(attestor, _a, signature);
    }

    /// One attestor cannot take back what another has signed.
    function test_otherAttestorsSignatureStands() public {
        (address other, uint256 otherKey) = makeAddrAndKey("other attestor");
        allow(other);
        vm.prank(attestor);
        registry.revoke(_hash);
        assertEq(registry.checkAttestation(other, _a, signWith(otherKey, _a)), _hash);
    }

    function test_otherAttestationsStand() public {
        vm.prank(attestor);
        registry.revoke(_hash);
        _a.expiresAt += 1;
        registry.checkAttestation(attestor, _a, sign(_a));
    }

    /// Removed and listed again, an attestor's revoked attestations stay revoked.
    function test_staysRevokedWhenTheAttestorReturns() public {
        bytes memory signature = sign(_a);
        vm.prank(attestor);
        registry.revoke(_hash);
        remove(attestor);
        allow(attestor);
        _expectRevoked(attestor);
        registry.checkAttestation(attestor, _a, signature);
    }

    function testFuzz_RevertWhen_callerNeverWasAnAttestor(address caller) public {
        vm.assume(caller != attestor);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorUnknown.selector, caller));
        vm.prank(caller);
        registry.revoke(_hash);
    }

    /// An attestor that has been removed or retired still takes back what it signed.
    function test_worksAfterRemoval() public {
        remove(attestor);
        vm.prank(attestor);
        registry.revoke(_hash);
        assertTrue(registry.isRevoked(attestor, _hash));
    }

    function test_theGuardianRevokes() public {
        vm.prank(guardian);
        registry.revokeFor(attestor, _hash);
        assertTrue(registry.isRevoked(attestor, _hash));
    }

    function testFuzz_RevertWhen_revokeForIsByNeither(address caller) public {
        vm.assume(caller != owner && caller != guardian);
        vm.expectRevert(abi.encodeWithSelector(IGuarded.NotOwnerOrGuardian.selector, caller));
        vm.prank(caller);
        registry.revokeFor(attestor, _hash);
    }

    function _expectRevoked(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, who, _hash));
    }
}
