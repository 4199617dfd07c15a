// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {GuardianHandler} from "./GuardianHandler.sol";

/// @notice A twin's life under its owner and its guardians, whoever does what and whenever it arrives:
///
/// - Every call is taken exactly if the table of docs/states.md says so of the present state, and leaves what it says.
/// - What guardians signed counts once, in time, by enough of the present ones.
/// - On a frozen twin nothing is permitted, not even to its owner. No twin is frozen and retired, and every freeze ends.
contract GuardianInvariants {
    uint256 private constant LEAST_STEPS = 100;
    uint256 private constant ACTS = 12;

    GuardianHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new GuardianHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = handler.requireAsTheTableSays.selector;
        (selectors[1], selectors[2]) = (handler.freeze.selector, handler.unfreeze.selector);
        (selectors[3], selectors[4]) = (handler.announceMove.selector, handler.rescue.selector);
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_a_twin_lives_as_the_table_says() external {
        ++_steps;
        handler.requireAsTheTableSays();
    }

    /// @dev Every act was taken and refused; the seldom ways were gone.
    function afterInvariant() external view {
        if (_steps < LEAST_STEPS) return;
        for (uint256 act = 0; act < 2 * ACTS; ++act) {
            bytes32 what = bytes32(act < ACTS ? act : act - ACTS + 256);
            vm.assertTrue(handler.reached(what) != 0, string.concat("never reached: ", vm.toString(uint256(what))));
        }
        bytes32[5] memory needed =
            [bytes32("binding"), "moved out of a freeze", "retirement put off", "late", "retired"];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
