// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Script} from "forge-std/Script.sol";
import {Membership} from "src/Membership.sol";
import {ZkmlConsumer} from "zkml-evm/ZkmlConsumer.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// @title Joins with a proof
/// @notice MEMBERSHIP is the contract; the attestation is member/attestation.json, the proof proof.json, as `zkml-evm attest` and
/// `zkml-evm prove` wrote them. The sender is the attested member.
contract Join is Script {
    /// @notice Sends the one call.
    function run() external {
        Membership membership = Membership(vm.envAddress("MEMBERSHIP"));
        string memory attested = vm.readFile("member/attestation.json");
        string memory proven = vm.readFile("proof.json");
        ZkmlConsumer.Evidence memory evidence = ZkmlConsumer.Evidence({
            attestor: vm.parseJsonAddress(attested, ".attestor"),
            attestation: IInputAttestation.Attestation({
                subject: vm.parseJsonAddress(attested, ".subject"),
                inputCommitment: vm.parseJsonBytes32(attested, ".inputCommitment"),
                schemaId: vm.parseJsonBytes32(attested, ".schemaId"),
                issuedAt: uint64(vm.parseJsonUint(attested, ".issuedAt")),
                expiresAt: uint64(vm.parseJsonUint(attested, ".expiresAt"))
            }),
            signature: vm.parseJsonBytes(attested, ".signature"),
            nonce: vm.parseJsonUint(proven, ".context.nonce"),
            expiry: uint64(vm.parseJsonUint(proven, ".context.expiry"))
        });
        vm.startBroadcast();
        membership.join(evidence, vm.parseJsonBytes(proven, ".proof"));
        vm.stopBroadcast();
    }
}
