// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {StubVerifier} from "../helpers/StubVerifiers.sol";
import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// Does anything that owner, guardian and a stranger may try, and keeps its own book of what must be true.
contract RouterHandler is CommonBase, StdUtils {
    uint256 public constant IDS = 4;

    InferenceRouter public immutable ROUTER;
    address public immutable OWNER;
    StubVerifier[2] public verifiers;
    address[3] public callers;

    mapping(bytes32 modelId => bool) public everFrozen;
    mapping(bytes32 modelId => address) public firstVerifier;
    bool public approvedByOther;
    bool public registeredTwice;
    bool public frozenByStranger;

    constructor(InferenceRouter router, address owner, address guardian, address stranger) {
        ROUTER = router;
        OWNER = owner;
        callers = [owner, guardian, stranger];
        verifiers = [new StubVerifier(1), new StubVerifier(2)];
    }

    function idOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode(seed % IDS));
    }

    function register(uint256 id, uint256 who, uint256 which) external {
        address verifier = address(verifiers[which % 2]);
        if (!_try(who, abi.encodeCall(ROUTER.registerModel, (idOf(id), verifier, verifier.codehash)))) return;
        if (_caller(who) != OWNER) approvedByOther = true;
        if (firstVerifier[idOf(id)] != address(0)) registeredTwice = true;
        firstVerifier[idOf(id)] = verifier;
    }

    function deprecate(uint256 id, uint256 who, uint64 until) external {
        if (!_try(who, abi.encodeCall(ROUTER.deprecateModel, (idOf(id), until)))) return;
        if (_caller(who) != OWNER) approvedByOther = true;
    }

    function freeze(uint256 id, uint256 who) external {
        if (!_try(who, abi.encodeCall(ROUTER.freezeModel, (idOf(id))))) return;
        everFrozen[idOf(id)] = true;
        if (_caller(who) == callers[2]) frozenByStranger = true;
    }

    function setGuardian(uint256 who) external {
        if (!_try(who, abi.encodeCall(ROUTER.setGuardian, (callers[1])))) return;
        if (_caller(who) != OWNER) approvedByOther = true;
    }

    function warp(uint32 by) external {
        vm.warp(block.timestamp + by);
    }

    function verifies(bytes32 modelId) external view returns (bool) {
        try ROUTER.verifyInference(modelId, new uint256[](0), "good") {
            return true;
        } catch {
            return false;
        }
    }

    function stateOf(bytes32 modelId) external view returns (IInferenceRouter.State) {
        return ROUTER.model(modelId).state;
    }

    function _caller(uint256 who) private view returns (address) {
        return callers[who % callers.length];
    }

    function _try(uint256 who, bytes memory call) private returns (bool ok) {
        vm.prank(_caller(who));
        (ok,) = address(ROUTER).call(call);
    }
}
