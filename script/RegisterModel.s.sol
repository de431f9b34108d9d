// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Script} from "forge-std/Script.sol";
import {console2} from "forge-std/console2.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// @title Approves a model
/// @notice Registers a verifier with the router, after deploying it where an artifact is given instead of an address.
///
///     ZKML_ROUTER             the router
///     ZKML_MODEL_ID           the model's id, as gen-verifier printed it
///     ZKML_CODEHASH           the verifier's codehash, from your own rebuild: never copied from the chain
///     ZKML_VERIFIER           address of the deployed verifier, or
///     ZKML_VERIFIER_ARTIFACT  "InferenceVerifier.sol:InferenceVerifier", or the path of its JSON artifact below out/
///
/// Where the broadcasting account is not the router's owner (a timelock is), the call's data is printed instead of sent.
///
///     forge script script/RegisterModel.s.sol --rpc-url URL --account NAME --broadcast
contract RegisterModel is Script {
    /// @notice The verifier's creation failed.
    error CreationFailed(string artifact);

    /// @notice Deploys where asked to, then registers or prints.
    function run() external returns (address verifier) {
        IInferenceRouter router = IInferenceRouter(vm.envAddress("ZKML_ROUTER"));
        bytes32 modelId = vm.envBytes32("ZKML_MODEL_ID");
        bytes32 codehash = vm.envBytes32("ZKML_CODEHASH");
        verifier = vm.envOr("ZKML_VERIFIER", address(0));

        vm.startBroadcast();
        if (verifier == address(0)) verifier = _create(vm.envString("ZKML_VERIFIER_ARTIFACT"));
        (, address sender,) = vm.readCallers();
        bytes memory data = abi.encodeCall(IInferenceRouter.registerModel, (modelId, verifier, codehash));
        if (sender == Ownable(address(router)).owner()) {
            router.registerModel(modelId, verifier, codehash);
            console2.log("registered; verifier", verifier);
        } else {
            console2.log("not the owner: have it call the router", address(router));
            console2.logBytes(data);
        }
        vm.stopBroadcast();
    }

    function _create(string memory artifact) private returns (address verifier) {
        bytes memory code = vm.getCode(artifact);
        assembly ("memory-safe") {
            verifier := create(0, add(code, 32), mload(code))
        }
        if (verifier == address(0)) revert CreationFailed(artifact);
    }
}
