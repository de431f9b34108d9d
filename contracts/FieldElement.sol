// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Elements of BN254's scalar field, as circuits see public inputs
library FieldElement {
    /// @notice The field's order r.
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;

    /// @notice Integers of the statement lie strictly between -LIMIT and LIMIT, far from where the field wraps.
    int256 internal constant LIMIT = 1 << 120;

    /// @notice The integer has a magnitude of 2^120 or more.
    error IntegerOutOfRange(int256 value);

    /// @notice The number is not below r.
    error NotCanonical(uint256 value);

    /// @notice v mod r: v itself, or r - |v| for a negative one.
    function fromInt(int256 value) internal pure returns (uint256 element) {
        if (value <= -LIMIT || value >= LIMIT) revert IntegerOutOfRange(value);
        // Both casts are of non-negative numbers below 2^120, by the line above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return value < 0 ? R - uint256(-value) : uint256(value);
    }

    /// @notice Reverts unless `value` is below r, and returns it.
    function requireCanonical(uint256 value) internal pure returns (uint256 element) {
        if (value >= R) revert NotCanonical(value);
        return value;
    }
}
