// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Callers} from "./Invariants.sol";
import {InputAttestation} from "zkml-evm/attestation/InputAttestation.sol";
import {IInputAttestation} from "zkml-evm/interfaces/IInputAttestation.sol";

/// Lists, retires, removes and revokes as owner, guardian, attestor or stranger, and signs attestations meanwhile. Its book says
/// which of them must count now, by the written rules and from no answer of the registry's.
contract AttestationHandler is Callers {
    uint256 public constant ATTESTORS = 2;
    uint256 public constant SCHEMAS = 2;
    uint256 public constant MOST = 24;

    /// What the book knows of an attestor's place on a list. `end` is the end of a retirement.
    struct Place {
        bool listed;
        bool retired;
        uint256 retiredAt;
        uint256 end;
    }

    struct Signed {
        uint256 attestor;
        IInputAttestation.Attestation attestation;
        bytes signature;
        bool revoked;
    }

    InputAttestation public immutable REGISTRY;
    mapping(uint256 attestor => mapping(bytes32 schemaId => Place)) private _places;
    Signed[] private _signed;
    bool public listedByOther;
    bool public stoppedByStranger;
    bool public postponed;
    uint256 public revocations;

    constructor(InputAttestation registry, address owner, address guardian, address stranger)
        Callers(owner, guardian, stranger)
    {
        REGISTRY = registry;
    }

    function list(uint256 attestor, uint256 schema, uint256 who) external {
        bytes memory call =
            abi.encodeCall(REGISTRY.setAttestor, (_attestor(attestor), _schema(schema), IInputAttestation.Kind.Signer));
        if (!attempt(caller(who), address(REGISTRY), call)) return;
        if (caller(who) != OWNER) listedByOther = true;
        _places[attestor % ATTESTORS][_schema(schema)] = Place(true, false, 0, 0);
    }

    function remove(uint256 attestor, uint256 schema, uint256 who) external {
        bytes memory call = abi.encodeCall(REGISTRY.removeAttestor, (_attestor(attestor), _schema(schema)));
        if (!attempt(caller(who), address(REGISTRY), call)) return;
        if (caller(who) == STRANGER) stoppedByStranger = true;
        _places[attestor % ATTESTORS][_schema(schema)].listed = false;
    }

    function retire(uint256 attestor, uint256 schema, uint256 who, uint32 grace) external {
        uint64 end = uint64(block.timestamp + grace % 20 days);
        bytes memory call = abi.encodeCall(REGISTRY.retireAttestor, (_attestor(attestor), _schema(schema), end));
        if (!attempt(caller(who), address(REGISTRY), call)) return;
        if (caller(who) == STRANGER) stoppedByStranger = true;
        Place storage place = _places[attestor % ATTESTORS][_schema(schema)];
        if (place.retired && end > place.end) postponed = true;
        if (!place.retired) (place.retired, place.retiredAt) = (true, block.timestamp);
        place.end = end;
    }

    /// By the attestor itself, or for it by whoever tries.
    function revoke(uint256 which, uint256 who, bool itself) external {
        if (_signed.length == 0) return;
        Signed storage signed = _signed[which % _signed.length];
        bytes32 hash = REGISTRY.hashAttestation(signed.attestation);
        address attestor = _attestor(signed.attestor);
        bytes memory call =
            itself ? abi.encodeCall(REGISTRY.revoke, (hash)) : abi.encodeCall(REGISTRY.revokeFor, (attestor, hash));
        if (!attempt(itself ? attestor : caller(who), address(REGISTRY), call)) return;
        if (!itself && caller(who) == STRANGER) stoppedByStranger = true;
        signed.revoked = true;
        ++revocations;
    }

    /// Somebody else's revocation of an attestation leaves it in force.
    function revokeInVain(uint256 which) external {
        if (_signed.length == 0) return;
        Signed storage signed = _signed[which % _signed.length];
        bytes32 hash = REGISTRY.hashAttestation(signed.attestation);
        attempt(
            _attestor((signed.attestor + 1) % ATTESTORS), address(REGISTRY), abi.encodeCall(REGISTRY.revoke, (hash))
        );
    }

    function sign(uint256 attestor, uint256 schema, uint32 life, uint128 salt) external {
        if (_signed.length == MOST) return;
        IInputAttestation.Attestation memory a = IInputAttestation.Attestation({
            subject: STRANGER,
            inputCommitment: bytes32(uint256(salt) + 1),
            schemaId: _schema(schema),
            issuedAt: uint64(block.timestamp),
            expiresAt: uint64(block.timestamp + 1 + life % 30 days)
        });
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(attestor), REGISTRY.digestOf(a));
        _signed.push(Signed(attestor % ATTESTORS, a, abi.encodePacked(r, s, v), false));
        // The same statement again, signed by the same attestor: revoked once, revoked for good.
        for (uint256 i = 0; i + 1 < _signed.length; ++i) {
            Signed storage earlier = _signed[i];
            bool same = REGISTRY.hashAttestation(earlier.attestation) == REGISTRY.hashAttestation(a);
            if (same && earlier.attestor == attestor % ATTESTORS && earlier.revoked) {
                _signed[_signed.length - 1].revoked = true;
            }
        }
    }

    function warp(uint32 by) external {
        vm.warp(block.timestamp + by % 3 days);
    }

    function count() external view returns (uint256) {
        return _signed.length;
    }

    function isRevoked(uint256 index) external view returns (bool) {
        return _signed[index].revoked;
    }

    /// What the registry says.
    function counts(uint256 index) external view returns (bool) {
        Signed memory signed = _signed[index];
        try REGISTRY.checkAttestation(_attestor(signed.attestor), signed.attestation, signed.signature) returns (
            bytes32 hash
        ) {
            return hash == REGISTRY.hashAttestation(signed.attestation);
        } catch {
            return false;
        }
    }

    /// What the book says.
    function mustCount(uint256 index) external view returns (bool) {
        Signed memory signed = _signed[index];
        Place memory place = _places[signed.attestor][signed.attestation.schemaId];
        if (!place.listed || signed.revoked || block.timestamp >= signed.attestation.expiresAt) return false;
        if (!place.retired) return true;
        return block.timestamp < place.end && signed.attestation.issuedAt < place.retiredAt;
    }

    function _attestor(uint256 seed) private pure returns (address) {
        return vm.addr(_keyOf(seed));
    }

    function _keyOf(uint256 seed) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("attestor", seed % ATTESTORS)));
    }

    function _schema(uint256 seed) private pure returns (bytes32) {
        return keccak256(abi.encode("schema", seed % SCHEMAS));
    }
}
