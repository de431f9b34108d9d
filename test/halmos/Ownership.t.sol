// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {PermanentlyOwned} from "zkml-evm/access/PermanentlyOwned.sol";

contract OwnedHarness is PermanentlyOwned {
    constructor(address initialOwner) PermanentlyOwned(initialOwner) {}
}

/// Ownership for every caller, by symbolic execution (`make halmos`).
contract OwnershipCheck is Test {
    address private constant OWNER = address(0xa11ce);

    OwnedHarness private owned;

    function setUp() public {
        owned = new OwnedHarness(OWNER);
    }

    /// One call of anybody's never changes the owner: it takes the owner's offer and the next owner's word.
    function check_oneCallChangesNoOwner(address caller, address next, uint8 what) public {
        // Nobody calls from the zero address, which is what is pending while nothing is offered.
        vm.assume(caller != address(0));
        if (what == 0) _call(caller, abi.encodeCall(owned.transferOwnership, (next)));
        if (what == 1) _call(caller, abi.encodeCall(owned.acceptOwnership, ()));
        if (what == 2) assertFalse(_call(caller, abi.encodeCall(owned.renounceOwnership, ())));
        assertEq(owned.owner(), OWNER);
    }

    /// After an offer by anybody, only the one that the owner offered to becomes owner.
    function check_onlyTheOfferedOneAccepts(address offers, address next, address accepts) public {
        bool offered = _call(offers, abi.encodeCall(owned.transferOwnership, (next)));
        assertEq(offered, offers == OWNER);
        bool accepted = _call(accepts, abi.encodeCall(owned.acceptOwnership, ()));
        // As above.
        vm.assume(accepts != address(0));
        assertEq(accepted, offered && accepts == next);
        assertEq(owned.owner(), accepted ? next : OWNER);
    }

    function _call(address caller, bytes memory data) private returns (bool ok) {
        vm.prank(caller);
        (ok,) = address(owned).call(data);
    }
}
