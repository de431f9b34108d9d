// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IEAS} from "zkml-evm/interfaces/IEAS.sol";

/// Entries as the Ethereum Attestation Service keeps them: attester and time are its own, the id is given, unknown entries are
/// zero. What it leaves out (schemas, resolvers, fees) is not read.
contract EntryRegistry is IEAS {
    mapping(bytes32 uid => Attestation) private _entries;
    uint256 private _count;

    function attest(bytes32 schema, address recipient, uint64 expirationTime, bytes calldata data)
        external
        returns (bytes32 uid)
    {
        uid = keccak256(abi.encode(++_count));
        _entries[uid] = Attestation({
            uid: uid,
            schema: schema,
            time: uint64(block.timestamp),
            expirationTime: expirationTime,
            revocationTime: 0,
            refUID: 0,
            recipient: recipient,
            attester: msg.sender,
            revocable: true,
            data: data
        });
    }

    function revoke(bytes32 uid) external {
        require(msg.sender == _entries[uid].attester, "not yours");
        _entries[uid].revocationTime = uint64(block.timestamp);
    }

    function getAttestation(bytes32 uid) external view returns (Attestation memory) {
        return _entries[uid];
    }
}
