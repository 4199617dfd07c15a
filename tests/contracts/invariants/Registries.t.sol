// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {RegistryHandler} from "./RegistryHandler.sol";

/// @notice What the registries promise of themselves:
///
/// - A twin has exactly one owner from its mint on, is always locked, and never returns to a former owner. Its counter
///   never falls and its card's digest never takes a value twice. Once it is retired, nothing about it changes.
/// - A member's key and organisation are those of the newest card that it signed; versions never fall; a guarded kind is
///   added by stewards alone. Nobody is its own organisation.
/// - Anchors only grow: what was anchored once stays as it was, and a receipt log has more receipts each time.
contract RegistryInvariants {
    uint256 private constant LEAST_STEPS = 100;

    RegistryHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new RegistryHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (handler.requireTwins.selector, handler.tryMove.selector);
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_the_registries_keep_what_they_promise() external {
        ++_steps;
        handler.requireTwins();
        handler.requireMembers();
        handler.requireAnchors();
        handler.requireReceipts();
    }

    function afterInvariant() external view {
        if (_steps < LEAST_STEPS) return;
        bytes32[11] memory needed = [
            bytes32("minted"),
            "card",
            "moved",
            "retired",
            "member",
            "forged",
            "kinds",
            "anchored",
            "anchored before",
            "log grown",
            "log not grown"
        ];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
