// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInputAttestation} from "./IInputAttestation.sol";
import {IZkmlConsumer} from "./IZkmlConsumer.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title A pool that lends to whoever scores high enough
/// @notice The borrower proves that a model gives the attested input a score of at least the policy's threshold; score and
/// input stay hidden. One transaction then pays out the policy's amount.
/// @dev The pool belongs to its owner: {fund} gives no share of it and no claim. Loans bear no interest and have no due date
/// or liquidation; those are a lender's own business and would be built on top. Tokens that take a fee on transfer are
/// credited with what arrives, and a borrower then receives less than the debt. Rebasing tokens are not supported.
///
/// What it does not protect from: an attestor that lies, a model that scores badly, an owner that adds a bad policy.
interface ILendingThreshold is IZkmlConsumer {
    /// @notice The terms of a credit line. They never change: other terms are another policy with another id.
    /// @param modelId The model that scores, as registered with the router.
    /// @param schemaId The feature schema that attestations must be over.
    /// @param threshold Least score, an integer at the scale of the model's output, within ±(2^120 - 1).
    /// @param amount Paid out per loan, in the token's smallest unit, below 2^128.
    /// @param epochLength Seconds; one loan per subject and epoch of attestations, and only attestations of the present epoch
    /// or the one before count.
    /// @param active Whether it gives loans.
    struct Policy {
        bytes32 modelId;
        bytes32 schemaId;
        int256 threshold;
        uint256 amount;
        uint64 epochLength;
        bool active;
    }

    /// @notice What a borrower sends. Nothing in it is a public input of the proof as it stands.
    /// @param policyId The policy to borrow under.
    /// @param attestor Who signed the attestation.
    /// @param attestation The statement on the borrower's input.
    /// @param signature The attestor's signature on it.
    /// @param nonce {IZkmlConsumer-nonceOf} the borrower.
    /// @param expiry Unix seconds up to which the request may be used.
    /// @param proof The proof for the context of this very request.
    struct BorrowRequest {
        bytes32 policyId;
        address attestor;
        IInputAttestation.Attestation attestation;
        bytes signature;
        uint256 nonce;
        uint64 expiry;
        bytes proof;
    }

    /// @notice A loan. When it was opened is in its {LoanOpened}.
    /// @param borrower Who got it.
    /// @param epoch The attestation's epoch under the policy, issuedAt / epochLength.
    /// @param policyId The policy's id.
    /// @param amount What was lent.
    /// @param outstanding What is still owed.
    struct Loan {
        address borrower;
        uint64 epoch;
        bytes32 policyId;
        uint128 amount;
        uint128 outstanding;
    }

    event PolicyAdded(
        bytes32 indexed policyId,
        bytes32 indexed modelId,
        bytes32 schemaId,
        int256 threshold,
        uint256 amount,
        uint64 epochLength
    );
    event PolicyRetired(bytes32 indexed policyId);
    event LoanOpened(
        uint256 indexed loanId, address indexed borrower, bytes32 indexed policyId, uint256 amount, bytes32 nullifier
    );
    event LoanRepaid(uint256 indexed loanId, address indexed payer, uint256 amount, uint256 outstanding);
    event Funded(address indexed from, uint256 received);
    event Withdrawn(address indexed to, uint256 amount);

    /// @notice A policy must name its model and schema.
    error InvalidPolicy(bytes32 modelId, bytes32 schemaId);

    /// @notice These very terms were added before, and may have been retired.
    error PolicyExists(bytes32 policyId);

    /// @notice No such policy.
    error PolicyUnknown(bytes32 policyId);

    /// @notice The policy gives no more loans.
    error PolicyIsRetired(bytes32 policyId);

    /// @notice No such loan.
    error LoanUnknown(uint256 loanId);

    /// @notice The amount is zero, or a policy's amount does not fit in 128 bits.
    error InvalidAmount(uint256 amount);

    /// @notice The pool holds `available` and would have to pay `needed`.
    error InsufficientLiquidity(uint256 available, uint256 needed);

    /// @notice More than is owed.
    error RepaymentExceedsDebt(uint256 outstanding, uint256 amount);

    /// @notice The token moved nothing to the pool.
    error NothingReceived(uint256 asked);

    /// @notice Adds a policy. Owner only.
    /// @return policyId keccak256(abi.encode(address(this), modelId, schemaId, threshold, amount, epochLength)).
    function addPolicy(bytes32 modelId, bytes32 schemaId, int256 threshold, uint256 amount, uint64 epochLength)
        external
        returns (bytes32 policyId);

    /// @notice Ends a policy for good. Owner only. Open loans stay as they are.
    function retirePolicy(bytes32 policyId) external;

    /// @notice Opens a loan for msg.sender. The public inputs that the proof must hold for are context, the attestation's
    /// commitment, and the policy's threshold.
    /// @return loanId (borrower << 96) | (index << 64) | epoch, where index counts policies from 0 in the order in which they
    /// were added: a borrower has one loan per policy and epoch, and the id says which.
    function openLoan(BorrowRequest calldata request) external returns (uint256 loanId);

    /// @notice Pays back up to what is owed on a loan. Anyone may, also while the pool is paused.
    /// @param amount What to pull from the caller, at most what is owed.
    /// @return credited What arrived.
    function repay(uint256 loanId, uint256 amount) external returns (uint256 credited);

    /// @notice Puts tokens into the pool. Gives no claim on them.
    /// @return received What arrived.
    function fund(uint256 amount) external returns (uint256 received);

    /// @notice Takes tokens out of the pool, to the owner. Owner only.
    function withdraw(uint256 amount) external;

    /// @notice Stops new loans. Owner only.
    function pause() external;

    /// @notice Allows new loans again. Owner only.
    function unpause() external;

    /// @notice The token that is lent.
    function token() external view returns (IERC20);

    /// @notice What the pool can pay out.
    function liquidity() external view returns (uint256);

    /// @notice A policy; all zero for an unknown id.
    function policy(bytes32 policyId) external view returns (Policy memory);

    /// @notice A loan; all zero for an unknown id.
    function loan(uint256 loanId) external view returns (Loan memory);

    /// @notice How many loans were opened.
    function loanCount() external view returns (uint256);

    /// @notice What an account owes over all its loans.
    function debtOf(address borrower) external view returns (uint256);
}
