// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Borrowers, thieves, a payer and the owner, with a router that accepts every proof: what is left to hold the pool together is
/// the consumer itself. The book beside it counts in its own way.
contract LendingHandler is LendingFixture {
    uint256 public constant SUBJECTS = 3;

    uint256 public funded;
    uint256 public withdrawn;
    uint256 public lent;
    uint256 public repaid;
    uint256 public stolen;

    mapping(bytes32 nullifier => uint256) public timesUsed;
    mapping(bytes32 subjectAndEpoch => uint256) public loansInEpoch;
    mapping(address subject => uint256) public loansOf;
    mapping(uint256 loanId => uint256) public timesGiven;
    uint256[] public loanIds;
    bytes32[] public nullifiers;
    bytes32[] public epochs;
    ILendingThreshold.BorrowRequest[] private _history;

    constructor() {
        setUp();
        router.setAcceptsAll(true);
        funded = POOL;
        token.approve(address(lending), type(uint256).max);
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            vm.prank(subjectOf(i));
            token.approve(address(lending), type(uint256).max);
        }
    }

    function subjectOf(uint256 seed) public pure returns (address) {
        return address(uint160(0x1000 + seed % SUBJECTS));
    }

    /// A new attestation, over another commitment each time.
    function borrow(uint256 who, uint128 salt) external {
        IInputAttestation.Attestation memory a = statementFor(subjectOf(who));
        a.inputCommitment = bytes32(uint256(salt) + 1);
        ILendingThreshold.BorrowRequest memory request = requestOver(a);
        _history.push(request);
        _send(request.attestation.subject, request);
    }

    /// An old request: as it was, or proven anew for the next nonce.
    function replay(uint256 which, bool proveAgain, bytes calldata proof) external {
        if (_history.length == 0) return;
        ILendingThreshold.BorrowRequest memory request = _history[which % _history.length];
        if (proveAgain) {
            request.nonce = lending.nonceOf(request.attestation.subject);
            request.expiry = uint64(block.timestamp);
        }
        request.proof = proof;
        _send(request.attestation.subject, request);
    }

    /// Somebody else's request.
    function steal(uint256 which, uint256 thief) external {
        if (_history.length == 0) return;
        ILendingThreshold.BorrowRequest memory request = _history[which % _history.length];
        address sender = subjectOf(thief);
        if (sender == request.attestation.subject) return;
        request.nonce = lending.nonceOf(sender);
        if (_send(sender, request)) ++stolen;
    }

    function repay(uint256 which, uint256 amount) external {
        if (loanIds.length == 0) return;
        uint256 loanId = loanIds[which % loanIds.length];
        uint256 outstanding = lending.loan(loanId).outstanding;
        if (outstanding == 0) return;
        amount = bound(amount, 1, outstanding);
        token.mint(address(this), amount);
        repaid += lending.repay(loanId, amount);
    }

    function fund(uint64 amount) external {
        if (amount == 0) return;
        token.mint(address(this), amount);
        funded += lending.fund(amount);
    }

    function withdraw(uint256 amount) external {
        amount = bound(amount, 0, lending.liquidity());
        vm.prank(owner);
        lending.withdraw(amount);
        withdrawn += amount;
    }

    /// Long enough jumps that epochs pass.
    function warp(uint32 by) external {
        vm.warp(block.timestamp + bound(by, 0, EPOCH / 2));
    }

    function nullifierCount() external view returns (uint256) {
        return nullifiers.length;
    }

    function expectedBalance() external view returns (uint256) {
        return funded + repaid - lent - withdrawn;
    }

    function sums() external view returns (uint256 outstanding, uint256 debts) {
        for (uint256 i = 0; i < loanIds.length; ++i) {
            outstanding += lending.loan(loanIds[i]).outstanding;
        }
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            debts += lending.debtOf(subjectOf(i));
        }
    }

    function pool() external view returns (uint256 liquidity, uint256 loans) {
        return (lending.liquidity(), lending.loanCount());
    }

    function nonceOf(uint256 seed) external view returns (uint256) {
        return lending.nonceOf(subjectOf(seed));
    }

    function _send(address sender, ILendingThreshold.BorrowRequest memory request) private returns (bool ok) {
        vm.prank(sender);
        bytes memory answer;
        (ok, answer) = address(lending).call(abi.encodeCall(lending.openLoan, (request)));
        if (!ok) return false;
        uint256 loanId = abi.decode(answer, (uint256));
        loanIds.push(loanId);
        ++timesGiven[loanId];
        bytes32 nullifier = nullifierOf(request);
        bytes32 epoch = keccak256(abi.encode(sender, request.attestation.issuedAt / EPOCH));
        nullifiers.push(nullifier);
        epochs.push(epoch);
        ++timesUsed[nullifier];
        ++loansInEpoch[epoch];
        ++loansOf[sender];
        lent += AMOUNT;
    }
}
