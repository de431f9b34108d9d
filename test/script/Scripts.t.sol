// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Deploy} from "../../script/Deploy.s.sol";
import {FreezeModel} from "../../script/FreezeModel.s.sol";
import {RegisterModel} from "../../script/RegisterModel.s.sol";
import {StubVerifier} from "../helpers/StubVerifiers.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IGuarded} from "zkml-evm/interfaces/IGuarded.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// The scripts without a chain; against anvil they run in the Rust suite. One test, as the environment is one for all.
contract ScriptsTest is Test {
    bytes32 private constant MODEL = keccak256("model");

    address private decider = makeAddr("decider");
    address private guardian = makeAddr("guardian");

    function test_deployRegisterFreeze() public {
        vm.setEnv("ZKML_CONFIG", "script/config/local.json");
        Deploy.Deployment memory d = new Deploy().run();
        assertEq(d.lending.owner(), DEFAULT_SENDER);
        assertEq(d.router.guardian(), 0x70997970C51812dc3A010C7d01b50e0d17dc79C8);
        assertEq(address(d.lending.router()), address(d.router));
        assertEq(address(d.lending.attestations()), address(d.attestations));
        assertEq(address(d.lending.token()), address(d.token));

        vm.setEnv("ZKML_ROUTER", vm.toString(address(d.router)));
        vm.setEnv("ZKML_MODEL_ID", vm.toString(MODEL));
        vm.setEnv("ZKML_CODEHASH", vm.toString(address(new StubVerifier(0)).codehash));
        vm.setEnv("ZKML_VERIFIER", vm.toString(address(new StubVerifier(0))));
        vm.setEnv("ZKML_INPUT_MODE", "0");
        vm.setEnv("ZKML_OUTPUT_MODE", "2");
        new RegisterModel().run();
        assertEq(d.router.model(MODEL).familyId, MODEL);
        assertEq(d.router.model(MODEL).version, 1);
        _assertState(d.router, IInferenceRouter.State.Active);
        new FreezeModel().run();
        _assertState(d.router, IInferenceRouter.State.Frozen);

        // The file for public chains as it lies here names neither token nor guardian: it refuses until somebody fills it in.
        vm.setEnv("ZKML_CONFIG", "script/config/public.json");
        Deploy script = new Deploy();
        Deploy.Config memory unfilled = script.readConfig();
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Deploy.TokenRequired.selector, 1));
        script.deploy(unfilled);
        (unfilled.owner, unfilled.token) = (decider, address(new MockERC20("Real", "REAL", 18)));
        _expectGuardianRequired(1, decider, address(0));
        script.deploy(unfilled);
        unfilled.guardian = guardian;
        assertEq(script.deploy(unfilled).timelock.getMinDelay(), 2 days);
    }

    function test_deploysOverAGivenToken() public {
        MockERC20 token = new MockERC20("Real", "REAL", 18);
        vm.chainId(1);
        Deploy.Deployment memory d =
            new Deploy().deploy(Deploy.Config(address(this), guardian, address(token), 0, 1 days));
        assertEq(d.router.owner(), address(this));
        assertEq(address(d.timelock), address(0));
        assertEq(address(d.token), address(token));
        assertEq(address(d.lending.token()), address(token));
    }

    function test_RevertWhen_noTokenOnAPublicChain() public {
        vm.chainId(1);
        Deploy script = new Deploy();
        vm.expectRevert(abi.encodeWithSelector(Deploy.TokenRequired.selector, 1));
        script.deploy(Deploy.Config(address(this), guardian, address(0), 2 days, 1 days));
    }

    /// An account that decides alone and at once, or a model that verifies at once: not on a public chain.
    function test_RevertWhen_noDelayOnAPublicChain() public {
        vm.chainId(1);
        _assertDelayRequired(0, 1 days);
        _assertDelayRequired(1 days - 1, 1 days);
        _assertDelayRequired(2 days, 1 days - 1);
        // A delegation (EIP-7702) makes no contract of an account.
        vm.etch(decider, abi.encodePacked(hex"ef0100", address(this)));
        _assertDelayRequired(0, 1 days);
        vm.etch(decider, hex"00");
        address token = address(new MockERC20("Real", "REAL", 18));
        assertEq(new Deploy().deploy(Deploy.Config(decider, guardian, token, 0, 1 days)).router.owner(), decider);
    }

    /// Without somebody besides the owner nothing could be stopped before a delay is over.
    function test_RevertWhen_noGuardian() public {
        Deploy script = new Deploy();
        address token = address(new MockERC20("Real", "REAL", 18));
        address[2] memory wrong = [address(0), decider];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.chainId(31_337);
            _expectGuardianRequired(31_337, decider, wrong[i]);
            script.deploy(Deploy.Config(decider, wrong[i], token, 1, 0));
            vm.chainId(1);
            _expectGuardianRequired(1, decider, wrong[i]);
            script.deploy(Deploy.Config(decider, wrong[i], token, 2 days, 1 days));
        }
        _expectGuardianRequired(1, address(this), address(this));
        script.deploy(Deploy.Config(address(this), address(this), token, 0, 1 days));
    }

    /// A stolen attestor key and a broken model are stopped in one block, while the owner's calls wait; nothing else is possible.
    function test_theGuardianStopsInOneBlock() public {
        Deploy.Deployment memory d = _behindATimelock();
        address attestor = makeAddr("attestor");
        bytes32 schemaId = keccak256("schema");
        vm.startPrank(address(d.timelock));
        d.attestations.setAttestor(attestor, schemaId, IInputAttestation.Kind.Signer);
        d.router.registerModel(MODEL, _registration());
        vm.stopPrank();

        vm.startPrank(guardian);
        d.lending.pause();
        d.attestations.revokeFor(attestor, MODEL);
        d.attestations.retireAttestor(attestor, schemaId, uint64(block.timestamp));
        d.attestations.removeAttestor(attestor, schemaId);
        d.router.freezeModel(MODEL);
        assertTrue(d.lending.paused());
        assertTrue(d.attestations.isRevoked(attestor, MODEL));
        assertEq(uint8(d.attestations.listing(attestor, schemaId).kind), uint8(IInputAttestation.Kind.None));
        _assertState(d.router, IInferenceRouter.State.Frozen);

        ILendingThreshold.PolicyTerms memory terms;
        _expectNotOwner();
        d.lending.unpause();
        _expectNotOwner();
        d.lending.withdraw(0);
        _expectNotOwner();
        d.lending.addPolicy(terms);
        _expectNotOwner();
        d.lending.retirePolicy(MODEL);
        _expectNotOwner();
        d.attestations.setAttestor(attestor, schemaId, IInputAttestation.Kind.Signer);
        _expectNotOwner();
        d.router.registerModel(keccak256("other"), IInferenceRouter.Registration(MODEL, attestor, MODEL, _form()));
        _expectNotOwner();
        d.router.deprecateModel(MODEL, 0);
        IGuarded[3] memory guarded = [IGuarded(d.router), IGuarded(d.attestations), IGuarded(d.lending)];
        for (uint256 i = 0; i < guarded.length; ++i) {
            _expectNotOwner();
            guarded[i].setGuardian(decider);
            _expectNotOwner();
            Ownable(address(guarded[i])).transferOwnership(guardian);
        }
    }

    /// What a stolen owner's key schedules, the guardian cancels; it can neither schedule nor execute, and the owner not cancel.
    function test_theGuardianCancels() public {
        Deploy.Deployment memory d = _behindATimelock();
        bytes memory call = abi.encodeCall(d.lending.withdraw, (1));
        vm.prank(decider);
        d.timelock.schedule(address(d.lending), 0, call, 0, 0, 2 days);
        bytes32 id = d.timelock.hashOperation(address(d.lending), 0, call, 0, 0);

        (bytes32 proposer, bytes32 executor) = (d.timelock.PROPOSER_ROLE(), d.timelock.EXECUTOR_ROLE());
        (bytes32 canceller, bytes32 admin) = (d.timelock.CANCELLER_ROLE(), d.timelock.DEFAULT_ADMIN_ROLE());
        _expectNoRole(decider, canceller);
        vm.prank(decider);
        d.timelock.cancel(id);
        skip(2 days);
        vm.startPrank(guardian);
        _expectNoRole(guardian, executor);
        d.timelock.execute(address(d.lending), 0, call, 0, 0);
        _expectNoRole(guardian, proposer);
        d.timelock.schedule(address(d.lending), 0, call, 0, bytes32(uint256(1)), 2 days);
        _expectNoRole(guardian, admin);
        d.timelock.grantRole(proposer, guardian);
        d.timelock.cancel(id);
        vm.stopPrank();
        assertFalse(d.timelock.isOperation(id));
    }

    /// Nobody but decider, guardian and the timelock itself holds a role: not the script, not who broadcast it.
    function test_theScriptKeepsNoRole() public {
        Deploy script = new Deploy();
        address token = address(new MockERC20("Real", "REAL", 18));
        Deploy.Deployment memory d = script.deploy(Deploy.Config(decider, guardian, token, 2 days, 1 days));
        TimelockController t = d.timelock;
        bytes32[4] memory roles = [t.DEFAULT_ADMIN_ROLE(), t.PROPOSER_ROLE(), t.EXECUTOR_ROLE(), t.CANCELLER_ROLE()];
        address[4] memory holders = [address(t), decider, decider, guardian];
        address[6] memory all = [address(script), address(this), address(0), address(t), decider, guardian];
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 j = 0; j < all.length; ++j) {
                assertEq(t.hasRole(roles[i], all[j]), all[j] == holders[i]);
            }
        }
    }

    /// The road of a model on a public chain: proposed, waited for, registered, waited for, active.
    function test_aTimelockApprovesModels() public {
        Deploy.Deployment memory d = _behindATimelock();
        assertEq(d.router.owner(), address(d.timelock));
        assertEq(d.attestations.owner(), address(d.timelock));
        assertEq(d.lending.owner(), address(d.timelock));
        assertEq(d.timelock.getMinDelay(), 2 days);

        IInferenceRouter.Registration memory registration = _registration();
        bytes memory call = abi.encodeCall(IInferenceRouter.registerModel, (MODEL, registration));
        vm.startPrank(decider);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, decider));
        d.router.registerModel(MODEL, registration);
        d.timelock.schedule(address(d.router), 0, call, bytes32(0), bytes32(0), 2 days);
        bytes32 id = d.timelock.hashOperation(address(d.router), 0, call, bytes32(0), bytes32(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                TimelockController.TimelockUnexpectedOperationState.selector,
                id,
                bytes32(1 << uint8(TimelockController.OperationState.Ready))
            )
        );
        d.timelock.execute(address(d.router), 0, call, bytes32(0), bytes32(0));
        skip(2 days);
        d.timelock.execute(address(d.router), 0, call, bytes32(0), bytes32(0));
        vm.stopPrank();
        _assertState(d.router, IInferenceRouter.State.Scheduled);
        skip(1 days);
        _assertState(d.router, IInferenceRouter.State.Active);
    }

    function _behindATimelock() private returns (Deploy.Deployment memory) {
        vm.chainId(1);
        address token = address(new MockERC20("Real", "REAL", 18));
        return new Deploy().deploy(Deploy.Config(decider, guardian, token, 2 days, 1 days));
    }

    function _assertDelayRequired(uint256 timelockDelay, uint32 activationDelay) private {
        Deploy script = new Deploy();
        address token = address(new MockERC20("Real", "REAL", 18));
        vm.expectRevert(
            abi.encodeWithSelector(Deploy.DelayRequired.selector, 1, 1 days, timelockDelay, activationDelay)
        );
        script.deploy(Deploy.Config(decider, guardian, token, timelockDelay, activationDelay));
    }

    function _expectGuardianRequired(uint256 chainId, address owner, address wrong) private {
        vm.expectRevert(abi.encodeWithSelector(Deploy.GuardianRequired.selector, chainId, owner, wrong));
    }

    function _expectNotOwner() private {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, guardian));
    }

    function _expectNoRole(address account, bytes32 role) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role));
    }

    function _form() private pure returns (IInferenceRouter.Statement memory) {
        return
            IInferenceRouter.Statement(IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1);
    }

    function _registration() private returns (IInferenceRouter.Registration memory) {
        StubVerifier verifier = new StubVerifier(0);
        return IInferenceRouter.Registration({
            familyId: MODEL, verifier: address(verifier), codehash: address(verifier).codehash, statement: _form()
        });
    }

    function _assertState(InferenceRouter router, IInferenceRouter.State state) private view {
        assertEq(uint8(router.model(MODEL).state), uint8(state));
    }
}
