// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuarded} from "./IGuarded.sol";
import {IInputAttestation} from "./IInputAttestation.sol";
import {IZkmlConsumer} from "./IZkmlConsumer.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title A pool that lends to whoever scores high enough
/// @notice The borrower proves that a model gives the attested input a score of at least a tier's threshold; score and input stay
/// hidden. One transaction then pays out up to the tier's limit, at the tier's interest.
/// @dev The pool belongs to its owner: {fund} gives no share of it and no claim, so there is no share price to move and no run
/// on it. Interest is simple, by the second, on the principal that is owed. Loans have no due date or liquidation; those are a
/// lender's own business and would be built on top. Tokens that take a fee on transfer are credited with what arrives, and a
/// borrower then receives less than the debt. Tokens that charge the sender on top are refused ({SenderCharged}); rebasing
/// tokens are not supported.
///
/// A loan goes to the attested subject, whoever sends the transaction: a relayer needs the subject's permit, an EIP-712 signature
/// (domain name "zkml-evm LendingThreshold", version "1"; ERC-1271 for contracts) over
///
///     BorrowPermit(address borrower,bytes32 policyId,uint8 tier,uint256 amount,bytes32 attestation,uint256 nonce,uint64 expiry)
///
/// where `attestation` is {IInputAttestation-hashAttestation}. It covers everything of a request but the proof, which has one
/// statement anyway. {IZkmlConsumer-cancelNonce} takes it back while its nonce is the present one; a permit signed ahead, for a
/// later nonce, takes one call for every nonce up to it.
///
/// What it does not protect from: an attestor that lies, a model that scores badly, an owner that adds a bad policy.
interface ILendingThreshold is IZkmlConsumer, IGuarded {
    /// @notice One of a policy's offers.
    /// @param threshold Least score, an integer at the scale of the model's output, within ±(2^120 - 1).
    /// @param limit Most that a loan of this tier pays out, in the token's smallest unit, below 2^96.
    /// @param rate Interest per year of 365 days, in hundredths of a percent, at most 10,000.
    struct Tier {
        int256 threshold;
        uint256 limit;
        uint32 rate;
    }

    /// @notice What a policy offers. It never changes: other terms are another policy with another id.
    /// @param modelId The model that scores, as registered with the router.
    /// @param schemaId The feature schema that attestations must be over.
    /// @param epochLength Seconds; one loan per subject and epoch of attestations, and only attestations of the present epoch
    /// or the one before count.
    /// @param cap Most principal that may be owed under the policy at any time, below 2^128.
    /// @param borrowerLimit Most principal that a borrower may owe in the pool, over all policies, after a loan of this one.
    /// @param tiers One to sixteen, by strictly rising threshold.
    struct PolicyTerms {
        bytes32 modelId;
        bytes32 schemaId;
        uint64 epochLength;
        uint256 cap;
        uint256 borrowerLimit;
        Tier[] tiers;
    }

    /// @notice A policy as it stands.
    /// @param terms What it offers.
    /// @param principal What is owed under it, without interest.
    /// @param active Whether it gives loans.
    struct Policy {
        PolicyTerms terms;
        uint256 principal;
        bool active;
    }

    /// @notice What a borrower sends. Nothing in it is a public input of the proof as it stands.
    /// @param policyId The policy to borrow under.
    /// @param tier Which of its tiers, from 0: the proof must be for its threshold.
    /// @param amount What to borrow, at most the tier's limit.
    /// @param attestor Who vouches for the attestation.
    /// @param attestation The statement on the borrower's input.
    /// @param signature The attestor's signature on it, or what its source asks for.
    /// @param nonce {IZkmlConsumer-nonceOf} the borrower.
    /// @param expiry Unix seconds up to which the request may be used.
    /// @param proof The proof for the context of this very request.
    struct BorrowRequest {
        bytes32 policyId;
        uint8 tier;
        uint256 amount;
        address attestor;
        IInputAttestation.Attestation attestation;
        bytes signature;
        uint256 nonce;
        uint64 expiry;
        bytes proof;
    }

    /// @notice One proof in the place of many borrowers' own, made by an aggregator out of them.
    /// @param aggregateId Which of the router's aggregates it is of. The sender's choice: see
    /// {IInferenceVerifier-verifyAggregate}.
    /// @param otherSlots One list for each slot of the aggregate: an empty one where the slot holds the next request's proof, and
    /// otherwise the slot's public inputs as they are: those of a slot that is empty, or of a proof that opens no loan here.
    /// @param proof The aggregate's proof.
    struct Aggregate {
        bytes32 aggregateId;
        uint256[][] otherSlots;
        bytes proof;
    }

    /// @notice A loan as it stands. When it was opened, and over how much, is in its {LoanOpened}.
    /// @param borrower Who got it.
    /// @param epoch The attestation's epoch under the policy, issuedAt / epochLength.
    /// @param tier The policy's tier.
    /// @param policyId The policy's id.
    /// @param principal What is owed of the amount lent.
    /// @param interest What is owed besides, up to now.
    struct Loan {
        address borrower;
        uint64 epoch;
        uint8 tier;
        bytes32 policyId;
        uint256 principal;
        uint256 interest;
    }

    event PolicyAdded(bytes32 indexed policyId, bytes32 indexed modelId, PolicyTerms terms);
    event PolicyRetired(bytes32 indexed policyId);
    event LoanOpened(
        uint256 indexed loanId,
        address indexed borrower,
        bytes32 indexed policyId,
        uint8 tier,
        uint256 amount,
        bytes32 nullifier
    );
    event LoanRepaid(
        uint256 indexed loanId, address indexed payer, uint256 principal, uint256 interest, uint256 principalLeft
    );
    event BatchItemRefused(uint256 indexed index, address indexed borrower, bytes reason);
    event Funded(address indexed from, uint256 received);
    event Withdrawn(address indexed to, uint256 amount);

    /// @notice A policy must name its model and schema, and have one to sixteen tiers.
    error InvalidPolicy(bytes32 modelId, bytes32 schemaId, uint256 tiers);

    /// @notice Tier `index` has no limit or one of 2^96 or more, a rate above 10,000, or a threshold not above the one before.
    error InvalidTier(uint256 index);

    /// @notice These very terms were added before, and may have been retired.
    error PolicyExists(bytes32 policyId);

    /// @notice No such policy.
    error PolicyUnknown(bytes32 policyId);

    /// @notice The policy gives no more loans.
    error PolicyIsRetired(bytes32 policyId);

    /// @notice The policy has fewer tiers.
    error TierUnknown(bytes32 policyId, uint8 tier);

    /// @notice More than the tier lends.
    error TierLimitExceeded(uint256 limit, uint256 amount);

    /// @notice The borrower would owe more than the policy allows, over all its loans.
    error BorrowerLimitExceeded(uint256 limit, uint256 owed, uint256 amount);

    /// @notice More would be owed under the policy than its cap.
    error PolicyCapExceeded(uint256 cap, uint256 owed, uint256 amount);

    /// @notice The permit is not the borrower's signature on this request.
    error InvalidPermit(address borrower, bytes32 digest);

    /// @notice No such loan.
    error LoanUnknown(uint256 loanId);

    /// @notice The loan is paid back.
    error NothingOwed(uint256 loanId);

    /// @notice The amount is zero, or a policy's cap or limit does not fit in 128 bits.
    error InvalidAmount(uint256 amount);

    /// @notice The pool holds `available` and would have to pay `needed`.
    error InsufficientLiquidity(uint256 available, uint256 needed);

    /// @notice The token took `left` from the pool to pay out `amount`.
    error SenderCharged(uint256 amount, uint256 left);

    /// @notice The token moved nothing to the pool.
    error NothingReceived(uint256 asked);

    /// @notice Every request needs its permit; an empty one where the caller is the borrower.
    error BatchLengthMismatch(uint256 requests, uint256 permits);

    /// @notice One proof serves one policy: item `index` names another.
    error BatchPolicyMismatch(uint256 index, bytes32 expected, bytes32 got);

    /// @notice A batch by one proof has at least one item.
    error BatchEmpty();

    /// @notice Each request has one slot of the aggregate: `slots` are left to requests.
    error BatchSlotsMismatch(uint256 slots, uint256 requests);

    /// @notice Item `index` would get less gas than promised: send more, or fewer items.
    error BatchGasTooLow(uint256 index, uint256 gasPerItem);

    /// @notice Item `index` failed in a batch that is all or nothing.
    error BatchItemFailed(uint256 index, bytes reason);

    /// @notice Only the contract itself calls this, for an item of a batch.
    error NotABatch(address caller);

    /// @notice Adds a policy. Owner only.
    /// @return policyId keccak256(abi.encode(address(this), terms)).
    function addPolicy(PolicyTerms calldata terms) external returns (bytes32 policyId);

    /// @notice Ends a policy for good. Owner only. Open loans stay as they are.
    function retirePolicy(bytes32 policyId) external;

    /// @notice Opens a loan for msg.sender. The public inputs that the proof must hold for are context, the attestation's
    /// commitment, and the tier's threshold.
    /// @return loanId (borrower << 96) | (index << 64) | epoch, where index counts policies from 0 in the order in which they
    /// were added: a borrower has one loan per policy and epoch, and the id says which.
    function openLoan(BorrowRequest calldata request) external returns (uint256 loanId);

    /// @notice Opens a loan for the attested subject, which gets the tokens, by whoever sends its permit.
    /// @param permit The subject's signature on {permitDigest}.
    function openLoanFor(BorrowRequest calldata request, bytes calldata permit) external returns (uint256 loanId);

    /// @notice Opens many loans in one transaction. Each stands for itself: an item that fails changes nothing, is told by
    /// {BatchItemRefused}, and can be sent again. A refused item says nothing about its proof where it ran out of its gas.
    /// @param permits One per request; an empty one where the caller is the borrower.
    /// @param gasPerItem Gas that each item gets: what an item can burn, whatever attestor, verifier or wallet it calls.
    /// @param allOrNothing Whether one refusal reverts the whole batch.
    /// @return opened How many loans were opened.
    function openLoans(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint256 gasPerItem,
        bool allOrNothing
    ) external returns (uint256 opened);

    /// @notice Opens many loans by one proof over all their inputs, of a model that was made for batches of this size. All
    /// requests are of one policy, whose model that is; their own proofs are empty. The proof is made by whoever holds all
    /// openings: its context is the sender's, at {IZkmlConsumer-nonceOf} the sender, which is not used up. Its public inputs are
    /// the context, all commitments, all thresholds, in the order of the requests. Where it holds, each item stands for itself as
    /// in {openLoans}: a bad attestation or permit refuses its own item only.
    /// @param expiry Unix seconds up to which the proof may be used.
    function openLoansTogether(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        uint64 expiry,
        bytes calldata proof,
        uint256 gasPerItem,
        bool allOrNothing
    ) external returns (uint256 opened);

    /// @notice Opens many loans by one aggregate of the borrowers' own proofs: the proof in the slot of a request is the one that
    /// {openLoan} takes, over the same statement, and the request's own proof is empty. Policies may differ, and with them
    /// models. Where the aggregate holds, each item stands for itself as in {openLoans}; one whose attestation or permit went
    /// bad, or whose policy was retired meanwhile, refuses its own item only.
    /// @dev Every request's slot must be of an approved model: once a model is frozen, the slots of its requests go into
    /// `otherSlots`, and the requests are left out.
    function openLoansAggregated(
        BorrowRequest[] calldata requests,
        bytes[] calldata permits,
        Aggregate calldata aggregate,
        uint256 gasPerItem,
        bool allOrNothing
    ) external returns (uint256 opened);

    /// @notice One item of a batch; only for the contract itself, which calls it so that a failure is undone alone.
    /// @param sender Who sent the batch.
    /// @param proven Whether the batch's one proof has shown the item's score.
    function openLoanOfBatch(BorrowRequest calldata request, bytes calldata permit, address sender, bool proven)
        external;

    /// @notice Pays back on a loan, interest first. Anyone may, also while the pool is paused.
    /// @param amount What to pull from the caller; no more is pulled than is owed, so the largest number pays everything back.
    /// @return credited What arrived.
    function repay(uint256 loanId, uint256 amount) external returns (uint256 credited);

    /// @notice Puts tokens into the pool. Gives no claim on them.
    /// @return received What arrived.
    function fund(uint256 amount) external returns (uint256 received);

    /// @notice Takes tokens out of the pool, to the owner. Owner only.
    function withdraw(uint256 amount) external;

    /// @notice Stops new loans. Owner or guardian.
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

    /// @notice The principal that an account owes over all its loans.
    function principalOf(address borrower) external view returns (uint256);

    /// @notice What a borrower signs to let others send the request.
    function permitDigest(BorrowRequest calldata request) external view returns (bytes32 digest);
}
