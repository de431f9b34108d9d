// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GoldenProof} from "../helpers/GoldenProof.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// Every point of the proof in turn: the identity, coordinates that are not canonical, points beside the curve, other points.
contract VerifyProofPointsTest is GoldenProof {
    function test_RevertWhen_aPointIsTheIdentity() public {
        for (uint256 i = 0; i < points + 2; ++i) {
            _expectNotOnCurve(i);
            verify(_withPoint(i, 0, 0));
        }
    }

    /// Another encoding of the same point.
    function test_RevertWhen_aCoordinateIsNotBelowQ() public {
        for (uint256 i = 0; i < points + 2; ++i) {
            (uint256 x, uint256 y) = _point(i);
            _expectNotOnCurve(i);
            verify(_withPoint(i, x + Q, y));
            _expectNotOnCurve(i);
            verify(_withPoint(i, x, y + Q));
        }
    }

    function test_RevertWhen_aPointIsBesideTheCurve() public {
        for (uint256 i = 0; i < points + 2; ++i) {
            (uint256 x, uint256 y) = _point(i);
            _expectNotOnCurve(i);
            verify(_withPoint(i, x, addmod(y, 1, Q)));
            _expectNotOnCurve(i);
            verify(_withPoint(i, y, x));
        }
    }

    function test_RevertWhen_aPointIsNegated() public {
        for (uint256 i = 0; i < points + 2; ++i) {
            (uint256 x, uint256 y) = _point(i);
            expectRejected();
            verify(_withPoint(i, x, Q - y));
        }
    }

    function test_RevertWhen_aPointIsTheGenerator() public {
        for (uint256 i = 0; i < points + 2; ++i) {
            expectRejected();
            verify(_withPoint(i, 1, 2));
        }
    }

    function test_RevertWhen_neighboursAreExchanged() public {
        for (uint256 i = 1; i < points + 2; ++i) {
            (uint256 x, uint256 y) = _point(i);
            (uint256 u, uint256 v) = _point(i - 1);
            bytes memory changed = _withPoint(i, u, v);
            changed = put(put(changed, pointAt(i - 1), x), pointAt(i - 1) + 32, y);
            expectRejected();
            verify(changed);
        }
    }

    function _expectNotOnCurve(uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.PointNotOnCurve.selector, index));
    }

    function _point(uint256 index) private view returns (uint256 x, uint256 y) {
        return (wordAt(pointAt(index)), wordAt(pointAt(index) + 32));
    }

    function _withPoint(uint256 index, uint256 x, uint256 y) private view returns (bytes memory) {
        return put(withWord(pointAt(index), x), pointAt(index) + 32, y);
    }
}
