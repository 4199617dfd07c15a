// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IMemberRegistry, Member, MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {World} from "./support/World.sol";
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
contract MemberRegistryTest is World {
    bytes32 private constant KEY = keccak256("a public key");

    function setUp() external {
        deploy();
        enrol(HOSPITAL, address(0), 0);
    }

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

    // Organisations

    function test_an_organisation_that_did_not_agree_gets_no_member() external {
        MemberCard memory card = _card(clinician, hospital, 0);
        bytes memory signature = _signed(CLINICIAN, card);
        _expectWrongSignature(hospital);
        _enrol(card, signature, "", 0);

        bytes memory forged = sign(STRANGER, members, messages.agreement(hospital, clinician, 0));
        _expectWrongSignature(hospital);
        _enrol(card, signature, forged, 0);

        bytes memory ofAnother = sign(HOSPITAL, members, messages.agreement(hospital, researcher, 0));
        _expectWrongSignature(hospital);
        _enrol(card, signature, ofAnother, 0);

        _agree(HOSPITAL, clinician, 0);
        _enrol(card, signature, "", 0);
    }

    function test_an_organisation_must_be_enrolled() external {
        _expectNotAnOrganisation(clinic);
        this.join(CLINIC);
        enrol(CLINIC, address(0), 0);
        this.join(CLINIC);
    }

    function test_an_organisation_must_be_active() external {
        suspend(hospital);
        _expectNotAnOrganisation(hospital);
        this.join(HOSPITAL);
        steward(abi.encodeCall(members.reinstate, (hospital)));
        this.join(HOSPITAL);
    }

    function test_an_organisation_belongs_to_none() external {
        enrol(CLINIC, hospital, 0);
        _expectNotAnOrganisation(clinic);
        this.join(CLINIC);
        vm.prank(hospital);
        members.dismiss(clinic);
        this.join(CLINIC);
    }

    function test_a_member_is_not_its_own_organisation() external {
        MemberCard memory card = _card(hospital, hospital, 1);
        _expectNotAnOrganisation(hospital);
        vm.prank(hospital);
        members.updateCard(card, "", "");
        card.organisation = address(0);
        vm.prank(hospital);
        members.updateCard(card, "", "");
    }

    function test_an_organisation_that_carries_the_card_agrees_by_that() external {
        enrol(CLINICIAN, address(0), 0);
        MemberCard memory card = _card(clinician, hospital, 1);
        bytes memory signature = _signed(CLINICIAN, card);
        vm.prank(hospital);
        members.updateCard(card, signature, "");
        vm.assertEq(members.memberOf(clinician).organisation, hospital, "organisation");
    }

    function test_an_agreement_is_void_once_the_version_moved_on() external {
        enrol(CLINICIAN, address(0), 0);
        bytes memory agreement = sign(HOSPITAL, members, messages.agreement(hospital, clinician, 1));
        _agree(HOSPITAL, clinician, 1);
        vm.prank(clinician);
        members.updateCard(_card(clinician, address(0), 1), "", "");

        _expectWrongSignature(hospital);
        vm.prank(clinician);
        members.updateCard(_card(clinician, hospital, 2), "", agreement);
        _agree(HOSPITAL, clinician, 2);
        vm.prank(clinician);
        members.updateCard(_card(clinician, hospital, 2), "", "");
    }

    function test_an_organisation_agrees_to_the_present_version_only() external {
        _expectStale(1, 0);
        vm.prank(hospital);
        members.agree(clinician, 1);
        vm.expectEmit(address(members));
        emit IMemberRegistry.Agreed(hospital, clinician, 0);
        _agree(HOSPITAL, clinician, 0);
    }

    function test_a_dismissal_ends_the_belonging_at_once() external {
        enrol(CLINICIAN, hospital, 0);
        vm.expectEmit(address(members));
        emit IMemberRegistry.Dismissed(clinician, hospital);
        vm.prank(hospital);
        members.dismiss(clinician);
        vm.assertEq(members.memberOf(clinician).organisation, address(0), "organisation");
        vm.assertEq(members.memberOf(clinician).version, 1, "version");
    }

    function test_a_dismissal_leaves_the_members_of_others_alone() external {
        enrol(CLINIC, address(0), 0);
        enrol(CLINICIAN, hospital, 0);
        vm.prank(clinic);
        members.dismiss(clinician);
        vm.assertEq(members.memberOf(clinician).organisation, hospital, "organisation");
    }

    function test_a_dismissal_beats_an_agreement_that_comes_late() external {
        bytes memory agreement = sign(HOSPITAL, members, messages.agreement(hospital, clinician, 0));
        vm.prank(hospital);
        members.dismiss(clinician);

        MemberCard memory card = _card(clinician, hospital, 0);
        bytes memory signature = _signed(CLINICIAN, card);
        vm.expectRevert(
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotAgreed.selector, hospital, clinician, 0)
        );
        _enrol(card, signature, agreement, 0);

        _agree(HOSPITAL, clinician, 0);
        _enrol(card, signature, "", 0);
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

    /// @dev The clinician asks to be enrolled in the organisation that holds `key`, which agrees by a signed message.
    function join(uint256 key) external {
        MemberCard memory card = _card(clinician, vm.addr(key), 0);
        bytes memory signature = _signed(CLINICIAN, card);
        bytes memory agreement = sign(key, members, messages.agreement(vm.addr(key), clinician, 0));
        _enrol(card, signature, agreement, 0);
    }

    function _card(address member, address organisation, uint32 version) private pure returns (MemberCard memory) {
        return MemberCard({member: member, key: KEY, organisation: organisation, version: version});
    }

    function _signed(uint256 key, MemberCard memory card) private view returns (bytes memory) {
        return sign(key, members, messages.memberCard(card));
    }

    function _enrol(MemberCard memory card, bytes memory signature, bytes memory agreement, uint16 kinds) private {
        vm.prank(REGISTRAR);
        members.enrol(card, signature, agreement, kinds);
    }

    function _agree(uint256 key, address member, uint32 version) private {
        vm.prank(vm.addr(key));
        members.agree(member, version);
    }

    function _expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _expectStale(uint32 named, uint32 present) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StaleVersion.selector, named, present));
    }

    function _expectNotEnrolled(address member) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotEnrolled.selector, member));
    }

    function _expectNotAnOrganisation(address organisation) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotAnOrganisation.selector, organisation));
    }
}
