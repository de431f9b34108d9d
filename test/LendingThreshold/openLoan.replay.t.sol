// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {HonestWallet} from "../helpers/Wallets1271.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// One attestation, one policy, one epoch: one loan, whatever else is varied.
contract OpenLoanReplayTest is LendingFixture {
    ILendingThreshold.BorrowRequest private _first;
    bytes32 private _spent;

    function setUp() public override {
        super.setUp();
        _first = accepted(borrower);
        _spent = nullifierOf(_first);
        open(_first);
    }

    function test_RevertWhen_replayedAsItIs() public {
        expectSpent(_spent);
        open(_first);
    }

    function test_RevertWhen_provenAgainWithTheNextNonce() public {
        ILendingThreshold.BorrowRequest memory again = requestOver(_first.attestation);
        assertEq(again.nonce, 1);
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    /// A proof has as many forms as the prover has random numbers: its bytes are no replay key.
    function testFuzz_RevertWhen_proofBytesDiffer(bytes calldata proof) public {
        ILendingThreshold.BorrowRequest memory again = requestOver(_first.attestation);
        again.proof = proof;
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    /// The same holds for signatures: here a contract attestor whose key signs anew.
    function test_RevertWhen_signatureBytesDiffer() public {
        HonestWallet wallet = new HonestWallet(attestor);
        allow(address(wallet));
        ILendingThreshold.BorrowRequest memory again = requestOver(_first.attestation);
        again.attestor = address(wallet);
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    /// A re-issued attestation (another salt, so another commitment) has another nullifier and the same slot.
    function testFuzz_RevertWhen_attestationIsReissued(uint256 commitment, uint64 later) public {
        later = uint64(bound(later, 0, EPOCH - 1 - (NOW % EPOCH)));
        vm.warp(NOW + later);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.inputCommitment = bytes32(bound(commitment, 1, R - 1));
        ILendingThreshold.BorrowRequest memory again = requestOver(a);
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    function test_RevertWhen_anotherAttestorIssuesInTheSameEpoch() public {
        (address other, uint256 key) = makeAddrAndKey("other attestor");
        allow(other);
        ILendingThreshold.BorrowRequest memory again = requestOver(_first.attestation);
        again.attestation.inputCommitment = bytes32(uint256(77));
        again.attestor = other;
        again.signature = signWith(key, again.attestation);
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    function test_repayingDoesNotFreeTheNullifier() public {
        token.mint(address(this), AMOUNT);
        token.approve(address(lending), AMOUNT);
        lending.repay(loanIdOf(borrower, 0), AMOUNT);
        ILendingThreshold.BorrowRequest memory again = requestOver(_first.attestation);
        acceptProofOf(again);
        expectSpent(_spent);
        open(again);
    }

    function test_nextEpochGivesAnother() public {
        vm.warp((NOW / EPOCH + 1) * EPOCH);
        assertEq(open(accepted(borrower)), loanIdOf(borrower, 0));
        assertEq(lending.principalOf(borrower), 2 * AMOUNT);
    }

    /// Attestations of many epochs, all in force, collected and used together: two loans, and no third.
    function test_RevertWhen_attestationsOfManyEpochsAreCollected() public {
        uint64 present = NOW / EPOCH + 5;
        vm.warp(present * EPOCH);
        for (uint64 age = 5; age > 1; --age) {
            uint64 epoch = present - age;
            ILendingThreshold.BorrowRequest memory dated = datedIn(epoch);
            vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.EpochPassed.selector, epoch, present));
            open(dated);
        }
        open(datedIn(present - 1));
        open(datedIn(present));
        assertEq(lending.loanCount(), 3, "with the one of setUp");
        ILendingThreshold.BorrowRequest memory again = datedIn(present);
        again.attestation.inputCommitment = bytes32(uint256(77));
        again = requestOver(again.attestation);
        acceptProofOf(again);
        expectSpent(lending.spentBy(borrower, SCHEMA, policyId, present));
        open(again);
    }

    /// In n epochs there are at most n + 1 loans, whatever the dates of the attestations.
    function testFuzz_loansAreBoundedByEpochs(uint256 seed) public {
        uint64 first = NOW / EPOCH + 1;
        uint64 epochs = 6;
        uint256 before = lending.loanCount();
        for (uint256 i = 0; i < 24; ++i) {
            uint64 present = first + uint64(i) * epochs / 24;
            vm.warp(present * EPOCH + i);
            uint256 age = uint256(keccak256(abi.encode(seed, i))) % 4;
            IInputAttestation.Attestation memory a = attestationOf(present - uint64(age));
            ILendingThreshold.BorrowRequest memory request = requestOver(a);
            acceptProofOf(request);
            vm.prank(borrower);
            try lending.openLoan(request) {} catch {}
        }
        uint256 opened = lending.loanCount() - before;
        assertGt(opened, 0);
        assertLe(opened, epochs + 1);
    }

    /// The last second of the epoch after the attestation's, and the first one beyond.
    function test_anAttestationServesUntilTheEndOfTheNextEpoch() public {
        uint64 epoch = NOW / EPOCH + 3;
        ILendingThreshold.BorrowRequest memory request = requestOver(attestationOf(epoch));
        request.expiry = type(uint64).max;
        acceptProofOf(request);
        vm.warp((epoch + 2) * EPOCH);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.EpochPassed.selector, epoch, epoch + 2));
        open(request);
        vm.warp((epoch + 2) * EPOCH - 1);
        open(request);
    }

    function test_anotherSubjectGetsItsOwn() public {
        assertEq(open(accepted(stranger)), loanIdOf(stranger, 0));
        assertEq(lending.nonceOf(stranger), 1);
    }

    function test_anotherPolicyGivesItsOwn() public {
        policyId = add(lending, termsOver(EPOCH + 1));
        ILendingThreshold.BorrowRequest memory request = requestOver(_first.attestation);
        acceptProofOf(request);
        assertEq(open(request), loanIdOf(borrower, 1));
    }

    /// Issued in the first second of an epoch, and in force for years.
    function attestationOf(uint64 epoch) private view returns (IInputAttestation.Attestation memory a) {
        a = statementFor(borrower);
        a.issuedAt = epoch * EPOCH;
        a.expiresAt = type(uint64).max;
    }

    function datedIn(uint64 epoch) private returns (ILendingThreshold.BorrowRequest memory request) {
        request = requestOver(attestationOf(epoch));
        acceptProofOf(request);
    }
}
