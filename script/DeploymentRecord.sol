// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Script} from "forge-std/Script.sol";
import {VmSafe} from "forge-std/Vm.sol";

/// @title The record that `zkml-evm` keeps too: deployments/<chainId>.json
/// @notice The scripts create contracts as the client does: by CREATE2 through the deterministic deployer, with the same salt.
/// What one of the two has deployed the other finds at its address and does not deploy again, and both read and write one
/// file. ZKML_DEPLOYMENTS names another folder.
///
/// An entry is written while the script runs, before its transactions are sent: `zkml-evm deployments check` compares it with
/// the chain. Do not run script and client on one chain at the same time.
abstract contract DeploymentRecord is Script {
    /// @notice The file is not a record of this chain, in the form that these scripts know.
    error RecordForeign(string path, string format, uint256 version, uint256 chainId);

    /// @notice Neither the environment nor the record names the contract.
    error NotRecorded(string path, string label);

    /// @notice As in `chain/deploy.rs`.
    bytes32 internal constant SALT = keccak256("zkml-evm.deploy.v1");

    /// @notice The contract has no delay of its own.
    uint256 internal constant NO_DELAY = type(uint256).max;

    string private constant FORMAT = "zkml-evm/deployments";
    uint256 private constant VERSION = 1;

    /// @notice Where a contract is, or will be, on every chain.
    function placeOf(bytes memory creation) internal pure returns (address place) {
        return vm.computeCreate2Address(SALT, keccak256(creation));
    }

    /// @notice The contract named by the environment variable, else the recorded one.
    function find(string memory variable, string memory label) internal view returns (address found) {
        found = vm.envOr(variable, address(0));
        if (found != address(0)) return found;
        found = recorded(label);
        if (found == address(0)) revert NotRecorded(recordPath(), label);
    }

    /// @notice What the record has under a label; zero if nothing.
    function recorded(string memory label) internal view returns (address found) {
        string memory path = recordPath();
        if (!vm.exists(path)) return address(0);
        string memory json = vm.readFile(path);
        _requireOurs(path, json);
        string memory key = string.concat(".contracts.", label, ".address");
        return vm.keyExistsJson(json, key) ? vm.parseJsonAddress(json, key) : address(0);
    }

    /// @notice Writes an entry where the script is run to send; a dry run records nothing. One that names the same place already
    /// stays: the client may know more of it.
    function record(string memory label, string memory name, address place, bytes32 modelId) internal {
        if (!vm.isContext(VmSafe.ForgeContext.ScriptBroadcast)) return;
        write(label, name, place, modelId);
    }

    /// @notice {record} for a contract that somebody decides over; the label is its name. The entry says who, as it was deployed.
    /// @param delay Seconds between decision and effect; {NO_DELAY} where the contract has none of its own.
    function recordGoverned(string memory label, address place, address owner, address guardian, uint256 delay)
        internal
    {
        if (!vm.isContext(VmSafe.ForgeContext.ScriptBroadcast)) return;
        writeGoverned(label, place, owner, guardian, delay);
    }

    /// @notice What {record} does.
    function write(string memory label, string memory name, address place, bytes32 modelId) internal {
        if (recorded(label) == place) return;
        string memory entry = _entryOf(label);
        if (modelId != bytes32(0)) vm.serializeBytes32(entry, "modelId", modelId);
        _put(label, name, place);
    }

    /// @notice What {recordGoverned} does.
    function writeGoverned(string memory label, address place, address owner, address guardian, uint256 delay)
        internal
    {
        if (recorded(label) == place) return;
        string memory governance = string.concat("zkml-evm governance of ", label);
        if (delay != NO_DELAY) vm.serializeUint(governance, "delay", delay);
        vm.serializeAddress(governance, "owner", owner);
        vm.serializeString(_entryOf(label), "governance", vm.serializeAddress(governance, "guardian", guardian));
        _put(label, label, place);
    }

    /// @notice The file of this chain.
    function recordPath() internal view returns (string memory path) {
        string memory folder = vm.envOr("ZKML_DEPLOYMENTS", string("deployments"));
        return string.concat(folder, "/", vm.toString(block.chainid), ".json");
    }

    /// @notice A chain holds one verifier for each model: its label has the id's first eight digits.
    function verifierLabel(bytes32 modelId) internal pure returns (string memory label) {
        bytes memory digits = bytes(vm.toString(modelId));
        bytes memory first = new bytes(8);
        for (uint256 i = 0; i < first.length; ++i) {
            first[i] = digits[2 + i];
        }
        return string.concat("InferenceVerifier-", string(first));
    }

    function _entryOf(string memory label) private pure returns (string memory key) {
        return string.concat("zkml-evm ", label);
    }

    function _put(string memory label, string memory name, address place) private {
        string memory path = recordPath();
        if (!vm.exists(path)) _begin(path);
        string memory entry = _entryOf(label);
        vm.serializeString(entry, "name", name);
        vm.serializeBytes32(entry, "codehash", place.codehash);
        vm.writeJson(vm.serializeAddress(entry, "address", place), path, string.concat(".contracts.", label));
    }

    function _begin(string memory path) private {
        vm.createDir(vm.envOr("ZKML_DEPLOYMENTS", string("deployments")), true);
        string memory head = "zkml-evm record";
        vm.serializeString(head, "format", FORMAT);
        vm.serializeUint(head, "version", VERSION);
        vm.serializeString(head, "contracts", "{}");
        vm.writeJson(vm.serializeUint(head, "chainId", block.chainid), path);
    }

    function _requireOurs(string memory path, string memory json) private view {
        string memory format = vm.parseJsonString(json, ".format");
        uint256 version = vm.parseJsonUint(json, ".version");
        uint256 chainId = vm.parseJsonUint(json, ".chainId");
        bool ours = keccak256(bytes(format)) == keccak256(bytes(FORMAT));
        if (!ours || version != VERSION || chainId != block.chainid) {
            revert RecordForeign(path, format, version, chainId);
        }
    }
}
