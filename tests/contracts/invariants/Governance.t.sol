// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {TyrantHandler} from "./TyrantHandler.sol";

/// @notice Every governance role, alone and together, with accomplices, delays waited out, functions reopened and the
/// authority itself replaced:
///
/// - The registry can take away and give back, never add: nothing is permitted but what the patient gave.
/// - What is a patient's, a member's or a writer's own stays: owner, card, retirement, slots, epoch, blocks, keys,
///   organisation, keyring, anchors, models, updates.
contract GovernanceInvariants {
    uint256 private constant LEAST_STEPS = 100;

    TyrantHandler private handler;
    uint256 private _steps;

    function setUp() external {
        handler = new TyrantHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = handler.requireNoPermitAdded.selector;
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_no_role_adds_a_permit_or_touches_what_is_anothers() external {
        ++_steps;
        handler.requirePatientsOwn();
        if (_steps % 8 == 0) handler.requireNoPermitAdded();
    }

    function afterInvariant() external {
        handler.requireNoPermitAdded();
        if (_steps < LEAST_STEPS) return;
        bytes32[8] memory needed =
            [bytes32("permitted"), "enrolled", "guarded", "minted", "executed", "overthrown", "tried", "led"];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
