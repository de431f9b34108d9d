// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Script} from "forge-std/Script.sol";
import {console2} from "forge-std/console2.sol";
import {Membership} from "src/Membership.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// @title Deploys the consumer
/// @notice Router and registry come from deployments/<chainId>.json, which `zkml-evm deploy` wrote, model and schema from
/// artifacts/manifest.json, and the least score from the environment: THRESHOLD, an integer at the scale of the model's output.
contract Deploy is Script {
    /// @notice Sends the one creation.
    function run() external returns (Membership membership) {
        string memory record = vm.readFile(string.concat("deployments/", vm.toString(block.chainid), ".json"));
        string memory manifest = vm.readFile("artifacts/manifest.json");
        int256 threshold = vm.envInt("THRESHOLD");
        vm.startBroadcast();
        membership = new Membership(
            IInferenceVerifier(vm.parseJsonAddress(record, ".contracts.InferenceRouter.address")),
            IInputAttestation(vm.parseJsonAddress(record, ".contracts.InputAttestation.address")),
            vm.parseJsonBytes32(manifest, ".modelId"),
            vm.parseJsonBytes32(manifest, ".schemaId"),
            threshold
        );
        vm.stopBroadcast();
        console2.log("Membership", address(membership));
    }
}
