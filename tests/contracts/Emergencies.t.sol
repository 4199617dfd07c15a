// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Regrant, Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Emergency, IEmergencies, Opening} from "../../contracts/interfaces/IEmergencies.sol";
import {MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {Action, Cause, Finding, Kind, Purpose, Reason} from "../../contracts/types/Vocabulary.sol";
import {Breaking} from "./support/Breaking.sol";
import {Terms} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Breaking the glass: who may, on what, for how long, and who looks at it afterwards.
contract EmergenciesTest is Breaking {
    function setUp() external {
        gather();
    }

    // Openings

    function test_an_opening_is_kept_and_told() external {
        uint40 closesAt = START + EMERGENCY_LENGTH;
        Emergency memory said =
            Emergency(patient, hospital, 0, 1, Cause.OVRINCOMP, "text", closesAt, START + REVIEW_PERIOD);
        vm.expectEmit(address(consents));
        emit IEmergencies.EmergencyOpened(1, 1, clinician, said);
        vm.prank(clinician);
        uint64 opening = consents.openEmergency(1, hospital, 0, Cause.OVRINCOMP, "text");
        vm.assertEq(opening, 1, "number");
        vm.assertEq(consents.openingCount(), 1, "count");
        vm.assertEq(consents.unreviewedOf(clinician), 1, "unreviewed");
        Opening memory kept = consents.openingOf(1);
        vm.assertEq(kept.opener, clinician, "opener");
        vm.assertEq(kept.organisation, hospital, "organisation");
        vm.assertEq(kept.reviewBy, START + REVIEW_PERIOD, "review by");
        vm.assertTrue(!kept.reviewed, "not reviewed");
        vm.assertEq(consents.factsOf(1, clinician, hospital, 0).closesAt, closesAt, "a fact");
        vm.assertEq(consents.factsOf(1, gateway, hospital, 0).closesAt, 0, "nobody else's");
    }

    function test_the_constants_are_the_deployments() external view {
        vm.assertEq(consents.EMERGENCY_LENGTH(), EMERGENCY_LENGTH, "length");
        vm.assertEq(consents.REVIEW_PERIOD(), REVIEW_PERIOD, "review");
        vm.assertEq(consents.MOST_UNREVIEWED(), 3, "most");
    }

    function test_an_opening_permits_its_opener_alone() external {
        open(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "the opener");
        vm.assertTrue(reasonOf(emergencyRequest(gateway)) == Reason.EMERGENCY_CLOSED, "a colleague");
        open(gateway);
        vm.assertTrue(reasonOf(emergencyRequest(gateway)) == Reason.PERMITTED, "once it opened too");
    }

    function testFuzz_an_opening_is_for_READ_for_ETREAT_alone(uint256 purpose) external {
        open(clinician);
        Request memory r = emergencyRequest(clinician);
        r.purpose = uint8(bound(purpose, 1, 31));
        vm.assertTrue(reasonOf(r) == (r.purpose == Purpose.ETREAT ? Reason.PERMITTED : Reason.PURPOSE), "purpose");
        r.action = Action.TRAIN;
        vm.assertTrue(reasonOf(r) == Reason.ACTION, "train");
        (r.action, r.purpose) = (Action.WRITE, 0);
        vm.assertTrue(reasonOf(r) == Reason.ACTION, "write");
    }

    function test_an_opening_lasts_until_its_last_second_and_is_opened_anew_then() external {
        open(clinician);
        vm.warp(START + EMERGENCY_LENGTH - 1);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "its last second");
        expectCannotOpen(Reason.PERMITTED);
        open(clinician);
        vm.assertTrue(
            consents.check(emergencyRequest(clinician), time(), time() + 1) == Reason.EMERGENCY_CLOSED,
            "in doubt it is over"
        );
        vm.warp(START + EMERGENCY_LENGTH);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.EMERGENCY_CLOSED, "over");
        open(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "opened anew");
    }

    function test_an_opening_needs_all_that_a_reading_needs() external {
        _refused(stranger, 1, Reason.NOT_ENROLLED);
        _refused(medic, 1, Reason.NO_GRANT);
        _refused(clinician, 9, Reason.TWIN_UNKNOWN);
        enrol(STRANGER, hospital, 0);
        _refused(stranger, 1, Reason.KIND);
        suspend(hospital);
        _refused(clinician, 1, Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (hospital)));
        vm.startPrank(patient);
        consents.blockGrantee(1, clinician);
        vm.stopPrank();
        _refused(clinician, 1, Reason.BLOCKED);
        vm.prank(patient);
        consents.unblockGrantee(1, clinician);
        open(clinician);
    }

    function test_an_opening_needs_a_grant_in_force_that_sleeps() external {
        Terms memory t = emergencyTerms();
        t.notBeforeAt = START + 10;
        _give(t);
        _refused(clinician, 1, Reason.NOT_YET);
        vm.warp(START + 10);
        open(clinician);
        t.expiresAt = START + 20;
        _give(t);
        vm.warp(START + 20);
        _refused(clinician, 1, Reason.EXPIRED);
        _give(broadTerms());
        _refused(clinician, 1, Reason.PURPOSE);
        t = broadTerms();
        t.actions = 2;
        _give(t);
        _refused(clinician, 1, Reason.ACTION);
        vm.prank(patient);
        consents.revoke(patient, 1, hospital, 0);
        _refused(clinician, 1, Reason.REVOKED);
        vm.prank(patient);
        twins.announceRetirement(1);
        _refused(clinician, 1, Reason.RETIRED);
    }

    function testFuzz_a_grant_is_opened_whatever_its_categories_and_period(uint32 categories, uint256 from) external {
        Terms memory t = emergencyTerms();
        t.categories = categories == 0 ? 1 : categories;
        (t.dataFrom, t.dataUntil) = (uint32(bound(from, 0, 2 ** 30 - 1)), 2 ** 30 - 1);
        _give(t);
        open(clinician);
    }

    function test_a_grant_to_a_person_is_opened_by_that_person() external {
        vm.prank(patient);
        consents.grant(1, medic, 5, pack(emergencyTerms()), "package");
        vm.prank(medic);
        consents.openEmergency(1, medic, 5, Cause.OVRER, 0);
        Request memory r = emergencyRequest(medic);
        (r.grantee, r.number) = (medic, 5);
        vm.assertTrue(reasonOf(r) == Reason.PERMITTED, "its own");
    }

    function test_a_cause_is_one_of_the_vocabularys() external {
        vm.startPrank(clinician);
        for (uint8 cause = 0; cause <= Cause.LAST + 1; cause += Cause.LAST + 1) {
            vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_UnknownCode.selector, bytes32("cause")));
            consents.openEmergency(1, hospital, 0, cause, 0);
        }
        consents.openEmergency(1, hospital, 0, Cause.LAST, 0);
    }

    function test_a_slot_that_cannot_be_is_malformed() external {
        vm.expectRevert(
            abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_MalformedRequest.selector, bytes32("number"))
        );
        vm.prank(clinician);
        consents.openEmergency(1, hospital, 8, 1, 0);
        open(clinician);
    }

    // What ends it

    function test_an_opening_ends_with_its_grant() external {
        open(clinician);
        vm.prank(patient);
        consents.revoke(patient, 1, hospital, 0);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.REVOKED, "revoked");
        letSleep();
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.EMERGENCY_CLOSED, "the same terms anew");
        open(clinician);
        Regrant[] memory keep = keeping(patient, 1, hospital, 0, emergencyTerms());
        vm.prank(patient);
        consents.revokeAll(1, keep);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.EMERGENCY_CLOSED, "kept");
        open(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "opened anew");
    }

    function test_an_opening_is_of_its_owner_and_ends_with_a_move() external {
        open(clinician);
        vm.prank(otherPatient);
        consents.grant(1, hospital, 0, pack(emergencyTerms()), "package");
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "before");
        move(1, PATIENT, OTHER_PATIENT);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.EMERGENCY_CLOSED, "the new owner's grant sleeps");
        open(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "opened anew");
    }

    function test_an_opening_permits_nothing_while_something_denies() external {
        open(clinician);
        vm.prank(patient);
        consents.blockGrantee(1, hospital);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.BLOCKED, "blocked");
        vm.prank(patient);
        consents.unblockGrantee(1, hospital);
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.RETIRED, "retired");
        vm.prank(patient);
        twins.cancelRetirement(1);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "permitted again");
        suspend(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.SUSPENDED, "suspended");
    }

    function test_an_opening_is_worth_nothing_to_who_left() external {
        open(clinician);
        vm.prank(hospital);
        members.dismiss(clinician);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.NO_GRANT, "left");
        open(gateway);
        vm.prank(REGISTRAR);
        members.setKinds(gateway, kind(Kind.AUDITOR));
        vm.assertTrue(reasonOf(emergencyRequest(gateway)) == Reason.KIND, "no EMERGENCY member any more");
    }

    // Limits and reviews

    function test_three_openings_may_wait_for_a_review() external {
        for (uint256 i = 0; i < 3; ++i) {
            open(clinician);
            vm.warp(block.timestamp + EMERGENCY_LENGTH);
        }
        vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_Unreviewed.selector, clinician, 3));
        open(clinician);
        open(gateway);
        review(researcher, 2);
        vm.assertEq(consents.unreviewedOf(clinician), 2, "one less");
        open(clinician);
    }

    function test_a_review_is_kept_and_told_once() external {
        open(clinician);
        vm.expectEmit(address(consents));
        emit IEmergencies.EmergencyReviewed(1, researcher, Finding.UNJUSTIFIED, "words");
        vm.prank(researcher);
        consents.reviewEmergency(1, Finding.UNJUSTIFIED, "words");
        vm.assertTrue(consents.openingOf(1).reviewed, "reviewed");
        vm.assertEq(consents.unreviewedOf(clinician), 0, "unreviewed");
        vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_AlreadyReviewed.selector, 1));
        review(coordinator, 1);
        vm.assertTrue(reasonOf(emergencyRequest(clinician)) == Reason.PERMITTED, "a review takes nothing back");
    }

    function test_a_review_may_come_late() external {
        open(clinician);
        vm.warp(START + REVIEW_PERIOD + 365 days);
        review(researcher, 1);
    }

    function test_there_is_an_opening_to_review() external {
        vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_UnknownOpening.selector, 1));
        review(researcher, 1);
        open(clinician);
        review(researcher, 1);
    }

    function test_a_finding_is_one_of_the_vocabularys() external {
        open(clinician);
        vm.startPrank(researcher);
        for (uint8 finding = 0; finding <= Finding.LAST + 1; finding += Finding.LAST + 1) {
            vm.expectRevert(
                abi.encodeWithSelector(IEmergencies.ConsentRegistry_UnknownCode.selector, bytes32("finding"))
            );
            consents.reviewEmergency(1, finding, 0);
        }
        consents.reviewEmergency(1, Finding.LAST, 0);
    }

    function test_a_reviewer_is_an_active_auditor() external {
        open(clinician);
        _cannotReview(stranger);
        _cannotReview(medic);
        suspend(clinic);
        _cannotReview(researcher);
        steward(abi.encodeCall(members.reinstate, (clinic)));
        review(researcher, 1);
    }

    function test_no_party_to_an_opening_reviews_it() external {
        open(clinician);
        _cannotReview(gateway);
        vm.startPrank(REGISTRAR);
        members.setKinds(clinician, kind(Kind.AUDITOR) | kind(Kind.EMERGENCY));
        members.setKinds(hospital, kind(Kind.AUDITOR));
        vm.stopPrank();
        _cannotReview(clinician);
        _cannotReview(hospital);
        review(coordinator, 1);
    }

    function test_neither_the_former_nor_the_present_organisation_of_an_opener_reviews() external {
        open(clinician);
        vm.prank(clinic);
        members.agree(clinician, 1);
        vm.prank(clinician);
        members.updateCard(MemberCard(clinician, "key", clinic, 1), "", "");
        _cannotReview(gateway);
        _cannotReview(researcher);
        review(coordinator, 1);
    }

    function test_two_who_are_of_no_organisation_are_not_of_one() external {
        vm.prank(patient);
        consents.grant(1, medic, 0, pack(emergencyTerms()), "package");
        vm.prank(medic);
        consents.openEmergency(1, medic, 0, Cause.OVRER, 0);
        review(coordinator, 1);
    }

    function _give(Terms memory t) private {
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(t), "package");
    }

    function _refused(address opener, uint256 twin, Reason reason) private {
        expectCannotOpen(reason);
        vm.prank(opener);
        consents.openEmergency(twin, hospital, 0, Cause.OVRER, "text");
    }

    function _cannotReview(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IEmergencies.ConsentRegistry_NotReviewer.selector, who));
        review(who, 1);
    }
}
