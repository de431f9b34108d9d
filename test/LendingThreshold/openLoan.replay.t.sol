// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {HonestWallet} from "../helpers/Wallets1271.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

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
        assertEq(lending.debtOf(borrower), 2 * AMOUNT);
    }

    function test_anotherSubjectGetsItsOwn() public {
        assertEq(open(accepted(stranger)), loanIdOf(stranger, 0));
        assertEq(lending.nonceOf(stranger), 1);
    }

    function test_anotherPolicyGivesItsOwn() public {
        vm.prank(owner);
        policyId = lending.addPolicy(MODEL, SCHEMA, THRESHOLD, AMOUNT, EPOCH + 1);
        ILendingThreshold.BorrowRequest memory request = requestOver(_first.attestation);
        acceptProofOf(request);
        assertEq(open(request), loanIdOf(borrower, 1));
    }
}
