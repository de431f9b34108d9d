// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FieldElement} from "../../FieldElement.sol";
import {Guarded} from "../../access/Guarded.sol";
import {ILendingThreshold} from "../../interfaces/ILendingThreshold.sol";

/// @title The policies of a pool: their terms, tiers and what is owed under each
/// @dev All prose is in {ILendingThreshold}.
abstract contract LendingPolicies is ILendingThreshold, Guarded {
    /// A policy in four slots; `index` is its key in `_policyIds`.
    struct PolicyRecord {
        bytes32 modelId;
        bytes32 schemaId;
        uint64 epochLength;
        uint32 index;
        uint8 tiers;
        bool active;
        uint128 borrowerLimit;
        uint128 cap;
        uint128 principal;
    }

    struct TierRecord {
        int128 threshold;
        uint96 limit;
        uint32 rate;
    }

    uint256 private constant MAX_TIERS = 16;
    uint256 private constant MAX_RATE = 10_000;

    uint32 private _policyCount;
    mapping(uint32 index => bytes32 policyId) internal _policyIds;
    mapping(bytes32 policyId => PolicyRecord) internal _policies;
    mapping(bytes32 policyId => mapping(uint256 tier => TierRecord)) internal _tiers;

    /// @inheritdoc ILendingThreshold
    function addPolicy(PolicyTerms calldata terms) external onlyOwner returns (bytes32 policyId) {
        uint256 count = terms.tiers.length;
        if (terms.modelId == bytes32(0) || terms.schemaId == bytes32(0) || count == 0 || count > MAX_TIERS) {
            revert InvalidPolicy(terms.modelId, terms.schemaId, count);
        }
        if (terms.epochLength == 0) revert InvalidEpochLength(terms.epochLength);
        policyId = keccak256(abi.encode(address(this), terms));
        if (_policies[policyId].modelId != bytes32(0)) revert PolicyExists(policyId);
        _addTiers(policyId, terms.tiers);

        uint32 index = _policyCount;
        _policyCount = index + 1;
        _policyIds[index] = policyId;
        _policies[policyId] = PolicyRecord({
            modelId: terms.modelId,
            schemaId: terms.schemaId,
            epochLength: terms.epochLength,
            index: index,
            // At most 16.
            // forge-lint: disable-next-line(unsafe-typecast)
            tiers: uint8(count),
            active: true,
            borrowerLimit: _amount128(terms.borrowerLimit),
            cap: _amount128(terms.cap),
            principal: 0
        });
        emit PolicyAdded(policyId, terms.modelId, terms);
    }

    /// @inheritdoc ILendingThreshold
    function retirePolicy(bytes32 policyId) external onlyOwner {
        _activePolicy(policyId).active = false;
        emit PolicyRetired(policyId);
    }

    /// @inheritdoc ILendingThreshold
    function policy(bytes32 policyId) external view returns (Policy memory) {
        PolicyRecord storage p = _policies[policyId];
        Tier[] memory tiers = new Tier[](p.tiers);
        for (uint256 i = 0; i < tiers.length; ++i) {
            TierRecord storage tier = _tiers[policyId][i];
            tiers[i] = Tier(tier.threshold, tier.limit, tier.rate);
        }
        PolicyTerms memory terms = PolicyTerms(p.modelId, p.schemaId, p.epochLength, p.cap, p.borrowerLimit, tiers);
        return Policy(terms, p.principal, p.active);
    }

    function _activePolicy(bytes32 policyId) internal view returns (PolicyRecord storage p) {
        p = _knownPolicy(policyId);
        if (!p.active) revert PolicyIsRetired(policyId);
    }

    function _knownPolicy(bytes32 policyId) internal view returns (PolicyRecord storage p) {
        p = _policies[policyId];
        if (p.modelId == bytes32(0)) revert PolicyUnknown(policyId);
    }

    function _tierOf(PolicyRecord storage p, BorrowRequest calldata request) internal view returns (TierRecord memory) {
        if (request.tier >= p.tiers) revert TierUnknown(request.policyId, request.tier);
        return _tiers[request.policyId][request.tier];
    }

    function _addTiers(bytes32 policyId, Tier[] calldata tiers) private {
        for (uint256 i = 0; i < tiers.length; ++i) {
            Tier calldata tier = tiers[i];
            // Refused here already, not at the first loan.
            // slither-disable-next-line unused-return
            FieldElement.fromInt(tier.threshold);
            bool rises = i == 0 || tier.threshold > tiers[i - 1].threshold;
            if (!rises || tier.limit == 0 || tier.limit > type(uint96).max || tier.rate > MAX_RATE) {
                revert InvalidTier(i);
            }
            // |threshold| is below 2^120 and the limit below 2^96, by the checks above.
            // forge-lint: disable-next-line(unsafe-typecast)
            _tiers[policyId][i] = TierRecord(int128(tier.threshold), uint96(tier.limit), tier.rate);
        }
    }

    function _amount128(uint256 amount) private pure returns (uint128) {
        if (amount == 0 || amount > type(uint128).max) revert InvalidAmount(amount);
        // By the line above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(amount);
    }
}
