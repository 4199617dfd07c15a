// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {SignedGrant, SignedRevoke, SignedRevokeMany, SignedSlot} from "../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {Signing} from "./support/Signing.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Signed denials: revocations, blocks and their end. The tree stands above `SignedConsentsTest`.
contract SignedDenialsTest is Signing {
    // Revoke

    function testFuzz_a_signed_revocation_moves_the_slot_past_what_it_names(uint256 above) external {
        _grant(clinician, 0);
        uint16 named = uint16(bound(above, 1, 0xffff));
        SignedRevoke memory message = _revokeMessage(named);
        consents.revokeSigned(message, patient, _sign(PATIENT, message));
        uint16 present = consents.grantOf(patient, 1, clinician, 0).revision();
        vm.assertEq(present, named == 0xffff ? named : named + 1, "revision");
        _expectReason(Reason.REVOKED);
    }

    function test_a_withheld_grant_that_lands_first_does_not_outlive_a_signed_revocation() external {
        SignedGrant memory grant = _grantMessage();
        bytes memory granted = _sign(PATIENT, grant);
        SignedRevoke memory revocation = _revokeMessage(1);
        bytes memory revoked = _sign(PATIENT, revocation);
        consents.grantSigned(grant, granted);
        _expectReason(Reason.PERMITTED);
        consents.revokeSigned(revocation, patient, revoked);
        _expectReason(Reason.REVOKED);
        _expectStaleRevision(0, 2);
        consents.grantSigned(grant, granted);
    }

    function test_a_signed_revocation_of_an_empty_slot_stops_a_withheld_grant() external {
        SignedGrant memory grant = _grantMessage();
        bytes memory granted = _sign(PATIENT, grant);
        SignedRevoke memory revocation = _revokeMessage(1);
        consents.revokeSigned(revocation, patient, _sign(PATIENT, revocation));
        _expectStaleRevision(0, 2);
        consents.grantSigned(grant, granted);
    }

    function test_a_signed_revocation_does_not_reach_a_newer_grant() external {
        SignedRevoke memory message = _revokeMessage(1);
        bytes memory signature = _sign(PATIENT, message);
        _grant(clinician, 0);
        _grant(clinician, 0);
        _expectStaleRevision(1, 2);
        consents.revokeSigned(message, patient, signature);
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_revocation_is_the_owners_or_the_grantees() external {
        _grant(clinician, 0);
        SignedRevoke memory message = _revokeMessage(1);
        bytes memory signature = _sign(STRANGER, message);
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_NotOwnerNorGrantee.selector, stranger));
        consents.revokeSigned(message, stranger, signature);
        _expectWrongSignature(clinician);
        consents.revokeSigned(message, clinician, signature);
        consents.revokeSigned(message, clinician, _sign(CLINICIAN, message));
        _expectReason(Reason.REVOKED);
    }

    function test_a_signed_revocation_is_in_time() external {
        SignedRevoke memory message = _revokeMessage(1);
        bytes memory signature = _sign(PATIENT, message);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.revokeSigned(message, patient, signature);
        vm.warp(message.deadline);
        consents.revokeSigned(message, patient, signature);
    }

    function test_many_are_revoked_by_one_message() external {
        _grant(clinician, 0);
        _grant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(CLINICIAN, consents, messages.revokeMany(message));
        _expectWrongSignature(patient);
        consents.revokeManySigned(message, signature);
        consents.revokeManySigned(message, sign(PATIENT, consents, messages.revokeMany(message)));
        _expectReason(Reason.REVOKED);
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, gateway, 1)), 2 << 24, "second");
    }

    function test_a_grantee_that_revokes_its_own_slot_does_not_stop_the_others_revocation() external {
        _grant(clinician, 0);
        _grant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(PATIENT, consents, messages.revokeMany(message));
        vm.prank(gateway);
        consents.revoke(patient, 1, gateway, 1);
        consents.revokeManySigned(message, signature);
        _expectReason(Reason.REVOKED);
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, gateway, 1)), 2 << 24, "passed over");
    }

    function test_a_newer_grant_is_passed_over_by_a_message_that_revokes_many() external {
        _grant(clinician, 0);
        _grant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(PATIENT, consents, messages.revokeMany(message));
        _grant(gateway, 1);
        consents.revokeManySigned(message, signature);
        _expectReason(Reason.REVOKED);
        vm.assertTrue(consents.grantOf(patient, 1, gateway, 1).actions() != 0, "the newer grant");
    }

    function test_a_message_that_revokes_many_is_in_time() external {
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(PATIENT, consents, messages.revokeMany(message));
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.revokeManySigned(message, signature);
    }

    // Block

    function test_a_signed_block_and_unblock_name_the_count() external {
        _grant(clinician, 0);
        bytes memory blocking = sign(PATIENT, consents, messages.blockGrantee(1, clinician, 0, soon()));
        vm.prank(RELAYER);
        consents.blockSigned(1, clinician, 0, soon(), blocking);
        _expectReason(Reason.BLOCKED);
        _expectStaleCount(0, 1);
        consents.blockSigned(1, clinician, 0, soon(), blocking);

        bytes memory unblocking = sign(PATIENT, consents, messages.unblockGrantee(1, clinician, 1, soon()));
        vm.prank(patient);
        consents.blockGrantee(1, clinician);
        _expectStaleCount(1, 3);
        consents.unblockSigned(1, clinician, 1, soon(), unblocking);
        unblocking = sign(PATIENT, consents, messages.unblockGrantee(1, clinician, 3, soon()));
        consents.unblockSigned(1, clinician, 3, soon(), unblocking);
        _expectReason(Reason.PERMITTED);
    }

    function test_a_withheld_unblock_that_lands_first_does_not_outlive_a_signed_block() external {
        vm.prank(patient);
        consents.blockGrantee(1, clinician);
        bytes memory unblocking = sign(PATIENT, consents, messages.unblockGrantee(1, clinician, 1, soon()));
        bytes memory blocking = sign(PATIENT, consents, messages.blockGrantee(1, clinician, 3, soon()));
        consents.unblockSigned(1, clinician, 1, soon(), unblocking);
        consents.blockSigned(1, clinician, 3, soon(), blocking);
        vm.assertEq(consents.blockCountOf(1, clinician), 5, "count");
        _expectStaleCount(1, 5);
        consents.unblockSigned(1, clinician, 1, soon(), unblocking);
        _expectStaleCount(3, 5);
        consents.blockSigned(1, clinician, 3, soon(), blocking);
    }

    function test_a_block_is_not_an_unblock_nor_anothers() external {
        bytes memory blocking = sign(PATIENT, consents, messages.blockGrantee(1, clinician, 0, soon()));
        _expectWrongSignature(patient);
        consents.unblockSigned(1, clinician, 0, soon(), blocking);
        _expectWrongSignature(patient);
        consents.blockSigned(1, gateway, 0, soon(), blocking);
        move(1, PATIENT, OTHER_PATIENT);
        _expectWrongSignature(otherPatient);
        consents.blockSigned(1, clinician, 0, soon(), blocking);
        blocking = sign(OTHER_PATIENT, consents, messages.blockGrantee(1, clinician, 0, soon()));
        consents.blockSigned(1, clinician, 0, soon(), blocking);
    }

    function test_a_signed_block_is_in_time() external {
        uint40 far = time() + 1 hours + 1;
        bytes memory blocking = sign(PATIENT, consents, messages.blockGrantee(1, clinician, 0, far));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, far));
        consents.blockSigned(1, clinician, 0, far, blocking);
        vm.warp(START + 1);
        consents.blockSigned(1, clinician, 0, far, blocking);
    }

    // Parts

    /// @dev The clinician's slot 0 and the gateway's slot 1, both at revision 1.
    function _revokeMany() private view returns (SignedRevokeMany memory) {
        SignedSlot[] memory slots = new SignedSlot[](2);
        slots[0] = SignedSlot(clinician, 0, 1);
        slots[1] = SignedSlot(gateway, 1, 1);
        return SignedRevokeMany(patient, 1, slots, soon());
    }

    function _expectStaleCount(uint32 named, uint32 present) private {
        vm.expectRevert(
            abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleBlockCount.selector, named, present)
        );
    }
}
