// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "./helpers/LendingFixture.sol";
import {AcceptingVerifier, SixteenSlots, StubVerifier} from "./helpers/StubVerifiers.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {VmSafe} from "forge-std/Vm.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Whole transactions, each in isolation, into snapshots/: a change of gas is seen in review. The proof's own verification is
/// not in these figures.
/// forge-config: default.isolate = true
contract GasTest is LendingFixture {
    uint256 private constant PROOF_BYTES = 2336;
    uint256 private constant SLOTS = 16;
    bytes32 private constant AGGREGATE = keccak256("aggregate");

    /// Everything but the verifier is what settles a loan in production.
    function test_gas_settle() public {
        InferenceRouter r = _routerWith(address(new AcceptingVerifier()));
        lending = new LendingThreshold(owner, guardian, IERC20(address(token)), r, registry);
        token.mint(address(lending), POOL);
        policyId = addPolicyTo(lending);
        open(_withLongProof(borrower));
        vm.snapshotGasLastCall("LendingThreshold", "settle: first of the pool, a verifier that does nothing");
        open(_withLongProof(stranger));
        vm.snapshotGasLastCall("LendingThreshold", "settle: next borrower, a verifier that does nothing");
    }

    function test_gas_openLoan() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        uint256 id = open(request);
        vm.snapshotGasLastCall("LendingThreshold", "openLoan: first of the pool, without verification");
        request = accepted(stranger);
        open(request);
        vm.snapshotGasLastCall("LendingThreshold", "openLoan: next borrower, without verification");
        vm.warp((NOW / EPOCH + 1) * EPOCH);
        request = accepted(borrower);
        open(request);
        vm.snapshotGasLastCall("LendingThreshold", "openLoan: same borrower, next epoch, without verification");
        token.mint(address(this), 2 * AMOUNT);
        token.approve(address(lending), type(uint256).max);
        lending.repay(id, AMOUNT / 2);
        vm.snapshotGasLastCall("LendingThreshold", "repay: a part of a loan");
        lending.repay(id, type(uint256).max);
        vm.snapshotGasLastCall("LendingThreshold", "repay: the rest of a loan");
        request = accepted(vm.addr(7));
        bytes memory permit = permitOf(7, request);
        lending.openLoanFor(request, permit);
        vm.snapshotGasLastCall("LendingThreshold", "openLoanFor: by a relayer, without verification");
    }

    /// What a borrower costs in a batch: the transaction's gas divided by the borrowers.
    function test_gas_openLoans() public {
        _batchOf(1);
        _batchOf(8);
    }

    /// The same with one proof for all.
    function test_gas_openLoansTogether() public {
        router.setAcceptsAll(true);
        (ILendingThreshold.BorrowRequest[] memory requests, bytes[] memory permits) = _newBatch(8);
        bytes memory proof = requests[0].proof;
        for (uint256 i = 0; i < 8; ++i) {
            requests[i].proof = "";
        }
        assertEq(lending.openLoansTogether(requests, permits, NOW + 1, proof, 1_000_000, true), 8);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("LendingThreshold", "openLoansTogether: each of 8, without verification", used / 8);
    }

    /// Sixteen borrowers' own proofs by one aggregate, with a router as in production.
    function test_gas_openLoansAggregated() public {
        _aggregatedOf(16);
    }

    function test_gas_openLoansAggregated_withEmptySlots() public {
        _aggregatedOf(12);
    }

    function test_gas_aggregate() public {
        InferenceRouter r = _routerWith(address(new AcceptingVerifier()));
        _addAggregate(r);
        vm.snapshotGasLastCall("InferenceRouter", "registerAggregate: 16 slots");
        bytes32[] memory modelIds = new bytes32[](SLOTS);
        uint256[] memory sizes = new uint256[](SLOTS);
        uint256[] memory inputs = new uint256[](3 * SLOTS);
        for (uint256 i = 0; i < SLOTS; ++i) {
            (modelIds[i], sizes[i], inputs[3 * i]) = (MODEL, 3, 1);
        }
        r.verifyAggregate(AGGREGATE, modelIds, sizes, inputs, "");
        vm.snapshotGasLastCall("InferenceRouter", "verifyAggregate: 16 slots, a verifier that does nothing");
    }

    function test_gas_router() public {
        InferenceRouter r = _routerWith(address(new StubVerifier(1)));
        vm.snapshotGasLastCall("InferenceRouter", "registerModel");
        r.verifyInference(MODEL, new uint256[](3), "good");
        vm.snapshotGasLastCall("InferenceRouter", "verifyInference: a verifier that does nothing");
        vm.prank(stranger);
        r.freezeModel(MODEL);
        vm.snapshotGasLastCall("InferenceRouter", "freezeModel");
    }

    function _batchOf(uint256 count) private {
        (ILendingThreshold.BorrowRequest[] memory requests, bytes[] memory permits) = _newBatch(count);
        assertEq(lending.openLoans(requests, permits, 1_000_000, true), count);
        VmSafe.Gas memory used = vm.lastCallGas();
        string memory name = string.concat("openLoans: each of ", vm.toString(count), ", without verification");
        vm.snapshotValue("LendingThreshold", name, used.gasTotalUsed / count);
    }

    /// Each item's part of the whole transaction, but for the aggregate's verification and its proof's calldata.
    function _aggregatedOf(uint256 count) private {
        InferenceRouter r = _routerWith(address(new AcceptingVerifier()));
        _addAggregate(r);
        (ILendingThreshold.BorrowRequest[] memory requests, bytes[] memory permits) = _newBatchFor(r, count);
        uint256[][] memory others = new uint256[][](SLOTS);
        for (uint256 i = 0; i < count; ++i) {
            requests[i].proof = "";
        }
        for (uint256 i = count; i < SLOTS; ++i) {
            others[i] = new uint256[](3);
            (others[i][1], others[i][2]) = (uint256(keccak256("commitment")) >> 3, 7);
        }
        ILendingThreshold.Aggregate memory a = ILendingThreshold.Aggregate(AGGREGATE, others, "");
        assertEq(lending.openLoansAggregated(requests, permits, a, 1_000_000, true), count);
        string memory name =
            string.concat("openLoansAggregated: each of ", vm.toString(count), " in 16 slots, without verification");
        vm.snapshotValue("LendingThreshold", name, vm.lastCallGas().gasTotalUsed / count);
    }

    function _addAggregate(InferenceRouter r) private {
        address a = address(new SixteenSlots());
        IAggregateRouter.AggregateRegistration memory registration =
            IAggregateRouter.AggregateRegistration(AGGREGATE, a, a.codehash);
        vm.prank(owner);
        r.registerAggregate(AGGREGATE, registration);
    }

    function _newBatch(uint256 count)
        private
        returns (ILendingThreshold.BorrowRequest[] memory requests, bytes[] memory permits)
    {
        return _newBatchFor(router, count);
    }

    function _newBatchFor(IInferenceVerifier verifiers, uint256 count)
        private
        returns (ILendingThreshold.BorrowRequest[] memory requests, bytes[] memory permits)
    {
        lending = new LendingThreshold(owner, guardian, IERC20(token), verifiers, registry);
        token.mint(address(lending), 2 * POOL);
        ILendingThreshold.PolicyTerms memory t = terms();
        t.cap = 2 * POOL;
        policyId = add(lending, t);
        requests = new ILendingThreshold.BorrowRequest[](count);
        permits = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            requests[i] = _withLongProof(vm.addr(100 + i));
            acceptProofOf(requests[i]);
            permits[i] = permitOf(100 + i, requests[i]);
        }
    }

    function _routerWith(address verifier) private returns (InferenceRouter r) {
        r = new InferenceRouter(owner, stranger, 0);
        IInferenceRouter.Registration memory registration = IInferenceRouter.Registration({
            familyId: MODEL,
            verifier: verifier,
            codehash: verifier.codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1
            )
        });
        vm.prank(owner);
        r.registerModel(MODEL, registration);
    }

    /// As long as the credit example's proofs, without a zero byte.
    function _withLongProof(address subject) private view returns (ILendingThreshold.BorrowRequest memory request) {
        request = requestFor(subject);
        request.proof = new bytes(PROOF_BYTES);
        for (uint256 i = 0; i < PROOF_BYTES; ++i) {
            request.proof[i] = 0xa5;
        }
    }
}
