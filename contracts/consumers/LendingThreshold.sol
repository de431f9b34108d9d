// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../FieldElement.sol";
import {ZkmlConsumer} from "../ZkmlConsumer.sol";
import {PermanentlyOwned} from "../access/PermanentlyOwned.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "../interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "../interfaces/ILendingThreshold.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title LendingThreshold
/// @dev All prose is in {ILendingThreshold}.
contract LendingThreshold is ILendingThreshold, ZkmlConsumer, PermanentlyOwned, Pausable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// A policy in four slots; `index` is its key in `_policyIds`.
    struct PolicyRecord {
        bytes32 modelId;
        bytes32 schemaId;
        int128 threshold;
        uint128 amount;
        uint64 epochLength;
        uint32 index;
        bool active;
    }

    /// @inheritdoc ILendingThreshold
    IERC20 public immutable token;

    /// 64 bits and the first variable here: it shares the slot of Pausable's flag, which every loan reads. Never zero, so that
    /// the pool's first borrower pays no more for the count than the others.
    uint64 private _loanCountPlusOne = 1;

    uint32 private _policyCount;
    mapping(uint32 index => bytes32 policyId) private _policyIds;
    mapping(bytes32 policyId => PolicyRecord) private _policies;

    /// All that is stored of a loan, and only from its first repayment on. The rest is in its id, in its policy's terms, which
    /// never change, and in the nullifier that it spent.
    mapping(uint256 loanId => uint128) private _repaid;

    constructor(address initialOwner, IERC20 token_, IInferenceVerifier router_, IInputAttestation attestations_)
        ZkmlConsumer(router_, attestations_)
        PermanentlyOwned(initialOwner)
    {
        if (address(token_).code.length == 0) revert NotAContract(address(token_));
        token = token_;
    }

    /// @inheritdoc ILendingThreshold
    function addPolicy(bytes32 modelId, bytes32 schemaId, int256 threshold, uint256 amount, uint64 epochLength)
        external
        onlyOwner
        returns (bytes32 policyId)
    {
        if (modelId == bytes32(0) || schemaId == bytes32(0)) revert InvalidPolicy(modelId, schemaId);
        if (amount == 0 || amount > type(uint128).max) revert InvalidAmount(amount);
        if (epochLength == 0) revert InvalidEpochLength(epochLength);
        // Refused here already, not at the first loan.
        FieldElement.fromInt(threshold);

        policyId = keccak256(abi.encode(address(this), modelId, schemaId, threshold, amount, epochLength));
        if (_policies[policyId].modelId != bytes32(0)) revert PolicyExists(policyId);
        // Both casts keep the value: |threshold| < 2^120 and amount < 2^128 by the checks above.
        // forge-lint: disable-next-line(unsafe-typecast)
        (int128 least, uint128 lent) = (int128(threshold), uint128(amount));
        uint32 index = _policyCount;
        _policyCount = index + 1;
        _policies[policyId] = PolicyRecord(modelId, schemaId, least, lent, epochLength, index, true);
        _policyIds[index] = policyId;
        emit PolicyAdded(policyId, modelId, schemaId, threshold, amount, epochLength);
    }

    /// @inheritdoc ILendingThreshold
    function retirePolicy(bytes32 policyId) external onlyOwner {
        _activePolicy(policyId).active = false;
        emit PolicyRetired(policyId);
    }

    /// @inheritdoc ILendingThreshold
    function openLoan(BorrowRequest calldata request) external nonReentrant whenNotPaused returns (uint256 loanId) {
        bytes32 policyId = request.policyId;
        PolicyRecord memory terms = _activePolicy(policyId);
        uint256 available = liquidity();
        if (available < terms.amount) revert InsufficientLiquidity(available, terms.amount);

        (bytes32 nullifier, uint64 epoch) = _requireScore(terms, request);
        loanId = _loanId(msg.sender, terms.index, epoch);
        ++_loanCountPlusOne;
        _setTally(msg.sender, _tallyOf(msg.sender) + terms.amount);
        emit LoanOpened(loanId, msg.sender, policyId, terms.amount, nullifier);
        token.safeTransfer(msg.sender, terms.amount);
    }

    /// @inheritdoc ILendingThreshold
    function repay(uint256 loanId, uint256 amount) external nonReentrant returns (uint256 credited) {
        Loan memory open = loan(loanId);
        if (open.borrower == address(0)) revert LoanUnknown(loanId);
        if (amount > open.outstanding) revert RepaymentExceedsDebt(open.outstanding, amount);

        credited = _pull(amount);
        // At most `amount`, which is at most `outstanding`, a uint128.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint128 paid = uint128(credited);
        _repaid[loanId] = open.amount - open.outstanding + paid;
        _setTally(open.borrower, _tallyOf(open.borrower) - paid);
        emit LoanRepaid(loanId, msg.sender, credited, open.outstanding - paid);
    }

    /// @inheritdoc ILendingThreshold
    function fund(uint256 amount) external nonReentrant returns (uint256 received) {
        received = _pull(amount);
        emit Funded(msg.sender, received);
    }

    /// @inheritdoc ILendingThreshold
    function withdraw(uint256 amount) external nonReentrant onlyOwner {
        uint256 available = liquidity();
        if (available < amount) revert InsufficientLiquidity(available, amount);
        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ILendingThreshold
    function pause() external onlyOwner {
        _pause();
    }

    /// @inheritdoc ILendingThreshold
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc ILendingThreshold
    function policy(bytes32 policyId) external view returns (Policy memory) {
        PolicyRecord storage p = _policies[policyId];
        return Policy(p.modelId, p.schemaId, p.threshold, p.amount, p.epochLength, p.active);
    }

    /// @inheritdoc ILendingThreshold
    function loanCount() external view returns (uint256) {
        return _loanCountPlusOne - 1;
    }

    /// @inheritdoc ILendingThreshold
    function debtOf(address borrower) external view returns (uint256) {
        return _tallyOf(borrower);
    }

    /// @inheritdoc ILendingThreshold
    function loan(uint256 loanId) public view returns (Loan memory found) {
        (address borrower, uint32 index, uint64 epoch) = _splitLoanId(loanId);
        bytes32 policyId = _policyIds[index];
        if (policyId == bytes32(0)) return found;
        PolicyRecord storage terms = _policies[policyId];
        // A loan is open from the moment on that its nullifier is spent, in the same transaction.
        if (spentBy(borrower, terms.schemaId, policyId, epoch) == bytes32(0)) return found;
        uint128 amount = terms.amount;
        return Loan(borrower, epoch, policyId, amount, amount - _repaid[loanId]);
    }

    /// @inheritdoc ILendingThreshold
    /// @dev The balance itself: there are no shares, so a donation can shift nothing, and the pool cannot owe what it has not.
    function liquidity() public view returns (uint256) {
        return token.balanceOf(address(this));
    }

    function _requireScore(PolicyRecord memory terms, BorrowRequest calldata request)
        private
        returns (bytes32 nullifier, uint64 epoch)
    {
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = terms.threshold;
        return _useInference(
            Terms(terms.modelId, terms.schemaId, request.policyId, terms.epochLength),
            Evidence(request.attestor, request.attestation, request.signature, request.nonce, request.expiry),
            request.proof,
            publicValues
        );
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

    function _activePolicy(bytes32 policyId) private view returns (PolicyRecord storage p) {
        p = _policies[policyId];
        if (p.modelId == bytes32(0)) revert PolicyUnknown(policyId);
        if (!p.active) revert PolicyIsRetired(policyId);
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
