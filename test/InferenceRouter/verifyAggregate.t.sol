// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AggregateFixture} from "../helpers/AggregateFixture.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

contract VerifyAggregateTest is AggregateFixture {
    function setUp() public override {
        super.setUp();
        registerAll();
    }

    function test_returnsNothingForAGoodProof() public view {
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    /// The verifier gets what the caller gave, bit for bit.
    function testFuzz_passesInputsAndProofUnchanged(uint256[8] calldata words, bytes calldata proof) public {
        uint256[] memory inputs = new uint256[](8);
        for (uint256 i = 0; i < 8; ++i) {
            inputs[i] = words[i];
        }
        bytes memory call = abi.encodeCall(IProofVerifier.verifyProof, (inputs, proof));
        vm.mockCall(address(aggregate), call, "");
        vm.expectCall(address(aggregate), call, 1);
        router.verifyAggregate(AGGREGATE, new bytes32[](3), slotSizes(), inputs, proof);
    }

    function test_RevertWhen_proofIsRejected() public {
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "some");
    }

    function testFuzz_RevertWhen_unset(bytes32 id) public {
        vm.assume(id != MODEL && id != OTHER && id != AGGREGATE);
        _expectNotActive(id, IInferenceRouter.State.Unset);
        router.verifyAggregate(id, slotModels(), slotSizes(), allInputs(), "all");
    }

    function test_RevertWhen_itIsAModel() public {
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.NotAnAggregate.selector, MODEL));
        router.verifyAggregate(MODEL, slotModels(), slotSizes(), allInputs(), "good");
    }

    /// Neither of the two ways to verify a model's proof takes an aggregate's.
    function test_RevertWhen_anAggregateIsTakenForAModel() public {
        bytes memory refusal = abi.encodeWithSelector(IAggregateRouter.NotAModel.selector, AGGREGATE);
        vm.expectRevert(refusal);
        router.verifyInference(AGGREGATE, allInputs(), "all");
        vm.expectRevert(refusal);
        router.proveContradiction(AGGREGATE, allInputs(), "all", allInputs(), "all");
    }

    function testFuzz_scheduledAggregateVerifiesFromItsTimeOn(uint64 wait) public {
        bytes32 next = keccak256("next");
        scheduleAggregate(next, aggregateOf(address(aggregate)));
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        skip(bound(wait, 0, 2 * DELAY));
        if (block.timestamp < activatesAt) _expectNotYet(next, activatesAt);
        router.verifyAggregate(next, slotModels(), slotSizes(), allInputs(), "all");
    }

    function testFuzz_deprecatedAggregateVerifiesUntilItsEnd(uint64 wait) public {
        uint64 until = uint64(block.timestamp) + 1 days;
        vm.prank(owner);
        router.deprecateModel(AGGREGATE, until);
        skip(bound(wait, 0, 2 days));
        if (block.timestamp >= until) _expectDeprecated(AGGREGATE, until);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    function test_RevertWhen_frozen() public {
        vm.prank(guardian);
        router.freezeModel(AGGREGATE);
        _expectNotActive(AGGREGATE, IInferenceRouter.State.Frozen);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    /// What a model's freezing takes from its own proofs, it takes from its slots.
    function test_RevertWhen_aSlotsModelIsFrozen() public {
        vm.prank(guardian);
        router.freezeModel(OTHER);
        _expectNotActive(OTHER, IInferenceRouter.State.Frozen);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    function test_theOtherSlotsSurviveAFrozenModel() public {
        freeze();
        bytes32[] memory ids = new bytes32[](3);
        ids[2] = OTHER;
        router.verifyAggregate(AGGREGATE, ids, slotSizes(), allInputs(), "all");
    }

    /// The state is asked for after a slot that nobody relies on, and of each model where they take turns.
    function testFuzz_RevertWhen_anyReliedOnSlotIsFrozen(uint8 relied) public {
        freeze();
        bytes32[] memory ids = slotModels();
        bool refused;
        for (uint256 i = 0; i < 3; ++i) {
            if (relied >> i & 1 == 0) ids[i] = bytes32(0);
            else if (ids[i] == MODEL) refused = true;
        }
        if (refused) _expectNotActive(MODEL, IInferenceRouter.State.Frozen);
        router.verifyAggregate(AGGREGATE, ids, slotSizes(), allInputs(), "all");
    }

    function testFuzz_aDeprecatedModelVerifiesUntilItsEnd(uint64 wait) public {
        uint64 until = uint64(block.timestamp) + 1 days;
        deprecate(until);
        skip(bound(wait, 0, 2 days));
        if (block.timestamp >= until) _expectDeprecated(MODEL, until);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    /// An aggregate cannot be active before its models: who registers both at once waits for both.
    function test_RevertWhen_aSlotsModelIsNotYetActive() public {
        bytes32 late = keccak256("late");
        schedule(late, registrationOf(address(verifier)));
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        vm.mockCall(address(aggregate), abi.encodeWithSignature("slots()"), abi.encode(_ids(late), slotSizes()));
        _expectNotYet(late, activatesAt);
        router.verifyAggregate(AGGREGATE, _ids(late), slotSizes(), allInputs(), "all");
    }

    function testFuzz_RevertWhen_aSlotIsOfAnotherModel(uint8 slot, bytes32 modelId) public {
        slot %= 3;
        bytes32[] memory ids = slotModels();
        vm.assume(modelId != bytes32(0) && modelId != ids[slot]);
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotModelMismatch.selector, slot, ids[slot], modelId));
        ids[slot] = modelId;
        router.verifyAggregate(AGGREGATE, ids, slotSizes(), allInputs(), "all");
    }

    function testFuzz_RevertWhen_theNumberOfSlotsIsAnother(uint8 count) public {
        vm.assume(count != 3);
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotCountMismatch.selector, AGGREGATE, 3, count));
        router.verifyAggregate(AGGREGATE, new bytes32[](count), slotSizes(), allInputs(), "all");
    }

    /// A caller that takes another number of words for a slot would have its statement read as another slot's.
    function testFuzz_RevertWhen_aSlotsSizeIsAnother(uint8 slot, uint256 size, bool relied) public {
        slot %= 3;
        uint256[] memory sizes = slotSizes();
        vm.assume(size != sizes[slot]);
        bytes32[] memory ids = relied ? slotModels() : new bytes32[](3);
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotSizeMismatch.selector, slot, sizes[slot], size));
        sizes[slot] = size;
        router.verifyAggregate(AGGREGATE, ids, sizes, allInputs(), "all");
    }

    function testFuzz_RevertWhen_theNumberOfSizesIsAnother(uint8 count) public {
        vm.assume(count != 3);
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotCountMismatch.selector, AGGREGATE, 3, count));
        router.verifyAggregate(AGGREGATE, slotModels(), new uint256[](count), allInputs(), "all");
    }

    /// A slot with the context 0 says nothing, whatever else stands in it.
    function testFuzz_RevertWhen_aReliedOnSlotIsEmpty(uint8 slot) public {
        slot %= 3;
        uint256[] memory inputs = allInputs();
        inputs[3 * uint256(slot)] = 0;
        bytes32[] memory ids = slotModels();
        ids[slot] = bytes32(0);
        router.verifyAggregate(AGGREGATE, ids, slotSizes(), inputs, "all");
        ids = slotModels();
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.EmptySlot.selector, slot));
        router.verifyAggregate(AGGREGATE, ids, slotSizes(), inputs, "all");
    }

    /// Zeros elsewhere in a statement are values as any other.
    function test_onlyTheContextMakesASlotEmpty() public view {
        uint256[] memory inputs = new uint256[](8);
        (inputs[0], inputs[3], inputs[6]) = (1, 1, 1);
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), inputs, "all");
    }

    function testFuzz_RevertWhen_thereAreMoreOrFewerInputs(uint8 count) public {
        vm.assume(count != 8);
        uint256[] memory inputs = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            inputs[i] = 1;
        }
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InvalidInstanceCount.selector, 8, count));
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), inputs, "all");
    }

    function test_RevertWhen_theCodeIsAnother() public {
        bytes32 codehash = address(aggregate).codehash;
        vm.etch(address(aggregate), address(verifier).code);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, codehash, address(aggregate).codehash)
        );
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "good");
    }

    function test_RevertWhen_verifierGivesNoReason() public {
        vm.mockCallRevert(address(aggregate), abi.encodeWithSelector(IProofVerifier.verifyProof.selector), "");
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.VerifierFailed.selector, AGGREGATE, address(aggregate)));
        router.verifyAggregate(AGGREGATE, slotModels(), slotSizes(), allInputs(), "all");
    }

    function _ids(bytes32 last) private pure returns (bytes32[] memory ids) {
        ids = slotModels();
        ids[2] = last;
    }

    function _expectNotActive(bytes32 id, IInferenceRouter.State state) private {
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, id, state));
    }

    function _expectNotYet(bytes32 id, uint64 activatesAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotYetActive.selector, id, activatesAt, block.timestamp)
        );
    }

    function _expectDeprecated(bytes32 id, uint64 until) private {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelDeprecatedSince.selector, id, until, block.timestamp)
        );
    }
}
