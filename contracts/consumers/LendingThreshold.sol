// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {Guarded} from "../access/Guarded.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "../interfaces/ILendingThreshold.sol";
import {BorrowPermits} from "./lending/BorrowPermits.sol";
import {LoanBatches} from "./lending/LoanBatches.sol";
import {LoanStatements} from "./lending/LoanStatements.sol";
import {TokenPool} from "./lending/TokenPool.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title LendingThreshold
/// @dev All prose is in {ILendingThreshold}.
contract LendingThreshold is LoanStatements, BorrowPermits, LoanBatches, TokenPool, Pausable {
    /// A loan in one slot. Principal is below 2^96, a year's interest is at most the principal, and 2^40 seconds are less than
    /// 2^16 years: 112 bits hold all interest there can be.
    struct LoanRecord {
        uint96 principal;
        uint112 interest;
        uint40 accruedAt;
        uint8 tier;
    }

    /// Hundredths of a percent, times the seconds of a year.
    uint256 private constant RATE_DIVISOR = 10_000 * 365 days;
    /// 64 bits and the first variable here: it shares the slot of Pausable's flag, which every loan reads. Never zero, so that
    /// the pool's first borrower pays no more for the count than the others.
    uint64 private _loanCountPlusOne = 1;

    mapping(uint256 loanId => LoanRecord) private _loans;

    constructor(
        address initialOwner,
        address initialGuardian,
        IERC20 token_,
        IInferenceVerifier router_,
        IInputAttestation attestations_
    )
        ZkmlConsumer(router_, attestations_)
        EIP712("zkml-evm LendingThreshold", "1")
        Guarded(initialOwner, initialGuardian)
        TokenPool(token_)
    {}

    /// @inheritdoc ILendingThreshold
    function openLoan(BorrowRequest calldata request) external nonReentrant whenNotPaused returns (uint256 loanId) {
        address subject = request.attestation.subject;
        if (msg.sender != subject) revert SubjectMismatch(subject, msg.sender);
        return _open(request, false);
    }

    /// @inheritdoc ILendingThreshold
    function openLoanFor(BorrowRequest calldata request, bytes calldata permit)
        external
        nonReentrant
        whenNotPaused
        returns (uint256 loanId)
    {
        _requirePermit(request, permit);
        return _open(request, false);
    }

    /// @inheritdoc ILendingThreshold
    function openLoans(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint256 gasPerItem,
        bool allOrNothing
    ) external nonReentrant whenNotPaused returns (uint256 opened) {
        return _openAll(requests, permits, gasPerItem, allOrNothing, false);
    }

    /// @inheritdoc ILendingThreshold
    function openLoansTogether(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint64 expiry,
        bytes calldata proof,
        uint256 gasPerItem,
        bool allOrNothing
    ) external nonReentrant whenNotPaused returns (uint256 opened) {
        if (requests.length == 0) revert BatchEmpty();
        if (block.timestamp > expiry) revert RequestExpired(expiry, block.timestamp);
        _requireScores(requests, expiry, proof);
        return _openAll(requests, permits, gasPerItem, allOrNothing, true);
    }

    /// @inheritdoc ILendingThreshold
    function openLoansAggregated(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        Aggregate calldata aggregate,
        uint256 gasPerItem,
        bool allOrNothing
    ) external nonReentrant whenNotPaused returns (uint256 opened) {
        if (requests.length == 0) revert BatchEmpty();
        _requireAggregate(requests, aggregate);
        return _openAll(requests, permits, gasPerItem, allOrNothing, true);
    }

    /// @inheritdoc ILendingThreshold
    /// @dev No guard of its own: {openLoans} holds it.
    function openLoanOfBatch(BorrowRequest calldata request, bytes calldata permit, address sender, bool proven)
        external
    {
        if (msg.sender != address(this)) revert NotABatch(msg.sender);
        if (sender != request.attestation.subject) _requirePermit(request, permit);
        _open(request, proven);
    }

    /// @inheritdoc ILendingThreshold
    function repay(uint256 loanId, uint256 amount) external nonReentrant returns (uint256 credited) {
        LoanRecord memory open = _loans[loanId];
        if (open.accruedAt == 0) revert LoanUnknown(loanId);
        (address borrower, uint32 index,) = _splitLoanId(loanId);
        bytes32 policyId = _policyIds[index];
        uint256 interest = _interestNow(open, _tiers[policyId][open.tier].rate);
        uint256 owed = open.principal + interest;
        if (owed == 0) revert NothingOwed(loanId);

        credited = _pull(amount < owed ? amount : owed);
        uint256 toInterest = credited < interest ? credited : interest;
        // What arrived is at most what is owed: the rest is at most the principal, a uint96; for `interest` see {LoanRecord}.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint96 toPrincipal = uint96(credited - toInterest);
        uint96 left = open.principal - toPrincipal;
        // forge-lint: disable-next-line(unsafe-typecast)
        _loans[loanId] = LoanRecord(left, uint112(interest - toInterest), uint40(block.timestamp), open.tier);
        _policies[policyId].principal -= toPrincipal;
        _setTally(borrower, _tallyOf(borrower) - toPrincipal);
        emit LoanRepaid(loanId, msg.sender, toPrincipal, toInterest, left);
    }

    /// @inheritdoc ILendingThreshold
    function pause() external onlyOwnerOrGuardian {
        _pause();
    }

    /// @inheritdoc ILendingThreshold
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc ILendingThreshold
    function loan(uint256 loanId) external view returns (Loan memory found) {
        LoanRecord memory record = _loans[loanId];
        if (record.accruedAt == 0) return found;
        (address borrower, uint32 index, uint64 epoch) = _splitLoanId(loanId);
        bytes32 policyId = _policyIds[index];
        uint256 interest = _interestNow(record, _tiers[policyId][record.tier].rate);
        return Loan(borrower, epoch, record.tier, policyId, record.principal, interest);
    }

    /// @inheritdoc ILendingThreshold
    function loanCount() external view returns (uint256) {
        return _loanCountPlusOne - 1;
    }

    /// @inheritdoc ILendingThreshold
    function principalOf(address borrower) external view returns (uint256) {
        return _tallyOf(borrower);
    }

    /// Opens the loan. The caller has made sure of the subject's consent, and where `proven` of the score.
    function _open(BorrowRequest calldata request, bool proven) private returns (uint256 loanId) {
        PolicyRecord storage p = _activePolicy(request.policyId);
        TierRecord memory tier = _tierOf(p, request);
        uint96 amount = _requireLimits(p, tier, request);
        (bytes32 nullifier, uint64 epoch) = _useScore(p, tier.threshold, request, proven);

        address borrower = request.attestation.subject;
        loanId = _loanId(borrower, p.index, epoch);
        ++_loanCountPlusOne;
        _loans[loanId] = LoanRecord(amount, 0, uint40(block.timestamp), request.tier);
        p.principal += amount;
        _setTally(borrower, _tallyOf(borrower) + amount);
        emit LoanOpened(loanId, borrower, request.policyId, request.tier, amount, nullifier);
        _pay(borrower, amount);
    }

    /// Spends the attestation, and unless the score is proven already, verifies the request's own proof.
    function _useScore(PolicyRecord storage p, int128 threshold, BorrowRequest calldata request, bool proven)
        private
        returns (bytes32 nullifier, uint64 epoch)
    {
        Terms memory terms = Terms(p.modelId, p.schemaId, request.policyId, p.epochLength);
        Evidence memory evidence =
            Evidence(request.attestor, request.attestation, request.signature, request.nonce, request.expiry);
        if (proven) return _spendEvidence(terms, evidence);
        uint256[] memory publicValues = new uint256[](1);
        publicValues[0] = FieldElement.fromInt(threshold);
        return _useInferenceOf(terms, evidence, request.proof, publicValues);
    }

    function _requireLimits(PolicyRecord storage p, TierRecord memory tier, BorrowRequest calldata request)
        private
        view
        returns (uint96 amount)
    {
        uint256 asked = request.amount;
        if (asked == 0) revert InvalidAmount(asked);
        if (asked > tier.limit) revert TierLimitExceeded(tier.limit, asked);
        uint256 owed = _tallyOf(request.attestation.subject);
        if (owed + asked > p.borrowerLimit) revert BorrowerLimitExceeded(p.borrowerLimit, owed, asked);
        if (p.principal + asked > p.cap) revert PolicyCapExceeded(p.cap, p.principal, asked);
        _requireLiquidity(asked);
        // At most the limit, a uint96.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(asked);
    }

    /// Rounded up, in the pool's favour: paying every second saves nobody anything.
    function _interestNow(LoanRecord memory record, uint256 rate) private view returns (uint256 interest) {
        uint256 grown = uint256(record.principal) * rate * (block.timestamp - record.accruedAt);
        return record.interest + (grown + RATE_DIVISOR - 1) / RATE_DIVISOR;
    }

    /// One loan per subject, policy and epoch: the three are the id. A nullifier is spent once, so no id comes twice.
    function _loanId(address borrower, uint32 policyIndex, uint64 epoch) private pure returns (uint256 loanId) {
        return uint256(uint160(borrower)) << 96 | uint256(policyIndex) << 64 | epoch;
    }

    function _splitLoanId(uint256 loanId) private pure returns (address borrower, uint32 policyIndex, uint64 epoch) {
        // Three disjoint parts of the 256 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (address(uint160(loanId >> 96)), uint32(loanId >> 64), uint64(loanId));
    }
}
