// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Test} from "forge-std/Test.sol";

/// One handler, and those of its functions that are called in any order.
abstract contract Invariants is Test {
    uint256 internal constant NOW = 1_800_000_000;

    function target(address handler, bytes4[] memory selectors) internal {
        vm.warp(NOW);
        targetContract(handler);
        targetSelector(FuzzSelector(handler, selectors));
    }
}

/// Owner, guardian and a stranger, of whom any may try anything.
abstract contract Callers is CommonBase, StdUtils {
    address public immutable OWNER;
    address public immutable GUARDIAN;
    address public immutable STRANGER;

    constructor(address owner, address guardian, address stranger) {
        (OWNER, GUARDIAN, STRANGER) = (owner, guardian, stranger);
    }

    function caller(uint256 who) internal view returns (address) {
        who %= 3;
        return who == 0 ? OWNER : who == 1 ? GUARDIAN : STRANGER;
    }

    function attempt(address from, address contract_, bytes memory call) internal returns (bool ok) {
        vm.prank(from);
        (ok,) = contract_.call(call);
    }
}
