// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guarded} from "./access/Guarded.sol";
import {IAggregateRouter} from "./interfaces/IAggregateRouter.sol";
import {IAggregateVerifier} from "./interfaces/IAggregateVerifier.sol";
import {IInferenceRouter} from "./interfaces/IInferenceRouter.sol";
import {IInferenceVerifier} from "./interfaces/IInferenceVerifier.sol";
import {IProofVerifier} from "./interfaces/IProofVerifier.sol";

/// @title InferenceRouter
/// @dev All prose is in {IInferenceRouter}.
contract InferenceRouter is IInferenceRouter, Guarded {
    /// What a verification reads, in two slots. The state follows from it: see {_stateOf}.
    struct Gate {
        address verifier;
        uint40 activatesAt;
        uint40 deprecatedUntil;
        Mark mark;
        bool aggregate;
        bytes32 codehash;
    }

    /// What was decided of a model after its registration.
    enum Mark {
        None,
        Deprecated,
        Frozen
    }

    /// What only people, clients and the circuit breaker read.
    struct Card {
        bytes32 familyId;
        uint32 version;
        Statement statement;
    }

    /// @inheritdoc IInferenceRouter
    bytes32 public constant PRODUCTION_KIND = keccak256("zkml-evm.verifier.v1");

    /// @inheritdoc IAggregateRouter
    bytes32 public constant AGGREGATE_KIND = keccak256("zkml-evm.aggregate.v1");

    /// @inheritdoc IInferenceRouter
    uint32 public immutable activationDelay;

    mapping(bytes32 modelId => Gate) private _gates;
    mapping(bytes32 modelId => Card) private _cards;
    mapping(bytes32 familyId => bytes32[] modelIds) private _families;

    constructor(address initialOwner, address initialGuardian, uint32 activationDelay_)
        Guarded(initialOwner, initialGuardian)
    {
        activationDelay = activationDelay_;
    }

    /// @inheritdoc IInferenceRouter
    function registerModel(bytes32 modelId, Registration calldata registration)
        external
        onlyOwner
        returns (uint32 version)
    {
        Statement memory statement = registration.statement;
        if (statement.outputs == 0) revert InvalidStatement(statement.output, statement.outputs);
        (bytes32 familyId, address verifier, bytes32 codehash) =
            (registration.familyId, registration.verifier, registration.codehash);
        uint40 activatesAt;
        (version, activatesAt) = _register(modelId, familyId, verifier, codehash, PRODUCTION_KIND);
        _cards[modelId].statement = statement;
        emit ModelRegistered(modelId, familyId, verifier, version, codehash, activatesAt, statement);
    }

    /// @inheritdoc IAggregateRouter
    function registerAggregate(bytes32 aggregateId, AggregateRegistration calldata registration)
        external
        onlyOwner
        returns (uint32 version)
    {
        (bytes32 familyId, address verifier, bytes32 codehash) =
            (registration.familyId, registration.verifier, registration.codehash);
        uint40 activatesAt;
        (version, activatesAt) = _register(aggregateId, familyId, verifier, codehash, AGGREGATE_KIND);
        (bytes32[] memory modelIds, uint256[] memory sizes) = _requireSlots(verifier);
        emit AggregateRegistered(aggregateId, familyId, verifier, version, codehash, activatesAt, modelIds, sizes);
    }

    /// @inheritdoc IInferenceRouter
    function deprecateModel(bytes32 modelId, uint64 until) external onlyOwner {
        if (until > type(uint40).max) revert TimeOutOfRange(until);
        Gate storage gate = _gates[modelId];
        State state = _stateOf(gate);
        if (state == State.Deprecated) {
            if (until > gate.deprecatedUntil) revert DeprecationPostponed(modelId, gate.deprecatedUntil, until);
        } else if (state != State.Active) {
            revert ModelNotActive(modelId, state);
        }
        gate.mark = Mark.Deprecated;
        // Fits, by the first line.
        // forge-lint: disable-next-line(unsafe-typecast)
        gate.deprecatedUntil = uint40(until);
        emit ModelDeprecated(modelId, until);
    }

    /// @inheritdoc IInferenceRouter
    function freezeModel(bytes32 modelId) external onlyOwnerOrGuardian {
        _freeze(modelId);
    }

    /// @inheritdoc IInferenceRouter
    function proveContradiction(
        bytes32 modelId,
        uint256[] calldata firstInputs,
        bytes calldata firstProof,
        uint256[] calldata secondInputs,
        bytes calldata secondProof
    ) external {
        _requireContradiction(modelId, firstInputs, secondInputs);
        // Verifiers are called without the right to write, so that nothing changes in between.
        _verify(modelId, firstInputs, firstProof);
        _verify(modelId, secondInputs, secondProof);
        emit ContradictionProven(modelId, msg.sender, firstInputs, secondInputs);
        _freeze(modelId);
    }

    /// @inheritdoc IInferenceVerifier
    function verifyInference(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) external view {
        Gate storage gate = _gates[modelId];
        if (gate.aggregate) revert NotAModel(modelId);
        _requireVerifying(modelId, gate);
        _verify(modelId, publicInputs, proof);
    }

    /// @inheritdoc IInferenceVerifier
    function verifyAggregate(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs,
        bytes calldata proof
    ) external view {
        _requireVerifying(aggregateId, _gates[aggregateId]);
        _requireSlots(aggregateId, modelIds, sizes, publicInputs);
        _verify(aggregateId, publicInputs, proof);
    }

    /// @inheritdoc IInferenceRouter
    function model(bytes32 modelId) external view returns (Model memory) {
        Gate storage gate = _gates[modelId];
        Card storage card = _cards[modelId];
        return Model({
            verifier: gate.verifier,
            state: _stateOf(gate),
            activatesAt: gate.activatesAt,
            deprecatedUntil: gate.deprecatedUntil,
            codehash: gate.codehash,
            familyId: card.familyId,
            version: card.version,
            statement: card.statement
        });
    }

    /// @inheritdoc IInferenceRouter
    function versionCount(bytes32 familyId) external view returns (uint256) {
        return _families[familyId].length;
    }

    /// @inheritdoc IInferenceRouter
    function modelAt(bytes32 familyId, uint32 version) external view returns (bytes32 modelId) {
        bytes32[] storage ids = _families[familyId];
        return version == 0 || version > ids.length ? bytes32(0) : ids[version - 1];
    }

    /// @inheritdoc IInferenceRouter
    function latestActive(bytes32 familyId) external view returns (bytes32 modelId) {
        bytes32[] storage ids = _families[familyId];
        for (uint256 i = ids.length; i != 0; --i) {
            if (_stateOf(_gates[ids[i - 1]]) == State.Active) return ids[i - 1];
        }
    }

    /// @inheritdoc IAggregateRouter
    function slotsOf(bytes32 aggregateId) public view returns (bytes32[] memory modelIds, uint256[] memory sizes) {
        Gate storage gate = _gates[aggregateId];
        if (!gate.aggregate) revert NotAnAggregate(aggregateId);
        address verifier = gate.verifier;
        _requireCode(verifier, gate.codehash);
        return IAggregateVerifier(verifier).slots();
    }

    /// What the registrations of models and aggregates have in common.
    function _register(bytes32 id, bytes32 familyId, address verifier, bytes32 codehash, bytes32 kind)
        private
        returns (uint32 version, uint40 activatesAt)
    {
        if (id == bytes32(0)) revert InvalidModelId(id);
        if (familyId == bytes32(0)) revert InvalidFamilyId(familyId);
        State state = _stateOf(_gates[id]);
        if (state != State.Unset) revert ModelAlreadyRegistered(id, state);
        _requireCode(verifier, codehash);
        _requireKind(verifier, kind);
        bool aggregate = kind == AGGREGATE_KIND;
        bool first = _families[familyId].length == 0;
        if (!first && _gates[_families[familyId][0]].aggregate != aggregate) revert FamilyOfAnotherKind(familyId, id);

        // A sum of a timestamp and 32 bits is far below 2^40, and 2^32 versions are never registered.
        // forge-lint: disable-next-line(unsafe-typecast)
        activatesAt = uint40(block.timestamp + activationDelay);
        _families[familyId].push(id);
        // forge-lint: disable-next-line(unsafe-typecast)
        version = uint32(_families[familyId].length);
        _gates[id] = Gate(verifier, activatesAt, 0, Mark.None, aggregate, codehash);
        (_cards[id].familyId, _cards[id].version) = (familyId, version);
    }

    function _freeze(bytes32 modelId) private {
        State state = _stateOf(_gates[modelId]);
        // An id that was never registered is refused: it is a slip of the hand, and the model would stay open.
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        _gates[modelId].mark = Mark.Frozen;
        emit ModelFrozen(modelId, msg.sender);
    }

    /// Asks the model's verifier, whatever the model's state.
    function _verify(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) private view {
        Gate storage gate = _gates[modelId];
        address verifier = gate.verifier;
        _requireCode(verifier, gate.codehash);

        try IProofVerifier(verifier).verifyProof(publicInputs, proof) {}
        catch (bytes memory reason) {
            if (reason.length == 0) revert VerifierFailed(modelId, verifier);
            // The verifier's own typed error, unchanged.
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// The model or aggregate verifies now.
    function _requireVerifying(bytes32 id, Gate storage gate) private view {
        State state = _stateOf(gate);
        if (state == State.Deprecated) {
            uint64 until = gate.deprecatedUntil;
            if (block.timestamp >= until) revert ModelDeprecatedSince(id, until, block.timestamp);
        } else if (state == State.Scheduled) {
            revert ModelNotYetActive(id, gate.activatesAt, block.timestamp);
        } else if (state != State.Active) {
            revert ModelNotActive(id, state);
        }
    }

    /// A model that was registered and is not frozen.
    function _requireModel(bytes32 modelId) private view {
        Gate storage gate = _gates[modelId];
        State state = _stateOf(gate);
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        if (gate.aggregate) revert NotAModel(modelId);
    }

    /// Every slot takes proofs of a model that was registered and is not frozen, and their statement has a context.
    function _requireSlots(address verifier) private view returns (bytes32[] memory, uint256[] memory) {
        try IAggregateVerifier(verifier).slots() returns (bytes32[] memory modelIds, uint256[] memory sizes) {
            if (modelIds.length == 0 || modelIds.length != sizes.length) revert InvalidSlots(verifier);
            for (uint256 i = 0; i < modelIds.length; ++i) {
                if (sizes[i] == 0) revert InvalidSlots(verifier);
                _requireModel(modelIds[i]);
            }
            return (modelIds, sizes);
        } catch {
            revert InvalidSlots(verifier);
        }
    }

    /// The model's output is a function of the question, the question is the same, and the answers differ.
    function _requireContradiction(bytes32 modelId, uint256[] calldata first, uint256[] calldata second) private view {
        _requireModel(modelId);
        Statement memory form = _cards[modelId].statement;
        bool answers = form.output == OutputMode.Reveal || form.output == OutputMode.Argmax;
        if (!answers || form.input == InputMode.Private) {
            revert StatementNotDeterministic(modelId, form.input, form.output);
        }
        // Context, at least one word of question, the outputs.
        if (first.length != second.length || first.length < 2 + uint256(form.outputs)) {
            revert InputsNotComparable(first.length, second.length);
        }
        uint256 outputsFrom = first.length - form.outputs;
        for (uint256 i = 1; i < outputsFrom; ++i) {
            if (first[i] != second[i]) revert DifferentQuestion(i, first[i], second[i]);
        }
        for (uint256 i = outputsFrom; i < first.length; ++i) {
            if (first[i] != second[i]) return;
        }
        revert SameAnswer(modelId);
    }

    function _requireCode(address verifier, bytes32 codehash) private view {
        if (verifier.code.length == 0) revert NoCode(verifier);
        if (verifier.codehash != codehash) revert CodehashMismatch(codehash, verifier.codehash);
    }

    /// A low-level call, so that a contract without this function gets the typed refusal and not an empty revert.
    function _requireKind(address verifier, bytes32 expected) private view {
        (bool ok, bytes memory answer) = verifier.staticcall(abi.encodeCall(IProofVerifier.verifierKind, ()));
        bytes32 kind = ok && answer.length == 32 ? abi.decode(answer, (bytes32)) : bytes32(0);
        if (kind != expected) revert VerifierKindMismatch(verifier, expected, kind);
    }

    function _stateOf(Gate storage gate) private view returns (State) {
        (Mark mark, uint256 activatesAt) = (gate.mark, gate.activatesAt);
        if (mark == Mark.Frozen) return State.Frozen;
        if (activatesAt == 0) return State.Unset;
        if (mark == Mark.Deprecated) return State.Deprecated;
        return block.timestamp < activatesAt ? State.Scheduled : State.Active;
    }

    /// Each slot that the caller relies on is of its model, and every statement stands where the verifier reads it.
    function _requireSlots(
        bytes32 aggregateId,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata publicInputs
    ) private view {
        (bytes32[] memory slotModels, uint256[] memory slotSizes) = slotsOf(aggregateId);
        if (modelIds.length != slotModels.length) {
            revert SlotCountMismatch(aggregateId, slotModels.length, modelIds.length);
        }
        if (sizes.length != slotModels.length) {
            revert SlotCountMismatch(aggregateId, slotModels.length, sizes.length);
        }
        uint256 from = 0;
        bytes32 asked = bytes32(0);
        for (uint256 i = 0; i < slotModels.length; ++i) {
            if (sizes[i] != slotSizes[i]) revert SlotSizeMismatch(i, slotSizes[i], sizes[i]);
            bytes32 modelId = modelIds[i];
            if (modelId != bytes32(0)) {
                if (modelId != slotModels[i]) revert SlotModelMismatch(i, slotModels[i], modelId);
                // A list that is too short is refused below.
                if (from < publicInputs.length && publicInputs[from] == 0) revert EmptySlot(i);
                if (modelId != asked) _requireVerifying(modelId, _gates[modelId]);
                asked = modelId;
            }
            from += slotSizes[i];
        }
        if (publicInputs.length != from) revert IProofVerifier.InvalidInstanceCount(from, publicInputs.length);
    }
}
