// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FuzzSelector, vm} from "../support/Vm.sol";
import {RelayHandler} from "./RelayHandler.sol";

/// @notice Two twins, whose owners, grantees and registry do anything, in any order, with a relayer who delays, reorders
/// and repeats what they sign:
///
/// - `check` permits only if the owner made the grant that it names, and whatever people decided since does not deny it:
///   after revoke, revokeAll, block, suspend, retire or expiry nothing is permitted. What they do permit, it permits.
/// - A message sent late never permits what a newer decision denies. A denial that is turned away leaves nothing standing
///   that is older than itself.
/// - Revoking everything is never refused for what a slot holds that was to be kept, and keeps only what still stands.
/// - No message is taken after its deadline.
contract ConsentInvariants {
    uint256 private constant LEAST_STEPS = 120;

    RelayHandler private handler;

    function setUp() external {
        handler = new RelayHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (handler.compare.selector, handler.compareAll.selector);
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_what_people_decided_is_permitted_and_nothing_else() external {
        handler.compare();
        handler.requireNewestDenialHolds();
    }

    /// @dev A run that reached nothing proves nothing. (A short one is a failure that forge replays.)
    function afterInvariant() external {
        handler.compareAll();
        if (handler.reached("step") < LEAST_STEPS) return;
        bytes32[14] memory needed = [
            bytes32("permitted"),
            "refused",
            "grant",
            "revoke",
            "revokeAll",
            "block",
            "unblock",
            "suspend",
            "kinds",
            "time",
            "signed",
            "landed",
            "landed late",
            "turned away"
        ];
        for (uint256 i = 0; i < needed.length; ++i) {
            vm.assertTrue(handler.reached(needed[i]) != 0, string(abi.encodePacked("never reached: ", needed[i])));
        }
    }
}
