// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Kind} from "../../../contracts/types/Vocabulary.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A coordinator, two sites, and a model: of 20 twins a site and round at least, for 1,000 thousandths of ε.
abstract contract Training is World {
    uint256 internal constant OTHER_SITE = 0x2E6;
    uint32 internal constant COHORT = 20;
    uint32 internal constant BUDGET = 1000;
    bytes32 internal constant BEGINNING = keccak256("the weights that the model starts from");
    bytes32 internal constant MADE = keccak256("the first aggregate");

    address internal immutable otherSite = vm.addr(OTHER_SITE);

    function gather() internal {
        deploy();
        enrol(HOSPITAL, address(0), 0);
        enrol(CLINIC, address(0), 0);
        enrol(COORDINATOR, hospital, kind(Kind.COORDINATOR));
        enrol(RESEARCHER, clinic, kind(Kind.RESEARCHER));
        enrol(OTHER_SITE, address(0), kind(Kind.RESEARCHER) | kind(Kind.COORDINATOR));
    }

    function register() internal returns (uint32) {
        vm.prank(coordinator);
        return models.register(8, 0x42, COHORT, BUDGET, "card");
    }

    /// @dev The parent is whatever the model has.
    function open(uint32 model) internal returns (uint32) {
        bytes32 present = models.modelOf(model).aggregate;
        vm.prank(coordinator);
        return models.openRound(model, present == 0 ? BEGINNING : present);
    }

    function commit(address site, uint32 model, uint32 round, uint32 cohort, uint32 epsilon) internal {
        bytes32 parent = models.modelOf(model).aggregate;
        vm.prank(site);
        models.commitUpdate("update", parent, "consents", "record", contribution(model, round, cohort, epsilon));
    }

    function commit(address site, uint32 model, uint32 round) internal {
        commit(site, model, round, COHORT, 100);
    }

    function finalise(uint32 model, uint32 round, uint32 updates) internal {
        vm.prank(coordinator);
        models.finaliseAggregate(model, round, MADE, "record", updates);
    }

    /// @dev Refused so, and not otherwise.
    function expectRefused(bytes memory refusal, address who, bytes memory call) internal {
        vm.prank(who);
        (bool taken, bytes memory answer) = address(models).call(call);
        vm.assertTrue(!taken, "taken");
        vm.assertEq(keccak256(answer), keccak256(refusal), "refused otherwise");
    }
}
