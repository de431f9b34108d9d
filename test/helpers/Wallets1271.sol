// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// An ERC-1271 attestor whose one key signs.
contract HonestWallet {
    address public immutable SIGNER;

    constructor(address signer) {
        SIGNER = signer;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recoverCalldata(digest, signature) == SIGNER ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// Gives the bytes it was told to give, whatever was signed; or reverts with them.
contract ScriptedWallet {
    bytes private _answer;
    bool private _reverts;

    constructor(bytes memory answer, bool reverts) {
        _answer = answer;
        _reverts = reverts;
    }

    fallback() external {
        bytes memory answer = _answer;
        bool reverts = _reverts;
        assembly ("memory-safe") {
            if reverts { revert(add(answer, 32), mload(answer)) }
            return(add(answer, 32), mload(answer))
        }
    }
}

/// Tries to write while it is asked.
contract WritingWallet {
    uint256 public asked;

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        ++asked;
        return 0x1626ba7e;
    }
}

/// Reverts with ten kilobytes, whatever it is asked.
contract VerboseWallet {
    fallback() external {
        assembly {
            revert(0x1000, 10000)
        }
    }
}

/// Burns all the gas it gets.
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        assembly {
            invalid()
        }
    }
}

/// Accepts any signature after eight million gas of work: a 64th of that is more than a batch's own reserve.
contract HungryWallet {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 end = gasleft() - 8_000_000;
        while (gasleft() > end) continue;
        return 0x1626ba7e;
    }
}
