// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {BurningWallet, HonestWallet, ScriptedWallet, WritingWallet} from "../helpers/Wallets1271.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract CheckAttestationTest is AttestationFixture {
    uint256 private constant SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function testFuzz_acceptsAnAccountsSignature(address subject, uint256 commitment) public view {
        IInputAttestation.Attestation memory a = statementFor(subject);
        a.inputCommitment = bytes32(bound(commitment, 1, FieldElement.R - 1));
        assertEq(registry.checkAttestation(attestor, a, sign(a)), registry.hashAttestation(a));
    }

    function test_acceptsAContractsSignature() public {
        HonestWallet wallet = new HonestWallet(attestor);
        allow(address(wallet));
        IInputAttestation.Attestation memory a = statementFor(borrower);
        registry.checkAttestation(address(wallet), a, sign(a));
    }

    function testFuzz_RevertWhen_attestorIsNotListed(uint256 key) public {
        key = bound(key, 1, SECP256K1_N - 1);
        address who = vm.addr(key);
        vm.assume(who != attestor);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = signWith(key, a);
        expectNotAllowed(who);
        registry.checkAttestation(who, a, signature);
    }

    /// An attestor of incomes is no attestor of faces.
    function testFuzz_RevertWhen_listedForAnotherSchema(bytes32 schemaId) public {
        vm.assume(schemaId != SCHEMA);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.schemaId = schemaId;
        bytes memory signature = sign(a);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorNotAllowed.selector, attestor, schemaId));
        registry.checkAttestation(attestor, a, signature);
    }

    function test_RevertWhen_attestorIsZero() public {
        expectNotAllowed(address(0));
        registry.checkAttestation(address(0), statementFor(borrower), new bytes(65));
    }

    function testFuzz_RevertWhen_signedByAnother(uint256 key) public {
        key = bound(key, 1, SECP256K1_N - 1);
        vm.assume(vm.addr(key) != attestor);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = signWith(key, a);
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, signature);
    }

    /// (r, n - s) with the other v is a second signature of the same message under plain ecrecover.
    function test_RevertWhen_signatureIsMalleated() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes32 digest = registry.digestOf(a);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, digest);
        bytes32 highS = bytes32(SECP256K1_N - uint256(s));
        uint8 otherV = v == 27 ? 28 : 27;
        assertEq(ecrecover(digest, otherV, r, highS), attestor);
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, abi.encodePacked(r, highS, otherV));
    }

    /// The 64-byte form (ERC-2098) would be a second form of one signature.
    function test_RevertWhen_signatureIsCompact() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        (bytes32 r, bytes32 vs) = vm.signCompact(attestorKey, registry.digestOf(a));
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, abi.encodePacked(r, vs));
    }

    function testFuzz_RevertWhen_signatureIsNoise(bytes calldata signature) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, signature);
    }

    /// Any field changed after signing is another statement.
    function testFuzz_RevertWhen_aFieldIsChanged(uint256 field, uint64 by) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        by = uint64(bound(by, 1, 20 days));
        field = bound(field, 0, 4);
        if (field == 0) a.subject = address(uint160(a.subject) ^ by);
        else if (field == 1) a.inputCommitment = bytes32(uint256(a.inputCommitment) ^ by);
        else if (field == 2) _otherSchema(a, by);
        else if (field == 3) a.issuedAt -= by;
        else a.expiresAt += by;
        vm.assume(a.inputCommitment != 0);
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, signature);
    }

    function test_RevertWhen_signedForAnotherRegistry() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        InputAttestation other = new InputAttestation(owner, guardian);
        vm.prank(owner);
        other.setAttestor(attestor, SCHEMA, IInputAttestation.Kind.Signer);
        bytes32 digest = other.digestOf(a);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidSignature.selector, attestor, digest));
        other.checkAttestation(attestor, a, signature);
    }

    function testFuzz_RevertWhen_signedForAnotherChain(uint64 chainId) public {
        vm.assume(chainId != block.chainid && chainId != 0);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        vm.chainId(chainId);
        expectBadSignature(attestor, a);
        registry.checkAttestation(attestor, a, signature);
    }

    function testFuzz_RevertWhen_commitmentIsNotBelowR(uint256 commitment) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.inputCommitment = bytes32(bound(commitment, FieldElement.R, type(uint256).max));
        _expectCommitmentRefused(a);
    }

    function test_RevertWhen_commitmentIsZero() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.inputCommitment = bytes32(0);
        _expectCommitmentRefused(a);
    }

    function testFuzz_timeWindow(uint64 issuedAt, uint64 expiresAt, uint64 timestamp) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        (a.issuedAt, a.expiresAt) = (issuedAt, expiresAt);
        bytes memory signature = sign(a);
        vm.warp(timestamp);
        if (issuedAt >= expiresAt) {
            vm.expectRevert(
                abi.encodeWithSelector(IInputAttestation.InvalidValidityPeriod.selector, issuedAt, expiresAt)
            );
        } else if (timestamp < issuedAt) {
            vm.expectRevert(
                abi.encodeWithSelector(IInputAttestation.AttestationNotYetValid.selector, issuedAt, uint256(timestamp))
            );
        } else if (timestamp >= expiresAt) {
            vm.expectRevert(
                abi.encodeWithSelector(IInputAttestation.AttestationExpired.selector, expiresAt, uint256(timestamp))
            );
        }
        registry.checkAttestation(attestor, a, signature);
    }

    function test_edgesOfTheWindow() public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        registry.checkAttestation(attestor, a, signature);
        vm.warp(a.expiresAt - 1);
        registry.checkAttestation(attestor, a, signature);
        vm.warp(a.issuedAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.AttestationNotYetValid.selector, a.issuedAt, a.issuedAt - 1)
        );
        registry.checkAttestation(attestor, a, signature);
    }

    function test_RevertWhen_walletAnswersWrongly() public {
        _expectWalletRefused(address(new ScriptedWallet(abi.encode(bytes4(0xffffffff)), false)));
        _expectWalletRefused(address(new ScriptedWallet(abi.encode(true), false)));
        _expectWalletRefused(address(new ScriptedWallet(abi.encode(uint256(0x1626ba7e)), false)));
        _expectWalletRefused(address(new ScriptedWallet(hex"1626ba7e", false)));
        _expectWalletRefused(address(new ScriptedWallet("", false)));
    }

    function test_RevertWhen_walletReverts() public {
        _expectWalletRefused(address(new ScriptedWallet("", true)));
        // Even when what it reverts with is the word that would mean yes.
        _expectWalletRefused(address(new ScriptedWallet(abi.encode(bytes4(0x1626ba7e)), true)));
    }

    function test_RevertWhen_walletWrites() public {
        _expectWalletRefused(address(new WritingWallet()));
    }

    function test_RevertWhen_walletBurnsItsGas() public {
        _expectWalletRefused(address(new BurningWallet()));
    }

    /// A subject cut down from 32 bytes to an address would be one address with many statements.
    function testFuzz_RevertWhen_subjectIsWiderThanAnAddress(uint96 dirt) public {
        vm.assume(dirt != 0);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory data = abi.encodeCall(registry.checkAttestation, (attestor, a, sign(a)));
        (bool ok,) = address(registry).staticcall(data);
        assertTrue(ok);
        // Selector and attestor go before; the subject is the second word.
        uint256 dirty = uint256(uint160(borrower)) | (uint256(dirt) << 160);
        assembly ("memory-safe") {
            mstore(add(data, 68), dirty)
        }
        (ok,) = address(registry).staticcall(data);
        assertFalse(ok);
    }

    /// Listed for both schemas, so that only the signature can refuse it.
    function _otherSchema(IInputAttestation.Attestation memory a, uint64 by) private {
        a.schemaId = bytes32(uint256(a.schemaId) ^ by);
        vm.prank(owner);
        registry.setAttestor(attestor, a.schemaId, IInputAttestation.Kind.Signer);
    }

    function _expectWalletRefused(address wallet) private {
        allow(wallet);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        bytes memory signature = sign(a);
        expectBadSignature(wallet, a);
        registry.checkAttestation{gas: 2_000_000}(wallet, a, signature);
    }

    function _expectCommitmentRefused(IInputAttestation.Attestation memory a) private {
        bytes memory signature = sign(a);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.CommitmentOutOfRange.selector, a.inputCommitment));
        registry.checkAttestation(attestor, a, signature);
    }
}
