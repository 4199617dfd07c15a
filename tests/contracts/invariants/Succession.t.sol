// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {SuccessionHandler} from "./SuccessionHandler.sol";

/// @notice Whatever is granted, denied, signed, held back and carried, in whatever order:
///
/// - Nothing is permitted but what the owner gave and nobody ended, and that in one deployment alone.
/// - A twin leaves and arrives in one, once, and only by its owner's message.
/// - Who does not move is untouched.
contract SuccessionInvariants {
    uint256 private constant LEAST_STEPS = 100;

    SuccessionHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new SuccessionHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (handler.requireNothingDenied.selector, handler.carry.selector);
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_nothing_that_was_denied_lives_in_the_next_deployment() external {
        ++_steps;
        handler.requireNothingDenied();
    }

    function afterInvariant() external view {
        if (_steps < LEAST_STEPS) return;
        bytes32[3] memory needed = [bytes32("carried"), "refused", "elsewhere"];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
