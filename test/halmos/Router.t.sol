// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AcceptingVerifier, StubAggregate} from "../helpers/StubVerifiers.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// Properties of the router for every caller, time and argument, by symbolic execution (`make halmos`).
contract RouterCheck is Test {
    uint32 private constant DELAY = 2 days;
    uint256 private constant NOW = 1_800_000_000;
    bytes32 private constant MODEL = bytes32(uint256(1));
    bytes32 private constant AGGREGATE = bytes32(uint256(2));

    address private constant OWNER = address(0xa11ce);
    address private constant GUARDIAN = address(0xb0b);
    InferenceRouter private router;
    AcceptingVerifier private verifier;
    StubAggregate private aggregate;

    function setUp() public {
        vm.warp(NOW);
        router = new InferenceRouter(OWNER, GUARDIAN, DELAY);
        verifier = new AcceptingVerifier();
        bytes32[] memory modelIds = new bytes32[](1);
        uint256[] memory sizes = new uint256[](1);
        (modelIds[0], sizes[0]) = (MODEL, 1);
        aggregate = new StubAggregate(modelIds, sizes);
    }

    /// Nobody but the owner approves a model, ends one, or names a guardian.
    function check_onlyTheOwnerApproves(address caller, bytes32 modelId, uint64 until, address next) public {
        vm.assume(caller != OWNER);
        _register();
        assertFalse(_call(caller, abi.encodeCall(router.registerModel, (modelId, _registration()))));
        assertFalse(_call(caller, abi.encodeCall(router.registerAggregate, (modelId, _aggregate()))));
        assertFalse(_call(caller, abi.encodeCall(router.deprecateModel, (modelId, until))));
        assertFalse(_call(caller, abi.encodeCall(router.setGuardian, (next))));
        assertEq(uint8(router.model(MODEL).state), uint8(IInferenceRouter.State.Scheduled));
        assertEq(router.guardian(), GUARDIAN);
    }

    /// Nobody but owner and guardian freezes by decree.
    function check_onlyOwnerAndGuardianFreeze(address caller) public {
        _register();
        bool ok = _call(caller, abi.encodeCall(router.freezeModel, (MODEL)));
        assertEq(ok, caller == OWNER || caller == GUARDIAN);
    }

    /// Whatever anybody does at whatever time, a frozen model stays frozen and does not verify.
    function check_frozenForEver(address caller, uint8 what, uint64 until, uint40 time) public {
        _register();
        assertTrue(_call(GUARDIAN, abi.encodeCall(router.freezeModel, (MODEL))));
        vm.warp(time);
        if (what == 0) _call(caller, abi.encodeCall(router.registerModel, (MODEL, _registration())));
        if (what == 1) _call(caller, abi.encodeCall(router.deprecateModel, (MODEL, until)));
        if (what == 2) _call(caller, abi.encodeCall(router.freezeModel, (MODEL)));
        assertEq(uint8(router.model(MODEL).state), uint8(IInferenceRouter.State.Frozen));
        assertFalse(_verifies());
    }

    /// A model verifies from its activation on and not a second earlier, whatever its verifier says.
    function check_scheduledNeverVerifies(uint40 time) public {
        _register();
        vm.assume(time >= NOW);
        vm.warp(time);
        assertEq(_verifies(), time >= NOW + DELAY);
    }

    /// A deprecated model verifies before its end and never again after, and its end only comes nearer.
    function check_deprecationOnlyComesNearer(uint40 first, uint64 second, uint40 time) public {
        _register();
        vm.warp(NOW + DELAY);
        assertTrue(_call(OWNER, abi.encodeCall(router.deprecateModel, (MODEL, first))));
        bool ok = _call(OWNER, abi.encodeCall(router.deprecateModel, (MODEL, second)));
        assertEq(ok, second <= first);
        uint64 until = router.model(MODEL).deprecatedUntil;
        assertEq(until, ok ? second : first);
        vm.warp(time);
        assertEq(_verifies(), time < until);
    }

    /// An aggregate verifies if and only if it is open itself, the model of its one slot is, and the slot has a context.
    function check_aSlotVerifiesOnlyWhatItsModelDoes(uint40 time, uint40 until, uint8 what, uint256 context) public {
        _register();
        vm.prank(OWNER);
        router.registerAggregate(AGGREGATE, _aggregate());
        vm.warp(NOW + DELAY);
        if (what == 1) assertTrue(_call(GUARDIAN, abi.encodeCall(router.freezeModel, (MODEL))));
        if (what == 2) assertTrue(_call(OWNER, abi.encodeCall(router.deprecateModel, (MODEL, until))));
        if (what == 3) assertTrue(_call(GUARDIAN, abi.encodeCall(router.freezeModel, (AGGREGATE))));
        vm.warp(time);
        bool open = time >= NOW + DELAY && what != 1 && what != 3 && (what != 2 || time < until);
        bytes32[] memory modelIds = new bytes32[](1);
        uint256[] memory inputs = new uint256[](1);
        uint256[] memory sizes = new uint256[](1);
        (modelIds[0], sizes[0], inputs[0]) = (MODEL, 1, context);
        bytes memory data = abi.encodeCall(router.verifyAggregate, (AGGREGATE, modelIds, sizes, inputs, "all"));
        (bool ok,) = address(router).staticcall(data);
        assertEq(ok, open && context != 0);
    }

    /// A threshold model is never frozen by two proofs, whatever they say.
    function check_thresholdsContradictNothing(uint256[3] memory a, uint256[3] memory b, address caller) public {
        IInferenceRouter.Registration memory r = _registration();
        r.statement.output = IInferenceRouter.OutputMode.Threshold;
        vm.prank(OWNER);
        router.registerModel(MODEL, r);
        assertFalse(_contradict(a, b, caller));
    }

    /// A revealed class is contradicted by one question with two answers, and by nothing else.
    function check_onlyContradictionsBreak(uint256[3] memory a, uint256[3] memory b, address caller) public {
        _register();
        assertEq(_contradict(a, b, caller), a[1] == b[1] && a[2] != b[2]);
    }

    function _contradict(uint256[3] memory a, uint256[3] memory b, address caller) private returns (bool) {
        uint256[] memory first = new uint256[](3);
        uint256[] memory second = new uint256[](3);
        (first[0], first[1], first[2]) = (a[0], a[1], a[2]);
        (second[0], second[1], second[2]) = (b[0], b[1], b[2]);
        return _call(caller, abi.encodeCall(router.proveContradiction, (MODEL, first, "", second, "")));
    }

    function _registration() private view returns (IInferenceRouter.Registration memory) {
        return IInferenceRouter.Registration({
            familyId: MODEL,
            verifier: address(verifier),
            codehash: address(verifier).codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 1
            )
        });
    }

    function _aggregate() private view returns (IAggregateRouter.AggregateRegistration memory) {
        return IAggregateRouter.AggregateRegistration(AGGREGATE, address(aggregate), address(aggregate).codehash);
    }

    function _register() private {
        vm.prank(OWNER);
        router.registerModel(MODEL, _registration());
    }

    function _verifies() private view returns (bool ok) {
        (ok,) = address(router).staticcall(abi.encodeCall(router.verifyInference, (MODEL, new uint256[](0), "")));
    }

    function _call(address caller, bytes memory data) private returns (bool ok) {
        vm.prank(caller);
        (ok,) = address(router).call(data);
    }
}
