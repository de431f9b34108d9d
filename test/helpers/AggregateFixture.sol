// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RouterFixture} from "./RouterFixture.sol";
import {StubAggregate} from "./StubVerifiers.sol";
import {IAggregateRouter} from "zkml-evm/interfaces/IAggregateRouter.sol";

/// Two models, and an aggregate of three slots: two of the first model with three public inputs, one of the second with two.
abstract contract AggregateFixture is RouterFixture {
    bytes32 internal constant OTHER = keccak256("other model");
    bytes32 internal constant AGGREGATE = keccak256("aggregate");
    bytes32 internal constant AGGREGATES = keccak256("family of aggregates");

    StubAggregate internal aggregate;

    function setUp() public virtual override {
        super.setUp();
        aggregate = new StubAggregate(slotModels(), slotSizes());
    }

    function slotModels() internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](3);
        (ids[0], ids[1], ids[2]) = (MODEL, MODEL, OTHER);
    }

    function slotSizes() internal pure returns (uint256[] memory sizes) {
        sizes = new uint256[](3);
        (sizes[0], sizes[1], sizes[2]) = (3, 3, 2);
    }

    function scheduleModels() internal {
        schedule();
        schedule(OTHER, registrationOf(address(verifier)));
    }

    function aggregateOf(address verifier_) internal view returns (IAggregateRouter.AggregateRegistration memory) {
        return IAggregateRouter.AggregateRegistration(AGGREGATES, verifier_, verifier_.codehash);
    }

    function scheduleAggregate() internal returns (uint32 version) {
        return scheduleAggregate(AGGREGATE, aggregateOf(address(aggregate)));
    }

    function scheduleAggregate(bytes32 id, IAggregateRouter.AggregateRegistration memory registration)
        internal
        returns (uint32 version)
    {
        vm.prank(owner);
        return router.registerAggregate(id, registration);
    }

    /// Models and aggregate, all active.
    function registerAll() internal {
        scheduleModels();
        scheduleAggregate();
        skip(DELAY);
    }

    /// Statements of the three slots, none of them empty.
    function allInputs() internal pure returns (uint256[] memory inputs) {
        inputs = new uint256[](8);
        for (uint256 i = 0; i < 8; ++i) {
            inputs[i] = 100 + i;
        }
    }
}
