// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {DeploymentRecord} from "./DeploymentRecord.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {console2} from "forge-std/console2.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {GuardedTimelock} from "zkml-evm/access/GuardedTimelock.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// @title Deploys timelock, router, attestation registry and lending pool
/// @notice Settings come from the JSON file that ZKML_CONFIG names (script/config/local.json and public.json), each overridden
/// by its environment variable. The broadcasting account is the owner where none is given.
///
///     ZKML_OWNER             who decides: owner of all three contracts, or proposer and executor of their timelock
///     ZKML_GUARDIAN          who may freeze models, remove attestors and pause besides the owner, and cancels what is scheduled
///                            in the timelock; another account than the owner, zero for none
///     ZKML_TOKEN             the token that is lent; a worthless one is deployed where it is zero, on a local chain only
///     ZKML_TIMELOCK_DELAY    seconds; above zero, a {GuardedTimelock} with this delay owns the contracts
///     ZKML_ACTIVATION_DELAY  seconds between a model's registration and its first verification
///
/// A local chain has no delays. On a public one the owner must be a contract (a timelock or multisig that is there), or there
/// must be a timelock; both delays are a day at least; and there must be a guardian, as everything else then waits. An account
/// with an EIP-7702 delegation has a key like any other, and is no contract here.
///
/// What stands at its address already is not created again; see {DeploymentRecord}.
///
///     forge script script/Deploy.s.sol --rpc-url URL --account NAME --broadcast
contract Deploy is DeploymentRecord {
    /// @notice A public chain needs a real token.
    error TokenRequired(uint256 chainId);

    /// @notice On a public chain an account's owner key could approve a model within one block.
    error DelayRequired(uint256 chainId, uint256 least, uint256 timelockDelay, uint32 activationDelay);

    /// @notice What is delayed, or public, needs somebody besides the owner who can stop things at once.
    error GuardianRequired(uint256 chainId, address owner, address guardian);

    uint256 private constant LOCAL_CHAIN = 31_337;
    uint256 private constant LEAST_DELAY = 1 days;

    struct Config {
        address owner;
        address guardian;
        address token;
        uint256 timelockDelay;
        uint32 activationDelay;
    }

    struct Deployment {
        GuardedTimelock timelock;
        InferenceRouter router;
        InputAttestation attestations;
        IERC20 token;
        LendingThreshold lending;
    }

    /// @notice Reads the settings, broadcasts five creations at most, prints the addresses.
    function run() external returns (Deployment memory d) {
        Config memory config = readConfig();
        vm.startBroadcast();
        if (config.owner == address(0)) (, config.owner,) = vm.readCallers();
        d = deploy(config);
        vm.stopBroadcast();
        _record(d, config);
        console2.log("owner            ", d.router.owner());
        if (address(d.timelock) != address(0)) console2.log("GuardedTimelock  ", address(d.timelock));
        console2.log("InferenceRouter  ", address(d.router));
        console2.log("InputAttestation ", address(d.attestations));
        console2.log("token            ", address(d.token));
        console2.log("LendingThreshold ", address(d.lending));
    }

    /// @notice The creations themselves, in a fixed order.
    function deploy(Config memory config) public returns (Deployment memory d) {
        if (block.chainid != LOCAL_CHAIN) _requirePublic(config);
        address owner = config.owner;
        if (config.timelockDelay != 0) {
            _requireGuardian(config);
            d.timelock = _timelock(config.timelockDelay, owner, config.guardian);
            owner = address(d.timelock);
        }
        d.router = _router(owner, config.guardian, config.activationDelay);
        d.attestations = _attestations(owner, config.guardian);
        d.token = config.token == address(0) ? _token() : IERC20(config.token);
        d.lending = _lending(owner, config.guardian, d);
    }

    /// @notice File first, environment over it.
    function readConfig() public view returns (Config memory config) {
        string memory path = vm.envOr("ZKML_CONFIG", string(""));
        if (bytes(path).length != 0) {
            string memory json = vm.readFile(path);
            config.owner = vm.parseJsonAddress(json, ".owner");
            config.guardian = vm.parseJsonAddress(json, ".guardian");
            config.token = vm.parseJsonAddress(json, ".token");
            config.timelockDelay = vm.parseJsonUint(json, ".timelockDelay");
            config.activationDelay = SafeCast.toUint32(vm.parseJsonUint(json, ".activationDelay"));
        }
        config.owner = vm.envOr("ZKML_OWNER", config.owner);
        config.guardian = vm.envOr("ZKML_GUARDIAN", config.guardian);
        config.token = vm.envOr("ZKML_TOKEN", config.token);
        config.timelockDelay = vm.envOr("ZKML_TIMELOCK_DELAY", config.timelockDelay);
        config.activationDelay = SafeCast.toUint32(vm.envOr("ZKML_ACTIVATION_DELAY", uint256(config.activationDelay)));
    }

    function _timelock(uint256 delay, address owner, address guardian) private returns (GuardedTimelock) {
        bytes memory arguments = abi.encode(delay, owner, guardian);
        address place = placeOf(bytes.concat(type(GuardedTimelock).creationCode, arguments));
        if (place.code.length != 0) return GuardedTimelock(payable(place));
        return new GuardedTimelock{salt: SALT}(delay, owner, guardian);
    }

    function _router(address owner, address guardian, uint32 delay) private returns (InferenceRouter) {
        bytes memory arguments = abi.encode(owner, guardian, delay);
        address place = placeOf(bytes.concat(type(InferenceRouter).creationCode, arguments));
        if (place.code.length != 0) return InferenceRouter(place);
        return new InferenceRouter{salt: SALT}(owner, guardian, delay);
    }

    function _attestations(address owner, address guardian) private returns (InputAttestation) {
        address place = placeOf(bytes.concat(type(InputAttestation).creationCode, abi.encode(owner, guardian)));
        if (place.code.length != 0) return InputAttestation(place);
        return new InputAttestation{salt: SALT}(owner, guardian);
    }

    function _token() private returns (IERC20) {
        bytes memory arguments = abi.encode("Demo Dollar", "DUSD", uint8(6));
        address place = placeOf(bytes.concat(type(MockERC20).creationCode, arguments));
        if (place.code.length != 0) return IERC20(place);
        return new MockERC20{salt: SALT}("Demo Dollar", "DUSD", 6);
    }

    function _lending(address owner, address guardian, Deployment memory d) private returns (LendingThreshold) {
        bytes memory arguments = abi.encode(owner, guardian, d.token, d.router, d.attestations);
        address place = placeOf(bytes.concat(type(LendingThreshold).creationCode, arguments));
        if (place.code.length != 0) return LendingThreshold(place);
        return new LendingThreshold{salt: SALT}(owner, guardian, d.token, d.router, d.attestations);
    }

    function _record(Deployment memory d, Config memory config) private {
        (address owner, address guardian) = (config.owner, config.guardian);
        if (address(d.timelock) != address(0)) {
            recordGoverned("GuardedTimelock", address(d.timelock), owner, guardian, config.timelockDelay);
            owner = address(d.timelock);
        }
        recordGoverned("InferenceRouter", address(d.router), owner, guardian, config.activationDelay);
        recordGoverned("InputAttestation", address(d.attestations), owner, guardian, NO_DELAY);
        bool ours = placeOf(bytes.concat(type(MockERC20).creationCode, abi.encode("Demo Dollar", "DUSD", uint8(6))))
            == address(d.token);
        if (ours) record("MockERC20", "MockERC20", address(d.token), 0);
        recordGoverned("LendingThreshold", address(d.lending), owner, guardian, NO_DELAY);
    }

    function _requirePublic(Config memory config) private view {
        if (config.token == address(0)) revert TokenRequired(block.chainid);
        bool slow = config.timelockDelay == 0 ? _isContract(config.owner) : config.timelockDelay >= LEAST_DELAY;
        if (!slow || config.activationDelay < LEAST_DELAY) {
            revert DelayRequired(block.chainid, LEAST_DELAY, config.timelockDelay, config.activationDelay);
        }
        _requireGuardian(config);
    }

    function _requireGuardian(Config memory config) private view {
        if (config.guardian == address(0) || config.guardian == config.owner) {
            revert GuardianRequired(block.chainid, config.owner, config.guardian);
        }
    }

    /// Code that is not the 23 bytes of an EIP-7702 delegation, 0xef0100 and an address.
    function _isContract(address account) private view returns (bool) {
        bytes memory code = account.code;
        // The first bytes are what is asked for.
        // forge-lint: disable-next-line(unsafe-typecast)
        return code.length != 0 && !(code.length == 23 && bytes3(code) == 0xef0100);
    }
}
