// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

contract ConstructorTest is LendingFixture {
    function test_keepsItsParts() public view {
        assertEq(address(lending.router()), address(router));
        assertEq(address(lending.attestations()), address(registry));
        assertEq(address(lending.token()), address(token));
        assertEq(lending.owner(), owner);
    }

    /// Calls to these return nothing: without code each would succeed.
    function test_RevertWhen_aPartHasNoCode() public {
        _expectNotAContract();
        new LendingThreshold(owner, guardian, token, IInferenceVerifier(stranger), registry);
        _expectNotAContract();
        new LendingThreshold(owner, guardian, token, router, IInputAttestation(stranger));
        _expectNotAContract();
        new LendingThreshold(owner, guardian, IERC20(stranger), router, registry);
    }

    function _expectNotAContract() private {
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NotAContract.selector, stranger));
    }
}
