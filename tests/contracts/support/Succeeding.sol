// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {TwinRegistry} from "../../../contracts/TwinRegistry.sol";
import {CarriedGrant, SignedCarrying} from "../../../contracts/interfaces/ICarriedConsents.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A world with a second deployment beside the first, which is its predecessor and shares its members.
abstract contract Succeeding is World {
    TwinRegistry internal newTwins;
    ConsentRegistry internal newConsents;

    function succeed() internal {
        newTwins = new TwinRegistry(address(authority), GENESIS, RETIRE_DELAY, twins);
        newConsents = new ConsentRegistry(GENESIS, newTwins, members, EMERGENCY_LENGTH, REVIEW_PERIOD, consents);
    }

    /// @dev The grant in a slot of the patient's, as it stands.
    function carried(address grantee, uint8 number) internal view returns (CarriedGrant memory) {
        return CarriedGrant(grantee, number, consents.grantOf(patient, 1, grantee, number), "package");
    }

    function carrying(CarriedGrant[] memory grants) internal view returns (SignedCarrying memory) {
        (, uint32 counter) = twins.stateOf(1);
        return SignedCarrying(1, grants, counter, soon());
    }

    /// @dev What goes with a twin that has the clinician's grant 0.
    function usual() internal view returns (SignedCarrying memory) {
        CarriedGrant[] memory grants = new CarriedGrant[](1);
        grants[0] = carried(clinician, 0);
        return carrying(grants);
    }

    function leaving(SignedCarrying memory message, address successor) internal view returns (bytes32) {
        return messages.depart(message.twin, successor, message.grants, message.counter, message.deadline);
    }

    function signed(uint256 key, SignedCarrying memory message) internal view returns (bytes memory) {
        return sign(key, twins, leaving(message, address(newConsents)));
    }

    function nobody() internal pure returns (address[] memory) {
        return new address[](0);
    }

    function only(address who) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = who;
    }

    /// @dev The patient signs now, a relayer carries. External, so that a test may expect a refusal.
    function carry() external {
        carryAs(usual(), nobody());
    }

    function carryAs(SignedCarrying memory message, address[] memory blocked) internal {
        bytes memory signature = signed(PATIENT, message);
        vm.prank(RELAYER);
        newConsents.carry(message, blocked, signature);
    }
}
