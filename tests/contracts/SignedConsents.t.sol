// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IConsentRegistry, Regrant} from "../../contracts/interfaces/IConsentRegistry.sol";
import {
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot
} from "../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {ContractAccount} from "./support/Accounts.sol";
import {World} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Signed calls: whose they are, how long they live, and what makes them void.
///
/// Every one: late or too far ahead → refused · not signed by the one it speaks for → refused · one field changed →
/// refused · sent twice → refused, or without effect
/// ├── grant: another revision or epoch → refused
/// ├── revoke: the slot above N → refused; at or below, empty too → revoked, and the slot stands at N + 1
/// ├── revokeMany: as revoke, but a slot above N is passed over
/// ├── revokeAll: another epoch → refused
/// ├── block: the count above N, or a former owner's → refused; at or below → blocked, and the count is past N
/// └── unblock: another count, or a former owner's → refused
contract SignedConsentsTest is World {
    function setUp() external {
        deploy();
        populate();
    }

    // Grant

    function test_a_signed_grant_counts_as_the_owners_own() external {
        SignedGrant memory message = _grant();
        Grant word = message.terms.standing(1, 0);
        bytes memory signature = _sign(PATIENT, message);
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, clinician, 0, word, "package");
        vm.prank(RELAYER);
        consents.grantSigned(message, signature);
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_grant_counts_once() external {
        SignedGrant memory message = _grant();
        bytes memory signature = _sign(PATIENT, message);
        consents.grantSigned(message, signature);
        _expectStaleRevision(0, 1);
        consents.grantSigned(message, signature);
    }

    function test_a_signed_grant_is_void_after_a_revocation() external {
        SignedGrant memory message = _grant();
        bytes memory signature = _sign(PATIENT, message);
        vm.prank(patient);
        consents.revoke(patient, 1, clinician, 0);
        _expectStaleRevision(0, 1);
        consents.grantSigned(message, signature);
        message.revision = 1;
        consents.grantSigned(message, _sign(PATIENT, message));
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_grant_is_void_after_everything_was_revoked() external {
        SignedGrant memory message = _grant();
        bytes memory signature = _sign(PATIENT, message);
        vm.prank(patient);
        consents.revokeAll(1, none());
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, 0, 1));
        consents.grantSigned(message, signature);
        message.epoch = 1;
        consents.grantSigned(message, _sign(PATIENT, message));
        _expectReason(Reason.PERMITTED);
    }

    function testFuzz_a_signed_grant_is_for_what_it_says(uint256 field, uint8 change) external {
        SignedGrant memory message = _grant();
        bytes memory signature = _sign(PATIENT, message);
        uint256 delta = bound(change, 1, 7);
        field %= 8;
        if (field == 0) message.twin += delta;
        if (field == 1) message.grantee = address(uint160(message.grantee) + uint160(delta));
        if (field == 2) message.number += uint8(delta);
        if (field == 3) message.terms = Grant.wrap(Grant.unwrap(message.terms) ^ delta << (40 + change % 200));
        if (field == 4) message.package = bytes32(uint256(message.package) + delta);
        if (field == 5) message.deadline += uint40(delta);
        if (field == 6) message.owner = otherPatient;
        if (field == 7) signature = _sign(CLINICIAN, message);
        _expectWrongSignature(message.owner);
        consents.grantSigned(message, signature);
    }

    function test_a_signed_grant_is_in_time() external {
        SignedGrant memory message = _grant();
        bytes memory signature = _sign(PATIENT, message);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.grantSigned(message, signature);
        vm.warp(message.deadline);
        consents.grantSigned(message, signature);
    }

    function test_signed_terms_are_valid_and_leave_the_last_epoch_alone() external {
        SignedGrant memory message = _grant();
        message.terms = Grant.wrap(0);
        bytes memory signature = _sign(PATIENT, message);
        vm.expectRevert(_invalid("actions"));
        consents.grantSigned(message, signature);

        bytes32 slot = keccak256(abi.encode(uint256(1), keccak256(abi.encode(patient, uint256(1)))));
        vm.store(address(consents), slot, bytes32(uint256(0xffffff)));
        message = _grant();
        message.epoch = 0xffffff;
        signature = _sign(PATIENT, message);
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_EpochSpent.selector, patient, 1));
        consents.grantSigned(message, signature);
    }

    function test_an_owner_that_is_a_contract_signs_by_ERC1271() external {
        ContractAccount account = new ContractAccount();
        SignedGrant memory message = _grant();
        message.owner = address(account);
        bytes32 structHash = messages.grant(message);
        _expectWrongSignature(address(account));
        consents.grantSigned(message, "");
        account.approve(MessageHashUtils.toTypedDataHash(consents.domainSeparator(), structHash));
        consents.grantSigned(message, "");
        vm.assertEq(consents.grantOf(address(account), 1, clinician, 0).revision(), 1, "revision");
    }

    function test_many_signed_grants_name_each_revision() external {
        _directGrant(gateway, 2);
        SignedRecipient[] memory to = new SignedRecipient[](2);
        to[0] = SignedRecipient(clinician, 0, "first", 0);
        to[1] = SignedRecipient(gateway, 2, "second", 0);
        SignedGrantMany memory message = SignedGrantMany(patient, 1, pack(broadTerms()), to, 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.grantMany(message));
        _expectStaleRevision(0, 1);
        consents.grantManySigned(message, signature);

        message.recipients[1].revision = 1;
        _expectWrongSignature(patient);
        consents.grantManySigned(message, signature);
        consents.grantManySigned(message, sign(PATIENT, consents, messages.grantMany(message)));
        _expectReason(Reason.PERMITTED);
        vm.assertEq(consents.grantOf(patient, 1, gateway, 2).revision(), 2, "the second's revision");

        message.epoch = 1;
        signature = sign(PATIENT, consents, messages.grantMany(message));
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, 1, 0));
        consents.grantManySigned(message, signature);
    }

    function test_many_signed_grants_are_in_time_and_valid() external {
        SignedGrantMany memory message = SignedGrantMany(patient, 1, Grant.wrap(0), new SignedRecipient[](0), 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.grantMany(message));
        vm.expectRevert(_invalid("actions"));
        consents.grantManySigned(message, signature);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.grantManySigned(message, signature);
    }

    // Revoke

    function testFuzz_a_signed_revocation_moves_the_slot_past_what_it_names(uint256 above) external {
        _directGrant(clinician, 0);
        uint16 named = uint16(bound(above, 1, 0xffff));
        SignedRevoke memory message = _revoke(named);
        consents.revokeSigned(message, patient, _sign(PATIENT, message));
        uint16 present = consents.grantOf(patient, 1, clinician, 0).revision();
        vm.assertEq(present, named == 0xffff ? named : named + 1, "revision");
        _expectReason(Reason.REVOKED);
    }

    function test_a_withheld_grant_that_lands_first_does_not_outlive_a_signed_revocation() external {
        SignedGrant memory grant = _grant();
        bytes memory granted = _sign(PATIENT, grant);
        SignedRevoke memory revocation = _revoke(1);
        bytes memory revoked = _sign(PATIENT, revocation);
        consents.grantSigned(grant, granted);
        _expectReason(Reason.PERMITTED);
        consents.revokeSigned(revocation, patient, revoked);
        _expectReason(Reason.REVOKED);
        _expectStaleRevision(0, 2);
        consents.grantSigned(grant, granted);
    }

    function test_a_signed_revocation_of_an_empty_slot_stops_a_withheld_grant() external {
        SignedGrant memory grant = _grant();
        bytes memory granted = _sign(PATIENT, grant);
        SignedRevoke memory revocation = _revoke(1);
        consents.revokeSigned(revocation, patient, _sign(PATIENT, revocation));
        _expectStaleRevision(0, 2);
        consents.grantSigned(grant, granted);
    }

    function test_a_signed_revocation_does_not_reach_a_newer_grant() external {
        SignedRevoke memory message = _revoke(1);
        bytes memory signature = _sign(PATIENT, message);
        _directGrant(clinician, 0);
        _directGrant(clinician, 0);
        _expectStaleRevision(1, 2);
        consents.revokeSigned(message, patient, signature);
        _expectReason(Reason.PERMITTED);
    }

    function test_a_signed_revocation_is_the_owners_or_the_grantees() external {
        _directGrant(clinician, 0);
        SignedRevoke memory message = _revoke(1);
        bytes memory signature = _sign(STRANGER, message);
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_NotOwnerNorGrantee.selector, stranger));
        consents.revokeSigned(message, stranger, signature);
        _expectWrongSignature(clinician);
        consents.revokeSigned(message, clinician, signature);
        consents.revokeSigned(message, clinician, _sign(CLINICIAN, message));
        _expectReason(Reason.REVOKED);
    }

    function test_a_signed_revocation_is_in_time() external {
        SignedRevoke memory message = _revoke(1);
        bytes memory signature = _sign(PATIENT, message);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.revokeSigned(message, patient, signature);
        vm.warp(message.deadline);
        consents.revokeSigned(message, patient, signature);
    }

    function test_many_are_revoked_by_one_message() external {
        _directGrant(clinician, 0);
        _directGrant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(CLINICIAN, consents, messages.revokeMany(message));
        _expectWrongSignature(patient);
        consents.revokeManySigned(message, signature);
        consents.revokeManySigned(message, sign(PATIENT, consents, messages.revokeMany(message)));
        _expectReason(Reason.REVOKED);
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, gateway, 1)), 2 << 24, "second");
    }

    function test_a_grantee_that_revokes_its_own_slot_does_not_stop_the_others_revocation() external {
        _directGrant(clinician, 0);
        _directGrant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(PATIENT, consents, messages.revokeMany(message));
        vm.prank(gateway);
        consents.revoke(patient, 1, gateway, 1);
        consents.revokeManySigned(message, signature);
        _expectReason(Reason.REVOKED);
        vm.assertEq(Grant.unwrap(consents.grantOf(patient, 1, gateway, 1)), 2 << 24, "passed over");
    }

    function test_a_newer_grant_is_passed_over_by_a_message_that_revokes_many() external {
        _directGrant(clinician, 0);
        _directGrant(gateway, 1);
        SignedRevokeMany memory message = _revokeMany();
        bytes memory signature = sign(PATIENT, consents, messages.revokeMany(message));
        _directGrant(gateway, 1);
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

    function test_everything_is_revoked_by_one_message_once() external {
        _directGrant(clinician, 0);
        _directGrant(gateway, 0);
        Regrant[] memory keep = new Regrant[](1);
        keep[0] = Regrant(gateway, 0, 1, pack(broadTerms()), "package");
        SignedRevokeAll memory message = SignedRevokeAll(patient, 1, keep, 0, soon());
        bytes memory signature = sign(PATIENT, consents, messages.revokeAll(message));

        message.keep[0].grantee = clinician;
        _expectWrongSignature(patient);
        consents.revokeAllSigned(message, signature);
        message.keep[0].grantee = gateway;
        consents.revokeAllSigned(message, signature);
        _expectReason(Reason.REVOKED);
        vm.assertEq(consents.grantOf(patient, 1, gateway, 0).epoch(), 1, "kept");

        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, 0, 1));
        consents.revokeAllSigned(message, signature);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.revokeAllSigned(message, signature);
    }

    // Block

    function test_a_signed_block_and_unblock_name_the_count() external {
        _directGrant(clinician, 0);
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

    function _grant() private view returns (SignedGrant memory) {
        return SignedGrant(patient, 1, clinician, 0, pack(broadTerms()), "package", 0, 0, soon());
    }

    function _revoke(uint16 revision) private view returns (SignedRevoke memory) {
        return SignedRevoke(patient, 1, clinician, 0, revision, soon());
    }

    /// @dev The clinician's slot 0 and the gateway's slot 1, both at revision 1.
    function _revokeMany() private view returns (SignedRevokeMany memory) {
        SignedSlot[] memory slots = new SignedSlot[](2);
        slots[0] = SignedSlot(clinician, 0, 1);
        slots[1] = SignedSlot(gateway, 1, 1);
        return SignedRevokeMany(patient, 1, slots, soon());
    }

    function _directGrant(address grantee, uint8 number) private {
        vm.prank(patient);
        consents.grant(1, grantee, number, pack(broadTerms()), "package");
    }

    function _sign(uint256 key, SignedGrant memory message) private view returns (bytes memory) {
        return sign(key, consents, messages.grant(message));
    }

    function _sign(uint256 key, SignedRevoke memory message) private view returns (bytes memory) {
        return sign(key, consents, messages.revoke(message));
    }

    function _expectReason(Reason expected) private view {
        vm.assertEq(uint256(consents.check(someRequest(), time(), time())), uint256(expected), "reason");
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }

    function _expectStaleRevision(uint16 named, uint16 present) private {
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleRevision.selector, named, present));
    }

    function _expectStaleCount(uint32 named, uint32 present) private {
        vm.expectRevert(
            abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleBlockCount.selector, named, present)
        );
    }

    function _invalid(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_InvalidTerms.selector, field);
    }
}
