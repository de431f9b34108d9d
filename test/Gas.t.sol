// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "./helpers/LendingFixture.sol";
import {AcceptingVerifier, StubVerifier} from "./helpers/StubVerifiers.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Whole transactions, each in isolation, into snapshots/: a change of gas is seen in review. The proof's own verification is
/// not in these figures.
/// forge-config: default.isolate = true
contract GasTest is LendingFixture {
    uint256 private constant PROOF_BYTES = 2336;

    /// Everything but the verifier is what settles a loan in production.
    function test_gas_settle() public {
        InferenceRouter r = new InferenceRouter(owner, stranger);
        AcceptingVerifier verifier = new AcceptingVerifier();
        bytes32 codehash = address(verifier).codehash;
        vm.prank(owner);
        r.registerModel(MODEL, address(verifier), codehash);
        lending = new LendingThreshold(owner, IERC20(address(token)), r, registry);
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
        token.mint(address(this), AMOUNT);
        token.approve(address(lending), AMOUNT);
        lending.repay(id, 1);
        vm.snapshotGasLastCall("LendingThreshold", "repay: the first part of a loan");
        lending.repay(id, AMOUNT - 1);
        vm.snapshotGasLastCall("LendingThreshold", "repay: the rest of a loan");
    }

    function test_gas_router() public {
        InferenceRouter r = new InferenceRouter(owner, stranger);
        StubVerifier verifier = new StubVerifier(1);
        bytes32 codehash = address(verifier).codehash;
        vm.prank(owner);
        r.registerModel(MODEL, address(verifier), codehash);
        vm.snapshotGasLastCall("InferenceRouter", "registerModel");
        r.verifyInference(MODEL, new uint256[](3), "good");
        vm.snapshotGasLastCall("InferenceRouter", "verifyInference: a verifier that does nothing");
        vm.prank(stranger);
        r.freezeModel(MODEL);
        vm.snapshotGasLastCall("InferenceRouter", "freezeModel");
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
