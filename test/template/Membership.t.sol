// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

// forge runs the tests of every file that it compiles: the template's own, as in a project that `zkml-evm init` wrote.
// solhint-disable-next-line no-unused-import
import {MembershipRealProofTest} from "../../templates/consumer/test/Membership.realProof.t.sol";
// solhint-disable-next-line no-unused-import
import {MembershipTest} from "../../templates/consumer/test/Membership.t.sol";
