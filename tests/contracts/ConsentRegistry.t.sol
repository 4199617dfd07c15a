// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry, Recipient, Slot} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {Giving} from "./support/Giving.sol";
import {Terms} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Grants and revocations: what is written by whom, and the counters that each of them moves on.
contract ConsentRegistryTest is Giving {
    // Grant

    function testFuzz_a_grant_stands_as_it_was_given(uint256 seed, uint256 number) external {
        Grant terms = pack(_anyTerms(seed));
        uint8 slot = uint8(bound(number, 0, 7));
        Grant word = terms.standing(1, 0);
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, clinician, slot, word, "package");
        vm.prank(patient);
        consents.grant(1, clinician, slot, terms, "package");
        _expectWord(clinician, slot, word);
    }

    function test_each_grant_raises_its_own_slots_revision() external {
        _grant(clinician, 0);
        _grant(clinician, 0);
        _grant(clinician, 1);
        vm.assertEq(_word(clinician, 0).revision(), 2, "granted twice");
        vm.assertEq(_word(clinician, 1).revision(), 1, "granted once");
        vm.assertTrue(_word(gateway, 0).isEmpty(), "never granted");
    }

    function test_nobody_writes_in_anothers_slot() external {
        vm.prank(stranger);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        vm.assertTrue(_word(clinician, 0).isEmpty(), "the owner's slot");
        vm.assertTrue(!consents.grantOf(stranger, 1, clinician, 0).isEmpty(), "the stranger's own");
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.NO_GRANT, "reason");
        _grant(clinician, 0);
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.PERMITTED, "reason");
    }

    function test_terms_that_no_request_could_meet_are_refused() external {
        Terms memory t = broadTerms();
        t.actions = 0;
        _expectInvalid(t, "actions");
        t.actions = 16;
        _expectInvalid(t, "actions");
        t = broadTerms();
        t.categories = 0;
        _expectInvalid(t, "categories");
        t = broadTerms();
        t.expiresAt = t.notBeforeAt;
        _expectInvalid(t, "expiresAt");
        t = broadTerms();
        t.dataFrom = t.dataUntil + 1;
        _expectInvalid(t, "dataUntil");
        t = broadTerms();
        t.dataUntil = 2 ** 30;
        _expectInvalid(t, "dataUntil");
        t.dataUntil = 2 ** 30 - 1;
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(t), "package");
    }

    function test_the_narrowest_terms_are_taken() external {
        Terms memory t = broadTerms();
        (t.categories, t.purposes, t.actions) = (1, 1, 1);
        t.expiresAt = t.notBeforeAt + 1;
        t.dataUntil = t.dataFrom;
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(t), "package");
        vm.assertEq(_word(clinician, 0).dataUntil(), t.dataFrom, "one minute");
    }

    function test_READ_and_TRAIN_need_purposes_and_WRITE_and_EMERGENCY_none() external {
        Terms memory t = broadTerms();
        t.purposes = 0;
        t.actions = 1;
        _expectInvalid(t, "purposes");
        t.actions = 4;
        _expectInvalid(t, "purposes");
        t.actions = 2 | 8;
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(t), "package");
    }

    function testFuzz_terms_hold_no_counters(uint40 counters) external {
        vm.assume(counters != 0);
        Grant terms = Grant.wrap(Grant.unwrap(pack(broadTerms())) | counters);
        vm.expectRevert(_invalid("counters"));
        vm.prank(patient);
        consents.grant(1, clinician, 0, terms, "package");
    }

    function testFuzz_a_slot_is_of_somebody_and_numbered_to_7(uint8 number) external {
        vm.startPrank(patient);
        Grant terms = pack(broadTerms());
        vm.expectRevert(_invalid("grantee"));
        consents.grant(1, address(0), 0, terms, "package");
        if (number > 7) vm.expectRevert(_invalid("number"));
        consents.grant(1, clinician, number, terms, "package");
        if (number > 7) vm.expectRevert(_invalid("number"));
        consents.revoke(patient, 1, clinician, number);
        vm.stopPrank();
    }

    function test_no_slot_comes_after_7() external {
        Grant terms = pack(broadTerms());
        vm.startPrank(patient);
        vm.expectRevert(_invalid("number"));
        consents.grant(1, clinician, 8, terms, "package");
        vm.expectRevert(_invalid("number"));
        consents.revoke(patient, 1, clinician, 8);
        vm.stopPrank();
    }

    function test_many_are_granted_on_the_same_terms() external {
        Recipient[] memory to = new Recipient[](2);
        to[0] = Recipient(clinician, 0, "first package");
        to[1] = Recipient(gateway, 5, "second package");
        Grant terms = pack(broadTerms());
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, clinician, 0, terms.standing(1, 0), "first package");
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Granted(patient, 1, gateway, 5, terms.standing(1, 0), "second package");
        vm.prank(patient);
        consents.grantMany(1, terms, to);
        _expectWord(clinician, 0, terms.standing(1, 0));
        _expectWord(gateway, 5, terms.standing(1, 0));
    }

    function test_many_are_refused_if_the_terms_are() external {
        Terms memory t = broadTerms();
        t.categories = 0;
        vm.expectRevert(_invalid("categories"));
        vm.prank(patient);
        consents.grantMany(1, pack(t), new Recipient[](0));
    }

    // Revoke

    function testFuzz_a_revocation_leaves_revision_and_epoch_and_nothing_else(uint256 seed) external {
        vm.startPrank(patient);
        consents.revokeAll(1, none());
        consents.grant(1, clinician, 0, pack(_anyTerms(seed)), "package");
        Grant left = Grant.wrap(0).standing(2, 1);
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Revoked(patient, 1, clinician, 0, left);
        consents.revoke(patient, 1, clinician, 0);
        vm.stopPrank();
        _expectWord(clinician, 0, left);
    }

    function test_the_owner_and_the_grantee_revoke_and_nobody_else() external {
        _grant(hospital, 0);
        address[4] memory others = [clinician, stranger, REGISTRAR, SUSPENDER];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_NotOwnerNorGrantee.selector, others[i])
            );
            vm.prank(others[i]);
            consents.revoke(patient, 1, hospital, 0);
        }
        vm.prank(hospital);
        consents.revoke(patient, 1, hospital, 0);
        vm.assertEq(_word(hospital, 0).actions(), 0, "revoked by the grantee");
        vm.prank(patient);
        consents.revoke(patient, 1, hospital, 0);
        vm.assertEq(_word(hospital, 0).revision(), 3, "revoked once more by the owner");
    }

    function test_an_empty_slot_may_be_revoked_and_takes_grants_afterwards() external {
        vm.prank(patient);
        consents.revoke(patient, 1, clinician, 0);
        vm.assertEq(Grant.unwrap(_word(clinician, 0)), 1 << 24, "word");
        _grant(clinician, 0);
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.PERMITTED, "reason");
    }

    function test_many_are_revoked_at_once() external {
        _grant(clinician, 0);
        _grant(gateway, 5);
        Slot[] memory slots = new Slot[](3);
        slots[0] = Slot(clinician, 0);
        slots[1] = Slot(gateway, 5);
        slots[2] = Slot(stranger, 7);
        vm.prank(patient);
        consents.revokeMany(1, slots);
        vm.assertEq(Grant.unwrap(_word(clinician, 0)), 2 << 24, "first");
        vm.assertEq(Grant.unwrap(_word(gateway, 5)), 2 << 24, "second");
        vm.assertEq(Grant.unwrap(_word(stranger, 7)), 1 << 24, "an empty one");
    }

    function test_revoking_many_touches_the_callers_slots_alone() external {
        _grant(clinician, 0);
        Slot[] memory slots = new Slot[](1);
        slots[0] = Slot(clinician, 0);
        vm.prank(stranger);
        consents.revokeMany(1, slots);
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.PERMITTED, "reason");
    }

    // Parts

    function _anyTerms(uint256 seed) private pure returns (Terms memory) {
        uint40 notBeforeAt = uint40(bound(seed >> 16, 0, 2 ** 39));
        uint32 dataFrom = uint32(bound(seed >> 56, 0, 2 ** 29));
        return Terms({
            categories: uint32(bound(seed >> 86, 1, 2 ** 32 - 1)),
            purposes: uint32(bound(seed >> 118, 1, 2 ** 32 - 1)),
            notBeforeAt: notBeforeAt,
            expiresAt: notBeforeAt + 1 + uint40(bound(seed >> 150, 0, 2 ** 38)),
            dataFrom: dataFrom,
            dataUntil: dataFrom + uint32(bound(seed >> 190, 0, 2 ** 28)),
            actions: uint8(bound(seed, 1, 15))
        });
    }

    function _expectWord(address grantee, uint8 number, Grant expected) private view {
        vm.assertEq(Grant.unwrap(_word(grantee, number)), Grant.unwrap(expected), "word");
    }

    function _expectInvalid(Terms memory t, bytes32 field) private {
        vm.expectRevert(_invalid(field));
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(t), "package");
    }
}
