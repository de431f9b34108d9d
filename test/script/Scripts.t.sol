// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Deploy} from "../../script/Deploy.s.sol";
import {FreezeModel} from "../../script/FreezeModel.s.sol";
import {RegisterModel} from "../../script/RegisterModel.s.sol";
import {StubVerifier} from "../helpers/StubVerifiers.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// The scripts without a chain; against anvil they run in the Rust suite. One test, as the environment is one for all.
contract ScriptsTest is Test {
    bytes32 private constant MODEL = keccak256("model");

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
        new RegisterModel().run();
        _assertState(d.router, IInferenceRouter.State.Active);
        new FreezeModel().run();
        _assertState(d.router, IInferenceRouter.State.Frozen);
    }

    function test_deploysOverAGivenToken() public {
        MockERC20 token = new MockERC20("Real", "REAL", 18);
        vm.chainId(1);
        Deploy.Deployment memory d = new Deploy().deploy(Deploy.Config(address(this), address(0), address(token)));
        assertEq(address(d.token), address(token));
        assertEq(address(d.lending.token()), address(token));
    }

    function test_RevertWhen_noTokenOnAPublicChain() public {
        vm.chainId(1);
        Deploy script = new Deploy();
        vm.expectRevert(abi.encodeWithSelector(Deploy.TokenRequired.selector, 1));
        script.deploy(Deploy.Config(address(this), address(0), address(0)));
    }

    function _assertState(InferenceRouter router, IInferenceRouter.State state) private view {
        assertEq(uint8(router.model(MODEL).state), uint8(state));
    }
}
