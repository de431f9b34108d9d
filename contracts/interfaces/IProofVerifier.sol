// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A generated proof verifier
/// @notice One contract per circuit, generated from its verifying key. It has no owner, no storage and no upgrade: its
/// code is the statement it checks.
/// @dev A proof says nothing about who may use it. Whoever calls a verifier directly must recompute every public input from
/// what it trusts; see {IInferenceVerifier}.
interface IProofVerifier {
    /// @notice The number of public inputs differs from what the circuit has.
    error InvalidInstanceCount(uint256 expected, uint256 got);

    /// @notice The proof has another length than this circuit's proofs, in bytes. Trailing bytes are refused too.
    error InvalidProofLength(uint256 expected, uint256 got);

    /// @notice The commitment to the model's private weights among the public inputs is another than this model's.
    error OtherWeights(uint256 expected, uint256 got);

    /// @notice Public input `index` is not below the scalar field's order r. `x` and `x + r` would be one statement to the
    /// circuit and two to a contract that keys on them.
    error InstanceOutOfRange(uint256 index, uint256 value);

    /// @notice The proof's evaluation `index` (in the order of the proof) is not below r.
    error EvaluationOutOfRange(uint256 index, uint256 value);

    /// @notice The proof's point `index` (in the order of the proof) is not a point of the curve in its one encoding: a
    /// coordinate is not below q, the equation does not hold, or it is the identity, which no proof contains.
    error PointNotOnCurve(uint256 index);

    /// @notice A challenge lies where the verification would divide by zero. It happens to one proof in about 2^(254 - k).
    error DegenerateChallenge();

    /// @notice The contract was compiled by something that takes more memory for itself than the contract leaves to it. It says
    /// nothing about the proof.
    error UnsupportedCompiler();

    /// @notice A precompile did not answer, although its input was checked before: too little gas was sent, or the chain has
    /// no such precompile. It says nothing about the proof.
    error PrecompileFailed();

    /// @notice The proof does not hold for these public inputs.
    error PairingFailed();

    /// @notice Checks a proof: reverts with a reason, or returns nothing.
    /// @param publicInputs The instances in the statement's order, each below r.
    /// @param proof The proof bytes as the prover wrote them.
    function verifyProof(uint256[] calldata publicInputs, bytes calldata proof) external view;

    /// @notice What this contract is. Generated verifiers return keccak256("zkml-evm.verifier.v1"); the mock returns
    /// keccak256("zkml-evm.verifier.mock"), and no {IInferenceRouter} registers it.
    function verifierKind() external pure returns (bytes32 kind);
}
