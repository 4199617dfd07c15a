// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Action, Kind, Purpose, Reason} from "../../contracts/types/Vocabulary.sol";
import {Asking} from "./support/Asking.sol";
import {Terms} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice The rule, leaf by leaf: the grant. The tree stands above `CheckTest`.
contract CheckGrantTest is Asking {
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

    function test_a_member_without_an_organisation_is_of_none() external {
        Request memory r = someRequest();
        r.requester = medic;
        _expect(r, Reason.NO_GRANT);
        vm.prank(patient);
        consents.grant(1, medic, 0, pack(broadTerms()), "package");
        r.grantee = medic;
        _expect(r, Reason.PERMITTED);
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
}
