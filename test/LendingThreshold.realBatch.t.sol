// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "./helpers/ConsumerProof.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// One real proof over the inputs of two borrowers, at a tier each, brought by a relayer.
/// forge-config: default.isolate = true
contract LendingThresholdRealBatchTest is ConsumerProof {
    uint256 private constant ITEMS = 2;
    uint256 private constant ITEM_GAS = 1_000_000;
    /// Development accounts.
    uint32 private constant FIRST_BORROWER = 6;
    uint256[2] private _amounts = [uint256(1000e6), 3000e6];

    MockERC20 private token;
    LendingThreshold private lending;
    ILendingThreshold.BorrowRequest[] private _requests;
    bytes[] private _permits;
    uint64 private _expiry;
    bytes private _proof;

    function setUp() public {
        open(
            "batch",
            IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, uint16(ITEMS)
            )
        );
        token = new MockERC20("Dollar", "USD", 6);
        vm.prank(deployer());
        lending = new LendingThreshold(owner, address(0), token, router, registry);
        assertBound(address(lending));
        (_expiry, _proof) = (evidenceOf(0).expiry, proofOf(0));
        token.mint(address(this), 10_000e6);
        token.approve(address(lending), 10_000e6);
        lending.fund(10_000e6);
        vm.prank(owner);
        bytes32 policyId = lending.addPolicy(_terms());
        for (uint32 i = 0; i < ITEMS; ++i) {
            _requests.push(_request(policyId, i));
            _permits.push(sign(keyOf(FIRST_BORROWER + i), lending.permitDigest(_requests[i])));
        }
    }

    function test_opensBothByOneProof() public {
        assertEq(_send(subject), ITEMS);
        vm.snapshotGasLastCall("InferenceVerifier", "openLoansTogether: two loans by one real proof");
        for (uint32 i = 0; i < ITEMS; ++i) {
            assertEq(token.balanceOf(vm.addr(keyOf(FIRST_BORROWER + i))), _amounts[i]);
        }
        assertEq(lending.loanCount(), ITEMS);
    }

    /// The policy is part of the context: were the id another, the proof would be worth nothing.
    function test_thePolicyIsTheProvenOne() public view {
        assertEq(_requests[0].policyId, vm.parseJsonBytes32(json, ".call.policyId"));
    }

    /// A borrower whose permit is missing costs the other nothing.
    function test_aBadItemLeavesTheOtherAlone() public {
        _permits[0] = _permits[1];
        vm.expectEmit(true, true, false, false, address(lending));
        emit ILendingThreshold.BatchItemRefused(0, vm.addr(keyOf(FIRST_BORROWER)), "");
        assertEq(_send(subject), 1);
        assertEq(token.balanceOf(vm.addr(keyOf(FIRST_BORROWER))), 0);
        assertEq(token.balanceOf(vm.addr(keyOf(FIRST_BORROWER + 1))), _amounts[1]);
    }

    /// Sent twice, the proof gives nothing twice.
    function test_theProofGivesNothingTwice() public {
        assertEq(_send(subject), ITEMS);
        assertEq(_send(subject), 0);
        assertEq(lending.loanCount(), ITEMS);
    }

    /// Commitment and threshold of one item stand at one place of the statement.
    function test_RevertWhen_theItemsAreExchanged() public {
        (_requests[0], _requests[1]) = (_requests[1], _requests[0]);
        (_permits[0], _permits[1]) = (_permits[1], _permits[0]);
        expectRejected();
        _send(subject);
    }

    function test_RevertWhen_anItemAsksForAHigherTier() public {
        _requests[0].tier = 1;
        expectRejected();
        _send(subject);
    }

    function test_RevertWhen_anotherSenderCopiesIt() public {
        expectRejected();
        _send(stranger);
    }

    /// A proof of two items says nothing of one of them by itself.
    function test_RevertWhen_oneItemIsTakenOut() public {
        _requests.pop();
        _permits.pop();
        // The verifier wants five public inputs: context, two commitments, two thresholds.
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InvalidInstanceCount.selector, 5, 3));
        _send(subject);
        ILendingThreshold.BorrowRequest memory alone = _requests[0];
        alone.proof = _proof;
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InvalidInstanceCount.selector, 5, 3));
        vm.prank(alone.attestation.subject);
        lending.openLoan(alone);
        assertEq(lending.loanCount(), 0);
    }

    function test_RevertWhen_theSenderCancelled() public {
        vm.prank(subject);
        lending.cancelNonce();
        expectRejected();
        _send(subject);
    }

    function test_RevertWhen_itIsLate() public {
        uint256 late = uint256(_expiry) + 1;
        vm.warp(late);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.RequestExpired.selector, _expiry, late));
        _send(subject);
    }

    /// As `lending_policy` of test/rust/golden/cases.rs has it.
    function _terms() private view returns (ILendingThreshold.PolicyTerms memory t) {
        uint256[] memory inputs = inputsOf(0);
        t.modelId = modelId;
        t.schemaId = schemaId;
        t.epochLength = 90 days;
        t.cap = 10_000e6;
        t.borrowerLimit = 10_000e6;
        t.tiers = new ILendingThreshold.Tier[](ITEMS);
        t.tiers[0] = ILendingThreshold.Tier(integer(inputs[3]), _amounts[0], 1000);
        t.tiers[1] = ILendingThreshold.Tier(integer(inputs[4]), _amounts[1], 500);
    }

    function _request(bytes32 policyId, uint32 item) private view returns (ILendingThreshold.BorrowRequest memory r) {
        r.policyId = policyId;
        r.tier = uint8(item);
        r.amount = _amounts[item];
        r.attestor = vm.addr(keyOf(1));
        r.attestation = attestationOf(vm.addr(keyOf(FIRST_BORROWER + item)), bytes32(inputsOf(0)[1 + item]));
        r.signature = sign(keyOf(1), registry.digestOf(r.attestation));
        r.expiry = NOW + 1 hours;
    }

    function _send(address sender) private returns (uint256 opened) {
        ILendingThreshold.BorrowRequest[] memory requests = _requests;
        bytes[] memory permits = _permits;
        vm.prank(sender);
        return lending.openLoansTogether(requests, permits, _expiry, _proof, ITEM_GAS, false);
    }
}
