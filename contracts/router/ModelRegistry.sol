// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guarded} from "../access/Guarded.sol";
import {IAggregateRouter} from "../interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "../interfaces/IInferenceRouter.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title What a router knows of each model and aggregate: verifier, family, version and state
/// @dev All prose is in {IInferenceRouter}.
abstract contract ModelRegistry is IInferenceRouter, Guarded {
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

    mapping(bytes32 modelId => Gate) internal _gates;
    mapping(bytes32 modelId => Card) internal _cards;
    mapping(bytes32 familyId => bytes32[] modelIds) private _families;

    constructor(address initialOwner, address initialGuardian, uint32 activationDelay_)
        Guarded(initialOwner, initialGuardian)
    {
        activationDelay = activationDelay_;
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

    /// What the registrations of models and aggregates have in common.
    function _register(bytes32 id, bytes32 familyId, address verifier, bytes32 codehash, bytes32 kind)
        internal
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

    function _freeze(bytes32 modelId) internal {
        State state = _stateOf(_gates[modelId]);
        // An id that was never registered is refused: it is a slip of the hand, and the model would stay open.
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        _gates[modelId].mark = Mark.Frozen;
        emit ModelFrozen(modelId, msg.sender);
    }

    /// The model or aggregate verifies now.
    function _requireVerifying(bytes32 id, Gate storage gate) internal view {
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
    function _requireModel(bytes32 modelId) internal view {
        Gate storage gate = _gates[modelId];
        State state = _stateOf(gate);
        if (state == State.Unset || state == State.Frozen) revert ModelNotActive(modelId, state);
        if (gate.aggregate) revert NotAModel(modelId);
    }

    /// Asks the model's verifier, whatever the model's state.
    function _verify(bytes32 modelId, uint256[] calldata publicInputs, bytes calldata proof) internal view {
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

    function _requireCode(address verifier, bytes32 codehash) internal view {
        if (verifier.code.length == 0) revert NoCode(verifier);
        if (verifier.codehash != codehash) revert CodehashMismatch(codehash, verifier.codehash);
    }

    /// A low-level call, so that a contract without this function gets the typed refusal and not an empty revert.
    function _requireKind(address verifier, bytes32 expected) private view {
        (bool ok, bytes memory answer) = verifier.staticcall(abi.encodeCall(IProofVerifier.verifierKind, ()));
        bytes32 kind = ok && answer.length == 32 ? abi.decode(answer, (bytes32)) : bytes32(0);
        if (kind != expected) revert VerifierKindMismatch(verifier, expected, kind);
    }

    function _stateOf(Gate storage gate) internal view returns (State) {
        (Mark mark, uint256 activatesAt) = (gate.mark, gate.activatesAt);
        if (mark == Mark.Frozen) return State.Frozen;
        if (activatesAt == 0) return State.Unset;
        if (mark == Mark.Deprecated) return State.Deprecated;
        return block.timestamp < activatesAt ? State.Scheduled : State.Active;
    }
}
