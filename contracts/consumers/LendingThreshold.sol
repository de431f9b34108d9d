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

    /// @inheritdoc ILendingThreshold
    IERC20 public immutable token;

    /// @inheritdoc ILendingThreshold
    uint256 public loanCount;

    /// @inheritdoc ILendingThreshold
    mapping(address borrower => uint256) public debtOf;

    mapping(bytes32 policyId => Policy) private _policies;
    mapping(uint256 loanId => Loan) private _loans;

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
        _policies[policyId] = Policy(modelId, schemaId, threshold, amount, epochLength, true);
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
        Policy memory terms = _activePolicy(policyId);
        uint256 available = liquidity();
        if (available < terms.amount) revert InsufficientLiquidity(available, terms.amount);

        bytes32 nullifier = _requireScore(terms, request);
        loanId = _record(policyId, terms.amount);
        emit LoanOpened(loanId, msg.sender, policyId, terms.amount, nullifier);
        token.safeTransfer(msg.sender, terms.amount);
    }

    /// @inheritdoc ILendingThreshold
    function repay(uint256 loanId, uint256 amount) external nonReentrant returns (uint256 credited) {
        Loan storage l = _loans[loanId];
        address borrower = l.borrower;
        if (borrower == address(0)) revert LoanUnknown(loanId);
        uint128 outstanding = l.outstanding;
        if (amount > outstanding) revert RepaymentExceedsDebt(outstanding, amount);

        credited = _pull(amount);
        // At most `amount`, which is at most `outstanding`, a uint128.
        // forge-lint: disable-next-line(unsafe-typecast)
        outstanding -= uint128(credited);
        l.outstanding = outstanding;
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
        return _policies[policyId];
    }

    /// @inheritdoc ILendingThreshold
    function loan(uint256 loanId) external view returns (Loan memory) {
        return _loans[loanId];
    }

    /// @inheritdoc ILendingThreshold
    /// @dev The balance itself: there are no shares, so a donation can shift nothing, and the pool cannot owe what it has not.
    function liquidity() public view returns (uint256) {
        return token.balanceOf(address(this));
    }

    function _requireScore(Policy memory terms, BorrowRequest calldata request) private returns (bytes32 nullifier) {
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

    function _record(bytes32 policyId, uint256 amount) private returns (uint256 loanId) {
        loanId = ++loanCount;
        // {addPolicy} holds amounts below 2^128.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint128 lent = uint128(amount);
        _loans[loanId] = Loan(msg.sender, uint64(block.timestamp), policyId, lent, lent);
        debtOf[msg.sender] += amount;
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

    function _activePolicy(bytes32 policyId) private view returns (Policy storage p) {
        p = _policies[policyId];
        if (p.modelId == bytes32(0)) revert PolicyUnknown(policyId);
        if (!p.active) revert PolicyIsRetired(policyId);
    }
}
