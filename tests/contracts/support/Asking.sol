// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Reason} from "../../../contracts/types/Vocabulary.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A world in which the patient gave the clinician broad terms in slot 0, and questions are put to the rule.
abstract contract Asking is World {
    function setUp() external {
        deploy();
        populate();
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
    }

    function _expect(Request memory r, Reason expected) internal view {
        vm.assertEq(uint256(consents.check(r, time(), time())), uint256(expected), "reason");
    }
}
