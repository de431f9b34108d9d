// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// Vouches for everything, and verifies everything: what is left is the consumer's own bookkeeping.
contract Everything {
    function checkAttestation(address, IInputAttestation.Attestation calldata attestation, bytes calldata)
        external
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(attestation));
    }

    function verifyInference(bytes32, uint256[] calldata, bytes calldata) external pure {}
}

contract ConsumerHarness is ZkmlConsumer {
    constructor(address everything) ZkmlConsumer(IInferenceVerifier(everything), IInputAttestation(everything)) {}

    function use(Terms calldata terms, IInputAttestation.Attestation calldata attestation, uint256 nonce)
        external
        returns (bytes32 nullifier, uint64 epoch)
    {
        Evidence memory evidence = Evidence(address(1), attestation, "", nonce, type(uint64).max);
        return _useInference(terms, evidence, msg.data[0:0], new int256[](0));
    }
}

/// Nullifiers and nonces for every attestation and caller, by symbolic execution (`make halmos`).
contract NullifierCheck is Test {
    uint64 private constant EPOCH = 86_400;
    uint64 private constant NOW = 20_000 * EPOCH + 1;
    bytes32 private constant SCHEMA = bytes32(uint256(5));
    bytes32 private constant POLICY = bytes32(uint256(6));

    ConsumerHarness private consumer;

    function setUp() public {
        vm.warp(NOW);
        consumer = new ConsumerHarness(address(new Everything()));
    }

    /// Two attestations of one subject and epoch, whatever else is in them: one use.
    function check_oneUsePerEpoch(address subject, bytes32[2] memory commitments, uint64[2] memory times) public {
        IInputAttestation.Attestation memory first = _attestation(subject, commitments[0], times[0]);
        IInputAttestation.Attestation memory second = _attestation(subject, commitments[1], times[1]);
        vm.assume(_use(subject, first, 0));
        bool again = _use(subject, second, 1);
        assertTrue(!again || times[0] / EPOCH != times[1] / EPOCH);
    }

    /// A use is the subject's own, with its next nonce, and counts it up by one.
    function check_onlyTheSubjectAndTheNextNonce(address caller, address subject, uint256 nonce) public {
        bool ok = _use(caller, _attestation(subject, bytes32(uint256(9)), NOW), nonce);
        assertEq(ok, caller == subject && nonce == 0);
        assertEq(consumer.nonceOf(subject), ok ? 1 : 0);
    }

    /// A cancelled nonce is gone.
    function check_cancelledNonceIsGone(address subject, uint256 nonce) public {
        vm.prank(subject);
        consumer.cancelNonce();
        bool ok = _use(subject, _attestation(subject, bytes32(uint256(9)), NOW), nonce);
        assertEq(ok, nonce == 1);
    }

    /// Another subject's use changes nothing of one's own.
    function check_subjectsAreApart(address one, address other) public {
        vm.assume(one != other);
        assertTrue(_use(one, _attestation(one, bytes32(uint256(9)), NOW), 0));
        assertEq(consumer.nonceOf(other), 0);
        assertTrue(_use(other, _attestation(other, bytes32(uint256(9)), NOW), 0));
    }

    function _attestation(address subject, bytes32 commitment, uint64 issuedAt)
        private
        pure
        returns (IInputAttestation.Attestation memory)
    {
        vm.assume(issuedAt <= NOW);
        return IInputAttestation.Attestation(subject, commitment, SCHEMA, issuedAt, type(uint64).max);
    }

    function _use(address caller, IInputAttestation.Attestation memory a, uint256 nonce) private returns (bool ok) {
        ZkmlConsumer.Terms memory terms = ZkmlConsumer.Terms(bytes32(uint256(4)), SCHEMA, POLICY, EPOCH);
        vm.prank(caller);
        (ok,) = address(consumer).call(abi.encodeCall(consumer.use, (terms, a, nonce)));
    }
}
