// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The aggregates of a router
/// @notice An aggregate is one proof in the place of many: of one model or of several, made by provers who need not know each
/// other. Its verifier names the model of each of its slots. A model that is approved here can be proven through any approved
/// aggregate that has a slot for it, and what holds for the model holds there too: one that is frozen, retired or not yet active
/// verifies in no slot.
/// @dev Aggregates are registered as models are, have versions and the same states, and share their ids and families with
/// them: {IInferenceRouter-deprecateModel}, {IInferenceRouter-freezeModel}, {IInferenceRouter-model}, {IInferenceRouter-modelAt}
/// and the events of states are of both. A family has one or the other. What slots take is read from the verifier's code,
/// which the codehash pins.
///
/// Approving an aggregate says that its outer circuit verifies the proofs of just these models: `codehash` must come from a
/// rebuild of the outer circuit out of the models' own verifying keys. It is one approval more that each model in it relies on.
interface IAggregateRouter {
    /// @notice What the owner approves.
    /// @param familyId The family that the aggregate is the next version of.
    /// @param verifier Address of the deployed verifier, an {IAggregateVerifier}.
    /// @param codehash keccak256 of the runtime code that the owner rebuilt; must equal what is deployed.
    struct AggregateRegistration {
        bytes32 familyId;
        address verifier;
        bytes32 codehash;
    }

    event AggregateRegistered(
        bytes32 indexed aggregateId,
        bytes32 indexed familyId,
        address indexed verifier,
        uint32 version,
        bytes32 codehash,
        uint64 activatesAt,
        bytes32[] modelIds,
        uint256[] sizes
    );

    /// @notice No aggregate was registered under this id.
    error NotAnAggregate(bytes32 aggregateId);

    /// @notice An aggregate stands where a model belongs: its proofs are verified by {IInferenceVerifier-verifyAggregate}.
    error NotAModel(bytes32 aggregateId);

    /// @notice The family has models and `id` is an aggregate, or the other way round.
    error FamilyOfAnotherKind(bytes32 familyId, bytes32 id);

    /// @notice The verifier names no slots, or one whose statement is empty, or not one size for each.
    error InvalidSlots(address verifier);

    /// @notice The aggregate has another number of slots than the caller names models for.
    error SlotCountMismatch(bytes32 aggregateId, uint256 expected, uint256 got);

    /// @notice The caller relies on model `got` in a slot that takes proofs of `expected`.
    error SlotModelMismatch(uint256 slot, bytes32 expected, bytes32 got);

    /// @notice The caller takes `got` public inputs for the statement of a slot, which has `expected`.
    error SlotSizeMismatch(uint256 slot, uint256 expected, uint256 got);

    /// @notice The caller relies on a slot whose context is 0: nothing is proven there.
    error EmptySlot(uint256 slot);

    /// @notice Approves a verifier for a new aggregate. Owner only. It verifies after the activation delay, as a model does.
    /// @param aggregateId The aggregate's id, never used here before, neither for a model.
    /// @param registration What is approved. The models in its slots are registered already, and not frozen.
    /// @return version The aggregate's number in its family.
    function registerAggregate(bytes32 aggregateId, AggregateRegistration calldata registration)
        external
        returns (uint32 version);

    /// @notice What an aggregate's slots take; see {IAggregateVerifier-slots}.
    function slotsOf(bytes32 aggregateId) external view returns (bytes32[] memory modelIds, uint256[] memory sizes);

    /// @notice The kind that an aggregate's verifier must answer: keccak256("zkml-evm.aggregate.v1").
    function AGGREGATE_KIND() external view returns (bytes32);
}
