// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AggregateFixture} from "../helpers/AggregateFixture.sol";
import {NotAVerifier, SlotlessAggregate, StubAggregate} from "../helpers/StubVerifiers.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

contract RegisterAggregateTest is AggregateFixture {
    function setUp() public override {
        super.setUp();
        scheduleModels();
    }

    function test_schedulesAndPinsTheCodehash() public {
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        bytes32 codehash = address(aggregate).codehash;
        vm.expectEmit(address(router));
        emit IAggregateRouter.AggregateRegistered(
            AGGREGATE, AGGREGATES, address(aggregate), 1, codehash, activatesAt, slotModels(), slotSizes()
        );
        assertEq(scheduleAggregate(), 1);
        IInferenceRouter.Model memory m = router.model(AGGREGATE);
        assertEq(m.verifier, address(aggregate));
        assertEq(m.codehash, codehash);
        assertEq(m.activatesAt, activatesAt);
        assertEq(m.familyId, AGGREGATES);
        assertEq(m.version, 1);
        assertEq(m.statement.outputs, 0);
        assertState(AGGREGATE, IInferenceRouter.State.Scheduled);
        skip(DELAY);
        assertState(AGGREGATE, IInferenceRouter.State.Active);
        assertEq(router.latestActive(AGGREGATES), AGGREGATE);
        (bytes32[] memory modelIds, uint256[] memory sizes) = router.slotsOf(AGGREGATE);
        assertEq(modelIds, slotModels());
        assertEq(sizes, slotSizes());
    }

    /// Deprecation and freezing are those of models.
    function test_hasTheStatesOfAModel() public {
        scheduleAggregate();
        skip(DELAY);
        vm.prank(owner);
        router.deprecateModel(AGGREGATE, uint64(block.timestamp) + 1);
        assertState(AGGREGATE, IInferenceRouter.State.Deprecated);
        vm.prank(guardian);
        router.freezeModel(AGGREGATE);
        assertState(AGGREGATE, IInferenceRouter.State.Frozen);
        _expectTaken(AGGREGATE, IInferenceRouter.State.Frozen);
    }

    function test_countsVersionsByFamily() public {
        assertEq(scheduleAggregate(), 1);
        bytes32 next = keccak256("next");
        assertEq(scheduleAggregate(next, aggregateOf(address(aggregate))), 2);
        assertEq(router.modelAt(AGGREGATES, 2), next);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        expectNotOwner(caller);
        vm.prank(caller);
        router.registerAggregate(AGGREGATE, r);
    }

    function test_RevertWhen_idIsZero() public {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InvalidModelId.selector, bytes32(0)));
        scheduleAggregate(bytes32(0), r);
    }

    function test_RevertWhen_familyIsZero() public {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        r.familyId = bytes32(0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.InvalidFamilyId.selector, bytes32(0)));
        scheduleAggregate(AGGREGATE, r);
    }

    function test_RevertWhen_idIsAModels() public {
        _expectTaken(MODEL, IInferenceRouter.State.Scheduled);
    }

    function test_RevertWhen_idIsAnAggregates() public {
        scheduleAggregate();
        _expectTaken(AGGREGATE, IInferenceRouter.State.Scheduled);
        IInferenceRouter.Registration memory r = registrationOf(address(verifier));
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceRouter.ModelAlreadyRegistered.selector, AGGREGATE, IInferenceRouter.State.Scheduled
            )
        );
        schedule(AGGREGATE, r);
    }

    /// Clients ask a family for its latest model.
    function test_RevertWhen_aFamilyWouldHaveBoth() public {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        r.familyId = FAMILY;
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.FamilyOfAnotherKind.selector, FAMILY, AGGREGATE));
        scheduleAggregate(AGGREGATE, r);

        scheduleAggregate();
        bytes32 id = keccak256("another");
        IInferenceRouter.Registration memory m = registrationOf(address(verifier));
        m.familyId = AGGREGATES;
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.FamilyOfAnotherKind.selector, AGGREGATES, id));
        schedule(id, m);
    }

    /// A model's verifier is no aggregate's, and the other way round.
    function test_RevertWhen_theVerifierIsOfAnotherKind() public {
        bytes32 expected = router.AGGREGATE_KIND();
        assertEq(expected, keccak256("zkml-evm.aggregate.v1"));
        _expectWrongKind(address(verifier), expected, router.PRODUCTION_KIND());
        _expectWrongKind(address(new NotAVerifier()), expected, bytes32(0));

        IInferenceRouter.Registration memory m = registrationOf(address(aggregate));
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceRouter.VerifierKindMismatch.selector, address(aggregate), router.PRODUCTION_KIND(), expected
            )
        );
        schedule(keccak256("another"), m);
    }

    function testFuzz_RevertWhen_verifierHasNoCode(address codeless) public {
        vm.assume(codeless.code.length == 0);
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(codeless);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, codeless));
        scheduleAggregate(AGGREGATE, r);
    }

    function testFuzz_RevertWhen_codehashDiffers(bytes32 codehash) public {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        vm.assume(codehash != r.codehash);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, codehash, r.codehash));
        r.codehash = codehash;
        scheduleAggregate(AGGREGATE, r);
    }

    function testFuzz_RevertWhen_aSlotsModelIsUnknown(bytes32 unknown, uint8 slot) public {
        vm.assume(unknown != MODEL && unknown != OTHER && unknown != AGGREGATE);
        bytes32[] memory ids = slotModels();
        ids[slot % 3] = unknown;
        _expectNoModel(ids, unknown, IInferenceRouter.State.Unset);
    }

    function test_RevertWhen_aSlotsModelIsFrozen() public {
        freeze();
        _expectNoModel(slotModels(), MODEL, IInferenceRouter.State.Frozen);
    }

    function test_RevertWhen_aSlotTakesAggregates() public {
        scheduleAggregate();
        bytes32[] memory ids = slotModels();
        ids[1] = AGGREGATE;
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(new StubAggregate(ids, slotSizes())));
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.NotAModel.selector, AGGREGATE));
        scheduleAggregate(keccak256("next"), r);
    }

    function test_RevertWhen_aSlotTakesTheAggregateItself() public {
        bytes32[] memory ids = slotModels();
        ids[0] = AGGREGATE;
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(new StubAggregate(ids, slotSizes())));
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.NotAModel.selector, AGGREGATE));
        scheduleAggregate(AGGREGATE, r);
    }

    function test_RevertWhen_theSlotsAreNone() public {
        _expectInvalidSlots(address(new SlotlessAggregate()));
        _expectInvalidSlots(address(new StubAggregate(new bytes32[](0), new uint256[](0))));
        _expectInvalidSlots(address(new StubAggregate(slotModels(), new uint256[](2))));
    }

    function testFuzz_RevertWhen_aSlotHasNoContext(uint8 slot) public {
        uint256[] memory sizes = slotSizes();
        sizes[slot % 3] = 0;
        _expectInvalidSlots(address(new StubAggregate(slotModels(), sizes)));
    }

    function test_RevertWhen_slotsOfAModelAreAsked() public {
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.NotAnAggregate.selector, MODEL));
        router.slotsOf(MODEL);
    }

    function _expectInvalidSlots(address verifier_) private {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(verifier_);
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.InvalidSlots.selector, verifier_));
        scheduleAggregate(AGGREGATE, r);
    }

    function _expectNoModel(bytes32[] memory ids, bytes32 modelId, IInferenceRouter.State state) private {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(new StubAggregate(ids, slotSizes())));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, modelId, state));
        scheduleAggregate(AGGREGATE, r);
    }

    function _expectWrongKind(address verifier_, bytes32 expected, bytes32 got) private {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(verifier_);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.VerifierKindMismatch.selector, verifier_, expected, got)
        );
        scheduleAggregate(AGGREGATE, r);
    }

    function _expectTaken(bytes32 id, IInferenceRouter.State state) private {
        IAggregateRouter.AggregateRegistration memory r = aggregateOf(address(aggregate));
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelAlreadyRegistered.selector, id, state));
        scheduleAggregate(id, r);
    }
}
