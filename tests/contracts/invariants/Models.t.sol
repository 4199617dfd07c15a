// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {vm} from "../support/Vm.sol";
import {ModelHandler} from "./ModelHandler.sol";

/// @notice What the ledger of models promises:
///
/// - Aggregates chain: a round opens once the one before is finalised, and starts from what that one made or, after a
///   retraining, from what an earlier round started from.
/// - A site commits at most once a round, on the round's parent, of the minimum cohort at least; what it spends on a model
///   never exceeds the budget.
/// - A finalised round never changes; it is finalised once, by its coordinator, with all its updates counted.
/// - A remediation is the coordinator's, of finalised rounds up to the newest, and under a record; an acceptance changes nothing.
/// - Records only grow: models, rounds and what was spent never fall, and terms never change.
/// - What breaks none of this is taken, and what is taken is told.
contract ModelInvariants {
    uint256 private constant LEAST_STEPS = 100;

    ModelHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new ModelHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_a_models_records_chain_and_only_grow() external {
        ++_steps;
        handler.requireModels();
    }

    function afterInvariant() external view {
        if (_steps < LEAST_STEPS) return;
        bytes32[20] memory needed = [
            bytes32("registered"),
            "opened",
            "opened badly",
            "opened too early",
            "committed",
            "finalised",
            "finalised badly",
            "chained",
            "retrained",
            "accepted",
            "remediated badly",
            "suspended",
            "again",
            "late",
            "stale",
            "few",
            "free",
            "over budget",
            "another round",
            "no site"
        ];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
