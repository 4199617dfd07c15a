// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Kind, Purpose, Reason} from "../../contracts/types/Vocabulary.sol";
import {Terms, World} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice The rule, leaf by leaf. Each test shows the refusal and the same request permitted once its one fault is
/// mended.
///
/// check
/// ├── malformed: requester, grantee, number, action, purpose, category, period, time → reverts
/// ├── no such twin → TWIN_UNKNOWN
/// ├── retirement announced → RETIRED
/// ├── the owner reads for PATRQT → OWNER
/// ├── the requester is not enrolled → NOT_ENROLLED
/// ├── requester, its organisation or the grantee suspended → SUSPENDED
/// ├── requester, its organisation or the grantee blocked on the twin → BLOCKED
/// ├── the slot is empty, or the grantee is neither the requester nor its organisation → NO_GRANT
/// ├── revoked, of another epoch, or a counter at its last value → REVOKED
/// ├── earliest before notBeforeAt → NOT_YET
/// ├── latest at or after expiresAt → EXPIRED
/// ├── the grant has the EMERGENCY bit
/// │   ├── not READ → ACTION · category not covered → CATEGORY · not for ETREAT → PURPOSE · outside the period → PERIOD
/// │   ├── the requester is not of kind EMERGENCY → KIND
/// │   └── EMERGENCY_CLOSED
/// └── it does not
///     ├── action not covered → ACTION · category → CATEGORY · purpose, unless WRITE → PURPOSE · period → PERIOD
///     ├── WRITE by no GATEWAY, TRAIN by no RESEARCHER → KIND
///     └── PERMITTED
contract CheckTest is World {
    function setUp() external {
        deploy();
        populate();
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
    }

    // Malformed

    function test_a_well_formed_request_is_answered() external view {
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_request_names_requester_and_grantee() external {
        Request memory r = someRequest();
        r.requester = address(0);
        _expectMalformed(r, "requester");
        r = someRequest();
        r.grantee = address(0);
        _expectMalformed(r, "grantee");
    }

    function testFuzz_a_slot_number_runs_to_7(uint8 number) external {
        Request memory r = someRequest();
        r.number = number;
        if (number > 7) _expectMalformed(r, "number");
        else _expect(r, number == 0 ? Reason.PERMITTED : Reason.NO_GRANT);
    }

    function testFuzz_an_action_runs_to_TRAIN(uint8 action) external {
        Request memory r = someRequest();
        r.action = action;
        r.purpose = action == Action.WRITE ? 0 : Purpose.TREAT;
        if (action > Action.TRAIN) _expectMalformed(r, "action");
        else _expect(r, action == Action.READ ? Reason.PERMITTED : Reason.KIND);
    }

    function testFuzz_READ_and_TRAIN_name_a_purpose_and_WRITE_none(uint256 action, uint8 purpose) external {
        Request memory r = someRequest();
        r.action = uint8(bound(action, 0, 2));
        r.purpose = purpose;
        bool named = purpose != 0 && purpose < 32;
        if (r.action == Action.WRITE ? purpose != 0 : !named) _expectMalformed(r, "purpose");
        else consents.check(r, time(), time());
    }

    function testFuzz_a_category_runs_to_31(uint8 category) external {
        Request memory r = someRequest();
        r.category = category;
        if (category > 31) _expectMalformed(r, "category");
        else _expect(r, category == 0 || category == 3 ? Reason.PERMITTED : Reason.CATEGORY);
    }

    function testFuzz_a_period_runs_forwards_within_the_key_tree(uint32 from, uint32 until) external {
        Request memory r = someRequest();
        (r.from, r.until) = (from, until);
        if (from > until || until >= 2 ** 30) _expectMalformed(r, "period");
        else _expect(r, from >= 1000 && until <= 2000 ? Reason.PERMITTED : Reason.PERIOD);
    }

    function testFuzz_time_runs_forwards(uint40 earliest, uint40 latest) external {
        Request memory r = someRequest();
        if (earliest > latest) {
            vm.expectRevert(_malformed("time"));
            consents.check(r, earliest, latest);
        } else {
            Reason expected =
                earliest < START ? Reason.NOT_YET : latest >= START + 30 days ? Reason.EXPIRED : Reason.PERMITTED;
            vm.assertTrue(consents.check(r, earliest, latest) == expected, "time");
        }
    }

    // Twin and owner

    function test_an_unknown_twin() external {
        Request memory r = someRequest();
        r.twin = 2;
        vm.prank(patient);
        consents.grant(2, clinician, 0, pack(broadTerms()), "package");
        _expect(r, Reason.TWIN_UNKNOWN);
        mint(PATIENT);
        _expect(r, Reason.PERMITTED);
    }

    function test_a_retired_twin_from_the_announcement_on() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        _expect(someRequest(), Reason.RETIRED);
        Request memory own = _ownersRequest();
        _expect(own, Reason.RETIRED);
        vm.prank(patient);
        twins.cancelRetirement(1);
        _expect(someRequest(), Reason.PERMITTED);
        _expect(own, Reason.OWNER);
    }

    function test_the_owner_reads_for_PATRQT_without_being_enrolled() external view {
        _expect(_ownersRequest(), Reason.OWNER);
    }

    function test_the_owner_for_another_purpose_or_action_is_anyone() external view {
        Request memory r = _ownersRequest();
        r.purpose = Purpose.TREAT;
        _expect(r, Reason.NOT_ENROLLED);
        r = _ownersRequest();
        r.action = Action.TRAIN;
        _expect(r, Reason.NOT_ENROLLED);
        r = _ownersRequest();
        r.requester = stranger;
        _expect(r, Reason.NOT_ENROLLED);
    }

    function test_a_grant_counts_while_its_giver_owns_the_twin() external {
        vm.prank(otherPatient);
        consents.grant(1, researcher, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        (r.requester, r.grantee) = (researcher, researcher);
        _expect(r, Reason.NO_GRANT);
        move(1, PATIENT, OTHER_PATIENT);
        _expect(r, Reason.PERMITTED);
        _expect(someRequest(), Reason.NO_GRANT);
    }

    // Requester

    function test_a_stranger() external {
        vm.prank(patient);
        consents.grant(1, stranger, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        (r.requester, r.grantee) = (stranger, stranger);
        _expect(r, Reason.NOT_ENROLLED);
        enrol(STRANGER, address(0), 0);
        _expect(r, Reason.PERMITTED);
    }

    function test_a_suspended_requester() external {
        suspend(clinician);
        _expect(someRequest(), Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (clinician)));
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_requester_of_a_suspended_organisation() external {
        suspend(hospital);
        _expect(someRequest(), Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (hospital)));
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_suspended_grantee_that_is_not_the_requesters() external {
        Request memory r = someRequest();
        r.grantee = clinic;
        suspend(clinic);
        _expect(r, Reason.SUSPENDED);
        steward(abi.encodeCall(members.reinstate, (clinic)));
        _expect(r, Reason.NO_GRANT);
    }

    function test_a_blocked_requester() external {
        _block(clinician);
        _expect(someRequest(), Reason.BLOCKED);
        _unblock(clinician);
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_requester_of_a_blocked_organisation() external {
        _block(hospital);
        _expect(someRequest(), Reason.BLOCKED);
        _unblock(hospital);
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_a_blocked_grantee_that_is_not_the_requesters() external {
        Request memory r = someRequest();
        r.grantee = clinic;
        _block(clinic);
        _expect(r, Reason.BLOCKED);
        _unblock(clinic);
        _expect(r, Reason.NO_GRANT);
    }

    function test_a_block_is_of_one_twin_and_survives_a_move() external {
        mint(PATIENT);
        vm.prank(patient);
        consents.grant(2, clinician, 0, pack(broadTerms()), "package");
        _block(clinician);
        Request memory r = someRequest();
        r.twin = 2;
        _expect(r, Reason.PERMITTED);

        move(1, PATIENT, OTHER_PATIENT);
        vm.prank(otherPatient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        _expect(someRequest(), Reason.BLOCKED);
        vm.prank(otherPatient);
        consents.unblockGrantee(1, clinician);
        _expect(someRequest(), Reason.PERMITTED);
    }

    // Grant

    function test_an_empty_slot() external {
        Request memory r = someRequest();
        r.number = 7;
        _expect(r, Reason.NO_GRANT);
        vm.prank(patient);
        consents.grant(1, clinician, 7, pack(broadTerms()), "package");
        _expect(r, Reason.PERMITTED);
    }

    function test_anothers_grant() external view {
        Request memory r = someRequest();
        r.requester = gateway;
        _expect(r, Reason.NO_GRANT);
        r.requester = clinician;
        _expect(r, Reason.PERMITTED);
    }

    function test_an_organisations_grant_is_for_its_members() external {
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        r.grantee = hospital;
        _expect(r, Reason.PERMITTED);
        r.requester = hospital;
        _expect(r, Reason.PERMITTED);
        r.requester = researcher;
        _expect(r, Reason.NO_GRANT);

        r.requester = clinician;
        vm.prank(hospital);
        members.dismiss(clinician);
        _expect(r, Reason.NO_GRANT);
    }

    function test_a_member_without_an_organisation_is_not_of_nobody() external {
        Request memory r = someRequest();
        r.requester = medic;
        _expect(r, Reason.NO_GRANT);
        _expectMalformedGrantee(r);
    }

    function test_a_grant_that_the_owner_or_the_grantee_revoked() external {
        address[2] memory who = [patient, clinician];
        for (uint256 i = 0; i < who.length; ++i) {
            vm.prank(who[i]);
            consents.revoke(patient, 1, clinician, 0);
            _expect(someRequest(), Reason.REVOKED);
            vm.prank(patient);
            consents.grant(1, clinician, 0, pack(broadTerms()), "package");
            _expect(someRequest(), Reason.PERMITTED);
        }
    }

    function test_a_grant_of_an_epoch_that_is_over() external {
        vm.prank(patient);
        consents.revokeAll(1, none());
        _expect(someRequest(), Reason.REVOKED);
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_an_epoch_is_of_one_owner_and_twin() external {
        vm.prank(otherPatient);
        consents.revokeAll(1, none());
        vm.prank(patient);
        consents.revokeAll(2, none());
        _expect(someRequest(), Reason.PERMITTED);
    }

    // Time

    function test_a_grant_is_in_force_from_its_first_second() external view {
        vm.assertTrue(consents.check(someRequest(), START - 1, START) == Reason.NOT_YET, "a second early");
        vm.assertTrue(consents.check(someRequest(), START, START) == Reason.PERMITTED, "the first second");
    }

    function test_a_grant_is_in_force_before_its_last_second() external view {
        uint40 end = START + 30 days;
        vm.assertTrue(consents.check(someRequest(), START, end) == Reason.EXPIRED, "the last second");
        vm.assertTrue(consents.check(someRequest(), START, end - 1) == Reason.PERMITTED, "a second before");
    }

    // Terms

    function testFuzz_the_terms_permit_what_they_say(uint256 action, uint256 purpose, uint256 bits) external {
        Terms memory t = broadTerms();
        t.actions = uint8(bound(bits, 1, 7));
        t.categories = uint32(bits >> 8) | 1;
        t.purposes = uint32(bits >> 40) | 2;
        vm.prank(patient);
        consents.grant(1, clinician, 1, pack(t), "package");
        vm.prank(REGISTRAR);
        members.setKinds(clinician, kind(Kind.GATEWAY) | kind(Kind.RESEARCHER));

        Request memory r = someRequest();
        r.number = 1;
        r.action = uint8(bound(action, 0, 2));
        r.category = uint8(bound(bits >> 72, 0, 31));
        r.purpose = r.action == Action.WRITE ? 0 : uint8(bound(purpose, 1, 31));
        Reason expected = Reason.PERMITTED;
        if (r.action != Action.WRITE && uint256(t.purposes) >> r.purpose & 1 == 0) expected = Reason.PURPOSE;
        if (uint256(t.categories) >> r.category & 1 == 0) expected = Reason.CATEGORY;
        if (uint256(t.actions) >> r.action & 1 == 0) expected = Reason.ACTION;
        _expect(r, expected);
    }

    function test_the_whole_period_must_be_covered() external view {
        Request memory r = someRequest();
        r.from = 999;
        _expect(r, Reason.PERIOD);
        r.from = 1000;
        r.until = 2001;
        _expect(r, Reason.PERIOD);
        (r.from, r.until) = (1500, 1500);
        _expect(r, Reason.PERMITTED);
    }

    // Kinds

    function test_WRITE_needs_a_gateway() external {
        Request memory r = someRequest();
        (r.action, r.purpose) = (Action.WRITE, 0);
        _expect(r, Reason.KIND);
        vm.prank(patient);
        consents.grant(1, gateway, 0, pack(broadTerms()), "package");
        (r.requester, r.grantee) = (gateway, gateway);
        _expect(r, Reason.PERMITTED);
        vm.prank(REGISTRAR);
        members.setKinds(gateway, kind(Kind.RESEARCHER));
        _expect(r, Reason.KIND);
    }

    function test_TRAIN_needs_a_researcher() external {
        Request memory r = someRequest();
        (r.action, r.purpose) = (Action.TRAIN, Purpose.HRESCH);
        _expect(r, Reason.KIND);
        vm.prank(patient);
        consents.grant(1, researcher, 0, pack(broadTerms()), "package");
        (r.requester, r.grantee) = (researcher, researcher);
        _expect(r, Reason.PERMITTED);
        vm.prank(REGISTRAR);
        members.setKinds(researcher, kind(Kind.GATEWAY));
        _expect(r, Reason.KIND);
    }

    function test_the_kind_is_the_requesters_and_not_its_organisations() external {
        vm.prank(REGISTRAR);
        members.setKinds(hospital, kind(Kind.GATEWAY));
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(broadTerms()), "package");
        Request memory r = someRequest();
        (r.action, r.purpose, r.grantee) = (Action.WRITE, 0, hospital);
        _expect(r, Reason.KIND);
        r.requester = gateway;
        _expect(r, Reason.PERMITTED);
    }

    // Emergency

    function test_a_sleeping_grant_opens_to_nobody_yet() external {
        _expect(_emergency(emergencyTerms()), Reason.EMERGENCY_CLOSED);
    }

    function testFuzz_a_sleeping_grant_is_for_READ_whatever_its_other_bits(uint256 bits) external {
        Terms memory t = emergencyTerms();
        t.actions = uint8(bound(bits, 8, 15));
        t.purposes = type(uint32).max;
        Request memory r = _emergency(t);
        _expect(r, Reason.EMERGENCY_CLOSED);
        r.action = Action.TRAIN;
        _expect(r, Reason.ACTION);
        (r.action, r.purpose) = (Action.WRITE, 0);
        _expect(r, Reason.ACTION);
    }

    function testFuzz_a_sleeping_grant_is_for_ETREAT_whatever_its_other_bits(uint256 purpose) external {
        Terms memory t = emergencyTerms();
        t.purposes = type(uint32).max;
        Request memory r = _emergency(t);
        r.purpose = uint8(bound(purpose, 1, 31));
        _expect(r, r.purpose == Purpose.ETREAT ? Reason.EMERGENCY_CLOSED : Reason.PURPOSE);
    }

    function test_a_sleeping_grant_covers_its_categories_and_period() external {
        Request memory r = _emergency(emergencyTerms());
        r.category = 1;
        _expect(r, Reason.CATEGORY);
        r.category = 3;
        r.until = 2001;
        _expect(r, Reason.PERIOD);
        r.until = 2000;
        _expect(r, Reason.EMERGENCY_CLOSED);
    }

    function test_a_sleeping_grant_is_for_an_emergency_member() external {
        Request memory r = _emergency(emergencyTerms());
        vm.prank(REGISTRAR);
        members.setKinds(medic, kind(Kind.CLINICIAN));
        _expect(r, Reason.KIND);
        addGuardedKinds(medic, kind(Kind.EMERGENCY));
        _expect(r, Reason.EMERGENCY_CLOSED);
    }

    // Saturated counters, which no sequence of calls reaches in a lifetime

    function test_a_slot_at_its_last_revision_never_permits() external {
        bytes32 key = keccak256(abi.encode(keccak256(abi.encode(patient, 1, clinician, 0)), uint256(0)));
        uint256 word = uint256(vm.load(address(consents), key));
        vm.assertEq(word & 0xffffffffff, 1 << 24, "the first revision, in its place");
        vm.store(address(consents), key, bytes32(word | 0xfffe << 24));
        _expect(someRequest(), Reason.REVOKED);
        vm.store(address(consents), key, bytes32(word));
        _expect(someRequest(), Reason.PERMITTED);
    }

    function test_an_owner_at_its_last_epoch_never_permits() external {
        bytes32 slot = keccak256(abi.encode(patient, uint256(1)));
        slot = keccak256(abi.encode(uint256(1), slot));
        bytes32 key = keccak256(abi.encode(keccak256(abi.encode(patient, 1, clinician, 0)), uint256(0)));
        uint256 word = uint256(vm.load(address(consents), key));
        vm.store(address(consents), slot, bytes32(uint256(0xffffff)));
        vm.assertEq(consents.epochOf(patient, 1), 0xffffff, "the last epoch, in its place");
        vm.store(address(consents), key, bytes32(word | 0xffffff));
        _expect(someRequest(), Reason.REVOKED);
        vm.store(address(consents), slot, bytes32(uint256(0xfffffe)));
        vm.store(address(consents), key, bytes32(word | 0xfffffe));
        _expect(someRequest(), Reason.PERMITTED);
    }

    // Parts

    /// @dev READ for ETREAT by the medic, under a grant of its own on those terms.
    function _emergency(Terms memory t) private returns (Request memory r) {
        vm.prank(patient);
        consents.grant(1, medic, 0, pack(t), "package");
        r = someRequest();
        (r.requester, r.grantee, r.purpose) = (medic, medic, Purpose.ETREAT);
    }

    function _ownersRequest() private view returns (Request memory r) {
        r = someRequest();
        (r.requester, r.purpose) = (patient, Purpose.PATRQT);
    }

    function _block(address grantee) private {
        vm.prank(patient);
        consents.blockGrantee(1, grantee);
    }

    function _unblock(address grantee) private {
        vm.prank(patient);
        consents.unblockGrantee(1, grantee);
    }

    function _expect(Request memory r, Reason expected) private view {
        vm.assertEq(uint256(consents.check(r, time(), time())), uint256(expected), "reason");
    }

    function _expectMalformed(Request memory r, bytes32 field) private {
        vm.expectRevert(_malformed(field));
        consents.check(r, START, START);
    }

    function _expectMalformedGrantee(Request memory r) private {
        r.grantee = address(0);
        _expectMalformed(r, "grantee");
    }

    function _malformed(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_MalformedRequest.selector, field);
    }
}
