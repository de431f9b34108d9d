// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAggregateRouter} from "./IAggregateRouter.sol";
import {IGuarded} from "./IGuarded.sol";
import {IInferenceVerifier} from "./IInferenceVerifier.sol";

/// @title The list of approved models
/// @notice Maps a model's id to the one verifier that may speak for it, pinned by codehash.
///
///     Unset --register--> Scheduled --delay--> Active --deprecate(until)--> Deprecated
///                             \                   \                            |
///                              \-------------------\-------freeze, contradict--+--> Frozen
///
/// A registered model is Scheduled until the router's activation delay has passed, and then Active without any further call.
/// Frozen is a tombstone: the id never verifies again and is never registered again. A repaired model has another verifying
/// key and with it another id.
///
/// Models belong to families: the versions of one product, counted from 1 by the router. A version says nothing about
/// verification. Consumers pin a model's id; a family tells people and clients which id comes next.
/// @dev The owner, meant to be a timelock, approves models. The guardian can freeze and nothing else, so that stopping is
/// quick and approving is slow. Anyone who holds two valid proofs that contradict each other can freeze their model at once.
/// The router does not protect against an owner that registers a bad verifier or a wrong statement: codehash and statement that
/// the owner passes must come from a rebuild of the verifier out of model and SRS, not from the chain. The delay gives everybody
/// time to make that comparison before the first proof counts.
interface IInferenceRouter is IInferenceVerifier, IAggregateRouter, IGuarded {
    /// @notice Where a model stands.
    enum State {
        Unset,
        Scheduled,
        Active,
        Deprecated,
        Frozen
    }

    /// @notice How a statement names the model's input.
    enum InputMode {
        Committed,
        Public,
        Private
    }

    /// @notice What a statement says of the model's output: its values, the class, that it reaches a threshold, or a salted
    /// commitment to it.
    enum OutputMode {
        Reveal,
        Argmax,
        Threshold,
        Commit
    }

    /// @notice The form of a model's statement: context, then what determines the output (input commitment or public features,
    /// model commitment of private weights), then the outputs.
    /// @param input How the input is named.
    /// @param output What is said of the output.
    /// @param outputs How many public inputs at the end of the list are outputs: one, or more where several are revealed, and
    /// that for each item of a batch.
    struct Statement {
        InputMode input;
        OutputMode output;
        uint16 outputs;
    }

    /// @notice What the owner approves.
    /// @param familyId The family that the model is the next version of.
    /// @param verifier Address of the deployed verifier.
    /// @param codehash keccak256 of the runtime code that the owner rebuilt; must equal what is deployed.
    /// @param statement The form of the model's statement.
    struct Registration {
        bytes32 familyId;
        address verifier;
        bytes32 codehash;
        Statement statement;
    }

    /// @notice What the router knows of a model.
    /// @param verifier The generated verifier.
    /// @param state Where the model stands now.
    /// @param activatesAt Unix seconds from which it verifies.
    /// @param deprecatedUntil Unix seconds from which a deprecated model no longer verifies; 0 unless deprecated.
    /// @param codehash keccak256 of the verifier's runtime code, checked on every call.
    /// @param familyId Its family.
    /// @param version Its number in the family, from 1.
    /// @param statement The form of its statement.
    struct Model {
        address verifier;
        State state;
        uint64 activatesAt;
        uint64 deprecatedUntil;
        bytes32 codehash;
        bytes32 familyId;
        uint32 version;
        Statement statement;
    }

    event ModelRegistered(
        bytes32 indexed modelId,
        bytes32 indexed familyId,
        address indexed verifier,
        uint32 version,
        bytes32 codehash,
        uint64 activatesAt,
        Statement statement
    );
    event ModelDeprecated(bytes32 indexed modelId, uint64 until);
    event ModelFrozen(bytes32 indexed modelId, address indexed by);
    event ContradictionProven(
        bytes32 indexed modelId, address indexed by, uint256[] firstInputs, uint256[] secondInputs
    );

    /// @notice The zero id stands for "no model" and cannot be registered.
    error InvalidModelId(bytes32 modelId);

    /// @notice The zero id stands for "no family".
    error InvalidFamilyId(bytes32 familyId);

    /// @notice Every statement has at least one output.
    error InvalidStatement(OutputMode output, uint16 outputs);

    /// @notice The id has been used, whatever its state is now.
    error ModelAlreadyRegistered(bytes32 modelId, State state);

    /// @notice The operation needs a model in another state than this one's.
    error ModelNotActive(bytes32 modelId, State state);

    /// @notice The model verifies from `activatesAt` on (Unix seconds).
    error ModelNotYetActive(bytes32 modelId, uint64 activatesAt, uint256 timestamp);

    /// @notice The model stopped verifying at `since` (Unix seconds).
    error ModelDeprecatedSince(bytes32 modelId, uint64 since, uint256 timestamp);

    /// @notice A deprecation can be brought forward, never put off.
    error DeprecationPostponed(bytes32 modelId, uint64 current, uint64 requested);

    /// @notice A time does not fit in 40 bits: milliseconds instead of seconds, most likely.
    error TimeOutOfRange(uint64 time);

    /// @notice Nothing is deployed at `account`: a call to it would succeed without checking anything.
    error NoCode(address account);

    /// @notice The code at the verifier's address is not the code that was approved.
    error CodehashMismatch(bytes32 expected, bytes32 got);

    /// @notice The contract does not call itself a generated verifier; `got` is zero where it gives no answer.
    error VerifierKindMismatch(address verifier, bytes32 expected, bytes32 got);

    /// @notice The verifier stopped without a reason; it ran out of gas, most likely.
    error VerifierFailed(bytes32 modelId, address verifier);

    /// @notice Honest proofs of this model may differ for one input, so that two proofs contradict nothing.
    error StatementNotDeterministic(bytes32 modelId, InputMode input, OutputMode output);

    /// @notice The lists differ in length, or are too short to name an input.
    error InputsNotComparable(uint256 firstLength, uint256 secondLength);

    /// @notice The two proofs are about different inputs or weights: public input `index` differs.
    error DifferentQuestion(uint256 index, uint256 first, uint256 second);

    /// @notice The two proofs give the same outputs.
    error SameAnswer(bytes32 modelId);

    /// @notice Approves a verifier for a new model id. Owner only. It verifies {activationDelay} seconds later.
    /// @param modelId The model's id, never used here before.
    /// @param registration What is approved.
    /// @return version The model's number in its family.
    function registerModel(bytes32 modelId, Registration calldata registration) external returns (uint32 version);

    /// @notice Announces an active model's end: it verifies while block.timestamp < `until`. Owner only. A second call may only
    /// bring the end forward; a time in the past ends it at once. A scheduled model is frozen instead.
    function deprecateModel(bytes32 modelId, uint64 until) external;

    /// @notice Stops a model for good, also one that is only scheduled. Owner or guardian.
    function freezeModel(bytes32 modelId) external;

    /// @notice The circuit breaker: stops a model for good, by two valid proofs that one input gives two outputs. Anyone.
    /// @dev Only for statements in which the output is a function of what stands before it: output revealed or argmax, input
    /// committed or public. A threshold is chosen by the prover, a committed output has a salt, and a private input is named
    /// nowhere: honest proofs differ there, and whoever could freeze by them would freeze honest models. Both proofs must
    /// verify, and all public inputs between context and outputs be equal. The contexts may be any: proofs are public once used.
    function proveContradiction(
        bytes32 modelId,
        uint256[] calldata firstInputs,
        bytes calldata firstProof,
        uint256[] calldata secondInputs,
        bytes calldata secondProof
    ) external;

    /// @notice The record of a model; all zero for an unknown id.
    function model(bytes32 modelId) external view returns (Model memory);

    /// @notice How many versions a family has.
    function versionCount(bytes32 familyId) external view returns (uint256);

    /// @notice The model of a family's version, from 1; zero where there is none.
    function modelAt(bytes32 familyId, uint32 version) external view returns (bytes32 modelId);

    /// @notice The newest version that is active now; zero where there is none. For people and clients: a contract pins an id.
    function latestActive(bytes32 familyId) external view returns (bytes32 modelId);

    /// @notice Seconds between a model's registration and its first verification. It never changes.
    function activationDelay() external view returns (uint32);

    /// @notice The kind that a verifier must answer to be registered: keccak256("zkml-evm.verifier.v1").
    function PRODUCTION_KIND() external view returns (bytes32);
}
