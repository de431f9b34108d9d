// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {StubAggregate, StubVerifier} from "../helpers/StubVerifiers.sol";
import {Callers} from "./Invariants.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// Does anything that owner, guardian and a stranger may try, and keeps its own book of what must be true.
contract RouterHandler is Callers {
    uint256 public constant IDS = 4;
    uint256 public constant FAMILIES = 2;
    uint256 public constant AGGREGATES = 2;

    InferenceRouter public immutable ROUTER;
    StubVerifier[2] public verifiers;
    /// One slot for each of the first two ids.
    StubAggregate public immutable AGGREGATE;

    mapping(bytes32 modelId => bool) public everFrozen;
    mapping(bytes32 modelId => address) public firstVerifier;
    mapping(bytes32 modelId => uint256) public registeredAt;
    mapping(bytes32 familyId => uint256) public registrations;
    bool public approvedByOther;
    bool public registeredTwice;
    bool public frozenByStranger;
    bool public brokenWithoutContradiction;
    uint256 public contradictions;

    constructor(InferenceRouter router, address owner, address guardian, address stranger)
        Callers(owner, guardian, stranger)
    {
        ROUTER = router;
        verifiers = [new StubVerifier(1), new StubVerifier(2)];
        bytes32[] memory modelIds = new bytes32[](2);
        uint256[] memory sizes = new uint256[](2);
        (modelIds[0], modelIds[1], sizes[0], sizes[1]) = (idOf(0), idOf(1), 1, 1);
        AGGREGATE = new StubAggregate(modelIds, sizes);
    }

    function idOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode(seed % IDS));
    }

    function familyOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode("family", seed % FAMILIES));
    }

    function register(uint256 id, uint256 who, uint256 which, uint8 input, uint8 output) external {
        address verifier = address(verifiers[which % 2]);
        IInferenceRouter.Registration memory r = IInferenceRouter.Registration({
            familyId: familyOf(which),
            verifier: verifier,
            codehash: verifier.codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode(input % 3), IInferenceRouter.OutputMode(output % 4), 1
            )
        });
        if (!_try(who, abi.encodeCall(ROUTER.registerModel, (idOf(id), r)))) return;
        if (caller(who) != OWNER) approvedByOther = true;
        if (firstVerifier[idOf(id)] != address(0)) registeredTwice = true;
        firstVerifier[idOf(id)] = verifier;
        registeredAt[idOf(id)] = block.timestamp;
        ++registrations[r.familyId];
    }

    function aggregateOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode("aggregate", seed % AGGREGATES));
    }

    /// Refused where a slot's model is unknown or frozen.
    function registerAggregate(uint256 id, uint256 who) external {
        IAggregateRouter.AggregateRegistration memory r = IAggregateRouter.AggregateRegistration({
            familyId: keccak256("aggregates"), verifier: address(AGGREGATE), codehash: address(AGGREGATE).codehash
        });
        if (!_try(who, abi.encodeCall(ROUTER.registerAggregate, (aggregateOf(id), r)))) return;
        if (caller(who) != OWNER) approvedByOther = true;
        if (registeredAt[aggregateOf(id)] != 0) registeredTwice = true;
        registeredAt[aggregateOf(id)] = block.timestamp;
    }

    function deprecateAggregate(uint256 id, uint256 who, uint40 until) external {
        if (!_try(who, abi.encodeCall(ROUTER.deprecateModel, (aggregateOf(id), until)))) return;
        if (caller(who) != OWNER) approvedByOther = true;
    }

    function freezeAggregate(uint256 id, uint256 who) external {
        if (!_try(who, abi.encodeCall(ROUTER.freezeModel, (aggregateOf(id))))) return;
        if (caller(who) == STRANGER) frozenByStranger = true;
    }

    function deprecate(uint256 id, uint256 who, uint40 until) external {
        if (!_try(who, abi.encodeCall(ROUTER.deprecateModel, (idOf(id), until)))) return;
        if (caller(who) != OWNER) approvedByOther = true;
    }

    function freeze(uint256 id, uint256 who) external {
        if (!_try(who, abi.encodeCall(ROUTER.freezeModel, (idOf(id))))) return;
        everFrozen[idOf(id)] = true;
        if (caller(who) == STRANGER) frozenByStranger = true;
    }

    /// Two statements that may or may not contradict each other, by a verifier that accepts both.
    function contradict(uint256 id, uint256 who, bool sameQuestion, bool sameAnswer) external {
        uint256[] memory first = new uint256[](3);
        uint256[] memory second = new uint256[](3);
        second[1] = sameQuestion ? 0 : 1;
        second[2] = sameAnswer ? 0 : 1;
        IInferenceRouter.Statement memory form = ROUTER.model(idOf(id)).statement;
        bytes memory call = abi.encodeCall(ROUTER.proveContradiction, (idOf(id), first, "good", second, "good"));
        if (!_try(who, call)) return;
        ++contradictions;
        everFrozen[idOf(id)] = true;
        bool answers =
            form.output == IInferenceRouter.OutputMode.Reveal || form.output == IInferenceRouter.OutputMode.Argmax;
        if (!sameQuestion || sameAnswer || !answers || form.input == IInferenceRouter.InputMode.Private) {
            brokenWithoutContradiction = true;
        }
    }

    function setGuardian(uint256 who) external {
        if (!_try(who, abi.encodeCall(ROUTER.setGuardian, (GUARDIAN)))) return;
        if (caller(who) != OWNER) approvedByOther = true;
    }

    function warp(uint32 by) external {
        vm.warp(block.timestamp + by % 3 days);
    }

    function verifies(bytes32 modelId) external view returns (bool) {
        try ROUTER.verifyInference(modelId, new uint256[](0), "good") {
            return true;
        } catch {
            return false;
        }
    }

    /// Relying on the slots whose bits are set.
    function verifiesAggregate(bytes32 aggregateId, uint256 relied) external view returns (bool) {
        bytes32[] memory modelIds = new bytes32[](2);
        uint256[] memory inputs = new uint256[](2);
        uint256[] memory sizes = new uint256[](2);
        (sizes[0], sizes[1]) = (1, 1);
        for (uint256 i = 0; i < 2; ++i) {
            if (relied >> i & 1 != 0) (modelIds[i], inputs[i]) = (idOf(i), 1);
        }
        try ROUTER.verifyAggregate(aggregateId, modelIds, sizes, inputs, "all") {
            return true;
        } catch {
            return false;
        }
    }

    function stateOf(bytes32 modelId) external view returns (IInferenceRouter.State) {
        return ROUTER.model(modelId).state;
    }

    function _try(uint256 who, bytes memory call) private returns (bool ok) {
        return attempt(caller(who), address(ROUTER), call);
    }
}
