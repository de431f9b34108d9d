// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {StubVerifier} from "./StubVerifiers.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";

abstract contract RouterFixture is Test {
    bytes32 internal constant MODEL = keccak256("model");
    bytes32 internal constant FAMILY = keccak256("family");
    uint32 internal constant DELAY = 2 days;

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal stranger = makeAddr("stranger");
    InferenceRouter internal router;
    StubVerifier internal verifier;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        router = new InferenceRouter(owner, guardian, DELAY);
        verifier = new StubVerifier(1);
    }

    /// Committed input, revealed class: context, commitment, class.
    function registrationOf(address verifier_) internal view returns (IInferenceRouter.Registration memory) {
        return IInferenceRouter.Registration({
            familyId: FAMILY,
            verifier: verifier_,
            codehash: verifier_.codehash,
            statement: IInferenceRouter.Statement(
                IInferenceRouter.InputMode.Committed, IInferenceRouter.OutputMode.Argmax, 1
            )
        });
    }

    /// Registered, not active yet.
    function schedule() internal {
        schedule(MODEL, registrationOf(address(verifier)));
    }

    function schedule(bytes32 modelId, IInferenceRouter.Registration memory registration) internal {
        vm.prank(owner);
        router.registerModel(modelId, registration);
    }

    /// Registered and active.
    function register() internal {
        schedule();
        skip(DELAY);
    }

    function freeze() internal {
        vm.prank(guardian);
        router.freezeModel(MODEL);
    }

    function deprecate(uint64 until) internal {
        vm.prank(owner);
        router.deprecateModel(MODEL, until);
    }

    function stateOf(bytes32 modelId) internal view returns (IInferenceRouter.State) {
        return router.model(modelId).state;
    }

    function assertState(bytes32 modelId, IInferenceRouter.State state) internal view {
        assertEq(uint8(stateOf(modelId)), uint8(state));
    }

    function expectNotOwner(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }

    function expectNotActive(IInferenceRouter.State state) internal {
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, MODEL, state));
    }

    function someInputs() internal pure returns (uint256[] memory inputs) {
        return inputsOf(11, 22, 33);
    }

    function inputsOf(uint256 context, uint256 commitment, uint256 output)
        internal
        pure
        returns (uint256[] memory inputs)
    {
        inputs = new uint256[](3);
        (inputs[0], inputs[1], inputs[2]) = (context, commitment, output);
    }
}
