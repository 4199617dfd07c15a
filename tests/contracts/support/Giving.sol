// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Grant} from "../../../contracts/types/Grant.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A populated world in which the patient gives broad terms.
abstract contract Giving is World {
    function setUp() external {
        deploy();
        populate();
    }

    function _grant(address grantee, uint8 number) internal {
        vm.prank(patient);
        consents.grant(1, grantee, number, pack(broadTerms()), "package");
    }

    function _word(address grantee, uint8 number) internal view returns (Grant) {
        return consents.grantOf(patient, 1, grantee, number);
    }

    function _invalid(bytes32 field) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_InvalidTerms.selector, field);
    }
}
