// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guarded} from "./access/Guarded.sol";
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
        bool deprecated;
        bool frozen;
        bytes32 codehash;
    }

    /// What only people, clients and the circuit breaker read.
    struct Card {
        bytes32 familyId;
        uint32 version;
        Statement statement;
    }

    /// @inheritdoc IInferenceRouter
    bytes32 public constant PRODUCTION_KIND = keccak256("zkml-evm.verifier.v1");

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
        if (modelId == bytes32(0)) revert InvalidModelId(modelId);
        bytes32 familyId = registration.familyId;
        if (familyId == bytes32(0)) revert InvalidFamilyId(familyId);
        Statement memory statement = registration.statement;
        if (statement.outputs == 0) revert InvalidStatement(statement.output, statement.outputs);
        State state = _stateOf(_gates[modelId]);
        if (state != State.Unset) revert ModelAlreadyRegistered(modelId, state);
        (address verifier, bytes32 codehash) = (registration.verifier, registration.codehash);
        _requireCode(verifier, codehash);
        _requireProductionKind(verifier);

        // A sum of a timestamp and 32 bits is far below 2^40, and 2^32 versions are never registered.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 activatesAt = uint40(block.timestamp + activationDelay);
        _families[familyId].push(modelId);
        // forge-lint: disable-next-line(unsafe-typecast)
        version = uint32(_families[familyId].length);
        _gates[modelId] = Gate(verifier, activatesAt, 0, false, false, codehash);
        _cards[modelId] = Card(familyId, version, statement);
        emit ModelRegistered(modelId, familyId, verifier, version, codehash, activatesAt, statement);
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
        gate.deprecated = true;
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
        State state = _stateOf(gate);
        if (state == State.Deprecated) {
            uint64 until = gate.deprecatedUntil;
            if (block.timestamp >= until) revert ModelDeprecatedSince(modelId, until, block.timestamp);
        } else if (state == State.Scheduled) {
            revert ModelNotYetActive(modelId, gate.activatesAt, block.timestamp);
        } else if (state != State.Active) {
            revert ModelNotActive(modelId, state);
        }
        _verify(modelId, publicInputs, proof);
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

    function _freeze(bytes32 modelId) private {
        State state = _stateOf(_gates[modelId]);
        // An id that was never registered is refused: it is a slip of the hand, and the model would stay open.
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        _gates[modelId].frozen = true;
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

    /// The model's output is a function of the question, the question is the same, and the answers differ.
    function _requireContradiction(bytes32 modelId, uint256[] calldata first, uint256[] calldata second) private view {
        State state = _stateOf(_gates[modelId]);
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
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
    function _requireProductionKind(address verifier) private view {
        (bool ok, bytes memory answer) = verifier.staticcall(abi.encodeCall(IProofVerifier.verifierKind, ()));
        bytes32 kind = ok && answer.length == 32 ? abi.decode(answer, (bytes32)) : bytes32(0);
        if (kind != PRODUCTION_KIND) revert VerifierKindMismatch(verifier, PRODUCTION_KIND, kind);
    }

    function _stateOf(Gate storage gate) private view returns (State) {
        if (gate.frozen) return State.Frozen;
        if (gate.activatesAt == 0) return State.Unset;
        if (gate.deprecated) return State.Deprecated;
        return block.timestamp < gate.activatesAt ? State.Scheduled : State.Active;
    }
}
