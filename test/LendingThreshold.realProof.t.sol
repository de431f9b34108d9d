// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GoldenProof} from "./helpers/GoldenProof.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {InferenceRouter} from "zkml-evm/InferenceRouter.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {LendingThreshold} from "zkml-evm/consumers/LendingThreshold.sol";
import {IInferenceRouter} from "zkml-evm/interfaces/IInferenceRouter.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";
import {ILendingThreshold} from "zkml-evm/interfaces/ILendingThreshold.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";
import {IZkmlConsumer} from "zkml-evm/interfaces/IZkmlConsumer.sol";
import {MockERC20} from "zkml-evm/mocks/MockERC20.sol";

/// A loan with nothing stood in for: the generated verifier behind the router, an attestation signed by the Rust side, and the
/// proof that the Rust side made for exactly this chain, consumer, borrower, policy, nonce and expiry.
/// forge-config: default.isolate = true
contract LendingThresholdRealProofTest is GoldenProof {
    using stdJson for string;

    address private _owner = makeAddr("owner");
    InferenceRouter private _router;
    InputAttestation private _attestations;
    LendingThreshold private _lending;
    MockERC20 private _token;
    ILendingThreshold.BorrowRequest private _request;

    function setUp() public override {
        super.setUp();
        vm.chainId(json.readUint(".loan.chainId"));
        vm.warp(json.readUint(".loan.issuedAt"));
        _token = new MockERC20("Dollar", "USD", 6);
        _router = new InferenceRouter(_owner, address(0), 0);
        // The first two creations of an account that has made none: their addresses are what the proof is bound to.
        address deployer = json.readAddress(".loan.deployer");
        vm.prank(deployer);
        _attestations = new InputAttestation(_owner, address(0));
        vm.prank(deployer);
        _lending = new LendingThreshold(_owner, address(0), _token, _router, _attestations);
        assertEq(address(_attestations), json.readAddress(".loan.attestations"));
        assertEq(address(_lending), json.readAddress(".loan.consumer"));
        _openForBusiness();
        _request = _readRequest();
    }

    function test_opensTheLoan() public {
        uint256 amount = json.readUint(".loan.terms.limit");
        address borrower = _request.attestation.subject;
        _open();
        vm.snapshotGasLastCall("InferenceVerifier", "openLoan: first of the pool, with the real proof");
        assertEq(_token.balanceOf(borrower), amount);
        assertEq(_lending.principalOf(borrower), amount);
        assertEq(_lending.nonceOf(borrower), 1);
        assertEq(_lending.loanCount(), 1);
    }

    function test_contextIsTheProvenOne() public view {
        uint256 context = _lending.contextOf(
            _request.attestation.subject, modelId, _request.policyId, _request.nonce, _request.expiry
        );
        assertEq(context, inputs()[0]);
        assertEq(uint256(_request.attestation.inputCommitment), inputs()[1]);
    }

    function test_RevertWhen_replayed() public {
        _open();
        uint64 epoch = _request.attestation.issuedAt / uint64(json.readUint(".loan.terms.epochLength"));
        bytes32 structHash = _attestations.hashAttestation(_request.attestation);
        bytes32 spent = _lending.nullifierOf(structHash, _request.policyId, epoch);
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.NullifierSpent.selector, spent));
        _open();
    }

    function testFuzz_RevertWhen_anotherAccountSendsIt(address thief) public {
        address borrower = _request.attestation.subject;
        vm.assume(thief != borrower && thief != address(0));
        vm.expectRevert(abi.encodeWithSelector(IZkmlConsumer.SubjectMismatch.selector, borrower, thief));
        vm.prank(thief);
        _lending.openLoan(_request);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_RevertWhen_theProofIsTampered(uint256 offset, uint8 by) public {
        vm.assume(by != 0);
        offset = bound(offset, 0, proof.length - 1);
        bytes memory changed = proof;
        changed[offset] ^= bytes1(by);
        _request.proof = changed;
        vm.expectRevert();
        _open();
        assertEq(_lending.loanCount(), 0);
        assertEq(_lending.nonceOf(_request.attestation.subject), 0);
    }

    function test_RevertWhen_theExpiryIsPutOff() public {
        _request.expiry += 1;
        expectRejected();
        _open();
    }

    function test_RevertWhen_onAnotherChain() public {
        vm.chainId(1);
        bytes32 digest = _attestations.digestOf(_request.attestation);
        vm.expectRevert(abi.encodeWithSelector(IInputAttestation.InvalidSignature.selector, _request.attestor, digest));
        _open();
    }

    /// Stricter by one step: the proof is for a threshold that is too low.
    function test_RevertWhen_underAStricterPolicy() public {
        ILendingThreshold.PolicyTerms memory stricter = _terms();
        stricter.tiers[0].threshold += 1;
        _request.policyId = _add(stricter);
        expectRejected();
        _open();
    }

    /// Same threshold, other interest: the policy is part of the context.
    function test_RevertWhen_underAnotherPolicy() public {
        ILendingThreshold.PolicyTerms memory dearer = _terms();
        dearer.tiers[0].rate += 1;
        _request.policyId = _add(dearer);
        expectRejected();
        _open();
    }

    function test_RevertWhen_theModelIsFrozen() public {
        vm.prank(_owner);
        _router.freezeModel(modelId);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceRouter.ModelNotActive.selector, modelId, IInferenceRouter.State.Frozen)
        );
        _open();
    }

    /// One verifier registered twice, for two versions: the model's id is part of the context.
    function test_RevertWhen_theModelsNextVersionIsAsked() public {
        bytes32 next = keccak256("next version");
        IInferenceRouter.Registration memory registration = _registration(IInferenceRouter.OutputMode.Threshold);
        vm.prank(_owner);
        assertEq(_router.registerModel(next, registration), 2);
        ILendingThreshold.PolicyTerms memory terms = _terms();
        terms.modelId = next;
        _request.policyId = _add(terms);
        expectRejected();
        _open();
    }

    /// The stored proof and any other for the same input have thresholds that their provers chose: they contradict nothing.
    function test_RevertWhen_aThresholdIsToFreezeTheModel() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceRouter.StatementNotDeterministic.selector,
                modelId,
                IInferenceRouter.InputMode.Committed,
                IInferenceRouter.OutputMode.Threshold
            )
        );
        _router.proveContradiction(modelId, inputs(), proof, inputs(), proof);
    }

    /// The breaker asks the real verifier, twice, and one proof is no contradiction of itself.
    function test_RevertWhen_theBreakerGetsOneProofTwice() public {
        bytes32 id = keccak256("as if its score were revealed");
        IInferenceRouter.Registration memory registration = _registration(IInferenceRouter.OutputMode.Reveal);
        vm.prank(_owner);
        _router.registerModel(id, registration);
        vm.expectRevert(abi.encodeWithSelector(IInferenceRouter.SameAnswer.selector, id));
        _router.proveContradiction(id, inputs(), proof, inputs(), proof);
        uint256[] memory other = inputs();
        other[2] = addmod(other[2], 1, R);
        expectRejected();
        _router.proveContradiction(id, inputs(), proof, other, proof);
        // 3 and 3 + r are one answer.
        other = inputs();
        other[2] += R;
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InstanceOutOfRange.selector, 2, other[2]));
        _router.proveContradiction(id, inputs(), proof, other, proof);
    }

    function test_routerVerifiesTheProof() public {
        _router.verifyInference(modelId, inputs(), proof);
        vm.snapshotGasLastCall("InferenceVerifier", "verifyInference: router and real proof");
        uint256[] memory aliased = inputs();
        aliased[1] += R;
        vm.expectRevert(abi.encodeWithSelector(IProofVerifier.InstanceOutOfRange.selector, 1, aliased[1]));
        _router.verifyInference(modelId, aliased, proof);
    }

    function _openForBusiness() private {
        uint256 pool = 3 * json.readUint(".loan.terms.limit");
        _token.mint(address(this), pool);
        _token.approve(address(_lending), pool);
        _lending.fund(pool);
        vm.startPrank(_owner);
        _attestations.setAttestor(
            json.readAddress(".loan.attestor"), json.readBytes32(".schemaId"), IInputAttestation.Kind.Signer
        );
        _router.registerModel(modelId, _registration(IInferenceRouter.OutputMode.Threshold));
        vm.stopPrank();
        bytes32 id = _add(_terms());
        assertEq(id, json.readBytes32(".loan.policyId"));
    }

    function _registration(IInferenceRouter.OutputMode output)
        private
        view
        returns (IInferenceRouter.Registration memory)
    {
        return IInferenceRouter.Registration({
            familyId: keccak256("credit"),
            verifier: address(verifier),
            codehash: address(verifier).codehash,
            statement: IInferenceRouter.Statement(IInferenceRouter.InputMode.Committed, output, 1)
        });
    }

    function _terms() private view returns (ILendingThreshold.PolicyTerms memory t) {
        t.modelId = modelId;
        t.schemaId = json.readBytes32(".schemaId");
        t.epochLength = uint64(json.readUint(".loan.terms.epochLength"));
        t.cap = json.readUint(".loan.terms.cap");
        t.borrowerLimit = json.readUint(".loan.terms.borrowerLimit");
        t.tiers = new ILendingThreshold.Tier[](1);
        t.tiers[0] = ILendingThreshold.Tier({
            threshold: json.readInt(".loan.terms.threshold"),
            limit: json.readUint(".loan.terms.limit"),
            rate: uint32(json.readUint(".loan.terms.rate"))
        });
    }

    function _add(ILendingThreshold.PolicyTerms memory terms) private returns (bytes32 id) {
        vm.prank(_owner);
        return _lending.addPolicy(terms);
    }

    function _readRequest() private view returns (ILendingThreshold.BorrowRequest memory) {
        return ILendingThreshold.BorrowRequest({
            policyId: json.readBytes32(".loan.policyId"),
            tier: 0,
            amount: json.readUint(".loan.terms.limit"),
            attestor: json.readAddress(".loan.attestor"),
            attestation: IInputAttestation.Attestation({
                subject: json.readAddress(".loan.subject"),
                inputCommitment: json.readBytes32(".loan.inputCommitment"),
                schemaId: json.readBytes32(".schemaId"),
                issuedAt: uint64(json.readUint(".loan.issuedAt")),
                expiresAt: uint64(json.readUint(".loan.expiresAt"))
            }),
            signature: json.readBytes(".loan.signature"),
            nonce: json.readUint(".loan.nonce"),
            expiry: uint64(json.readUint(".loan.expiry")),
            proof: proof
        });
    }

    function _open() private {
        ILendingThreshold.BorrowRequest memory request = _request;
        vm.prank(request.attestation.subject);
        _lending.openLoan(request);
    }
}
