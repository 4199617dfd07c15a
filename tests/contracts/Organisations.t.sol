// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMemberRegistry, MemberCard} from "../../contracts/interfaces/IMemberRegistry.sol";
import {Carding} from "./support/Carding.sol";
import {vm} from "./support/Vm.sol";

/// @notice Organisations: who can be one, how it agrees to a member, and how it ends that. The tree stands above
/// `MemberRegistryTest`.
contract OrganisationsTest is Carding {
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

    /// @dev The clinician asks to be enrolled in the organisation that holds `key`, which agrees by a signed message.
    function join(uint256 key) external {
        MemberCard memory card = _card(clinician, vm.addr(key), 0);
        bytes memory signature = _signed(CLINICIAN, card);
        bytes memory agreement = sign(key, members, messages.agreement(vm.addr(key), clinician, 0));
        _enrol(card, signature, agreement, 0);
    }

    function _expectNotAnOrganisation(address organisation) private {
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotAnOrganisation.selector, organisation));
    }
}
