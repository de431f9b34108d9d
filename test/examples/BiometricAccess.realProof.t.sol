// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConsumerProof} from "../helpers/ConsumerProof.sol";
import {BiometricAccess} from "zkml-evm/consumers/BiometricAccess.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// examples/consumers/biometric: a probe close to its template. The score is minus their squared distance, so that threshold and
/// score are negative.
contract BiometricAccessRealProofTest is ConsumerProof {
    BiometricAccess private door;
    BiometricAccess.Evidence private _evidence;
    bytes private _proof;

    function setUp() public {
        open(
            "biometric",
            IInferenceRouter.Statement(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1)
        );
        int256 threshold = integer(inputsOf(0)[2]);
        assertLt(threshold, 0);
        vm.prank(deployer());
        door = new BiometricAccess(router, registry, modelId, schemaId, threshold);
        assertBound(address(door));
        (_evidence, _proof) = (evidenceOf(0), proofOf(0));
    }

    function test_opensASession() public {
        _open();
        assertTrue(door.isOpen(subject));
        skip(door.SESSION());
        assertFalse(door.isOpen(subject));
    }

    function test_RevertWhen_theProbeIsOld() public {
        skip(door.FRESHNESS() + 1);
        vm.expectRevert(abi.encodeWithSelector(BiometricAccess.ProbeTooOld.selector, NOW, block.timestamp));
        _open();
    }

    /// Another pair of the same account, attested but not proven.
    function test_RevertWhen_anotherPairIsAttested() public {
        bytes32 other = bytes32(uint256(_evidence.attestation.inputCommitment) ^ 1);
        _evidence.attestation = attestationOf(subject, other);
        _evidence.signature = sign(keyOf(1), registry.digestOf(_evidence.attestation));
        expectRejected();
        _open();
    }

    function _open() private {
        vm.prank(subject);
        door.open(_evidence, _proof);
    }
}
