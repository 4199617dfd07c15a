// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Facts, IConsentRegistry, Recipient} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {Giving} from "./support/Giving.sol";
import {vm} from "./support/Vm.sol";

/// @notice Blocks, the ends of counters, and the facts that the rule asks for.
contract BlocksTest is Giving {
    // Block

    function test_counts_of_blocks_are_odd_while_blocked_and_always_rise() external {
        vm.startPrank(patient);
        _expectBlocked(1);
        consents.blockGrantee(1, clinician);
        _expectBlocked(3);
        consents.blockGrantee(1, clinician);
        _expectUnblocked(4);
        consents.unblockGrantee(1, clinician);
        _expectUnblocked(6);
        consents.unblockGrantee(1, clinician);
        _expectBlocked(7);
        consents.blockGrantee(1, clinician);
        vm.stopPrank();
        vm.assertEq(consents.blockCountOf(1, clinician), 7, "count");
    }

    function test_only_the_present_owner_blocks_and_unblocks() external {
        address[3] memory others = [stranger, clinician, SUSPENDER];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotOwner(others[i]);
            vm.prank(others[i]);
            consents.blockGrantee(1, clinician);
            _expectNotOwner(others[i]);
            vm.prank(others[i]);
            consents.unblockGrantee(1, clinician);
        }
        move(1, PATIENT, OTHER_PATIENT);
        _expectNotOwner(patient);
        vm.prank(patient);
        consents.blockGrantee(1, clinician);
        vm.prank(otherPatient);
        consents.blockGrantee(1, clinician);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9));
        consents.blockGrantee(9, clinician);
    }

    function test_blocking_nobody_blocks_nobody_who_has_no_organisation() external {
        vm.prank(patient);
        consents.blockGrantee(1, address(0));
        Facts memory facts = consents.factsOf(1, medic, medic, 0);
        vm.assertTrue(facts.enrolled && facts.organisation == address(0) && !facts.blocked, "the medic");
        vm.prank(patient);
        consents.blockGrantee(1, medic);
        vm.assertTrue(consents.factsOf(1, medic, medic, 0).blocked, "once blocked");
    }

    // Saturated counters, which no sequence of calls reaches in a lifetime

    function test_the_last_revision_but_one_takes_no_grant_and_the_last_stays() external {
        bytes32 key = keccak256(abi.encode(keccak256(abi.encode(patient, 1, clinician, 0)), uint256(0)));
        vm.store(address(consents), key, bytes32(uint256(0xfffd) << 24));
        _grant(clinician, 0);
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.PERMITTED, "the last grant");
        bytes memory spent = abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_SlotSpent.selector, clinician, 0);
        Grant terms = pack(broadTerms());
        vm.startPrank(patient);
        vm.expectRevert(spent);
        consents.grant(1, clinician, 0, terms, "package");
        consents.revoke(patient, 1, clinician, 0);
        vm.expectRevert(spent);
        consents.grant(1, clinician, 0, terms, "package");
        consents.revoke(patient, 1, clinician, 0);
        vm.stopPrank();
        vm.assertEq(_word(clinician, 0).revision(), 0xffff, "revision");
    }

    function test_the_last_epoch_takes_no_grant_and_stays() external {
        bytes32 slot = keccak256(abi.encode(uint256(1), keccak256(abi.encode(patient, uint256(1)))));
        vm.store(address(consents), slot, bytes32(uint256(0xfffffd)));
        Grant terms = pack(broadTerms());
        vm.startPrank(patient);
        consents.revokeAll(1, none());
        consents.grant(1, clinician, 0, terms, "package");
        vm.assertTrue(consents.check(someRequest(), time(), time()) == Reason.PERMITTED, "the last epoch but one");
        consents.revokeAll(1, none());
        bytes memory spent = abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_EpochSpent.selector, patient, 1);
        vm.expectRevert(spent);
        consents.grant(1, clinician, 0, terms, "package");
        vm.expectRevert(spent);
        consents.grantMany(1, terms, new Recipient[](1));
        consents.revokeAll(1, none());
        vm.stopPrank();
        vm.assertEq(consents.epochOf(patient, 1), 0xffffff, "epoch");
    }

    function test_the_last_count_blocks_for_ever() external {
        bytes32 slot = keccak256(abi.encode(clinician, keccak256(abi.encode(uint256(1), uint256(2)))));
        vm.startPrank(patient);
        consents.blockGrantee(1, clinician);
        vm.store(address(consents), slot, bytes32(uint256(0xfffffffd)));
        consents.unblockGrantee(1, clinician);
        vm.assertEq(consents.blockCountOf(1, clinician), 0xfffffffe, "unblocked for the last time");
        bytes memory spent = abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_BlockSpent.selector, 1, clinician);
        vm.expectRevert(spent);
        consents.unblockGrantee(1, clinician);
        consents.blockGrantee(1, clinician);
        vm.expectRevert(spent);
        consents.unblockGrantee(1, clinician);
        consents.blockGrantee(1, clinician);
        vm.stopPrank();
        vm.assertEq(consents.blockCountOf(1, clinician), 0xffffffff, "count");
    }

    // Facts

    function test_the_facts_are_all_that_the_rule_asks() external {
        _grant(hospital, 3);
        vm.startPrank(patient);
        consents.blockGrantee(1, hospital);
        consents.revokeAll(1, none());
        twins.announceRetirement(1);
        vm.stopPrank();
        suspend(hospital);
        Facts memory facts = consents.factsOf(1, gateway, hospital, 3);
        vm.assertEq(facts.owner, patient, "owner");
        vm.assertTrue(facts.retired && facts.enrolled && facts.suspended && facts.blocked, "flags");
        vm.assertEq(facts.kinds, 2, "kinds");
        vm.assertEq(facts.organisation, hospital, "organisation");
        vm.assertEq(Grant.unwrap(facts.grant), Grant.unwrap(_word(hospital, 3)), "grant");
        vm.assertEq(facts.epoch, 1, "epoch");

        facts = consents.factsOf(9, stranger, stranger, 0);
        vm.assertEq(facts.owner, address(0), "no owner");
        vm.assertTrue(!(facts.retired || facts.enrolled || facts.suspended || facts.blocked), "no flags");
    }

    // Parts

    function _expectBlocked(uint32 count) private {
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Blocked(1, clinician, count);
    }

    function _expectUnblocked(uint32 count) private {
        vm.expectEmit(address(consents));
        emit IConsentRegistry.Unblocked(1, clinician, count);
    }

    function _expectNotOwner(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.ConsentRegistry_NotOwner.selector, 1, caller));
    }
}
