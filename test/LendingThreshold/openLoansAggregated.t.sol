// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {AcceptingVerifier, StubAggregate} from "../helpers/StubVerifiers.sol";
import {HookToken} from "../helpers/Tokens.sol";
import {BurningWallet} from "../helpers/Wallets1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// One proof in the place of many borrowers' own. The router accepts exactly the aggregate's statements, built here once more.
contract OpenLoansAggregatedTest is LendingFixture {
    bytes32 private constant AGGREGATE = keccak256("aggregate");
    uint256 private constant ITEM_GAS = 1_000_000;
    uint256 private constant SLOTS = 4;

    address private relayer = makeAddr("relayer");
    ILendingThreshold.BorrowRequest[] private _requests;
    bytes[] private _permits;
    /// As {ILendingThreshold-Aggregate} has them; the last slot is empty.
    uint256[][] private _others;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < SLOTS - 1; ++i) {
            _requests.push(_request(i));
            _permits.push(permitOf(_keyOf(i), _requests[i]));
            _others.push();
        }
        _requests[2].tier = 1;
        _requests[2].amount = HIGH_AMOUNT;
        _permits[2] = permitOf(_keyOf(2), _requests[2]);
        _others.push(_filled(0, 5, 6));
    }

    function test_opensAllByOneProof() public {
        (bytes32[] memory ids, uint256[] memory inputs) = _accept();
        assertEq(inputs.length, 3 * SLOTS);
        bytes memory call =
            abi.encodeCall(IInferenceVerifier.verifyAggregate, (AGGREGATE, ids, _sizes(ids.length), inputs, "proof"));
        vm.expectCall(address(router), call, 1);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.LoanOpened(_loanId(0), _subject(0), policyId, 0, AMOUNT, nullifierOf(_requests[0]));
        assertEq(_send(), 3);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
        assertEq(token.balanceOf(_subject(1)), AMOUNT);
        assertEq(token.balanceOf(_subject(2)), HIGH_AMOUNT);
        assertEq(lending.loanCount(), 3);
        assertEq(lending.nonceOf(_subject(0)), 1);
        assertEq(lending.nonceOf(relayer), 0);
    }

    /// What stands in a slot is the statement of {openLoan}: each item's could be sent alone.
    function test_theStatementIsTheOneOfALoanAlone() public {
        (, uint256[] memory inputs) = _accept();
        for (uint256 i = 0; i < 3; ++i) {
            uint256[] memory alone = statementOf(_requests[i]);
            for (uint256 j = 0; j < 3; ++j) {
                assertEq(inputs[3 * i + j], alone[j]);
            }
        }
    }

    /// Empty slots and slots of others may stand anywhere.
    function testFuzz_slotsOfOthersMayStandAnywhere(uint8 position, uint256 context) public {
        delete _others;
        for (uint256 i = 0; i < SLOTS; ++i) {
            if (i == position % SLOTS) _others.push(_filled(context, 7, 8));
            else _others.push();
        }
        _accept();
        assertEq(_send(), 3);
    }

    /// Slots of other models have statements of other sizes: every request's still stands right behind what is before it.
    function testFuzz_slotsOfOthersMayHaveAnySize(uint8[4] calldata words, uint256 seed) public {
        delete _others;
        (bytes32[] memory ids, uint256[] memory sizes) = (new bytes32[](7), new uint256[](7));
        for (uint256 i = 0; i < 7; ++i) {
            (ids[i], sizes[i]) = i % 2 == 1 ? (MODEL, 3) : (bytes32(0), 1 + uint256(words[i / 2]) % 8);
            _others.push(new uint256[](i % 2 == 1 ? 0 : sizes[i]));
        }
        uint256[] memory inputs;
        for (uint256 i = 0; i < 7; ++i) {
            for (uint256 j = 0; j < _others[i].length; ++j) {
                _others[i][j] = uint256(keccak256(abi.encode(seed, i, j)));
            }
            inputs = _joined(inputs, i % 2 == 1 ? statementOf(_requests[i / 2]) : _others[i]);
        }
        router.acceptAggregate(AGGREGATE, ids, sizes, inputs);
        assertEq(_send(), 3);
    }

    /// Two policies with two models, in one aggregate.
    function test_policiesMayDiffer() public {
        ILendingThreshold.PolicyTerms memory t = termsWith(THRESHOLD - 1);
        t.modelId = keccak256("other model");
        bytes32 other = add(lending, t);
        _requests[1].policyId = other;
        _permits[1] = permitOf(_keyOf(1), _requests[1]);
        (bytes32[] memory ids, uint256[] memory inputs) = _statements();
        (ids[1], inputs[5]) = (t.modelId, R - uint256(1 - THRESHOLD));
        inputs[3] = lending.contextOf(_subject(1), t.modelId, other, 0, _requests[1].expiry);
        router.acceptAggregate(AGGREGATE, ids, _sizes(ids.length), inputs);
        assertEq(_send(), 3);
        assertEq(lending.policy(other).principal, AMOUNT);
    }

    /// An attestation that was revoked meanwhile refuses its own item only, whose statement is still part of the proof's.
    function test_aBadItemLeavesTheOthersAlone() public {
        _accept();
        bytes32 hash = registry.hashAttestation(_requests[1].attestation);
        vm.prank(attestor);
        registry.revoke(hash);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            1, _subject(1), abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, attestor, hash)
        );
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(1)), 0);
        assertEq(lending.nonceOf(_subject(1)), 0);
    }

    function test_aRetiredPolicyRefusesItsItemsOnly() public {
        bytes32 other = add(lending, termsWith(THRESHOLD - 1));
        _requests[1].policyId = other;
        _permits[1] = permitOf(_keyOf(1), _requests[1]);
        (bytes32[] memory ids, uint256[] memory inputs) = _statements();
        inputs[5] = R - uint256(1 - THRESHOLD);
        router.acceptAggregate(AGGREGATE, ids, _sizes(ids.length), inputs);
        vm.prank(owner);
        lending.retirePolicy(other);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            1, _subject(1), abi.encodeWithSelector(ILendingThreshold.PolicyIsRetired.selector, other)
        );
        assertEq(_send(), 2);
    }

    /// Sent twice, nobody gets a second loan: every item is spent by itself.
    function test_theProofGivesNothingTwice() public {
        _accept();
        assertEq(_send(), 3);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(lending));
            emit ILendingThreshold.BatchItemRefused(i, _subject(i), _spent(i));
        }
        assertEq(_send(), 0);
        assertEq(lending.loanCount(), 3);
    }

    /// A loan that was opened alone is not opened again by its slot.
    function test_aSlotReplaysNoLoanAlone() public {
        _accept();
        acceptProofOf(_requests[0]);
        open(_requests[0]);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(0, _subject(0), _spent(0));
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
    }

    /// One proof may stand in two slots: the second one is refused.
    function test_aRepeatedStatementGivesOneLoan() public {
        (_requests[1], _permits[1]) = (_requests[0], _permits[0]);
        _accept();
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(1, _subject(0), _spent(0));
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
    }

    /// The proof shows scores; consent is each borrower's own.
    function test_withoutAPermitThereIsNoLoan() public {
        _accept();
        _permits[0] = "";
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            0,
            _subject(0),
            abi.encodeWithSelector(
                ILendingThreshold.InvalidPermit.selector, _subject(0), lending.permitDigest(_requests[0])
            )
        );
        assertEq(_send(), 2);
    }

    function test_theSenderNeedsNoPermit() public {
        _accept();
        _permits[0] = "";
        assertEq(_sendAs(_subject(0), false), 3);
    }

    /// Contexts are the borrowers' own: whoever sends it, the same loans are opened for the same borrowers.
    function testFuzz_anybodyMaySendIt(address sender) public {
        vm.assume(sender != address(0));
        _accept();
        assertEq(_sendAs(sender, false), 3);
        assertEq(token.balanceOf(_subject(2)), HIGH_AMOUNT);
    }

    function test_RevertWhen_allOrNothing() public {
        _accept();
        _permits[1] = "";
        bytes32 digest = lending.permitDigest(_requests[1]);
        bytes memory reason = abi.encodeWithSelector(ILendingThreshold.InvalidPermit.selector, _subject(1), digest);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchItemFailed.selector, 1, reason));
        _sendAs(relayer, true);
    }

    function test_RevertWhen_theProofIsRejected() public {
        _expectRejected();
        _send();
    }

    function testFuzz_RevertWhen_itIsAnotherAggregate(bytes32 id) public {
        vm.assume(id != AGGREGATE);
        _accept();
        _expectRejected();
        lending.openLoansAggregated(
            _requests, _permits, ILendingThreshold.Aggregate(id, _others, "proof"), ITEM_GAS, false
        );
    }

    /// Every field of a request that its statement is made of.
    function testFuzz_RevertWhen_aRequestIsAnother(uint8 item, uint8 field) public {
        _accept();
        ILendingThreshold.BorrowRequest storage request = _requests[item % 3];
        field %= 5;
        if (field == 0) request.tier ^= 1;
        if (field == 1) request.expiry += 1;
        if (field == 2) request.nonce += 1;
        if (field == 3) request.attestation.inputCommitment ^= bytes32(uint256(1));
        if (field == 4) request.attestation.subject = relayer;
        _expectRejected();
        _send();
    }

    function test_RevertWhen_theItemsAreExchanged() public {
        _accept();
        (_requests[0], _requests[1]) = (_requests[1], _requests[0]);
        (_permits[0], _permits[1]) = (_permits[1], _permits[0]);
        _expectRejected();
        _send();
    }

    /// Another statement in a slot that opens no loan is another statement of the aggregate.
    function testFuzz_RevertWhen_anotherSlotIsAnother(uint8 word) public {
        _accept();
        _others[3][word % 3] += 1;
        _expectRejected();
        _send();
    }

    /// A request cannot be put where the aggregate has an empty slot: the context is computed here, and never 0.
    function test_RevertWhen_aRequestIsPutIntoAnEmptySlot() public {
        _accept();
        _requests.push(_request(3));
        _permits.push(permitOf(_keyOf(3), _requests[3]));
        delete _others[3];
        _expectRejected();
        _send();
    }

    function testFuzz_RevertWhen_slotsAndRequestsDiffer(uint8 slots) public {
        slots %= 8;
        vm.assume(slots != 3);
        delete _others;
        for (uint256 i = 0; i < slots; ++i) {
            _others.push();
        }
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchSlotsMismatch.selector, slots, 3));
        _send();
    }

    function test_RevertWhen_permitsAreMissing() public {
        _accept();
        _permits.pop();
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchLengthMismatch.selector, 3, 2));
        _send();
    }

    function testFuzz_RevertWhen_aPolicyIsUnknown(bytes32 unknown) public {
        vm.assume(unknown != policyId);
        _requests[1].policyId = unknown;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyUnknown.selector, unknown));
        _send();
    }

    function testFuzz_RevertWhen_aTierIsUnknown(uint8 tier) public {
        tier = uint8(bound(tier, 2, 255));
        _requests[1].tier = tier;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.TierUnknown.selector, policyId, tier));
        _send();
    }

    function testFuzz_RevertWhen_aCommitmentIsAliased(uint256 commitment) public {
        commitment = bound(commitment, R, type(uint256).max);
        _requests[1].attestation.inputCommitment = bytes32(commitment);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.NotCanonical.selector, commitment));
        _send();
    }

    function test_RevertWhen_empty() public {
        delete _requests;
        delete _permits;
        vm.expectRevert(ILendingThreshold.BatchEmpty.selector);
        _send();
    }

    function test_RevertWhen_paused() public {
        vm.prank(owner);
        lending.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        _send();
    }

    function test_RevertWhen_anItemWouldGetTooLittleGas() public {
        _accept();
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchGasTooLow.selector, 0, 20_000_000));
        lending.openLoansAggregated{gas: 10_000_000}(_requests, _permits, _aggregate(), 20_000_000, false);
    }

    /// An attestor that burns what it gets burns its own item's gas only.
    function test_aBurningAttestorCostsNoMoreThanItsGas() public {
        BurningWallet wallet = new BurningWallet();
        allow(address(wallet));
        _requests[0].attestor = address(wallet);
        _permits[0] = permitOf(_keyOf(0), _requests[0]);
        _accept();
        uint256 before = gasleft();
        assertEq(_send(), 2);
        assertLt(before - gasleft(), 2 * ITEM_GAS);
    }

    /// A token that calls back on payment opens nothing more.
    function test_reentranceIsRefused() public {
        HookToken hook = new HookToken();
        lending = poolOf(address(hook));
        policyId = addPolicyTo(lending);
        hook.mint(address(lending), POOL);
        for (uint256 i = 0; i < 3; ++i) {
            _requests[i] = _request(i);
            _permits[i] = permitOf(_keyOf(i), _requests[i]);
        }
        _accept();
        bytes memory again =
            abi.encodeCall(lending.openLoansAggregated, (_requests, _permits, _aggregate(), ITEM_GAS, false));
        hook.setHook(address(lending), again);
        hook.setBubbles(true);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(lending));
            emit ILendingThreshold.BatchItemRefused(
                i, _subject(i), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
        }
        assertEq(_send(), 0);
    }

    /// With a router as in production: a frozen model stops its slots, and the others are sent without them.
    function test_theSlotOfAFrozenModel() public {
        InferenceRouter r = new InferenceRouter(owner, guardian, 0);
        bytes32 frozen = keccak256("other model");
        _registerAll(r, frozen);
        lending = new LendingThreshold(owner, guardian, IERC20(token), r, registry);
        token.mint(address(lending), POOL);
        policyId = addPolicyTo(lending);
        ILendingThreshold.PolicyTerms memory t = terms();
        t.modelId = frozen;
        bytes32 other = add(lending, t);
        for (uint256 i = 0; i < 3; ++i) {
            _requests[i] = _request(i);
            if (i == 2) _requests[i].policyId = other;
            _permits[i] = permitOf(_keyOf(i), _requests[i]);
        }
        vm.prank(guardian);
        r.freezeModel(frozen);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, frozen, IInferenceRouter.State.Frozen)
        );
        _send();

        // The first model in a slot of the second is another statement to begin with.
        _requests[2].policyId = policyId;
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotModelMismatch.selector, 2, frozen, MODEL));
        _send();

        _requests.pop();
        _permits.pop();
        _others[2] = _filled(1, 2, 3);
        assertEq(_send(), 2);
        assertEq(lending.loanCount(), 2);

        // With other sizes, a statement for the first model would be read in the slot of the frozen one,
        // whose proofs may say anything.
        _requests.pop();
        _permits.pop();
        (_others[0], _others[2], _others[3]) = (new uint256[](6), new uint256[](1), new uint256[](2));
        _others[0][3] = 1;
        vm.expectRevert(abi.encodeWithSelector(IAggregateRouter.SlotSizeMismatch.selector, 0, 3, 6));
        _send();
    }

    /// Slots of MODEL, MODEL, the other, MODEL.
    function _registerAll(InferenceRouter r, bytes32 other) private {
        bytes32[] memory ids = new bytes32[](SLOTS);
        uint256[] memory sizes = new uint256[](SLOTS);
        for (uint256 i = 0; i < SLOTS; ++i) {
            (ids[i], sizes[i]) = (i == 2 ? other : MODEL, 3);
        }
        address v = address(new AcceptingVerifier());
        IInferenceRouter.Registration memory m = IInferenceRouter.Registration({
            familyId: MODEL,
            verifier: v,
            codehash: v.codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1
            )
        });
        address a = address(new AcceptingAggregate(ids, sizes));
        vm.startPrank(owner);
        r.registerModel(MODEL, m);
        r.registerModel(other, m);
        r.registerAggregate(AGGREGATE, IAggregateRouter.AggregateRegistration(AGGREGATE, a, a.codehash));
        vm.stopPrank();
    }

    function _request(uint256 index) private view returns (ILendingThreshold.BorrowRequest memory request) {
        IInputAttestation.Attestation memory a = statementFor(_subject(index));
        a.inputCommitment = bytes32(1000 + index);
        request = requestOver(a);
        request.proof = "";
    }

    /// Every slot's statement by the written formulas, behind each other; models of the slots that requests take.
    function _statements() private view returns (bytes32[] memory ids, uint256[] memory inputs) {
        ids = new bytes32[](_others.length);
        inputs = new uint256[](3 * _others.length);
        uint256 next;
        for (uint256 i = 0; i < _others.length; ++i) {
            uint256[] memory statement = _others[i];
            if (statement.length == 0) {
                ids[i] = MODEL;
                statement = statementOf(_requests[next]);
                ++next;
            }
            for (uint256 j = 0; j < 3; ++j) {
                inputs[3 * i + j] = statement[j];
            }
        }
    }

    function _accept() private returns (bytes32[] memory ids, uint256[] memory inputs) {
        (ids, inputs) = _statements();
        router.acceptAggregate(AGGREGATE, ids, _sizes(ids.length), inputs);
    }

    function _sizes(uint256 slots) private pure returns (uint256[] memory sizes) {
        sizes = new uint256[](slots);
        for (uint256 i = 0; i < slots; ++i) {
            sizes[i] = 3;
        }
    }

    function _joined(uint256[] memory first, uint256[] memory then) private pure returns (uint256[] memory all) {
        all = new uint256[](first.length + then.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < first.length ? first[i] : then[i - first.length];
        }
    }

    function _filled(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory words) {
        words = new uint256[](3);
        (words[0], words[1], words[2]) = (a, b, c);
    }

    function _aggregate() private view returns (ILendingThreshold.Aggregate memory) {
        return ILendingThreshold.Aggregate(AGGREGATE, _others, "proof");
    }

    function _send() private returns (uint256 opened) {
        return _sendAs(relayer, false);
    }

    function _sendAs(address sender, bool allOrNothing) private returns (uint256 opened) {
        vm.prank(sender);
        return lending.openLoansAggregated(_requests, _permits, _aggregate(), ITEM_GAS, allOrNothing);
    }

    function _expectRejected() private {
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
    }

    function _spent(uint256 index) private view returns (bytes memory) {
        return abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, nullifierOf(_requests[index]));
    }

    function _loanId(uint256 index) private view returns (uint256) {
        return uint256(uint160(_subject(index))) << 96 | _requests[index].attestation.issuedAt / EPOCH;
    }

    function _keyOf(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("aggregated", index)));
    }

    function _subject(uint256 index) private pure returns (address) {
        return vm.addr(_keyOf(index));
    }
}

/// Accepts any proof: what a router as in production still refuses is its own.
contract AcceptingAggregate is StubAggregate {
    constructor(bytes32[] memory modelIds, uint256[] memory sizes) StubAggregate(modelIds, sizes) {}

    function verifyProof(uint256[] calldata, bytes calldata) external pure override {}
}
