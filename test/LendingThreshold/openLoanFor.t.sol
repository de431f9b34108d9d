// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {HonestWallet, ScriptedWallet} from "../helpers/Wallets1271.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// A relayer sends what the borrower signed, and can change nothing of it.
contract OpenLoanForTest is LendingFixture {
    uint256 private constant SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    address private relayer = makeAddr("relayer");
    uint256 private _key;

    function setUp() public override {
        super.setUp();
        (borrower, _key) = makeAddrAndKey("borrower");
    }

    function testFuzz_paysTheBorrowerWhoeverSendsIt(address sender) public {
        vm.assume(sender != borrower);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.prank(sender);
        uint256 id = lending.openLoanFor(request, permit);
        assertEq(id, loanIdOf(borrower, 0));
        assertEq(token.balanceOf(borrower), AMOUNT);
        assertEq(lending.principalOf(borrower), AMOUNT);
        assertEq(lending.nonceOf(borrower), 1);
        assertEq(lending.nonceOf(sender), 0);
    }

    /// The digest is the one of the written type, under this contract's domain.
    function test_digestIsTheWrittenOne() public view {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        bytes32 typehash = keccak256(
            "BorrowPermit(address borrower,bytes32 policyId,uint8 tier,uint256 amount,bytes32 attestation,"
            "uint256 nonce,uint64 expiry)"
        );
        bytes32 message = keccak256(
            bytes.concat(
                typehash,
                bytes32(uint256(uint160(borrower))),
                request.policyId,
                bytes32(uint256(request.tier)),
                bytes32(request.amount),
                registry.hashAttestation(request.attestation),
                bytes32(request.nonce),
                bytes32(uint256(request.expiry))
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkml-evm LendingThreshold"),
                keccak256("1"),
                block.chainid,
                address(lending)
            )
        );
        assertEq(lending.permitDigest(request), keccak256(abi.encodePacked(hex"1901", domain, message)));
    }

    /// Any field changed after signing is another request.
    function testFuzz_RevertWhen_aFieldIsChanged(uint256 field, uint64 by) public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        by = uint64(bound(by, 1, AMOUNT - 1));
        field = bound(field, 0, 6);
        if (field == 0) request.policyId = add(lending, termsWith(THRESHOLD - 1));
        else if (field == 1) request.tier = 1;
        else if (field == 2) request.amount -= by;
        else if (field == 3) request.attestation.expiresAt += by;
        else if (field == 4) request.attestation.inputCommitment = bytes32(uint256(by));
        else if (field == 5) request.nonce += by;
        else request.expiry += by;
        vm.assume(request.attestation.inputCommitment != bytes32(uint256(0xc0ffee)) || field != 4);
        request.signature = sign(request.attestation);
        acceptProofOf(request);
        _expectRefused(request);
        _send(request, permit);
    }

    /// The relayer exchanges the subject for itself: it has no attestation, and the permit is not its own.
    function test_RevertWhen_theSubjectIsExchanged() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        request.attestation.subject = relayer;
        _expectRefused(request);
        _send(request, permit);
    }

    /// An attestor has the opening, and can prove; without the subject's word that gives no loan.
    function test_RevertWhen_theAttestorSigns() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(attestorKey, request);
        _expectRefused(request);
        _send(request, permit);
    }

    function testFuzz_RevertWhen_permitIsNoise(bytes calldata permit) public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        _expectRefused(request);
        _send(request, permit);
    }

    function test_RevertWhen_permitIsMalleated() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key, lending.permitDigest(request));
        _expectRefused(request);
        _send(request, abi.encodePacked(r, bytes32(SECP256K1_N - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_signedForAnotherPool() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        lending = poolOf(address(token));
        token.mint(address(lending), AMOUNT);
        addPolicyTo(lending);
        request = requestFor(borrower);
        _expectRefused(request);
        _send(request, permit);
    }

    function testFuzz_RevertWhen_signedForAnotherChain(uint64 chainId) public {
        vm.assume(chainId != block.chainid && chainId != 0);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.chainId(chainId);
        _expectRefused(request);
        _send(request, permit);
    }

    function test_RevertWhen_usedTwice() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        _send(request, permit);
        expectSpent(nullifierOf(request));
        _send(request, permit);
    }

    /// The borrower changed its mind: the nonce is gone, with every permit and proof for it.
    function test_RevertWhen_cancelled() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.expectEmit(address(lending));
        emit IZkmlConsumer.NonceCancelled(borrower, 0);
        vm.prank(borrower);
        lending.cancelNonce();
        assertEq(lending.nonceOf(borrower), 1);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NonceMismatch.selector, 1, 0));
        _send(request, permit);
    }

    /// Nonce and tally share a slot.
    function test_cancellingLeavesTheDebtAlone() public {
        open(accepted(borrower));
        vm.prank(borrower);
        lending.cancelNonce();
        assertEq(lending.principalOf(borrower), AMOUNT);
        assertEq(lending.nonceOf(borrower), 2);
    }

    function test_RevertWhen_expired() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.warp(request.expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.RequestExpired.selector, request.expiry, block.timestamp));
        _send(request, permit);
    }

    function test_RevertWhen_proofIsRejected() public {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send(request, permit);
    }

    function test_RevertWhen_paused() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory permit = permitOf(_key, request);
        vm.prank(owner);
        lending.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        _send(request, permit);
    }

    function test_contractBorrowersSignByErc1271() public {
        HonestWallet wallet = new HonestWallet(borrower);
        ILendingThreshold.BorrowRequest memory request = accepted(address(wallet));
        _send(request, permitOf(_key, request));
        assertEq(token.balanceOf(address(wallet)), AMOUNT);
    }

    /// A wallet that says yes to everything loses nothing but its own name; one that answers wrongly is refused.
    function test_RevertWhen_theWalletAnswersWrongly() public {
        ScriptedWallet wallet = new ScriptedWallet(abi.encode(true), false);
        ILendingThreshold.BorrowRequest memory request = accepted(address(wallet));
        _expectRefused(request);
        _send(request, "");
    }

    function _send(ILendingThreshold.BorrowRequest memory request, bytes memory permit) private {
        vm.prank(relayer);
        lending.openLoanFor(request, permit);
    }

    function _expectRefused(ILendingThreshold.BorrowRequest memory request) private {
        bytes32 digest = lending.permitDigest(request);
        vm.expectRevert(
            abi.encodeWithSelector(ILendingThreshold.InvalidPermit.selector, request.attestation.subject, digest)
        );
    }
}
