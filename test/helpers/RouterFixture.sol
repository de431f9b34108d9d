// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {StubVerifier} from "./StubVerifiers.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

abstract contract RouterFixture is Test {
    bytes32 internal constant MODEL = keccak256("model");

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal stranger = makeAddr("stranger");
    InferenceRouter internal router;
    StubVerifier internal verifier;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        router = new InferenceRouter(owner, guardian);
        verifier = new StubVerifier(1);
    }

    function register() internal {
        vm.prank(owner);
        router.registerModel(MODEL, address(verifier), address(verifier).codehash);
    }

    function freeze() internal {
        vm.prank(guardian);
        router.freezeModel(MODEL);
    }

    function expectNotOwner(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }

    function expectNotActive(IInferenceRouter.State state) internal {
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, MODEL, state));
    }

    function someInputs() internal pure returns (uint256[] memory inputs) {
        inputs = new uint256[](3);
        (inputs[0], inputs[1], inputs[2]) = (11, 22, 33);
    }
}
