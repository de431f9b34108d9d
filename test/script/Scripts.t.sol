// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Deploy} from "../../script/Deploy.s.sol";
import {FreezeModel} from "../../script/FreezeModel.s.sol";
import {RegisterModel} from "../../script/RegisterModel.s.sol";
import {StubVerifier} from "../helpers/StubVerifiers.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// The scripts without a chain; against anvil they run in the Rust suite. One test, as the environment is one for all.
contract ScriptsTest is Test {
    bytes32 private constant MODEL = keccak256("model");

    address private decider = makeAddr("decider");

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
    }

    function test_deploysOverAGivenToken() public {
        MockERC20 token = new MockERC20("Real", "REAL", 18);
        vm.chainId(1);
        Deploy.Deployment memory d =
            new Deploy().deploy(Deploy.Config(address(this), address(0), address(token), 0, 1 days));
        assertEq(d.router.owner(), address(this));
        assertEq(address(d.timelock), address(0));
        assertEq(address(d.token), address(token));
        assertEq(address(d.lending.token()), address(token));
    }

    function test_RevertWhen_noTokenOnAPublicChain() public {
        vm.chainId(1);
        Deploy script = new Deploy();
        vm.expectRevert(abi.encodeWithSelector(Deploy.TokenRequired.selector, 1));
        script.deploy(Deploy.Config(address(this), address(0), address(0), 2 days, 1 days));
    }

    /// An account that decides alone and at once, or a model that verifies at once: not on a public chain.
    function test_RevertWhen_noDelayOnAPublicChain() public {
        vm.chainId(1);
        Deploy script = new Deploy();
        address token = address(new MockERC20("Real", "REAL", 18));
        vm.expectRevert(abi.encodeWithSelector(Deploy.DelayRequired.selector, 1, 0, 1 days));
        script.deploy(Deploy.Config(decider, address(0), token, 0, 1 days));
        vm.expectRevert(abi.encodeWithSelector(Deploy.DelayRequired.selector, 1, 2 days, 0));
        script.deploy(Deploy.Config(decider, address(0), token, 2 days, 0));
    }

    /// The road of a model on a public chain: proposed, waited for, registered, waited for, active.
    function test_aTimelockApprovesModels() public {
        vm.chainId(1);
        address token = address(new MockERC20("Real", "REAL", 18));
        Deploy.Deployment memory d = new Deploy().deploy(Deploy.Config(decider, address(7), token, 2 days, 1 days));
        assertEq(d.router.owner(), address(d.timelock));
        assertEq(d.attestations.owner(), address(d.timelock));
        assertEq(d.lending.owner(), address(d.timelock));
        assertEq(d.timelock.getMinDelay(), 2 days);
        assertFalse(d.timelock.hasRole(d.timelock.DEFAULT_ADMIN_ROLE(), decider));

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

    function _registration() private returns (IInferenceRouter.Registration memory) {
        StubVerifier verifier = new StubVerifier(0);
        return IInferenceRouter.Registration({
            familyId: MODEL,
            verifier: address(verifier),
            codehash: address(verifier).codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Threshold, 1
            )
        });
    }

    function _assertState(InferenceRouter router, IInferenceRouter.State state) private view {
        assertEq(uint8(router.model(MODEL).state), uint8(state));
    }
}
