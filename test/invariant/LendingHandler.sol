// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Borrowers, thieves, relayers, a payer and the owner, with a router that accepts every proof: what is left to hold the pool
/// together is the consumer itself. The book beside it counts in its own way.
contract LendingHandler is LendingFixture {
    uint256 public constant SUBJECTS = 3;
    uint256 public constant CAP = 7 * AMOUNT;
    uint256 public constant BORROWER_LIMIT = 4 * AMOUNT;

    uint256 public funded;
    uint256 public withdrawn;
    uint256 public lent;
    uint256 public repaid;
    uint256 public interestPaid;
    uint256 public stolen;
    /// Loans over a limit, of a paused pool or of a retired policy.
    uint256 public forbidden;

    mapping(bytes32 nullifier => uint256) public timesUsed;
    mapping(bytes32 subjectAndEpoch => uint256) public loansInEpoch;
    /// Loans and cancellations.
    mapping(address subject => uint256) public expectedNonce;
    uint256[] public loanIds;
    bytes32[] public nullifiers;
    bytes32[] public epochs;
    /// The first is never retired, the last now and then replaced by another.
    bytes32[] private _policies;
    ILendingThreshold.BorrowRequest[] private _history;

    constructor() {
        setUp();
        router.setAcceptsAll(true);
        ILendingThreshold.PolicyTerms memory t = terms();
        (t.cap, t.borrowerLimit) = (CAP, BORROWER_LIMIT);
        // The fixture has added the policy of index 0.
        _policies.push(add(lending, t));
        _addPolicy();
        funded = POOL;
        token.approve(address(lending), type(uint256).max);
    }

    function subjectOf(uint256 seed) public pure returns (address) {
        return vm.addr(_keyOf(seed));
    }

    /// A new attestation, over another commitment each time.
    function borrow(uint256 who, uint128 salt, bool high, uint256 amount) external {
        ILendingThreshold.BorrowRequest memory request = _request(who, salt, high, amount);
        _history.push(request);
        _send(request.attestation.subject, request);
    }

    /// By a relayer, with the subject's permit or somebody else's.
    function relay(uint256 who, uint256 signer, uint128 salt, bool high, uint256 amount) external {
        ILendingThreshold.BorrowRequest memory request = _request(who, salt, high, amount);
        bytes memory permit = permitOf(_keyOf(signer), request);
        vm.prank(stranger);
        (bool ok,) = address(lending).call(abi.encodeCall(lending.openLoanFor, (request, permit)));
        if (!ok) return;
        if (who % SUBJECTS != signer % SUBJECTS) ++stolen;
        _book(request);
    }

    /// Everybody in one transaction, each by a proof of its own or all by one; one of the permits may be wrong.
    function batch(uint256 wrong, uint128 salt, bool high, uint256 amount, bool together) external {
        ILendingThreshold.BorrowRequest[] memory requests = new ILendingThreshold.BorrowRequest[](SUBJECTS);
        bytes[] memory permits = new bytes[](SUBJECTS);
        uint256[] memory nonces = new uint256[](SUBJECTS);
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            requests[i] = _request(i, salt, high, amount);
            permits[i] = permitOf(_keyOf(wrong % (2 * SUBJECTS) == i ? i + 1 : i), requests[i]);
            nonces[i] = requests[i].nonce;
        }
        uint64 expiry = uint64(block.timestamp);
        vm.prank(stranger);
        uint256 done = together
            ? lending.openLoansTogether(requests, permits, expiry, "proof", 1_000_000, false)
            : lending.openLoans(requests, permits, 1_000_000, false);
        uint256 seen;
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            if (lending.nonceOf(subjectOf(i)) == nonces[i]) continue;
            ++seen;
            if (wrong % (2 * SUBJECTS) == i) ++stolen;
            _book(requests[i]);
        }
        assertEq(done, seen);
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

    function cancel(uint256 who) external {
        vm.prank(subjectOf(who));
        lending.cancelNonce();
        ++expectedNonce[subjectOf(who)];
    }

    /// While the pool is paused nothing opens, on any road.
    function pause(uint256 who, uint128 salt, bool high, uint256 amount) external {
        vm.prank(guardian);
        lending.pause();
        ILendingThreshold.BorrowRequest[] memory requests = new ILendingThreshold.BorrowRequest[](1);
        bytes[] memory permits = new bytes[](1);
        requests[0] = _request(who, salt, high, amount);
        permits[0] = permitOf(_keyOf(who), requests[0]);
        bytes memory batched = abi.encodeCall(lending.openLoans, (requests, permits, 1_000_000, false));
        bytes memory together = abi.encodeCall(
            lending.openLoansTogether, (requests, permits, uint64(block.timestamp), "", 1_000_000, false)
        );
        _attemptWhileStopped(subjectOf(who), abi.encodeCall(lending.openLoan, (requests[0])));
        _attemptWhileStopped(stranger, abi.encodeCall(lending.openLoanFor, (requests[0], permits[0])));
        _attemptWhileStopped(stranger, batched);
        _attemptWhileStopped(stranger, together);
        vm.prank(owner);
        lending.unpause();
    }

    /// The second policy ends, and another takes its place; its loans stay and are paid back.
    function retirePolicy(uint256 who, uint128 salt) external {
        vm.prank(owner);
        lending.retirePolicy(_policies[_policies.length - 1]);
        ILendingThreshold.BorrowRequest memory request = _request(who, salt, false, 1);
        request.policyId = _policies[_policies.length - 1];
        _attemptWhileStopped(subjectOf(who), abi.encodeCall(lending.openLoan, (request)));
        _addPolicy();
    }

    function repay(uint256 which, uint256 amount) external {
        if (loanIds.length == 0) return;
        uint256 loanId = loanIds[which % loanIds.length];
        ILendingThreshold.Loan memory open = lending.loan(loanId);
        uint256 owed = open.principal + open.interest;
        if (owed == 0) return;
        amount = bound(amount, 1, owed);
        token.mint(address(this), amount);
        uint256 paid = lending.repay(loanId, amount);
        uint256 toInterest = paid < open.interest ? paid : open.interest;
        interestPaid += toInterest;
        repaid += paid - toInterest;
    }

    function fund(uint64 amount) external {
        if (amount == 0) return;
        token.mint(address(this), amount);
        funded += lending.fund(amount);
    }

    function withdraw(uint256 amount) external {
        amount = bound(amount, 0, lending.liquidity() / 4);
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
        return funded + repaid + interestPaid - lent - withdrawn;
    }

    /// Principal by loans, by borrowers, and by the policy.
    function sums() external view returns (uint256 byLoans, uint256 byBorrowers, uint256 byPolicy) {
        for (uint256 i = 0; i < loanIds.length; ++i) {
            byLoans += lending.loan(loanIds[i]).principal;
        }
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            byBorrowers += lending.principalOf(subjectOf(i));
        }
        for (uint256 i = 0; i < _policies.length; ++i) {
            byPolicy += lending.policy(_policies[i]).principal;
        }
    }

    function mostOwedUnderAPolicy() external view returns (uint256 most) {
        for (uint256 i = 0; i < _policies.length; ++i) {
            uint256 owed = lending.policy(_policies[i]).principal;
            if (owed > most) most = owed;
        }
    }

    function mostOwedByABorrower() external view returns (uint256 most) {
        for (uint256 i = 0; i < SUBJECTS; ++i) {
            uint256 owed = lending.principalOf(subjectOf(i));
            if (owed > most) most = owed;
        }
    }

    function pool() external view returns (uint256 liquidity, uint256 loans) {
        return (lending.liquidity(), lending.loanCount());
    }

    function nonceOf(uint256 seed) external view returns (uint256) {
        return lending.nonceOf(subjectOf(seed));
    }

    function _request(uint256 who, uint128 salt, bool high, uint256 amount)
        private
        view
        returns (ILendingThreshold.BorrowRequest memory request)
    {
        IInputAttestation.Attestation memory a = statementFor(subjectOf(who));
        a.inputCommitment = bytes32(uint256(salt) + 1);
        request = requestOver(a);
        request.policyId = _policies[salt % 2 == 0 ? 0 : _policies.length - 1];
        request.tier = high ? 1 : 0;
        // Now and then a little more than there is.
        request.amount = bound(amount, 1, (high ? HIGH_AMOUNT : AMOUNT) + AMOUNT / 10);
    }

    function _send(address sender, ILendingThreshold.BorrowRequest memory request) private returns (bool ok) {
        vm.prank(sender);
        (ok,) = address(lending).call(abi.encodeCall(lending.openLoan, (request)));
        if (ok) _book(request);
    }

    function _book(ILendingThreshold.BorrowRequest memory request) private {
        address subject = request.attestation.subject;
        uint64 epochOf = request.attestation.issuedAt / EPOCH;
        uint256 loanId = uint256(uint160(subject)) << 96 | _indexOf(request.policyId) << 64 | epochOf;
        loanIds.push(loanId);
        bytes32 nullifier = nullifierOf(request);
        bytes32 epoch = keccak256(abi.encode(subject, request.policyId, epochOf));
        nullifiers.push(nullifier);
        epochs.push(epoch);
        ++timesUsed[nullifier];
        ++loansInEpoch[epoch];
        ++expectedNonce[subject];
        lent += request.amount;
        if (request.amount > (request.tier == 1 ? HIGH_AMOUNT : AMOUNT)) ++forbidden;
    }

    function _attemptWhileStopped(address sender, bytes memory call) private {
        vm.prank(sender);
        (bool ok,) = address(lending).call(call);
        if (ok) ++forbidden;
    }

    /// The same tiers under another cap each time: the same terms are never added twice.
    function _addPolicy() private {
        ILendingThreshold.PolicyTerms memory t = terms();
        (t.cap, t.borrowerLimit) = (CAP - _policies.length, BORROWER_LIMIT);
        _policies.push(add(lending, t));
    }

    /// As the pool counts them; the fixture's own policy is the first.
    function _indexOf(bytes32 id) private view returns (uint256 index) {
        while (_policies[index] != id) ++index;
        return index + 1;
    }

    function _keyOf(uint256 seed) private pure returns (uint256) {
        return 0x1000 + seed % SUBJECTS;
    }
}
