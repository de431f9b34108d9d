// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";
import {PermanentlyOwned} from "zkml-evm/access/PermanentlyOwned.sol";

contract Owned is PermanentlyOwned {
    constructor(address initialOwner) PermanentlyOwned(initialOwner) {}
}

contract PermanentlyOwnedTest is Test {
    address private owner = makeAddr("owner");
    address private next = makeAddr("next");
    Owned private owned;

    function setUp() public {
        owned = new Owned(owner);
    }

    function test_RevertWhen_ownerRenounces() public {
        vm.expectRevert(abi.encodeWithSelector(PermanentlyOwned.RenounceRefused.selector, owner));
        vm.prank(owner);
        owned.renounceOwnership();
        assertEq(owned.owner(), owner);
    }

    function test_RevertWhen_strangerRenounces() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, next));
        vm.prank(next);
        owned.renounceOwnership();
    }

    function test_RevertWhen_ownerIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new Owned(address(0));
    }

    function test_handsOverInTwoSteps() public {
        vm.prank(owner);
        owned.transferOwnership(next);
        assertEq(owned.owner(), owner);
        vm.prank(next);
        owned.acceptOwnership();
        assertEq(owned.owner(), next);
    }
}
