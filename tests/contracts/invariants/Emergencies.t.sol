// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {EmergencyHandler} from "./EmergencyHandler.sol";

/// @notice A grant that sleeps, given, taken back, blocked, moved and expired in any order, opened and reviewed by whoever
/// tries:
///
/// - It permits exactly those who opened it, until they must close, while it stands and nothing denies; and for READ for
///   ETREAT alone. An opening of one consent opens no other.
/// - Nobody has more than three openings that wait for a review. Each is reviewed once, by an auditor of another
///   organisation, and late too.
contract EmergencyInvariants {
    uint256 private constant LEAST_STEPS = 120;

    EmergencyHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new EmergencyHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = handler.requireOpenings.selector;
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_a_grant_that_sleeps_permits_its_openers_for_their_hours() external {
        ++_steps;
        handler.requireOpenings();
    }

    function afterInvariant() external view {
        if (_steps < LEAST_STEPS) return;
        bytes32[8] memory needed = [
            bytes32("permitted"),
            "given",
            "opened",
            "opened badly",
            "closed by time",
            "reviewed badly",
            "blocked",
            "suspended"
        ];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
        uint256 reviews = handler.reached("reviewed") + handler.reached("reviewed late");
        uint256 ended = handler.reached("ended by revocation") + handler.reached("ended by a move");
        uint256 worn = handler.reached("too many unreviewed");
        vm.assertTrue(reviews != 0 && ended + worn != 0, "never reached: a review, an end or the limit");
    }
}
