// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {GuardedTimelock} from "zkml-evm/access/GuardedTimelock.sol";
import {EasAttestationSource} from "zkml-evm/attestation/EasAttestationSource.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";

/// Sizes in bytes and initcode hashes (as numbers) into snapshots/: whoever changes a byte of a contract sees it in review.
contract CodeSizeTest is Test {
    uint256 private constant EIP170 = 24_576;

    function test_sizes() public {
        _record("InferenceRouter", type(InferenceRouter).creationCode);
        _record("InputAttestation", type(InputAttestation).creationCode);
        _record("EasAttestationSource", type(EasAttestationSource).creationCode);
        _record("GuardedTimelock", type(GuardedTimelock).creationCode);
        _record("LendingThreshold", type(LendingThreshold).creationCode);
    }

    function _record(string memory name, bytes memory creation) private {
        uint256 runtime = vm.getDeployedCode(string.concat(name, ".sol:", name)).length;
        assertLt(runtime, EIP170 / 16 * 15);
        vm.snapshotValue("CodeSize", string.concat(name, ": initcode bytes"), creation.length);
        vm.snapshotValue("CodeSize", string.concat(name, ": runtime bytes"), runtime);
        vm.snapshotValue("CodeSize", string.concat(name, ": initcode keccak256"), uint256(keccak256(creation)));
    }
}
