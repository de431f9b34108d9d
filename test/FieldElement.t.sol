// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";

/// Library functions are internal: a revert needs a call.
contract FieldElementCaller {
    function fromInt(int256 value) external pure returns (uint256) {
        return FieldElement.fromInt(value);
    }

    function requireCanonical(uint256 value) external pure returns (uint256) {
        return FieldElement.requireCanonical(value);
    }
}

contract FieldElementTest is Test {
    int256 private constant LIMIT = 1_329_227_995_784_915_872_903_807_060_280_344_576;
    FieldElementCaller private caller;

    function setUp() public {
        caller = new FieldElementCaller();
    }

    function test_orderIsBn254s() public pure {
        assertEq(FieldElement.R, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001);
    }

    function test_edges() public view {
        assertEq(caller.fromInt(0), 0);
        assertEq(caller.fromInt(1), 1);
        assertEq(caller.fromInt(-1), FieldElement.R - 1);
        assertEq(caller.fromInt(LIMIT - 1), uint256(LIMIT - 1));
        assertEq(caller.fromInt(1 - LIMIT), FieldElement.R - uint256(LIMIT - 1));
    }

    function test_RevertWhen_justOutside() public {
        _expectOutOfRange(LIMIT);
        _expectOutOfRange(-LIMIT);
        _expectOutOfRange(type(int256).max);
        _expectOutOfRange(type(int256).min);
    }

    function testFuzz_addsToZeroWithItsNegative(int256 value) public view {
        value = bound(value, 1 - LIMIT, LIMIT - 1);
        assertEq(addmod(caller.fromInt(value), caller.fromInt(-value), FieldElement.R), 0);
        assertLt(caller.fromInt(value), FieldElement.R);
    }

    function testFuzz_isInjective(int256 a, int256 b) public view {
        a = bound(a, 1 - LIMIT, LIMIT - 1);
        b = bound(b, 1 - LIMIT, LIMIT - 1);
        assertEq(caller.fromInt(a) == caller.fromInt(b), a == b);
    }

    function testFuzz_RevertWhen_outOfRange(int256 value) public {
        vm.assume(value >= LIMIT || value <= -LIMIT);
        _expectOutOfRange(value);
    }

    function testFuzz_canonicalIsReturned(uint256 value) public view {
        value = bound(value, 0, FieldElement.R - 1);
        assertEq(caller.requireCanonical(value), value);
    }

    function testFuzz_RevertWhen_notCanonical(uint256 value) public {
        value = bound(value, FieldElement.R, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.NotCanonical.selector, value));
        caller.requireCanonical(value);
    }

    function _expectOutOfRange(int256 value) private {
        vm.expectRevert(abi.encodeWithSelector(FieldElement.IntegerOutOfRange.selector, value));
        caller.fromInt(value);
    }
}
