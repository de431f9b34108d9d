// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AttestationFixture} from "../helpers/AttestationFixture.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

contract HashAttestationTest is AttestationFixture {
    /// EIP-712 written out by hand, so that a wallet or the Rust client that follows the standard agrees.
    function testFuzz_isEip712(IInputAttestation.Attestation calldata a) public view {
        bytes32 typeHash = keccak256(
            "Attestation(address subject,bytes32 inputCommitment,bytes32 schemaId,uint64 issuedAt,uint64 expiresAt)"
        );
        bytes32 structHash =
            keccak256(abi.encode(typeHash, a.subject, a.inputCommitment, a.schemaId, a.issuedAt, a.expiresAt));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkml-evm InputAttestation"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        assertEq(registry.hashAttestation(a), structHash);
        assertEq(registry.digestOf(a), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function test_domainIsPublic() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            registry.eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "zkml-evm InputAttestation");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(registry));
    }
}
