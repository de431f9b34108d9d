// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {AcceptingVerifier, SilentVerifier, StubVerifier, VerboseVerifier} from "../helpers/StubVerifiers.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// The pool behind the real router, with verifiers that the owner should not have approved, or that are no longer what they were.
contract HostileVerifierTest is LendingFixture {
    uint256 private constant ITEM_GAS = 1_000_000;
    uint32 private constant DELAY = 1 days;

    InferenceRouter private _router;
    bytes32 private _good = keccak256("good model");
    bytes32 private _bad = keccak256("bad model");
    address private _honest;

    function setUp() public override {
        super.setUp();
        _router = new InferenceRouter(owner, stranger, DELAY);
        lending = new LendingThreshold(owner, guardian, token, _router, registry);
        token.mint(address(lending), POOL);
        _honest = address(new AcceptingVerifier());
        _register(_good, _honest);
        skip(DELAY);
    }

    /// Burns all it gets: a loan of its model fails, and in a batch it burns its own item's gas only.
    function test_burningVerifierCostsTheOthersNothing() public {
        _register(_bad, address(new SilentVerifier()));
        _expectTheOthersServed("");
    }

    /// Answers with a hundred kilobytes: no more than 256 bytes of it leave the item.
    function test_verboseVerifierCostsTheOthersNothing() public {
        _register(_bad, address(new VerboseVerifier()));
        _expectTheOthersServed(new bytes(256));
    }

    function test_RevertWhen_theVerifierWasSwapped() public {
        bytes32 pinned = _honest.codehash;
        vm.etch(_honest, address(new StubVerifier(9)).code);
        ILendingThreshold.BorrowRequest memory request = _requestFor(1, _good);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.CodehashMismatch.selector, pinned, _honest.codehash));
        open(request);
    }

    function test_RevertWhen_theVerifierIsGone() public {
        vm.etch(_honest, "");
        ILendingThreshold.BorrowRequest memory request = _requestFor(1, _good);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.NoCode.selector, _honest));
        open(request);
    }

    /// Approved a second ago, by a stolen key perhaps: no loan before the delay is over, and none after a freeze.
    function test_RevertWhen_theModelIsScheduled() public {
        _register(_bad, address(new AcceptingVerifier()));
        uint64 activatesAt = uint64(block.timestamp) + DELAY;
        ILendingThreshold.BorrowRequest memory request = _requestFor(1, _bad);
        request.expiry = activatesAt + 1;
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotYetActive.selector, _bad, activatesAt, block.timestamp)
        );
        open(request);
        vm.prank(stranger);
        _router.freezeModel(_bad);
        vm.warp(activatesAt + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, _bad, IInferenceRouter.State.Frozen)
        );
        open(request);
        assertEq(lending.loanCount(), 0);
    }

    /// A guardian's freeze lands ahead of a loan that is under way: the loan fails whole, and nothing of it is spent.
    function test_aFreezeAheadOfALoanSpendsNothing() public {
        ILendingThreshold.BorrowRequest memory request = _requestFor(1, _good);
        vm.prank(stranger);
        _router.freezeModel(_good);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, _good, IInferenceRouter.State.Frozen)
        );
        open(request);
        assertEq(lending.nonceOf(request.attestation.subject), 0);
        assertEq(lending.spentBy(request.attestation.subject, SCHEMA, policyId, NOW / EPOCH), bytes32(0));
    }

    function _expectTheOthersServed(bytes memory reason) private {
        skip(DELAY);
        ILendingThreshold.BorrowRequest[] memory requests = new ILendingThreshold.BorrowRequest[](3);
        bytes[] memory permits = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            requests[i] = _requestFor(i, i == 1 ? _bad : _good);
            permits[i] = permitOf(_keyOf(i), requests[i]);
        }
        if (reason.length == 0) {
            reason =
                abi.encodeWithSelector(IInferenceRouter.VerifierFailed.selector, _bad, _router.model(_bad).verifier);
        }
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(1, vm.addr(_keyOf(1)), reason);
        uint256 before = gasleft();
        assertEq(lending.openLoans(requests, permits, ITEM_GAS, false), 2);
        assertLt(before - gasleft(), 2 * ITEM_GAS);
        assertEq(token.balanceOf(vm.addr(_keyOf(0))), AMOUNT);
        assertEq(token.balanceOf(vm.addr(_keyOf(1))), 0);
        assertEq(token.balanceOf(vm.addr(_keyOf(2))), AMOUNT);
        assertEq(lending.nonceOf(vm.addr(_keyOf(1))), 0);
    }

    function _requestFor(uint256 index, bytes32 modelId)
        private
        returns (ILendingThreshold.BorrowRequest memory request)
    {
        ILendingThreshold.PolicyTerms memory t = terms();
        t.modelId = modelId;
        policyId = keccak256(abi.encode(address(lending), t));
        if (!lending.policy(policyId).active) add(lending, t);
        return requestFor(vm.addr(_keyOf(index)));
    }

    function _register(bytes32 modelId, address verifier) private {
        IInferenceRouter.Registration memory registration = IInferenceRouter.Registration({
            familyId: keccak256("family"),
            verifier: verifier,
            codehash: verifier.codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1
            )
        });
        vm.prank(owner);
        _router.registerModel(modelId, registration);
    }

    function _keyOf(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("hostile", index)));
    }
}
