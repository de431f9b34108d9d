// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {DeploymentRecord} from "../../script/DeploymentRecord.sol";
import {StubVerifier} from "../helpers/StubVerifiers.sol";
import {Test} from "forge-std/Test.sol";

/// The record as another contract sees it.
contract Recorder is DeploymentRecord {
    function put(string memory label, string memory name, address place, bytes32 modelId) external {
        write(label, name, place, modelId);
    }

    function putGoverned(string memory label, address place, address owner, address guardian, uint256 delay) external {
        writeGoverned(label, place, owner, guardian, delay);
    }

    function putGovernedBroadcast(string memory label, address place) external {
        recordGoverned(label, place, place, place, 0);
    }

    function noDelay() external pure returns (uint256) {
        return NO_DELAY;
    }

    function putBroadcast(string memory label, address place) external {
        record(label, label, place, 0);
    }

    function get(string memory label) external view returns (address) {
        return recorded(label);
    }

    function named(string memory variable, string memory label) external view returns (address) {
        return find(variable, label);
    }

    function labelOf(bytes32 modelId) external pure returns (string memory) {
        return verifierLabel(modelId);
    }

    function path() external view returns (string memory) {
        return recordPath();
    }
}

/// The file that scripts and client share. The client's side of it is tested by the Rust suite.
contract DeploymentRecordTest is Test {
    string private constant FOLDER = "cache_forge/deployments/forge";

    Recorder private recorder;
    address private place;

    function setUp() public {
        vm.setEnv("ZKML_DEPLOYMENTS", FOLDER);
        recorder = new Recorder();
        place = address(new StubVerifier(1));
    }

    function test_whatIsWrittenIsFound() public {
        _on(1001);
        assertEq(recorder.get("InferenceRouter"), address(0));
        recorder.put("InferenceRouter", "InferenceRouter", place, 0);
        bytes32 modelId = keccak256("model");
        string memory label = recorder.labelOf(modelId);
        assertEq(label, "InferenceVerifier-19118534");
        recorder.put(label, "InferenceVerifier", address(recorder), modelId);
        assertEq(recorder.get("InferenceRouter"), place);
        assertEq(recorder.get(label), address(recorder));
        assertEq(recorder.named("ZKML_NO_SUCH_VARIABLE", label), address(recorder));

        string memory json = vm.readFile(recorder.path());
        assertEq(vm.parseJsonString(json, ".format"), "zkml-evm/deployments");
        assertEq(vm.parseJsonUint(json, ".chainId"), 1001);
        assertEq(vm.parseJsonBytes32(json, string.concat(".contracts.", label, ".modelId")), modelId);
        assertEq(vm.parseJsonBytes32(json, ".contracts.InferenceRouter.codehash"), place.codehash);
        assertFalse(vm.keyExistsJson(json, ".contracts.InferenceRouter.modelId"));
    }

    /// What the client knows of a contract that stays where it is stays too; one that moved is written anew.
    function test_anEntryOfTheSamePlaceStays() public {
        _on(1002);
        _file("zkml-evm/deployments", 1, 1002);
        vm.serializeUint("entry", "block", 7);
        vm.serializeString("entry", "name", "InferenceRouter");
        string memory entry = vm.serializeAddress("entry", "address", place);
        vm.writeJson(entry, recorder.path(), ".contracts.InferenceRouter");
        recorder.put("InferenceRouter", "InferenceRouter", place, 0);
        string memory key = ".contracts.InferenceRouter.block";
        assertTrue(vm.keyExistsJson(vm.readFile(recorder.path()), key));
        recorder.put("InferenceRouter", "InferenceRouter", address(recorder), 0);
        assertFalse(vm.keyExistsJson(vm.readFile(recorder.path()), key));
        assertEq(recorder.get("InferenceRouter"), address(recorder));
    }

    function test_theRecordSaysWhoDecides() public {
        _on(1006);
        (address owner, address guardian) = (makeAddr("owner"), makeAddr("guardian"));
        recorder.putGoverned("InferenceRouter", place, owner, guardian, 0);
        recorder.putGoverned("LendingThreshold", address(recorder), owner, guardian, recorder.noDelay());
        // What is recorded of the same place stays.
        recorder.putGoverned("LendingThreshold", address(recorder), guardian, owner, 5);
        string memory json = vm.readFile(recorder.path());
        assertEq(vm.parseJsonString(json, ".contracts.InferenceRouter.name"), "InferenceRouter");
        assertEq(vm.parseJsonAddress(json, ".contracts.InferenceRouter.governance.owner"), owner);
        assertEq(vm.parseJsonUint(json, ".contracts.InferenceRouter.governance.delay"), 0);
        assertEq(vm.parseJsonAddress(json, ".contracts.LendingThreshold.governance.guardian"), guardian);
        assertFalse(vm.keyExistsJson(json, ".contracts.LendingThreshold.governance.delay"));
    }

    /// A dry run, and a test, leave no trace.
    function test_onlyABroadcastIsRecorded() public {
        _on(1003);
        recorder.putBroadcast("InferenceRouter", place);
        recorder.putGovernedBroadcast("InferenceRouter", place);
        assertFalse(vm.exists(recorder.path()));
    }

    function test_RevertWhen_nothingNamesIt() public {
        _on(1004);
        string memory path = recorder.path();
        vm.expectRevert(abi.encodeWithSelector(DeploymentRecord.NotRecorded.selector, path, "InferenceRouter"));
        recorder.named("ZKML_NO_SUCH_VARIABLE", "InferenceRouter");
    }

    function test_RevertWhen_theFileIsNotThisChainsRecord() public {
        _on(1005);
        _expectForeign("another/format", 1, 1005);
        _expectForeign("zkml-evm/deployments", 2, 1005);
        _expectForeign("zkml-evm/deployments", 1, 1);
    }

    function _expectForeign(string memory format, uint256 version, uint256 chainId) private {
        _file(format, version, chainId);
        string memory path = recorder.path();
        bytes memory reason =
            abi.encodeWithSelector(DeploymentRecord.RecordForeign.selector, path, format, version, chainId);
        vm.expectRevert(reason);
        recorder.get("InferenceRouter");
        vm.expectRevert(reason);
        recorder.put("InferenceRouter", "InferenceRouter", place, 0);
    }

    /// A chain of each test's own: they run at the same time.
    function _on(uint256 chainId) private {
        vm.chainId(chainId);
        vm.createDir(FOLDER, true);
        if (vm.exists(recorder.path())) vm.removeFile(recorder.path());
    }

    /// A record of nothing.
    function _file(string memory format, uint256 version, uint256 chainId) private {
        vm.serializeString("file", "format", format);
        vm.serializeUint("file", "version", version);
        vm.serializeString("file", "contracts", "{}");
        vm.writeJson(vm.serializeUint("file", "chainId", chainId), recorder.path());
    }
}
