// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Regrant} from "../../contracts/interfaces/IConsentRegistry.sol";
import {SignedRevoke, SignedRevokeAll} from "../../contracts/interfaces/ISignedConsents.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {Signing} from "./support/Signing.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Everything is revoked, and some kept. Nobody but the owner can stop it, and nothing that it does not keep
/// outlives it.
///
/// A kept slot
/// ├── whose own words are at fault (grantee, number, terms) → refused, whatever stands in it
/// ├── that holds the grant that its owner looked at → granted again
/// └── that holds anything else (revoked, granted anew, ended with everything, empty, spent) → passed over
/// At the last epoch → everything ends, and nothing is kept
/// Signed
/// ├── the epoch above the one named → refused
/// └── at or below → the epoch stands one past the one named
contract RevokeAllTest is Signing {
    /// @dev The clinician's slot is what the owner is about to end; the gateway's and the hospital's are to be kept.
    function _give() private {
        _grant(clinician, 0);
        _grant(gateway, 0);
        _grant(hospital, 0);
    }

    // Kept

    function test_everything_is_revoked_but_what_is_kept() external {
        _give();
        Grant terms = pack(broadTerms());
        vm.expectEmit(address(consents));
        emit IConsentRegistry.AllRevoked(patient, 1, 1);
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, gateway, 0, terms.standing(2, 1), "package");
        _revokeAll(_keep(gateway, 0, 1));
        vm.assertEq(consents.epochOf(patient, 1), 1, "epoch");
        _expectReason(Reason.REVOKED);
        _expectKept(gateway, 0, terms.standing(2, 1));
        _expectEnded(hospital, 0);
    }

    function test_what_a_kept_slot_says_of_itself_is_refused_as_a_grant_would_be() external {
        _give();
        for (uint16 revision = 0; revision < 3; ++revision) {
            Regrant[] memory keep = _keep(address(0), 0, revision);
            _expectRefused(keep, "grantee");
            (keep[0].grantee, keep[0].number) = (gateway, 8);
            _expectRefused(keep, "number");
            (keep[0].number, keep[0].terms) = (0, Grant.wrap(0));
            _expectRefused(keep, "actions");
            keep[0].terms = keep[0].terms.standing(1, 0);
            _expectRefused(keep, "actions");
            keep[0].terms = pack(broadTerms()).standing(1, 0);
            _expectRefused(keep, "counters");
        }
        _revokeAll(_keep(gateway, 0, 1));
        vm.assertTrue(_holds(gateway, 0), "kept");
    }

    // Passed over: nobody but the owner stops it

    function test_a_kept_grantee_that_revokes_its_own_slot_does_not_stop_the_revocation_of_the_rest() external {
        _give();
        Regrant[] memory keep = _keep(gateway, 0, 1, hospital, 0, 1);
        vm.prank(gateway);
        consents.revoke(patient, 1, gateway, 0);
        _revokeAll(keep);
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
        vm.assertEq(_word(gateway, 0).revision(), 2, "passed over");
        _expectKept(hospital, 0, pack(broadTerms()).standing(2, 1));
    }

    function test_a_kept_grantee_that_signs_away_its_slots_last_revision_does_not_stop_it() external {
        _give();
        Regrant[] memory keep = _keep(gateway, 0, 1);
        _signAway(type(uint16).max);
        _revokeAll(keep);
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
    }

    /// @dev The grantee brings its slot to where one grant is left, and the owner, none the wiser, gives that one.
    function test_a_slot_that_takes_no_more_grants_is_passed_over() external {
        _give();
        _signAway(type(uint16).max - 4);
        _grant(gateway, 0);
        _revokeAll(_keep(gateway, 0, type(uint16).max - 2));
        vm.assertTrue(_holds(gateway, 0), "kept for the last time");
        _grant(clinician, 0);
        _revokeAll(_keep(gateway, 0, type(uint16).max - 1));
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
    }

    function test_a_slot_that_was_granted_anew_is_passed_over() external {
        _give();
        _grant(gateway, 0);
        _revokeAll(_keep(gateway, 0, 1));
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
    }

    function test_a_slot_that_ended_with_everything_is_passed_over() external {
        _give();
        Regrant[] memory keep = _keep(gateway, 0, 1);
        _revokeAll(none());
        _revokeAll(keep);
        vm.assertEq(consents.epochOf(patient, 1), 2, "epoch");
        vm.assertEq(_word(gateway, 0).revision(), 1, "revision");
        _expectEnded(gateway, 0);
        _grant(gateway, 0);
        _revokeAll(_keep(gateway, 0, 2));
        vm.assertTrue(_holds(gateway, 0), "given again, and kept");
    }

    function test_a_slot_without_a_grant_is_passed_over() external {
        _grant(clinician, 0);
        vm.prank(patient);
        consents.revoke(patient, 1, gateway, 0);
        _revokeAll(_keep(gateway, 0, 1, hospital, 0, 0));
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
        vm.assertTrue(_word(hospital, 0).isEmpty(), "never granted");
    }

    function test_a_slot_is_kept_once() external {
        _give();
        _revokeAll(_keep(gateway, 0, 1, gateway, 0, 1));
        vm.assertEq(_word(gateway, 0).revision(), 2, "revision");
        vm.prank(patient);
        consents.revoke(patient, 1, gateway, 0);
        _grant(gateway, 0);
        _revokeAll(_keep(gateway, 0, 4, gateway, 0, 5));
        vm.assertEq(_word(gateway, 0).revision(), 5, "revision");
    }

    function testFuzz_a_slot_is_kept_only_as_it_stood(uint16 named, uint8 grants, bool revoked) external {
        _grant(clinician, 0);
        for (uint256 i = 0; i < 1 + grants % 3; ++i) {
            _grant(gateway, 0);
        }
        if (revoked) {
            vm.prank(gateway);
            consents.revoke(patient, 1, gateway, 0);
        }
        named = uint16(bound(named, 0, 5));
        bool stands = !revoked && named == _word(gateway, 0).revision();
        _revokeAll(_keep(gateway, 0, named));
        _expectReason(Reason.REVOKED);
        vm.assertTrue(_holds(gateway, 0) == stands, "kept");
    }

    function test_nothing_is_kept_at_the_last_epoch() external {
        bytes32 slot = keccak256(abi.encode(uint256(1), keccak256(abi.encode(patient, uint256(1)))));
        vm.store(address(consents), slot, bytes32(uint256(0xfffffd)));
        _grant(gateway, 0);
        _revokeAll(_keep(gateway, 0, 1));
        vm.assertTrue(_holds(gateway, 0), "the last epoch but one");
        _revokeAll(_keep(gateway, 0, 2));
        vm.assertEq(_word(gateway, 0).revision(), 2, "not granted again");
        vm.assertEq(consents.epochOf(patient, 1), 0xffffff, "epoch");
        _expectEnded(gateway, 0);
    }

    // Signed

    function test_everything_is_revoked_by_one_message_once() external {
        _give();
        SignedRevokeAll memory message = SignedRevokeAll(patient, 1, _keep(gateway, 0, 1), 0, soon());
        bytes memory signature = _sign(message);

        message.keep[0].grantee = clinician;
        _expectWrongSignature(patient);
        consents.revokeAllSigned(message, signature);
        message.keep[0].grantee = gateway;
        consents.revokeAllSigned(message, signature);
        _expectReason(Reason.REVOKED);
        _expectKept(gateway, 0, pack(broadTerms()).standing(2, 1));

        _expectStaleEpoch(0, 1);
        consents.revokeAllSigned(message, signature);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        consents.revokeAllSigned(message, signature);
    }

    function testFuzz_a_signed_revocation_of_everything_moves_the_epoch_past_what_it_names(uint24 named) external {
        _give();
        SignedRevokeAll memory message = SignedRevokeAll(patient, 1, _keep(gateway, 0, 1), named, soon());
        consents.revokeAllSigned(message, _sign(message));
        uint24 last = type(uint24).max;
        vm.assertEq(consents.epochOf(patient, 1), named == last ? last : named + 1, "epoch");
        _expectReason(Reason.REVOKED);
        vm.assertTrue(_holds(gateway, 0) == (named < last - 1), "kept, if grants can be");
    }

    function test_a_kept_grantee_does_not_stop_a_signed_revocation_of_the_rest() external {
        _give();
        SignedRevokeAll memory message = SignedRevokeAll(patient, 1, _keep(gateway, 0, 1, hospital, 0, 1), 0, soon());
        bytes memory signature = _sign(message);
        vm.prank(gateway);
        consents.revoke(patient, 1, gateway, 0);
        consents.revokeAllSigned(message, signature);
        _expectReason(Reason.REVOKED);
        _expectEnded(gateway, 0);
        _expectKept(hospital, 0, pack(broadTerms()).standing(2, 1));
    }

    /// @dev The gateway has an older message that keeps it, and sends that first.
    function test_a_withheld_message_that_keeps_a_grantee_does_not_stop_a_newer_one_that_does_not() external {
        _give();
        SignedRevokeAll memory older = SignedRevokeAll(patient, 1, _keep(gateway, 0, 1), 0, soon());
        bytes memory keeping = _sign(older);
        SignedRevokeAll memory newer = SignedRevokeAll(patient, 1, none(), 1, soon());
        bytes memory ending = _sign(newer);
        vm.prank(gateway);
        consents.revokeAllSigned(older, keeping);
        vm.assertTrue(_holds(gateway, 0), "kept by the older one");
        consents.revokeAllSigned(newer, ending);
        _expectEnded(gateway, 0);
        _expectStaleEpoch(0, 2);
        consents.revokeAllSigned(older, keeping);
    }

    function test_a_withheld_message_does_not_keep_what_everything_revoked_since() external {
        _give();
        SignedRevokeAll memory message = SignedRevokeAll(patient, 1, _keep(gateway, 0, 1), 1, soon());
        bytes memory signature = _sign(message);
        _revokeAll(none());
        consents.revokeAllSigned(message, signature);
        vm.assertEq(consents.epochOf(patient, 1), 2, "epoch");
        _expectEnded(gateway, 0);
    }

    // Parts

    function _keep(address grantee, uint8 number, uint16 revision) private view returns (Regrant[] memory keep) {
        keep = new Regrant[](1);
        keep[0] = Regrant(grantee, number, revision, pack(broadTerms()), "package");
    }

    function _keep(address first, uint8 number, uint16 revision, address second, uint8 number2, uint16 revision2)
        private
        view
        returns (Regrant[] memory keep)
    {
        keep = new Regrant[](2);
        keep[0] = Regrant(first, number, revision, pack(broadTerms()), "package");
        keep[1] = Regrant(second, number2, revision2, pack(broadTerms()), "package");
    }

    function _revokeAll(Regrant[] memory keep) private {
        vm.prank(patient);
        consents.revokeAll(1, keep);
    }

    function _sign(SignedRevokeAll memory message) private view returns (bytes memory) {
        return sign(PATIENT, consents, messages.revokeAll(message));
    }

    /// @dev As the gateway, by a message that anyone may carry.
    function _signAway(uint16 revision) private {
        SignedRevoke memory message = SignedRevoke(patient, 1, gateway, 0, revision, soon());
        consents.revokeSigned(message, gateway, _sign(GATEWAY, message));
    }

    /// @dev Whether a slot holds a grant of the present epoch.
    function _holds(address grantee, uint8 number) private view returns (bool) {
        Grant word = _word(grantee, number);
        return word.actions() != 0 && word.epoch() == consents.epochOf(patient, 1);
    }

    function _expectEnded(address grantee, uint8 number) private view {
        vm.assertTrue(!_holds(grantee, number), "a grant that outlives the revocation of everything");
    }

    function _expectKept(address grantee, uint8 number, Grant word) private view {
        vm.assertEq(Grant.unwrap(_word(grantee, number)), Grant.unwrap(word), "the word of a kept slot");
    }

    function _expectRefused(Regrant[] memory keep, bytes32 field) private {
        vm.expectRevert(_invalid(field));
        vm.prank(patient);
        consents.revokeAll(1, keep);
    }

    function _expectStaleEpoch(uint24 named, uint24 present) private {
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_StaleEpoch.selector, named, present));
    }
}
