// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";
import {MockProofVerifier} from "zkml-evm/mocks/MockProofVerifier.sol";
import {MockRouter} from "zkml-evm/mocks/MockRouter.sol";

contract MocksTest is Test {
    function testFuzz_verifierRejectsUntilTold(uint256[] calldata inputs, bytes calldata proof) public {
        MockProofVerifier mock = new MockProofVerifier();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyProof(inputs, proof);
        mock.accept(inputs);
        mock.verifyProof(inputs, proof);
        uint256[] memory others = new uint256[](inputs.length + 1);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyProof(others, proof);
        mock.setAcceptsAll(true);
        mock.verifyProof(others, proof);
        assertEq(mock.verifierKind(), keccak256("zkml-evm.verifier.mock"));
    }

    function testFuzz_routerRejectsUntilTold(bytes32 modelId, uint256[] calldata inputs, bytes calldata proof) public {
        MockRouter mock = new MockRouter();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyInference(modelId, inputs, proof);
        mock.accept(modelId, inputs);
        mock.verifyInference(modelId, inputs, proof);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyInference(~modelId, inputs, proof);
        mock.setAcceptsAll(true);
        mock.verifyInference(~modelId, inputs, proof);
    }

    function testFuzz_routerRejectsAggregatesUntilTold(
        bytes32 id,
        bytes32[] calldata modelIds,
        uint256[] calldata sizes,
        uint256[] calldata inputs,
        bytes calldata proof
    ) public {
        MockRouter mock = new MockRouter();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyAggregate(id, modelIds, sizes, inputs, proof);
        mock.acceptAggregate(id, modelIds, sizes, inputs);
        mock.verifyAggregate(id, modelIds, sizes, inputs, proof);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyAggregate(~id, modelIds, sizes, inputs, proof);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        mock.verifyAggregate(id, new bytes32[](modelIds.length + 1), sizes, inputs, proof);
        mock.setAcceptsAll(true);
        mock.verifyAggregate(~id, modelIds, sizes, inputs, proof);
    }

    function testFuzz_tokenMints(address to, uint256 amount, uint8 decimals) public {
        vm.assume(to != address(0));
        MockERC20 token = new MockERC20("Name", "SYM", decimals);
        token.mint(to, amount);
        assertEq(token.balanceOf(to), amount);
        assertEq(token.decimals(), decimals);
    }
}
