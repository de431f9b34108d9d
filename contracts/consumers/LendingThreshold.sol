// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {Guarded} from "../access/Guarded.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "../interfaces/ILendingThreshold.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title LendingThreshold
/// @dev All prose is in {ILendingThreshold}.
contract LendingThreshold is ILendingThreshold, ZkmlConsumer, EIP712, Guarded, Pausable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// A policy in four slots; `index` is its key in `_policyIds`.
    struct PolicyRecord {
        bytes32 modelId;
        bytes32 schemaId;
        uint64 epochLength;
        uint32 index;
        uint8 tiers;
        bool active;
        uint128 borrowerLimit;
        uint128 cap;
        uint128 principal;
    }

    struct TierRecord {
        int128 threshold;
        uint96 limit;
        uint32 rate;
    }

    /// A loan in one slot. Principal is below 2^96, a year's interest is at most the principal, and 2^40 seconds are less than
    /// 2^16 years: 112 bits hold all interest there can be.
    struct LoanRecord {
        uint96 principal;
        uint112 interest;
        uint40 accruedAt;
        uint8 tier;
    }

    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "BorrowPermit(address borrower,bytes32 policyId,uint8 tier,uint256 amount,bytes32 attestation,"
        "uint256 nonce,uint64 expiry)"
    );
    uint256 private constant MAX_TIERS = 16;
    uint256 private constant MAX_RATE = 10_000;
    /// Hundredths of a percent, times the seconds of a year.
    uint256 private constant RATE_DIVISOR = 10_000 * 365 days;
    /// Gas that a batch keeps for itself beside an item's: its event or revert, and the next item's copy.
    uint256 private constant BATCH_RESERVE = 60_000;
    /// Bytes of a refused item's reason that are told.
    uint256 private constant MAX_REASON = 256;

    /// @inheritdoc ILendingThreshold
    IERC20 public immutable token;

    /// 64 bits and the first variable here: it shares the slot of Pausable's flag, which every loan reads. Never zero, so that
    /// the pool's first borrower pays no more for the count than the others.
    uint64 private _loanCountPlusOne = 1;

    uint32 private _policyCount;
    mapping(uint32 index => bytes32 policyId) private _policyIds;
    mapping(bytes32 policyId => PolicyRecord) private _policies;
    mapping(bytes32 policyId => mapping(uint256 tier => TierRecord)) private _tiers;
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
    {
        if (address(token_).code.length == 0) {
            revert NotAContract(address(token_));
        }
        token = token_;
    }

    /// @inheritdoc ILendingThreshold
    function addPolicy(PolicyTerms calldata terms) external onlyOwner returns (bytes32 policyId) {
        uint256 count = terms.tiers.length;
        if (terms.modelId == bytes32(0) || terms.schemaId == bytes32(0) || count == 0 || count > MAX_TIERS) {
            revert InvalidPolicy(terms.modelId, terms.schemaId, count);
        }
        if (terms.epochLength == 0) revert InvalidEpochLength(terms.epochLength);
        policyId = keccak256(abi.encode(address(this), terms));
        if (_policies[policyId].modelId != bytes32(0)) revert PolicyExists(policyId);
        _addTiers(policyId, terms.tiers);

        uint32 index = _policyCount;
        _policyCount = index + 1;
        _policyIds[index] = policyId;
        _policies[policyId] = PolicyRecord({
            modelId: terms.modelId,
            schemaId: terms.schemaId,
            epochLength: terms.epochLength,
            index: index,
            // At most 16.
            // forge-lint: disable-next-line(unsafe-typecast)
            tiers: uint8(count),
            active: true,
            borrowerLimit: _amount128(terms.borrowerLimit),
            cap: _amount128(terms.cap),
            principal: 0
        });
        emit PolicyAdded(policyId, terms.modelId, terms);
    }

    /// @inheritdoc ILendingThreshold
    function retirePolicy(bytes32 policyId) external onlyOwner {
        _activePolicy(policyId).active = false;
        emit PolicyRetired(policyId);
    }

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
    function fund(uint256 amount) external nonReentrant returns (uint256 received) {
        received = _pull(amount);
        emit Funded(msg.sender, received);
    }

    /// @inheritdoc ILendingThreshold
    function withdraw(uint256 amount) external nonReentrant onlyOwner {
        _requireLiquidity(amount);
        emit Withdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
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
    function policy(bytes32 policyId) external view returns (Policy memory) {
        PolicyRecord storage p = _policies[policyId];
        Tier[] memory tiers = new Tier[](p.tiers);
        for (uint256 i = 0; i < tiers.length; ++i) {
            TierRecord storage tier = _tiers[policyId][i];
            tiers[i] = Tier(tier.threshold, tier.limit, tier.rate);
        }
        PolicyTerms memory terms = PolicyTerms(p.modelId, p.schemaId, p.epochLength, p.cap, p.borrowerLimit, tiers);
        return Policy(terms, p.principal, p.active);
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

    /// @inheritdoc ILendingThreshold
    /// @dev The balance itself: there are no shares, so a donation can shift nothing, and the pool cannot owe what it has not.
    function liquidity() public view returns (uint256) {
        return token.balanceOf(address(this));
    }

    /// @inheritdoc ILendingThreshold
    function permitDigest(BorrowRequest calldata request) public view returns (bytes32 digest) {
        bytes32 attestation = attestations.hashAttestation(request.attestation);
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    PERMIT_TYPEHASH,
                    request.attestation.subject,
                    request.policyId,
                    request.tier,
                    request.amount,
                    attestation,
                    request.nonce,
                    request.expiry
                )
            )
        );
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

    function _openAll(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint256 gasPerItem,
        bool allOrNothing,
        bool proven
    ) private returns (uint256 opened) {
        if (requests.length != permits.length) {
            revert BatchLengthMismatch(requests.length, permits.length);
        }
        for (uint256 i = 0; i < requests.length; ++i) {
            (bool ok, bytes memory reason) = _tryItem(i, requests[i], permits[i], gasPerItem, proven);
            if (ok) {
                ++opened;
            } else {
                if (allOrNothing) revert BatchItemFailed(i, reason);
                emit BatchItemRefused(i, requests[i].attestation.subject, reason);
            }
        }
    }

    /// Calls {openLoanOfBatch} with exactly `gasPerItem`, and copies no more of its answer than the reason's first bytes: an item
    /// can cost the others nothing. Memory is handed back where the item succeeded.
    function _tryItem(
        uint256 index,
        BorrowRequest calldata request,
        bytes calldata permit,
        uint256 gasPerItem,
        bool proven
    ) private returns (bool ok, bytes memory reason) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        bytes memory data = abi.encodeCall(this.openLoanOfBatch, (request, permit, msg.sender, proven));
        // All but a 64th of what is left can be passed on.
        uint256 left = gasleft();
        uint256 spare = left < BATCH_RESERVE ? 0 : left - BATCH_RESERVE;
        if (spare - spare / 64 < gasPerItem) revert BatchGasTooLow(index, gasPerItem);
        uint256 most = MAX_REASON;
        assembly ("memory-safe") {
            ok := call(gasPerItem, address(), 0, add(data, 32), mload(data), 0, 0)
            // The call's data is no longer needed: the reason takes its place.
            mstore(0x40, free)
            if iszero(ok) {
                let size := returndatasize()
                if gt(size, most) { size := most }
                reason := free
                mstore(reason, size)
                returndatacopy(add(reason, 32), 0, size)
                mstore(0x40, and(add(add(reason, size), 63), not(31)))
            }
        }
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

    /// Pays out and makes sure that no more than that has left: what a token charges its sender would be nobody's debt.
    function _pay(address to, uint256 amount) private {
        uint256 before = liquidity();
        token.safeTransfer(to, amount);
        uint256 afterwards = liquidity();
        if (afterwards + amount < before) revert SenderCharged(amount, before - afterwards);
    }

    /// What arrived, which a token with a fee makes less than `amount`. Never more is credited than was asked for.
    function _pull(uint256 amount) private returns (uint256 received) {
        if (amount == 0) revert InvalidAmount(amount);
        uint256 before = liquidity();
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 afterwards = liquidity();
        received = afterwards > before ? afterwards - before : 0;
        if (received == 0) revert NothingReceived(amount);
        if (received > amount) received = amount;
    }

    function _addTiers(bytes32 policyId, Tier[] calldata tiers) private {
        for (uint256 i = 0; i < tiers.length; ++i) {
            Tier calldata tier = tiers[i];
            // Refused here already, not at the first loan.
            // slither-disable-next-line unused-return
            FieldElement.fromInt(tier.threshold);
            bool rises = i == 0 || tier.threshold > tiers[i - 1].threshold;
            if (!rises || tier.limit == 0 || tier.limit > type(uint96).max || tier.rate > MAX_RATE) {
                revert InvalidTier(i);
            }
            // |threshold| is below 2^120 and the limit below 2^96, by the checks above.
            // forge-lint: disable-next-line(unsafe-typecast)
            _tiers[policyId][i] = TierRecord(int128(tier.threshold), uint96(tier.limit), tier.rate);
        }
    }

    function _requirePermit(BorrowRequest calldata request, bytes calldata permit) private view {
        address borrower = request.attestation.subject;
        bytes32 digest = permitDigest(request);
        bool signed = SignatureChecker.isValidSignatureNowCalldata(borrower, digest, permit);
        if (!signed) revert InvalidPermit(borrower, digest);
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

    /// The one proof of a batch. Whose inputs they are, and whether they are spent, is each item's own matter afterwards.
    function _requireScores(BorrowRequest[] calldata requests, uint64 expiry, bytes calldata proof) private view {
        bytes32 policyId = requests[0].policyId;
        PolicyRecord storage p = _activePolicy(policyId);
        bytes32[] memory commitments = new bytes32[](requests.length);
        uint256[] memory thresholds = new uint256[](requests.length);
        for (uint256 i = 0; i < requests.length; ++i) {
            if (requests[i].policyId != policyId) revert BatchPolicyMismatch(i, policyId, requests[i].policyId);
            commitments[i] = requests[i].attestation.inputCommitment;
            thresholds[i] = FieldElement.fromInt(_tierOf(p, requests[i]).threshold);
        }
        uint256 context = contextOf(msg.sender, p.modelId, policyId, nonceOf(msg.sender), expiry);
        _verifyStatement(p.modelId, context, commitments, thresholds, proof);
    }

    function _requireLiquidity(uint256 needed) private view {
        uint256 available = liquidity();
        if (available < needed) revert InsufficientLiquidity(available, needed);
    }

    function _activePolicy(bytes32 policyId) private view returns (PolicyRecord storage p) {
        p = _policies[policyId];
        if (p.modelId == bytes32(0)) revert PolicyUnknown(policyId);
        if (!p.active) revert PolicyIsRetired(policyId);
    }

    function _tierOf(PolicyRecord storage p, BorrowRequest calldata request) private view returns (TierRecord memory) {
        if (request.tier >= p.tiers) revert TierUnknown(request.policyId, request.tier);
        return _tiers[request.policyId][request.tier];
    }

    /// Rounded up, in the pool's favour: paying every second saves nobody anything.
    function _interestNow(LoanRecord memory record, uint256 rate) private view returns (uint256 interest) {
        uint256 grown = uint256(record.principal) * rate * (block.timestamp - record.accruedAt);
        return record.interest + (grown + RATE_DIVISOR - 1) / RATE_DIVISOR;
    }

    function _amount128(uint256 amount) private pure returns (uint128) {
        if (amount == 0 || amount > type(uint128).max) revert InvalidAmount(amount);
        // By the line above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(amount);
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
