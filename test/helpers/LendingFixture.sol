// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "./AttestationFixture.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";
import {MockRouter} from "zkml-evm/mocks/MockRouter.sol";

/// A funded pool with one policy. The router accepts exactly the statements that a test builds itself, by a second
/// implementation of the formulas, so that a loan that opens also shows that the consumer's public inputs are right.
abstract contract LendingFixture is AttestationFixture {
    bytes32 internal constant MODEL = keccak256("model");
    int256 internal constant THRESHOLD = -1234;
    uint256 internal constant AMOUNT = 1000e6;
    uint32 internal constant RATE = 1000;
    /// The second tier asks for more, lends more and costs half.
    int256 internal constant HIGH_THRESHOLD = 4321;
    uint256 internal constant HIGH_AMOUNT = 3000e6;
    uint32 internal constant HIGH_RATE = 500;
    uint64 internal constant EPOCH = 90 days;
    uint256 internal constant POOL = 10_000e6;
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;

    MockRouter internal router;
    MockERC20 internal token;
    LendingThreshold internal lending;
    bytes32 internal policyId;

    function setUp() public virtual override {
        super.setUp();
        router = new MockRouter();
        token = new MockERC20("Dollar", "USD", 6);
        lending = poolOf(address(token));
        token.mint(address(this), POOL);
        token.approve(address(lending), POOL);
        lending.fund(POOL);
        policyId = addPolicy();
    }

    function poolOf(address erc20) internal returns (LendingThreshold) {
        return new LendingThreshold(owner, guardian, IERC20(erc20), router, registry);
    }

    function addPolicy() internal returns (bytes32) {
        return addPolicyTo(lending);
    }

    function addPolicyTo(LendingThreshold pool) internal returns (bytes32) {
        return add(pool, terms());
    }

    function add(LendingThreshold pool, ILendingThreshold.PolicyTerms memory t) internal returns (bytes32) {
        vm.prank(owner);
        return pool.addPolicy(t);
    }

    /// As much as the pool holds may be owed, by one borrower or many.
    function terms() internal pure returns (ILendingThreshold.PolicyTerms memory t) {
        t.modelId = MODEL;
        t.schemaId = SCHEMA;
        t.epochLength = EPOCH;
        t.cap = POOL;
        t.borrowerLimit = POOL;
        t.tiers = new ILendingThreshold.Tier[](2);
        t.tiers[0] = ILendingThreshold.Tier(THRESHOLD, AMOUNT, RATE);
        t.tiers[1] = ILendingThreshold.Tier(HIGH_THRESHOLD, HIGH_AMOUNT, HIGH_RATE);
    }

    /// The same with another first threshold.
    function termsWith(int256 threshold) internal pure returns (ILendingThreshold.PolicyTerms memory t) {
        t = terms();
        t.tiers[0].threshold = threshold;
    }

    /// The same with another epoch.
    function termsOver(uint64 epochLength) internal pure returns (ILendingThreshold.PolicyTerms memory t) {
        t = terms();
        t.epochLength = epochLength;
    }

    /// A request that is right in everything, except that the router has not been told to accept it.
    function requestFor(address subject) internal view returns (ILendingThreshold.BorrowRequest memory) {
        return requestOver(statementFor(subject));
    }

    function requestOver(IInputAttestation.Attestation memory a)
        internal
        view
        returns (ILendingThreshold.BorrowRequest memory)
    {
        return ILendingThreshold.BorrowRequest({
            policyId: policyId,
            tier: 0,
            amount: AMOUNT,
            attestor: attestor,
            attestation: a,
            signature: sign(a),
            nonce: lending.nonceOf(a.subject),
            expiry: uint64(block.timestamp) + 1 hours,
            proof: hex"c0de"
        });
    }

    function accepted(address subject) internal returns (ILendingThreshold.BorrowRequest memory request) {
        request = requestFor(subject);
        acceptProofOf(request);
    }

    function acceptProofOf(ILendingThreshold.BorrowRequest memory request) internal {
        router.accept(MODEL, statementOf(request));
    }

    function statementOf(ILendingThreshold.BorrowRequest memory request)
        internal
        view
        returns (uint256[] memory inputs)
    {
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("zkml-evm.context.v1"),
                block.chainid,
                address(lending),
                request.attestation.subject,
                MODEL,
                request.policyId,
                request.nonce,
                request.expiry
            )
        );
        inputs = new uint256[](3);
        inputs[0] = uint256(digest) / 256;
        inputs[1] = uint256(request.attestation.inputCommitment);
        int256 threshold = request.tier == 0 ? THRESHOLD : HIGH_THRESHOLD;
        inputs[2] = threshold < 0 ? R - uint256(-threshold) : uint256(threshold);
    }

    function open(ILendingThreshold.BorrowRequest memory request) internal returns (uint256 loanId) {
        vm.prank(request.attestation.subject);
        return lending.openLoan(request);
    }

    function permitOf(uint256 key, ILendingThreshold.BorrowRequest memory request)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, lending.permitDigest(request));
        return abi.encodePacked(r, s, v);
    }

    function principalOf(uint256 loanId) internal view returns (uint256) {
        return lending.loan(loanId).principal;
    }

    function interestOf(uint256 loanId) internal view returns (uint256) {
        return lending.loan(loanId).interest;
    }

    /// Simple interest rounded up, by the formula of the interface.
    function interestOn(uint256 principal, uint256 rate, uint256 elapsed) internal pure returns (uint256) {
        uint256 year = 365 days;
        return (principal * rate * elapsed + 10_000 * year - 1) / (10_000 * year);
    }

    /// The id of a loan under the `index`-th policy on an attestation of this moment.
    function loanIdOf(address subject, uint32 index) internal view returns (uint256) {
        uint256 epoch = block.timestamp / EPOCH;
        return uint256(uint160(subject)) * 2 ** 96 + uint256(index) * 2 ** 64 + epoch;
    }

    function nullifierOf(ILendingThreshold.BorrowRequest memory request) internal view returns (bytes32) {
        uint64 epoch = request.attestation.issuedAt / EPOCH;
        return keccak256(abi.encode(registry.hashAttestation(request.attestation), request.policyId, epoch));
    }

    function expectSpent(bytes32 nullifier) internal {
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, nullifier));
    }
}
