// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {DeploymentRecord} from "./DeploymentRecord.sol";
import {console2} from "forge-std/console2.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// @title Freezes a model for good
/// @notice There is no way back: the id never verifies again. Owner or guardian.
///
///     ZKML_ROUTER    the router; the recorded one where it is not given
///     ZKML_MODEL_ID  the model's id
///
///     forge script script/FreezeModel.s.sol --rpc-url URL --account NAME --broadcast
contract FreezeModel is DeploymentRecord {
    /// @notice Sends the one call.
    function run() external {
        IInferenceRouter router = IInferenceRouter(find("ZKML_ROUTER", "InferenceRouter"));
        bytes32 modelId = vm.envBytes32("ZKML_MODEL_ID");
        vm.startBroadcast();
        router.freezeModel(modelId);
        vm.stopBroadcast();
        console2.log("frozen");
        console2.logBytes32(modelId);
    }
}
