// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAggregateVerifier} from "zkml-evm/interfaces/IAggregateVerifier.sol";
import {IProofVerifier} from "zkml-evm/interfaces/IProofVerifier.sol";

/// Answers the production kind, so that the router's own rules can be tested on every path. Real verifiers and real proofs
/// have tests of their own.
contract StubVerifier is IProofVerifier {
    /// Part of the code, so that two stubs have two codehashes.
    uint256 public immutable SALT;

    constructor(uint256 salt) {
        SALT = salt;
    }

    /// Accepts the proof "good"; refuses public inputs as generated verifiers do.
    function verifyProof(uint256[] calldata publicInputs, bytes calldata proof) external view virtual {
        uint256 order =
            21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
        for (uint256 i = 0; i < publicInputs.length; ++i) {
            if (publicInputs[i] >= order) revert InstanceOutOfRange(i, publicInputs[i]);
        }
        if (keccak256(proof) != keccak256("good")) revert PairingFailed();
    }

    function verifierKind() external pure virtual returns (bytes32) {
        return keccak256("zkml-evm.verifier.v1");
    }
}

/// Accepts the proof "second" only.
contract TokenVerifier is StubVerifier(0) {
    function verifyProof(uint256[] calldata, bytes calldata proof) external pure override {
        if (keccak256(proof) != keccak256("second")) revert PairingFailed();
    }
}

/// Answers with a reason of a hundred kilobytes, which costs whoever copies it.
contract VerboseVerifier is StubVerifier(0) {
    function verifyProof(uint256[] calldata, bytes calldata) external pure override {
        assembly {
            revert(0x1000, 100000)
        }
    }
}

/// Accepts any proof at once: what is left of a transaction's gas is not the verifier's.
contract AcceptingVerifier is StubVerifier(0) {
    function verifyProof(uint256[] calldata, bytes calldata) external pure override {}
}

/// Stops without a reason, as running out of gas does.
contract SilentVerifier is StubVerifier(0) {
    function verifyProof(uint256[] calldata, bytes calldata) external pure override {
        assembly {
            invalid()
        }
    }
}

/// Writes to its storage while it verifies.
contract WritingVerifier {
    uint256 public calls;

    function verifyProof(uint256[] calldata, bytes calldata) external {
        ++calls;
    }

    function verifierKind() external pure returns (bytes32) {
        return keccak256("zkml-evm.verifier.v1");
    }
}

/// Fails with the right answer: what a call that failed says counts for nothing.
contract RevertingKind {
    function verifierKind() external pure {
        bytes32 kind = keccak256("zkml-evm.verifier.v1");
        assembly {
            mstore(0, kind)
            revert(0, 32)
        }
    }
}

/// Has code and nothing that the router asks for.
contract NotAVerifier {
    uint256 public constant ANSWER = 42;
}

/// Accepts any call, as a wallet or a proxy's fallback may, with an answer that is no 32-byte word.
contract Yes {
    fallback(bytes calldata) external returns (bytes memory) {
        return abi.encode(keccak256("zkml-evm.verifier.v1"), uint256(1));
    }
}

/// An aggregate's verifier that accepts the proof "all".
contract StubAggregate {
    bytes32[] private _modelIds;
    uint256[] private _sizes;

    constructor(bytes32[] memory modelIds, uint256[] memory sizes) {
        (_modelIds, _sizes) = (modelIds, sizes);
    }

    function verifyProof(uint256[] calldata, bytes calldata proof) external pure virtual {
        if (keccak256(proof) != keccak256("all")) revert IProofVerifier.PairingFailed();
    }

    function verifierKind() external pure returns (bytes32) {
        return keccak256("zkml-evm.aggregate.v1");
    }

    function slots() external view virtual returns (bytes32[] memory modelIds, uint256[] memory sizes) {
        return (_modelIds, _sizes);
    }
}

/// An aggregate's verifier that accepts any proof, with its slots in its code as a generated one has them.
contract SixteenSlots is IAggregateVerifier {
    bytes32 private constant MODEL = keccak256("model");

    function verifyProof(uint256[] calldata, bytes calldata) external pure {}

    function verifierKind() external pure returns (bytes32) {
        return keccak256("zkml-evm.aggregate.v1");
    }

    function slots() external pure returns (bytes32[] memory, uint256[] memory) {
        bytes32 modelId = MODEL;
        assembly ("memory-safe") {
            let answer := mload(0x40)
            let modelIds := add(answer, 0x40)
            let sizes := add(modelIds, 0x220)
            mstore(answer, 0x40)
            mstore(add(answer, 32), 0x260)
            mstore(modelIds, 16)
            mstore(sizes, 16)
            for { let i := 0x20 } lt(i, 0x220) { i := add(i, 32) } {
                mstore(add(modelIds, i), modelId)
                mstore(add(sizes, i), 3)
            }
            return(answer, 0x480)
        }
    }
}

/// Calls itself an aggregate's verifier, and says nothing of its slots.
contract SlotlessAggregate {
    function verifierKind() external pure returns (bytes32) {
        return keccak256("zkml-evm.aggregate.v1");
    }
}
