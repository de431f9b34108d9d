// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GoldenProof} from "../helpers/GoldenProof.sol";

/// Gas and sizes of the credit example's verifier, into snapshots/. The calls are whole transactions.
/// forge-config: default.isolate = true
contract VerifyProofGasTest is GoldenProof {
    function test_gas_verifyProof() public {
        verifier.verifyProof(inputs(), proof);
        vm.snapshotGasLastCall("InferenceVerifier", "verifyProof: credit, committed input, threshold");
        vm.snapshotValue("InferenceVerifier", "proof bytes", proof.length);
    }
}
