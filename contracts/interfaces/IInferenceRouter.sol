// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "./IInferenceVerifier.sol";

/// @title The list of approved models
/// @notice Maps a model's id to the one verifier that may speak for it, pinned by codehash.
///
///     Unset --register--> Active --deprecate(until)--> Deprecated --freeze--> Frozen
///                            \---------------------freeze--------------------/
///
/// Frozen is a tombstone: the id never verifies again and is never registered again. A repaired model has another verifying
/// key and with it another id.
/// @dev The owner, meant to be a timelock, approves models. The guardian can freeze and nothing else, so that stopping is
/// quick and approving is slow. The router does not protect against an owner that registers a bad verifier: the codehash that
/// the owner passes must come from a rebuild of the verifier out of model and SRS, not from the chain.
interface IInferenceRouter is IInferenceVerifier {
    /// @notice Where a model stands.
    enum State {
        Unset,
        Active,
        Deprecated,
        Frozen
    }

    /// @notice What the router knows of a model.
    /// @param verifier The generated verifier.
    /// @param state Where the model stands.
    /// @param deprecatedUntil Unix seconds from which a deprecated model no longer verifies; 0 unless deprecated.
    /// @param codehash keccak256 of the verifier's runtime code, checked on every call.
    struct Model {
        address verifier;
        State state;
        uint64 deprecatedUntil;
        bytes32 codehash;
    }

    event ModelRegistered(bytes32 indexed modelId, address indexed verifier, bytes32 codehash);
    event ModelDeprecated(bytes32 indexed modelId, uint64 until);
    event ModelFrozen(bytes32 indexed modelId, address indexed by);
    event GuardianSet(address indexed previous, address indexed current);

    /// @notice The zero id stands for "no model" and cannot be registered.
    error InvalidModelId(bytes32 modelId);

    /// @notice The id has been used, whatever its state is now.
    error ModelAlreadyRegistered(bytes32 modelId, State state);

    /// @notice The operation needs a model that is active or still deprecated; this one is `state`.
    error ModelNotActive(bytes32 modelId, State state);

    /// @notice The model stopped verifying at `since` (Unix seconds).
    error ModelDeprecatedSince(bytes32 modelId, uint64 since, uint256 timestamp);

    /// @notice A deprecation can be brought forward, never put off.
    error DeprecationPostponed(bytes32 modelId, uint64 current, uint64 requested);

    /// @notice Nothing is deployed at `account`: a call to it would succeed without checking anything.
    error NoCode(address account);

    /// @notice The code at the verifier's address is not the code that was approved.
    error CodehashMismatch(bytes32 expected, bytes32 got);

    /// @notice The contract does not call itself a generated verifier; `got` is zero where it gives no answer.
    error VerifierKindMismatch(address verifier, bytes32 expected, bytes32 got);

    /// @notice The verifier stopped without a reason; it ran out of gas, most likely.
    error VerifierFailed(bytes32 modelId, address verifier);

    /// @notice Only the owner and the guardian may freeze.
    error NotOwnerOrGuardian(address caller);

    /// @notice Approves a verifier for a new model id. Owner only.
    /// @param modelId The model's id, never used here before.
    /// @param verifier Address of the deployed verifier.
    /// @param codehash keccak256 of the runtime code that the owner rebuilt; must equal what is deployed.
    function registerModel(bytes32 modelId, address verifier, bytes32 codehash) external;

    /// @notice Announces a model's end: it verifies while block.timestamp < `until`. Owner only. A second call may only
    /// bring the end forward; a time in the past ends it at once.
    function deprecateModel(bytes32 modelId, uint64 until) external;

    /// @notice Stops a model for good. Owner or guardian.
    function freezeModel(bytes32 modelId) external;

    /// @notice Replaces the guardian; zero for none. Owner only.
    function setGuardian(address newGuardian) external;

    /// @notice The record of a model; all zero for an unknown id.
    function model(bytes32 modelId) external view returns (Model memory);

    /// @notice Who may freeze besides the owner.
    function guardian() external view returns (address);

    /// @notice The kind that a verifier must answer to be registered: keccak256("zkml-evm.verifier.v1").
    function PRODUCTION_KIND() external view returns (bytes32);
}
