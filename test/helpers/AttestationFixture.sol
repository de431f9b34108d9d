// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

abstract contract AttestationFixture is Test {
    uint64 internal constant NOW = 1_800_000_000;
    bytes32 internal constant SCHEMA = keccak256("schema");

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal stranger = makeAddr("stranger");
    address internal borrower = makeAddr("borrower");
    address internal attestor;
    uint256 internal attestorKey;
    InputAttestation internal registry;

    function setUp() public virtual {
        vm.warp(NOW);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        registry = new InputAttestation(owner, guardian);
        allow(attestor);
    }

    function allow(address who) internal {
        list(who, IInputAttestation.Kind.Signer);
    }

    function remove(address who) internal {
        vm.prank(owner);
        registry.removeAttestor(who, SCHEMA);
    }

    function list(address who, IInputAttestation.Kind kind) internal {
        vm.prank(owner);
        registry.setAttestor(who, SCHEMA, kind);
    }

    function statementFor(address subject) internal view returns (IInputAttestation.Attestation memory) {
        return IInputAttestation.Attestation({
            subject: subject,
            inputCommitment: bytes32(uint256(0xc0ffee)),
            schemaId: SCHEMA,
            issuedAt: uint64(block.timestamp),
            expiresAt: uint64(block.timestamp) + 30 days
        });
    }

    function sign(IInputAttestation.Attestation memory a) internal view returns (bytes memory) {
        return signWith(attestorKey, a);
    }

    function signWith(uint256 key, IInputAttestation.Attestation memory a) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, registry.digestOf(a));
        return abi.encodePacked(r, s, v);
    }

    function expectNotOwner(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }

    function expectNotAllowed(address who) internal {
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorNotAllowed.selector, who, SCHEMA));
    }

    function expectBadSignature(address who, IInputAttestation.Attestation memory a) internal {
        bytes32 digest = registry.digestOf(a);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidSignature.selector, who, digest));
    }
}
