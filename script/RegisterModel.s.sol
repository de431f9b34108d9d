// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {DeploymentRecord} from "./DeploymentRecord.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {console2} from "forge-std/console2.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

/// @title Approves a model
/// @notice Registers a verifier with the router, after deploying it where an artifact is given instead of an address.
///
///     ZKML_ROUTER             the router; the recorded one where it is not given
///     ZKML_MODEL_ID           the model's id, as gen-verifier printed it
///     ZKML_CODEHASH           the verifier's codehash, from your own rebuild: never copied from the chain
///     ZKML_FAMILY_ID          the family that it is the next version of; the model's own id where there is none
///     ZKML_INPUT_MODE         0 committed, 1 public, 2 private
///     ZKML_OUTPUT_MODE        0 reveal, 1 argmax, 2 threshold, 3 commit
///     ZKML_OUTPUTS            how many public inputs are outputs; 1 where it is not given
///     ZKML_VERIFIER           address of the deployed verifier, or
///     ZKML_VERIFIER_ARTIFACT  "InferenceVerifier.sol:InferenceVerifier", or the path of its JSON artifact below out/;
///                             the recorded verifier of the model where neither is given
///
/// Where the broadcasting account is not the router's owner (a timelock is), the call's data is printed instead of sent.
///
///     forge script script/RegisterModel.s.sol --rpc-url URL --account NAME --broadcast
contract RegisterModel is DeploymentRecord {
    /// @notice The verifier's creation failed.
    error CreationFailed(string artifact);

    /// @notice Deploys where asked to, then registers or prints.
    function run() external returns (address verifier) {
        IInferenceRouter router = IInferenceRouter(find("ZKML_ROUTER", "InferenceRouter"));
        bytes32 modelId = vm.envBytes32("ZKML_MODEL_ID");
        string memory label = verifierLabel(modelId);
        string memory artifact = vm.envOr("ZKML_VERIFIER_ARTIFACT", string(""));
        if (bytes(artifact).length == 0) verifier = find("ZKML_VERIFIER", label);
        else verifier = vm.envOr("ZKML_VERIFIER", address(0));

        vm.startBroadcast();
        if (verifier == address(0)) verifier = _create(artifact);
        (, address sender,) = vm.readCallers();
        bytes memory data = abi.encodeCall(IInferenceRouter.registerModel, (modelId, _registration(modelId, verifier)));
        if (sender == Ownable(address(router)).owner()) {
            router.registerModel(modelId, _registration(modelId, verifier));
            console2.log("registered; verifier", verifier);
            console2.log("verifies from (Unix seconds)", router.model(modelId).activatesAt);
        } else {
            console2.log("not the owner: have it call the router", address(router));
            console2.logBytes(data);
        }
        vm.stopBroadcast();
        record(label, "InferenceVerifier", verifier, modelId);
    }

    function _registration(bytes32 modelId, address verifier)
        private
        view
        returns (IInferenceRouter.Registration memory)
    {
        return IInferenceRouter.Registration({
            familyId: vm.envOr("ZKML_FAMILY_ID", modelId),
            verifier: verifier,
            codehash: vm.envBytes32("ZKML_CODEHASH"),
            statement: IInferenceRouter.Statement({
                input: IInferenceRouter.InputMode(vm.envUint("ZKML_INPUT_MODE")),
                output: IInferenceRouter.OutputMode(vm.envUint("ZKML_OUTPUT_MODE")),
                outputs: SafeCast.toUint16(vm.envOr("ZKML_OUTPUTS", uint256(1)))
            })
        });
    }

    function _create(string memory artifact) private returns (address verifier) {
        bytes memory code = vm.getCode(artifact);
        verifier = placeOf(code);
        if (verifier.code.length != 0) return verifier;
        bytes32 salt = SALT;
        assembly ("memory-safe") {
            verifier := create2(0, add(code, 32), mload(code), salt)
        }
        if (verifier == address(0)) revert CreationFailed(artifact);
    }
}
