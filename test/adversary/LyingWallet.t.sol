// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {ScriptedWallet} from "../helpers/Wallets1271.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";

/// ERC-1271 contracts that say yes to everything: as a borrower, as an attestor, and as one that nobody listed.
contract LyingWalletTest is LendingFixture {
    address private _yes;

    function setUp() public override {
        super.setUp();
        _yes = address(new ScriptedWallet(abi.encode(bytes4(0x1626ba7e)), false));
    }

    /// Anybody can borrow for it, as it said; the tokens are its own, and so is the debt.
    function test_asABorrowerItHarmsItselfOnly() public {
        ILendingThreshold.BorrowRequest memory request = accepted(_yes);
        vm.prank(stranger);
        uint256 id = lending.openLoanFor(request, "");
        assertEq(token.balanceOf(_yes), AMOUNT);
        assertEq(token.balanceOf(stranger), 0);
        assertEq(lending.loan(id).borrower, _yes);
    }

    /// It cannot speak for others.
    function test_RevertWhen_itAttestsUnlisted() public {
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        (request.attestor, request.signature) = (_yes, "");
        expectNotAllowed(_yes);
        open(request);
    }

    /// Listed, it attests whatever is asked for: that is what an attestor is trusted with. Its lies still meet the schema, the
    /// epoch, the proof and the limits, and end in the block in which the owner removes it.
    function test_asAnAttestorItIsStoppedByRemoval() public {
        allow(_yes);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        (request.attestor, request.signature) = (_yes, "");
        open(request);
        ILendingThreshold.BorrowRequest memory second = accepted(stranger);
        (second.attestor, second.signature) = (_yes, "");
        remove(_yes);
        expectNotAllowed(_yes);
        open(second);
    }

    /// Yes to every signature is still no second use of one epoch.
    function test_RevertWhen_itAttestsTwiceInAnEpoch() public {
        allow(_yes);
        ILendingThreshold.BorrowRequest memory request = accepted(borrower);
        (request.attestor, request.signature) = (_yes, "");
        open(request);
        bytes32 spent = nullifierOf(request);
        IInputAttestation.Attestation memory a = statementFor(borrower);
        a.inputCommitment = bytes32(uint256(12_345));
        request = requestOver(a);
        (request.attestor, request.signature) = (_yes, "");
        acceptProofOf(request);
        expectSpent(spent);
        open(request);
    }
}
