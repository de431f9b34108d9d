// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LendingFixture} from "../helpers/LendingFixture.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {FieldElement} from "zkml-evm/FieldElement.sol";
import {IInferenceVerifier} from "zkml-evm/interfaces/IInferenceVerifier.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";

/// One proof over the inputs of many borrowers. The router accepts exactly the batch's statement, built here once more.
contract OpenLoansTogetherTest is LendingFixture {
    uint256 private constant ITEM_GAS = 1_000_000;
    uint64 private constant EXPIRY = NOW + 1 hours;

    address private relayer = makeAddr("relayer");
    ILendingThreshold.BorrowRequest[] private _requests;
    bytes[] private _permits;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            IInputAttestation.Attestation memory a = statementFor(_subject(i));
            a.inputCommitment = bytes32(1000 + i);
            ILendingThreshold.BorrowRequest memory request = requestOver(a);
            request.proof = "";
            if (i == 2) (request.tier, request.amount) = (1, HIGH_AMOUNT);
            _requests.push(request);
            _permits.push(permitOf(_keyOf(i), request));
        }
    }

    function test_opensAllByOneProof() public {
        uint256[] memory statement = _accept();
        vm.expectCall(
            address(router), abi.encodeCall(IInferenceVerifier.verifyInference, (MODEL, statement, "proof")), 1
        );
        assertEq(_send(), 3);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
        assertEq(token.balanceOf(_subject(1)), AMOUNT);
        assertEq(token.balanceOf(_subject(2)), HIGH_AMOUNT);
        assertEq(lending.loanCount(), 3);
        assertEq(lending.nonceOf(relayer), 0);
    }

    /// An attestation that was revoked meanwhile refuses its own item only.
    function test_aBadItemLeavesTheOthersAlone() public {
        _accept();
        bytes32 hash = registry.hashAttestation(_requests[1].attestation);
        vm.prank(attestor);
        registry.revoke(hash);
        vm.expectEmit(address(lending));
        emit ILendingThreshold.BatchItemRefused(
            1, _subject(1), abi.encodeWithSelector(IInputAttestation.AttestationIsRevoked.selector, attestor, hash)
        );
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(1)), 0);
    }

    /// Sent twice, nobody gets a second loan: every item is spent by itself.
    function test_theProofGivesNothingTwice() public {
        _accept();
        assertEq(_send(), 3);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(lending));
            emit ILendingThreshold.BatchItemRefused(
                i, _subject(i), abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, nullifierOf(_requests[i]))
            );
        }
        assertEq(_send(), 0);
        assertEq(lending.loanCount(), 3);
    }

    /// Two items over one commitment: the circuit does not mind, the second one is refused.
    function test_aRepeatedInputGivesOneLoan() public {
        (_requests[1], _permits[1]) = (_requests[0], _permits[0]);
        _accept();
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(0)), AMOUNT);
    }

    /// The proof shows scores; consent is each borrower's own.
    function test_withoutAPermitThereIsNoLoan() public {
        _accept();
        _permits[0] = "";
        assertEq(_send(), 2);
        assertEq(token.balanceOf(_subject(0)), 0);
    }

    function test_RevertWhen_theProofIsRejected() public {
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send();
    }

    /// Somebody else's batch: the context is the sender's.
    function testFuzz_RevertWhen_anotherSenderCopiesIt(address thief) public {
        vm.assume(thief != relayer);
        _accept();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _sendAs(thief, EXPIRY);
    }

    function test_RevertWhen_theSenderCancelled() public {
        _accept();
        vm.prank(relayer);
        lending.cancelNonce();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send();
    }

    /// A tier higher than what was proven, or another order of the items, is another statement.
    function test_RevertWhen_theItemsAreExchanged() public {
        _accept();
        (_requests[0], _requests[2]) = (_requests[2], _requests[0]);
        (_permits[0], _permits[2]) = (_permits[2], _permits[0]);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send();
    }

    function test_RevertWhen_anItemIsLeftOut() public {
        _accept();
        _requests.pop();
        _permits.pop();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send();
    }

    function test_RevertWhen_aTierIsRaised() public {
        _accept();
        _requests[0].tier = 1;
        _permits[0] = permitOf(_keyOf(0), _requests[0]);
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _send();
    }

    function test_RevertWhen_expired() public {
        _accept();
        vm.warp(EXPIRY + 1);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.RequestExpired.selector, EXPIRY, block.timestamp));
        _send();
    }

    function test_RevertWhen_theExpiryIsPutOff() public {
        _accept();
        vm.expectRevert(IProofVerifier.PairingFailed.selector);
        _sendAs(relayer, EXPIRY + 1);
    }

    function test_RevertWhen_anItemIsOfAnotherPolicy() public {
        bytes32 other = add(lending, termsWith(THRESHOLD - 1));
        _requests[1].policyId = other;
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.BatchPolicyMismatch.selector, 1, policyId, other));
        _send();
    }

    function testFuzz_RevertWhen_aCommitmentIsAliased(uint256 commitment) public {
        commitment = bound(commitment, R, type(uint256).max);
        _requests[1].attestation.inputCommitment = bytes32(commitment);
        vm.expectRevert(abi.encodeWithSelector(FieldElement.NotCanonical.selector, commitment));
        _send();
    }

    function test_RevertWhen_empty() public {
        delete _requests;
        delete _permits;
        vm.expectRevert(ILendingThreshold.BatchEmpty.selector);
        _send();
    }

    function test_RevertWhen_thePolicyIsRetired() public {
        _accept();
        vm.prank(owner);
        lending.retirePolicy(policyId);
        vm.expectRevert(abi.encodeWithSelector(ILendingThreshold.PolicyIsRetired.selector, policyId));
        _send();
    }

    function test_RevertWhen_paused() public {
        vm.prank(owner);
        lending.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        _send();
    }

    /// [context of the sender, every commitment, every threshold], by the written formulas.
    function _accept() private returns (uint256[] memory inputs) {
        bytes32 tag = keccak256("zkml-evm.context.v1");
        bytes32 digest =
            keccak256(abi.encode(tag, block.chainid, lending, relayer, MODEL, policyId, uint256(0), EXPIRY));
        uint256 count = _requests.length;
        inputs = new uint256[](1 + 2 * count);
        inputs[0] = uint256(digest) / 256;
        for (uint256 i = 0; i < count; ++i) {
            inputs[1 + i] = uint256(_requests[i].attestation.inputCommitment);
            inputs[1 + count + i] = _requests[i].tier == 0 ? R - uint256(-THRESHOLD) : uint256(HIGH_THRESHOLD);
        }
        router.accept(MODEL, inputs);
    }

    function _send() private returns (uint256 opened) {
        return _sendAs(relayer, EXPIRY);
    }

    function _sendAs(address sender, uint64 expiry) private returns (uint256 opened) {
        vm.prank(sender);
        return lending.openLoansTogether(_requests, _permits, expiry, "proof", ITEM_GAS, false);
    }

    function _keyOf(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("together", index)));
    }

    function _subject(uint256 index) private pure returns (address) {
        return vm.addr(_keyOf(index));
    }
}
