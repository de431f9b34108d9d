// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Script} from "forge-std/Script.sol";
import {console2} from "forge-std/console2.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// @title Deploys router, attestation registry and lending pool
/// @notice Settings come from the JSON file that ZKML_CONFIG names (script/config/local.json is one), each overridden by its
/// environment variable. The broadcasting account is the owner where none is given.
///
///     ZKML_OWNER      owner of all three contracts, best a timelock
///     ZKML_GUARDIAN   who may freeze models besides the owner; zero for none
///     ZKML_TOKEN      the token that is lent; a worthless one is deployed where it is zero, on a local chain only
///
///     forge script script/Deploy.s.sol --rpc-url URL --account NAME --broadcast
contract Deploy is Script {
    /// @notice A public chain needs a real token.
    error TokenRequired(uint256 chainId);

    uint256 private constant LOCAL_CHAIN = 31_337;

    struct Config {
        address owner;
        address guardian;
        address token;
    }

    struct Deployment {
        InferenceRouter router;
        InputAttestation attestations;
        IERC20 token;
        LendingThreshold lending;
    }

    /// @notice Reads the settings, broadcasts four creations at most, prints the addresses.
    function run() external returns (Deployment memory d) {
        Config memory config = readConfig();
        vm.startBroadcast();
        if (config.owner == address(0)) (, config.owner,) = vm.readCallers();
        d = deploy(config);
        vm.stopBroadcast();
        console2.log("owner            ", config.owner);
        console2.log("InferenceRouter  ", address(d.router));
        console2.log("InputAttestation ", address(d.attestations));
        console2.log("token            ", address(d.token));
        console2.log("LendingThreshold ", address(d.lending));
    }

    /// @notice The creations themselves, in a fixed order.
    function deploy(Config memory config) public returns (Deployment memory d) {
        if (config.token == address(0) && block.chainid != LOCAL_CHAIN) revert TokenRequired(block.chainid);
        d.router = new InferenceRouter(config.owner, config.guardian);
        d.attestations = new InputAttestation(config.owner);
        d.token = config.token == address(0) ? new MockERC20("Demo Dollar", "DUSD", 6) : IERC20(config.token);
        d.lending = new LendingThreshold(config.owner, d.token, d.router, d.attestations);
    }

    /// @notice File first, environment over it.
    function readConfig() public view returns (Config memory config) {
        string memory path = vm.envOr("ZKML_CONFIG", string(""));
        if (bytes(path).length != 0) {
            string memory json = vm.readFile(path);
            config.owner = vm.parseJsonAddress(json, ".owner");
            config.guardian = vm.parseJsonAddress(json, ".guardian");
            config.token = vm.parseJsonAddress(json, ".token");
        }
        config.owner = vm.envOr("ZKML_OWNER", config.owner);
        config.guardian = vm.envOr("ZKML_GUARDIAN", config.guardian);
        config.token = vm.envOr("ZKML_TOKEN", config.token);
    }
}
