// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IMemberRegistry, Member, MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {Carding} from "./support/Carding.sol";
import {vm} from "./support/Vm.sol";

/// @notice Enrolment and cards.
///
/// Enrol, by a registrar
/// ├── not a registrar → refused
/// ├── enrolled already → refused
/// ├── kinds unknown, or guarded → refused
/// ├── the card is not signed by its member, or names another version → refused
/// ├── an organisation is named
/// │   ├── not enrolled, suspended, or itself in an organisation → refused
/// │   ├── it did not agree → refused
/// │   └── it agreed by its own call, or by a signed message → enrolled
/// └── no organisation → enrolled
///
/// Update the card, by anyone
/// ├── not enrolled → refused
/// ├── another version, or not signed by the member → refused
/// ├── the organisation changes: as above, and never to the member itself
/// └── the organisation stays, or none is named → updated, whatever became of the organisation
contract MemberRegistryTest is Carding {
    // Enrol

    function test_a_member_is_enrolled_with_its_own_card() external {
        MemberCard memory card = _card(clinician, hospital, 0);
        _agree(HOSPITAL, clinician, 0);
        bytes memory signature = _signed(CLINICIAN, card);
        vm.expectEmit(address(members));
        emit IMemberRegistry.Enrolled(clinician, hospital, 1, KEY);
        vm.prank(REGISTRAR);
        members.enrol(card, signature, "", 1);

        Member memory member = members.memberOf(clinician);
        vm.assertEq(member.version, 1, "version");
        vm.assertEq(member.kinds, 1, "kinds");
        vm.assertEq(member.organisation, hospital, "organisation");
        vm.assertTrue(!member.suspended, "suspended");
        vm.assertEq(members.keyOf(clinician), KEY, "key");
        vm.assertTrue(members.isActive(clinician), "active");
        vm.assertTrue(!members.isActive(stranger), "a stranger is not active");
    }

    function test_an_organisation_agrees_by_a_signed_message() external {
        MemberCard memory card = _card(clinician, hospital, 0);
        bytes memory agreement = sign(HOSPITAL, members, messages.agreement(hospital, clinician, 0));
        _enrol(card, _signed(CLINICIAN, card), agreement, 0);
        vm.assertEq(members.memberOf(clinician).organisation, hospital, "organisation");
    }

    function test_only_a_registrar_enrols() external {
        MemberCard memory card = _card(clinician, address(0), 0);
        bytes memory signature = _signed(CLINICIAN, card);
        _expectUnauthorized(clinician);
        vm.prank(clinician);
        members.enrol(card, signature, "", 0);
        _enrol(card, signature, "", 0);
    }

    function test_a_registrar_cannot_put_its_own_key_in_a_members_place() external {
        MemberCard memory card = _card(clinician, address(0), 0);
        bytes memory signature = _signed(STRANGER, card);
        _expectWrongSignature(clinician);
        _enrol(card, signature, "", 0);

        signature = _signed(CLINICIAN, card);
        card.key = keccak256("the registrar's key");
        _expectWrongSignature(clinician);
        _enrol(card, signature, "", 0);

        card.key = KEY;
        _enrol(card, signature, "", 0);
    }

    function test_nobody_is_enrolled_twice() external {
        enrol(CLINICIAN, address(0), 0);
        MemberCard memory card = _card(clinician, address(0), 1);
        bytes memory signature = _signed(CLINICIAN, card);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_AlreadyEnrolled.selector, clinician));
        _enrol(card, signature, "", 0);
        members.updateCard(card, signature, "");
    }

    function testFuzz_enrolment_refuses_guarded_and_unknown_kinds(uint16 kinds) external {
        MemberCard memory card = _card(clinician, address(0), 0);
        bytes memory signature = _signed(CLINICIAN, card);
        if (kinds & ~uint16(0x1ff) != 0) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_UnknownKinds.selector, kinds));
        } else if (kinds & 0x44 != 0) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_GuardedKinds.selector, kinds));
        }
        _enrol(card, signature, "", kinds);
    }

    function test_a_card_must_name_the_present_version() external {
        MemberCard memory card = _card(clinician, address(0), 1);
        bytes memory signature = _signed(CLINICIAN, card);
        _expectStale(1, 0);
        _enrol(card, signature, "", 0);
        card.version = 0;
        signature = _signed(CLINICIAN, card);
        _enrol(card, signature, "", 0);
    }

    function test_a_registrar_enrols_itself_without_a_signature() external {
        _enrol(_card(REGISTRAR, address(0), 0), "", "", 0);
        vm.assertEq(members.memberOf(REGISTRAR).version, 1, "version");
    }

    // Update

    function test_a_member_updates_its_card_by_its_own_call_or_by_anyone_who_carries_its_message() external {
        enrol(CLINICIAN, hospital, 1);
        MemberCard memory card = _card(clinician, hospital, 1);
        vm.expectEmit(address(members));
        emit IMemberRegistry.CardUpdated(clinician, hospital, KEY, 2);
        vm.prank(clinician);
        members.updateCard(card, "", "");

        card = _card(clinician, hospital, 2);
        bytes memory signature = _signed(CLINICIAN, card);
        vm.prank(RELAYER);
        members.updateCard(card, signature, "");
        vm.assertEq(members.memberOf(clinician).version, 3, "version");
        vm.assertEq(members.memberOf(clinician).kinds, 1, "kinds stay");

        _expectStale(2, 3);
        vm.prank(RELAYER);
        members.updateCard(card, signature, "");
    }

    function test_nobody_else_updates_a_members_card() external {
        enrol(CLINICIAN, hospital, 0);
        MemberCard memory card = _card(clinician, hospital, 1);
        _expectWrongSignature(clinician);
        vm.prank(hospital);
        members.updateCard(card, "", "");
        bytes memory signature = _signed(CLINICIAN, card);
        vm.prank(hospital);
        members.updateCard(card, signature, "");
    }

    function test_a_stranger_has_no_card_to_update() external {
        _expectNotEnrolled(stranger);
        vm.prank(stranger);
        members.updateCard(_card(stranger, address(0), 0), "", "");
        enrol(STRANGER, address(0), 0);
        vm.prank(stranger);
        members.updateCard(_card(stranger, address(0), 1), "", "");
    }

    function test_a_suspended_member_of_a_suspended_organisation_still_changes_its_key() external {
        enrol(CLINICIAN, hospital, 0);
        suspend(clinician);
        suspend(hospital);
        vm.prank(clinician);
        members.updateCard(_card(clinician, hospital, 1), "", "");
        vm.assertEq(members.keyOf(clinician), KEY, "key");
        vm.assertTrue(members.memberOf(clinician).suspended, "suspension stays");
    }

    function test_a_member_leaves_its_organisation_by_its_own_card() external {
        enrol(CLINICIAN, hospital, 0);
        vm.prank(clinician);
        members.updateCard(_card(clinician, address(0), 1), "", "");
        vm.assertEq(members.memberOf(clinician).organisation, address(0), "organisation");
    }

    function _expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }

    function _expectNotEnrolled(address member) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotEnrolled.selector, member));
    }
}
