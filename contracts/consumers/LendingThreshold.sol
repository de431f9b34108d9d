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
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title LendingThreshold
/// @dev All prose is in {ILendingThreshold}.
contract LendingThreshold is ILendingThreshold, ZkmlConsumer, PermanentlyOwned, Pausable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// A policy in four slots; `index` is its place in `_policyIds`.
    struct PolicyRecord {
        bytes32 modelId;
        bytes32 schemaId;
        int128 threshold;
        uint128 amount;
        uint64 epochLength;
        uint32 index;
        bool active;
    }

    /// A loan in two slots: the policy's index instead of its id saves a borrower 22,100 gas.
    struct LoanRecord {
        address borrower;
        uint64 openedAt;
        uint32 policyIndex;
        uint128 amount;
        uint128 outstanding;
    }

    /// @inheritdoc ILendingThreshold
    IERC20 public immutable token;

    /// @inheritdoc ILendingThreshold
    uint256 public loanCount;

    /// @inheritdoc ILendingThreshold
    mapping(address borrower => uint256) public debtOf;

    bytes32[] private _policyIds;
    mapping(bytes32 policyId => PolicyRecord) private _policies;
    mapping(uint256 loanId => LoanRecord) private _loans;

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
        uint32 index = SafeCast.toUint32(_policyIds.length);
        _policies[policyId] = PolicyRecord(modelId, schemaId, least, lent, epochLength, index, true);
        _policyIds.push(policyId);
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

        bytes32 nullifier = _requireScore(terms, request);
        loanId = _record(terms);
        emit LoanOpened(loanId, msg.sender, policyId, terms.amount, nullifier);
        token.safeTransfer(msg.sender, terms.amount);
    }

    /// @inheritdoc ILendingThreshold
    function repay(uint256 loanId, uint256 amount) external nonReentrant returns (uint256 credited) {
        LoanRecord storage open = _loans[loanId];
        address borrower = open.borrower;
        if (borrower == address(0)) revert LoanUnknown(loanId);
        uint128 outstanding = open.outstanding;
        if (amount > outstanding) revert RepaymentExceedsDebt(outstanding, amount);

        credited = _pull(amount);
        // At most `amount`, which is at most `outstanding`, a uint128.
        // forge-lint: disable-next-line(unsafe-typecast)
        outstanding -= uint128(credited);
        open.outstanding = outstanding;
        debtOf[borrower] -= credited;
        emit LoanRepaid(loanId, msg.sender, credited, outstanding);
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
    function loan(uint256 loanId) external view returns (Loan memory) {
        LoanRecord storage kept = _loans[loanId];
        bytes32 policyId = kept.borrower == address(0) ? bytes32(0) : _policyIds[kept.policyIndex];
        return Loan(kept.borrower, kept.openedAt, policyId, kept.amount, kept.outstanding);
    }

    /// @inheritdoc ILendingThreshold
    /// @dev The balance itself: there are no shares, so a donation can shift nothing, and the pool cannot owe what it has not.
    function liquidity() public view returns (uint256) {
        return token.balanceOf(address(this));
    }

    function _requireScore(PolicyRecord memory terms, BorrowRequest calldata request)
        private
        returns (bytes32 nullifier)
    {
        int256[] memory publicValues = new int256[](1);
        publicValues[0] = terms.threshold;
        return _useInference(
            Terms(terms.modelId, terms.schemaId, request.policyId, terms.epochLength),
            Evidence(
                request.attestor, request.attestation, request.signature, request.nonce, request.expiry, request.proof
            ),
            publicValues
        );
    }

    function _record(PolicyRecord memory terms) private returns (uint256 loanId) {
        loanId = ++loanCount;
        _loans[loanId] = LoanRecord(msg.sender, uint64(block.timestamp), terms.index, terms.amount, terms.amount);
        debtOf[msg.sender] += terms.amount;
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
}
