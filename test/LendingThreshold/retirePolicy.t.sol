// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

contract RetirePolicyTest is LendingFixture {
    function test_endsNewLoansAndKeepsOldOnes() public {
        open(accepted(borrower));
        vm.expectEmit(address(lending));
        emit ILendingThreshold.PolicyRetired(policyId);
        _retire(policyId);
        assertFalse(lending.policy(policyId).active);
        assertEq(lending.principalOf(borrower), AMOUNT);

        ILendingThreshold.BorrowRequest memory request = accepted(stranger);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyIsRetired.selector, policyId));
        open(request);
    }

    function test_RevertWhen_retired() public {
        _retire(policyId);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyIsRetired.selector, policyId));
        _retire(policyId);
    }

    function testFuzz_RevertWhen_unknown(bytes32 id) public {
        vm.assume(id != policyId);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyUnknown.selector, id));
        _retire(id);
    }

    function testFuzz_RevertWhen_callerIsNotOwner(address caller) public {
        vm.assume(caller != owner);
        expectNotOwner(caller);
        vm.prank(caller);
        lending.retirePolicy(policyId);
    }

    function _retire(bytes32 id) private {
        vm.prank(owner);
        lending.retirePolicy(id);
    }
}
