// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "./helpers/LendingFixture.sol";
import {StubVerifier} from "./helpers/StubVerifiers.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// Whole transactions, each in isolation, into snapshots/: a change of gas is seen in review. The proof's own verification is
/// not in these figures.
/// forge-config: default.isolate = true
contract GasTest is LendingFixture {
    function test_gas_openLoan() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        open(request);
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
        lending.repay(1, AMOUNT);
        vm.snapshotGasLastCall("LendingThreshold", "repay: all of a loan");
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
}
