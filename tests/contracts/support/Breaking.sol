// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IEmergencies} from "../../../contracts/interfaces/IEmergencies.sol";
import {Request} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Cause, Kind, Purpose, Reason} from "../../../contracts/types/Vocabulary.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A world in which the patient gave the hospital a grant that sleeps, in slot 0. The hospital's clinician and
/// its gateway are EMERGENCY members; the clinic's researcher, the coordinator and, of the hospital, the gateway audit.
abstract contract Breaking is World {
    function gather() internal {
        deploy();
        populate();
        enrol(COORDINATOR, address(0), kind(Kind.AUDITOR));
        addGuardedKinds(clinician, kind(Kind.EMERGENCY));
        addGuardedKinds(gateway, kind(Kind.EMERGENCY));
        vm.startPrank(REGISTRAR);
        members.setKinds(researcher, kind(Kind.AUDITOR));
        members.setKinds(gateway, kind(Kind.AUDITOR) | kind(Kind.EMERGENCY));
        vm.stopPrank();
        letSleep();
    }

    function letSleep() internal {
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(emergencyTerms()), "package");
    }

    function open(address opener) internal returns (uint64) {
        vm.prank(opener);
        return consents.openEmergency(1, hospital, 0, Cause.OVRER, "text");
    }

    function review(address reviewer, uint64 opening) internal {
        vm.prank(reviewer);
        consents.reviewEmergency(opening, 1, "text");
    }

    /// @dev READ of category 0 of twin 1 for ETREAT, under the hospital's grant.
    function emergencyRequest(address requester) internal view returns (Request memory r) {
        r = someRequest();
        (r.requester, r.grantee, r.action, r.purpose) = (requester, hospital, Action.READ, Purpose.ETREAT);
    }

    function reasonOf(Request memory r) internal view returns (Reason) {
        return consents.check(r, time(), time());
    }

    function expectCannotOpen(Reason reason) internal {
        vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_CannotOpen.selector, reason));
    }
}
