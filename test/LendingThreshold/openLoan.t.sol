// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract OpenLoanTest is LendingFixture {
    function test_paysOutAndRecords() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes32 nullifier = nullifierOf(request);
        uint64 epoch = NOW / EPOCH;
        bytes32 slot = keccak256(abi.encode(borrower, SCHEMA, policyId, epoch));
        uint256 id = loanIdOf(borrower, 0);
        vm.expectEmit(address(lending));
        emit IZkmlConsumer.NullifierUsed(nullifier, slot, borrower);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.LoanOpened(id, borrower, policyId, 0, AMOUNT, nullifier);
        assertEq(open(request), id);

        assertEq(token.balanceOf(borrower), AMOUNT);
        assertEq(lending.liquidity(), POOL - AMOUNT);
        assertEq(lending.principalOf(borrower), AMOUNT);
        assertEq(lending.loanCount(), 1);
        assertEq(lending.nonceOf(borrower), 1);
        assertEq(lending.spentBy(borrower, SCHEMA, policyId, epoch), nullifier);
        ILendingThreshold.Loan memory opened = lending.loan(id);
        assertEq(opened.borrower, borrower);
        assertEq(opened.epoch, epoch);
        assertEq(opened.policyId, policyId);
        assertEq(opened.tier, 0);
        assertEq(opened.principal, AMOUNT);
        assertEq(opened.interest, 0);
        assertEq(lending.policy(policyId).principal, AMOUNT);
    }

    function testFuzz_lendsAsMuchAsIsAskedForUpToTheLimit(uint256 amount) public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.amount = bound(amount, 1, AMOUNT);
        uint256 id = open(request);
        assertEq(token.balanceOf(borrower), request.amount);
        assertEq(principalOf(id), request.amount);
        assertEq(lending.principalOf(borrower), request.amount);
    }

    function test_higherTierLendsMore() public {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        (request.tier, request.amount) = (1, HIGH_AMOUNT);
        acceptProofOf(request);
        uint256 id = open(request);
        assertEq(lending.loan(id).tier, 1);
        assertEq(token.balanceOf(borrower), HIGH_AMOUNT);
        skip(365 days);
        assertEq(interestOf(id), HIGH_AMOUNT * HIGH_RATE / 10_000);
    }

    /// A proof for the lower threshold is none for the higher tier.
    function test_RevertWhen_proofIsForALowerTier() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.tier = 1;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    /// Nor does a proof for the higher threshold name the lower one.
    function test_RevertWhen_proofIsForAHigherTier() public {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.tier = 1;
        acceptProofOf(request);
        request.tier = 0;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    /// All tiers of a policy share the nullifier: a second tier is no second loan.
    function test_RevertWhen_anotherTierWasUsed() public {
        open(accepted(borrower));
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.tier = 1;
        acceptProofOf(request);
        expectSpent(nullifierOf(request));
        open(request);
    }

    function testFuzz_RevertWhen_tierIsUnknown(uint8 tier) public {
        tier = uint8(bound(tier, 2, 255));
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.tier = tier;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.TierUnknown.selector, policyId, tier));
        open(request);
    }

    function testFuzz_RevertWhen_moreThanTheTierLends(uint256 amount) public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.amount = bound(amount, AMOUNT + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.TierLimitExceeded.selector, AMOUNT, request.amount));
        open(request);
    }

    function test_RevertWhen_amountIsZero() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.amount = 0;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InvalidAmount.selector, 0));
        open(request);
    }

    /// The borrower's limit counts all its loans in the pool; repaying makes room.
    function test_RevertWhen_borrowerLimitIsReached() public {
        uint256 first = open(accepted(borrower));
        ILendingThreshold.PolicyTerms memory t = terms();
        t.borrowerLimit = 2 * AMOUNT - 1;
        policyId = add(lending, t);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(
            abi.encodeWithSelector(ILendingThreshold.BorrowerLimitExceeded.selector, 2 * AMOUNT - 1, AMOUNT, AMOUNT)
        );
        open(request);
        vm.startPrank(borrower);
        token.approve(address(lending), 1);
        lending.repay(first, 1);
        vm.stopPrank();
        open(request);
        assertEq(lending.principalOf(borrower), 2 * AMOUNT - 1);
    }

    /// The cap counts all borrowers of the policy; repaying makes room.
    function test_RevertWhen_policyCapIsReached() public {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.cap = 2 * AMOUNT - 1;
        policyId = add(lending, t);
        uint256 first = open(accepted(borrower));
        ILendingThreshold.BorrowRequest memory request = accepted(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(ILendingThreshold.PolicyCapExceeded.selector, 2 * AMOUNT - 1, AMOUNT, AMOUNT)
        );
        open(request);
        vm.startPrank(borrower);
        token.approve(address(lending), 1);
        lending.repay(first, 1);
        vm.stopPrank();
        open(request);
        assertEq(lending.policy(policyId).principal, 2 * AMOUNT - 1);
    }

    /// The router is asked for exactly [context, commitment, threshold] and gets the proof as it is.
    function testFuzz_handsTheProofThrough(bytes calldata proof, uint256 commitment) public {
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.inputCommitment = bytes32(bound(commitment, 1, R - 1));
        ILendingThreshold.BorrowRequest memory request = requestOver(a);
        request.proof = proof;
        acceptProofOf(request);
        vm.expectCall(
            address(router), abi.encodeCall(IInferenceVerifier.verifyInference, (MODEL, statementOf(request), proof))
        );
        open(request);
    }

    function test_RevertWhen_proofIsRejected() public {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
        // Nothing was spent by the failure.
        assertEq(lending.nonceOf(borrower), 0);
        assertEq(lending.spentBy(borrower, SCHEMA, policyId, NOW / EPOCH), bytes32(0));
        acceptProofOf(request);
        open(request);
    }

    function testFuzz_RevertWhen_anotherAccountSendsTheSameCalldata(address thief) public {
        vm.assume(thief != borrower);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, borrower, thief));
        vm.prank(thief);
        lending.openLoan(request);
    }

    /// The thief has an attestation of his own, and the borrower's proof.
    function test_RevertWhen_proofIsForAnotherSubject() public {
        ILendingThreshold.BorrowRequest memory theirs = accepted(borrower);
        ILendingThreshold.BorrowRequest memory request = requestFor(stranger);
        request.proof = theirs.proof;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    /// The same, with the subject exchanged in the borrower's attestation: the signature is no longer over it.
    function test_RevertWhen_subjectIsExchanged() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.attestation.subject = stranger;
        expectBadSignature(attestor, request.attestation);
        open(request);
    }

    function testFuzz_RevertWhen_schemaDiffers(bytes32 schemaId) public {
        vm.assume(schemaId != SCHEMA);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.schemaId = schemaId;
        ILendingThreshold.BorrowRequest memory request = requestOver(a);
        acceptProofOf(request);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SchemaMismatch.selector, SCHEMA, schemaId));
        open(request);
    }

    function testFuzz_expiry(uint64 expiry, uint64 delay) public {
        delay = uint64(bound(delay, 0, 20 days));
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.expiry = uint64(bound(expiry, NOW, NOW + 20 days));
        acceptProofOf(request);
        vm.warp(NOW + delay);
        if (NOW + delay > request.expiry) {
            vm.expectRevert(
                abi.encodeWithSelector(IZkmlConsumer.RequestExpired.selector, request.expiry, uint256(NOW + delay))
            );
        }
        open(request);
    }

    function test_lastSecondCounts() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.warp(request.expiry);
        open(request);
    }

    /// The expiry is part of the proven context: it cannot be put off afterwards.
    function test_RevertWhen_expiryIsPutOff() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.expiry += 1;
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    function testFuzz_RevertWhen_nonceIsNotTheNext(uint256 nonce) public {
        vm.assume(nonce != 0);
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.nonce = nonce;
        acceptProofOf(request);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NonceMismatch.selector, 0, nonce));
        open(request);
    }

    function testFuzz_RevertWhen_policyIsUnknown(bytes32 id) public {
        vm.assume(id != policyId);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.policyId = id;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyUnknown.selector, id));
        open(request);
    }

    /// A proof for a lenient policy of the same model says nothing under a strict one.
    function test_RevertWhen_proofIsForAnotherPolicy() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.policyId = add(lending, termsWith(THRESHOLD + 1));
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    function testFuzz_RevertWhen_provenOnAnotherChain(uint64 chainId) public {
        vm.assume(chainId != block.chainid && chainId != 0);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.chainId(chainId);
        request.signature = sign(request.attestation);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    function test_RevertWhen_provenForAnotherConsumer() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        lending = poolOf(address(token));
        token.mint(address(lending), AMOUNT);
        request.policyId = addPolicyTo(lending);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        open(request);
    }

    function test_RevertWhen_attestationHasExpired() public {
        ILendingThreshold.BorrowRequest memory request = requestFor(borrower);
        request.expiry = type(uint64).max;
        acceptProofOf(request);
        uint64 expiresAt = request.attestation.expiresAt;
        vm.warp(expiresAt);
        vm.expectRevert(
            abi.encodeWithSelector(IInputAttestation.AttestationExpired.selector, expiresAt, uint256(expiresAt))
        );
        open(request);
    }

    function test_RevertWhen_attestationIsRevoked() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes32 structHash = registry.hashAttestation(request.attestation);
        vm.prank(attestor);
        registry.revoke(structHash);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, attestor, structHash));
        open(request);
    }

    /// A self-made attestor.
    function test_RevertWhen_attestorIsNotListed() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        request.attestor = borrower;
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.AttestorNotAllowed.selector, borrower, SCHEMA));
        open(request);
    }

    function testFuzz_RevertWhen_subjectIsWiderThanAnAddress(uint96 dirt) public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        bytes memory data = abi.encodeCall(lending.openLoan, (request));
        // After the selector: the request's offset, policyId, tier, amount, attestor, then the attestation's subject.
        uint256 dirty = uint256(uint160(borrower)) | (uint256(dirt) << 160);
        assembly ("memory-safe") {
            mstore(add(data, 196), dirty)
        }
        vm.prank(borrower);
        (bool ok,) = address(lending).call(data);
        assertEq(ok, dirt == 0);
    }

    function test_RevertWhen_poolIsTooSmall() public {
        vm.prank(owner);
        lending.withdraw(POOL - AMOUNT + 1);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.InsufficientLiquidity.selector, AMOUNT - 1, AMOUNT));
        open(request);
    }

    function test_RevertWhen_paused() public {
        vm.prank(owner);
        lending.pause();
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        open(request);
        vm.prank(owner);
        lending.unpause();
        open(request);
    }
}
