// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {TwinRegistry} from "../../contracts/TwinRegistry.sol";
import {CarriedGrant, ICarriedConsents, SignedCarrying} from "../../contracts/interfaces/ICarriedConsents.sol";
import {IConsentRegistry, Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {IGuardedTwins} from "../../contracts/interfaces/IGuardedTwins.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Grant} from "../../contracts/types/Grant.sol";
import {Reason} from "../../contracts/types/Vocabulary.sol";
import {Guarding} from "./support/Guarding.sol";
import {Succeeding} from "./support/Succeeding.sol";
import {Terms} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice A twin goes from one deployment to the next.
contract SuccessionTest is Succeeding, Guarding {
    function setUp() external {
        deploy();
        populate();
        succeed();
        vm.startPrank(patient);
        twins.setCard(1, 0, someCard(1));
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        vm.stopPrank();
    }

    // What comes

    function test_a_twin_arrives_under_its_number_with_owner_card_guardians_and_grants() external {
        choose();
        Grant word = consents.grantOf(patient, 1, clinician, 0);
        this.carry();
        vm.assertEq(newTwins.ownerOf(1), patient, "owner");
        vm.assertEq(newTwins.cardOf(1), twins.cardOf(1), "card");
        (bytes32 guardians_, uint32 delay) = newTwins.guardiansOf(1);
        vm.assertEq(guardians_, messages.guardians(guardians()), "guardians");
        vm.assertEq(delay, DELAY, "their delay");
        vm.assertEq(Grant.unwrap(newConsents.grantOf(patient, 1, clinician, 0)), Grant.unwrap(word), "the word");
        vm.assertTrue(newTwins.locked(1), "locked");
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    function test_the_old_twin_names_where_it_went() external {
        vm.assertEq(twins.successorOf(1), address(0), "before");
        this.carry();
        vm.assertEq(twins.successorOf(1), address(newConsents), "after");
        vm.assertEq(twins.ownerOf(1), patient, "its owner is still told");
    }

    function test_leaving_arriving_and_what_comes_are_told() external {
        SignedCarrying memory message = usual();
        bytes memory signature = signed(PATIENT, message);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.Departed(1, address(newConsents), 1);
        vm.expectEmit(address(newTwins));
        emit ITwinRegistry.Arrived(1, patient, 0, 0, 0, 1);
        vm.expectEmit(address(newConsents));
        emit ICarriedConsents.Carried(patient, 1, 0);
        vm.expectEmit(address(newConsents));
        emit IConsentRegistry.Granted(patient, 1, clinician, 0, message.grants[0].grant, "package");
        newConsents.carry(message, nobody(), signature);
    }

    function test_a_twin_without_card_or_grants_comes_as_it_is() external {
        uint256 twin = mint(OTHER_PATIENT);
        SignedCarrying memory message = SignedCarrying(twin, new CarriedGrant[](0), 0, soon());
        newConsents.carry(message, nobody(), signed(OTHER_PATIENT, message));
        vm.assertEq(newTwins.ownerOf(twin), otherPatient, "owner");
        vm.assertEq(newTwins.cardOf(twin), 0, "no card");
    }

    function test_who_does_not_move_is_untouched() external {
        uint256 twin = mint(OTHER_PATIENT);
        vm.prank(otherPatient);
        consents.grant(twin, clinician, 0, pack(broadTerms()), "package");
        this.carry();
        Request memory request = someRequest();
        request.twin = twin;
        vm.assertEq(uint256(consents.check(request, time(), time())), uint256(Reason.PERMITTED), "in the old");
        vm.assertEq(uint256(newConsents.check(request, time(), time())), uint256(Reason.TWIN_UNKNOWN), "in the new");
    }

    function test_a_successor_numbers_its_own_twins_after_all_of_its_predecessors() external {
        vm.assertEq(newTwins.LAST_BEFORE(), twins.NUMBERS(), "the first's numbers");
        TwinRegistry third = new TwinRegistry(address(authority), GENESIS, RETIRE_DELAY, newTwins);
        vm.assertEq(third.twinCount(), 2 * twins.NUMBERS(), "after both before it");
    }

    function test_a_deployment_numbers_no_twin_that_its_successor_may() external {
        vm.store(address(twins), bytes32(_placeOfCount()), bytes32(twins.NUMBERS() - 1));
        vm.assertEq(mint(OTHER_PATIENT), twins.NUMBERS(), "the last number");
        bytes memory signature = sign(STRANGER, twins, messages.mint(stranger, 0, soon()));
        vm.expectRevert(ITwinRegistry.TwinRegistry_NumbersSpent.selector);
        vm.prank(MINTER);
        twins.mint(stranger, 0, soon(), signature);
    }

    function test_a_twin_goes_on_to_a_third_deployment() external {
        this.carry();
        (twins, consents) = (newTwins, newConsents);
        succeed();
        this.carry();
        vm.assertEq(newTwins.ownerOf(1), patient, "owner");
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    // Who may

    function test_nobody_but_the_owner_lets_a_twin_go() external {
        SignedCarrying memory message = usual();
        bytes memory signature = signed(CLINICIAN, message);
        _expectWrongSignature();
        newConsents.carry(message, nobody(), signature);
        _expect(Reason.PERMITTED, Reason.TWIN_UNKNOWN);
        this.carry();
    }

    function test_what_was_signed_for_one_successor_is_of_no_use_to_another() external {
        SignedCarrying memory message = usual();
        bytes memory signature = signed(PATIENT, message);
        bytes32 grants = messages.carried(message.grants);
        _expectWrongSignature();
        vm.prank(stranger);
        twins.depart(1, grants, message.counter, message.deadline, signature);
        vm.prank(address(newConsents));
        twins.depart(1, grants, message.counter, message.deadline, signature);
    }

    function test_grants_that_the_owner_did_not_sign_for_do_not_come() external {
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(broadTerms()), "package");
        SignedCarrying memory message = usual();
        bytes memory signature = signed(PATIENT, message);
        message.grants[0] = carried(hospital, 0);
        _expectWrongSignature();
        newConsents.carry(message, nobody(), signature);
        message.grants[0] = carried(clinician, 0);
        message.grants[0].package = "another package";
        _expectWrongSignature();
        newConsents.carry(message, nobody(), signature);
        message.grants[0] = carried(clinician, 0);
        newConsents.carry(message, nobody(), signature);
    }

    function test_a_word_that_the_owner_never_made_does_not_come_even_if_signed() external {
        SignedCarrying memory message = usual();
        message.grants[0].grant = Grant.wrap(Grant.unwrap(message.grants[0].grant) | 1 << 250);
        carryAs(message, nobody());
        _expect(Reason.RETIRED, Reason.NO_GRANT);
    }

    function test_a_twin_arrives_only_for_the_contract_that_it_left_for() external {
        _expectNotSuccessor(stranger);
        vm.prank(stranger);
        newTwins.arrive(1);
        this.carry();
        _expectNotSuccessor(stranger);
        vm.prank(stranger);
        newTwins.arrive(1);
    }

    function test_a_number_that_no_predecessor_gives_does_not_arrive() external {
        uint256 number = newTwins.LAST_BEFORE() + 1;
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotBefore.selector, number));
        newTwins.arrive(number);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotBefore.selector, 1));
        twins.arrive(1);
    }

    function test_nothing_comes_without_a_predecessor_or_from_another_than_the_twins() external {
        SignedCarrying memory message = usual();
        _expectWrongPredecessor(address(0));
        consents.carry(message, nobody(), "");
        _expectWrongPredecessor(address(newConsents));
        new ConsentRegistry(GENESIS, newTwins, members, 0, 0, newConsents);
    }

    // When

    function test_a_twin_is_carried_once() external {
        SignedCarrying memory message = usual();
        bytes memory signature = signed(PATIENT, message);
        newConsents.carry(message, nobody(), signature);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCounter.selector, 0, 1));
        newConsents.carry(message, nobody(), signature);
        message.counter = 1;
        signature = signed(PATIENT, message);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, time()));
        newConsents.carry(message, nobody(), signature);
    }

    function test_a_message_lives_an_hour() external {
        SignedCarrying memory message = usual();
        message.deadline = time() + 1 hours + 1;
        bytes memory signature = signed(PATIENT, message);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, message.deadline));
        newConsents.carry(message, nobody(), signature);
        vm.warp(message.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, message.deadline));
        newConsents.carry(message, nobody(), signature);
        vm.warp(message.deadline);
        newConsents.carry(message, nobody(), signature);
    }

    function test_a_frozen_twin_does_not_leave() external {
        choose();
        this.freeze(TWO);
        (, uint40 until) = twins.freezeOf(1);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_Frozen.selector, 1, until));
        this.carry();
        this.unfreeze(TWO);
        this.carry();
    }

    function test_a_twin_whose_retirement_is_announced_does_not_leave() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        uint40 retireAt = time() + RETIRE_DELAY;
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, retireAt));
        this.carry();
        vm.prank(patient);
        twins.cancelRetirement(1);
        this.carry();
    }

    function test_a_move_that_guardians_announced_ends_when_the_twin_leaves() external {
        choose();
        this.announceMove(TWO, STRANGER);
        this.carry();
        vm.warp(time() + DELAY);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_MoveNotAnnounced.selector, 1));
        twins.completeMove(1);
    }

    function test_guardians_have_no_second_freeze_within_the_year_because_the_twin_moved_on() external {
        choose();
        this.freeze(TWO);
        this.unfreeze(TWO);
        uint40 frozenAt = time();
        this.carry();
        twins = newTwins;
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_FrozenBefore.selector, 1, frozenAt));
        this.freeze(TWO);
        this.freeze(ALL);
    }

    // What was denied

    function test_nothing_changes_a_twin_that_left() external {
        choose();
        this.carry();
        uint40 left = time();
        bytes memory retired = abi.encodeWithSelector(ITwinRegistry.TwinRegistry_Retired.selector, 1, left);
        vm.startPrank(patient);
        bytes32 card = twins.cardOf(1);
        vm.expectRevert(retired);
        twins.setCard(1, card, someCard(2));
        vm.expectRevert(retired);
        twins.setGuardians(1, "other guardians", DELAY);
        vm.expectRevert(retired);
        twins.cancelRetirement(1);
        vm.stopPrank();
        vm.expectRevert(retired);
        this.freeze(TWO);
        vm.expectRevert(retired);
        this.rescue(TWO);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, left));
        this.moveAway();
    }

    function test_what_is_granted_on_a_twin_that_left_permits_nothing() external {
        this.carry();
        vm.startPrank(patient);
        consents.grant(1, hospital, 0, pack(broadTerms()), "package");
        vm.stopPrank();
        Request memory request = someRequest();
        request.grantee = hospital;
        vm.assertEq(uint256(consents.check(request, time(), time())), uint256(Reason.RETIRED), "in the old");
        vm.assertEq(uint256(newConsents.check(request, time(), time())), uint256(Reason.NO_GRANT), "in the new");
    }

    function test_a_grant_that_was_revoked_after_the_owner_signed_does_not_come() external {
        SignedCarrying memory message = usual();
        vm.prank(clinician);
        consents.revoke(patient, 1, clinician, 0);
        carryAs(message, nobody());
        _expect(Reason.RETIRED, Reason.NO_GRANT);
    }

    function test_a_grant_that_was_replaced_after_the_owner_signed_does_not_come() external {
        SignedCarrying memory message = usual();
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        carryAs(message, nobody());
        _expect(Reason.RETIRED, Reason.NO_GRANT);
    }

    function test_nothing_comes_of_an_epoch_that_ended_after_the_owner_signed() external {
        SignedCarrying memory message = usual();
        vm.prank(patient);
        consents.revokeAll(1, none());
        carryAs(message, nobody());
        vm.assertEq(newConsents.epochOf(patient, 1), 1, "the epoch comes");
        _expect(Reason.RETIRED, Reason.NO_GRANT);
    }

    function test_a_grantee_that_revokes_stops_nothing_else() external {
        vm.prank(patient);
        consents.grant(1, hospital, 0, pack(broadTerms()), "package");
        CarriedGrant[] memory grants = new CarriedGrant[](2);
        (grants[0], grants[1]) = (carried(hospital, 0), carried(clinician, 0));
        SignedCarrying memory message = carrying(grants);
        vm.prank(hospital);
        consents.revoke(patient, 1, hospital, 0);
        carryAs(message, nobody());
        vm.assertTrue(newConsents.grantOf(patient, 1, hospital, 0).isEmpty(), "revoked");
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    function test_a_block_comes_or_nothing_does() external {
        SignedCarrying memory message = usual();
        bytes memory signature = signed(PATIENT, message);
        vm.prank(patient);
        consents.blockGrantee(1, clinician);
        vm.expectRevert(abi.encodeWithSelector(ICarriedConsents.ConsentRegistry_BlocksMissing.selector, 0, 1));
        newConsents.carry(message, nobody(), signature);
        vm.expectRevert(abi.encodeWithSelector(ICarriedConsents.ConsentRegistry_BlocksMissing.selector, 0, 1));
        newConsents.carry(message, only(stranger), signature);
        newConsents.carry(message, only(clinician), signature);
        vm.assertEq(newConsents.blockCountOf(1, clinician), 1, "its count");
        _expect(Reason.RETIRED, Reason.BLOCKED);
        vm.prank(patient);
        newConsents.unblockGrantee(1, clinician);
        vm.assertEq(newConsents.blockedOn(1), 0, "nobody is");
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    function test_a_block_that_ended_once_and_came_back_comes_with_its_count() external {
        vm.startPrank(patient);
        consents.blockGrantee(1, clinician);
        consents.unblockGrantee(1, clinician);
        consents.blockGrantee(1, clinician);
        vm.stopPrank();
        vm.assertEq(consents.blockedOn(1), 1, "one is");
        carryAs(usual(), only(clinician));
        vm.assertEq(newConsents.blockCountOf(1, clinician), 3, "its count");
        _expect(Reason.RETIRED, Reason.BLOCKED);
    }

    function test_a_grant_to_read_alone_comes() external {
        Terms memory terms = broadTerms();
        terms.actions = 1;
        vm.prank(patient);
        consents.grant(1, clinician, 0, pack(terms), "package");
        this.carry();
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    function test_a_block_that_ended_need_not_come() external {
        vm.startPrank(patient);
        consents.blockGrantee(1, clinician);
        consents.blockGrantee(1, clinician);
        consents.unblockGrantee(1, clinician);
        vm.stopPrank();
        vm.assertEq(consents.blockedOn(1), 0, "nobody is");
        this.carry();
        _expect(Reason.RETIRED, Reason.PERMITTED);
    }

    function test_what_was_revoked_here_before_the_twin_came_stays_revoked() external {
        vm.prank(clinician);
        newConsents.revoke(patient, 1, clinician, 0);
        this.carry();
        _expect(Reason.RETIRED, Reason.REVOKED);
    }

    function test_nothing_comes_if_its_owner_revoked_everything_here_before() external {
        vm.prank(patient);
        newConsents.revokeAll(1, none());
        this.carry();
        vm.assertEq(newConsents.epochOf(patient, 1), 1, "the epoch here stays");
        _expect(Reason.RETIRED, Reason.NO_GRANT);
    }

    function test_a_former_owner_does_not_get_the_twin_in_a_later_deployment() external {
        move(1, PATIENT, OTHER_PATIENT);
        SignedCarrying memory message = carrying(new CarriedGrant[](0));
        newConsents.carry(message, nobody(), signed(OTHER_PATIENT, message));
        vm.assertTrue(newTwins.wasOwner(1, patient), "told");
        twins = newTwins;
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_FormerOwner.selector, 1, patient));
        this.moveBack();
        move(1, OTHER_PATIENT, STRANGER);
    }

    function testFuzz_nothing_that_the_old_one_denies_is_permitted_in_the_new(uint256 seed, Request memory request)
        external
    {
        SignedCarrying memory message = usual();
        vm.startPrank(patient);
        if (seed & 1 != 0) consents.revoke(patient, 1, clinician, 0);
        if (seed & 2 != 0) consents.revokeAll(1, none());
        if (seed & 4 != 0) consents.blockGrantee(1, clinician);
        if (seed & 8 != 0) consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        vm.stopPrank();
        if (seed & 16 != 0) suspend(clinician);
        vm.warp(time() + bound(seed >> 8, 0, 10 minutes));
        request.twin = 1;
        (request.requester, request.grantee) = (clinician, clinician);
        request.number = uint8(bound(request.number, 0, 1));
        request.action = uint8(bound(request.action, 0, 2));
        request.purpose = request.action == 1 ? 0 : uint8(bound(request.purpose, 1, 10));
        request.category = uint8(bound(request.category, 0, 4));
        request.from = uint32(bound(request.from, 900, 1100));
        request.until = uint32(bound(request.until, 1100, 2100));
        Reason before = consents.check(request, time(), time());
        carryAs(message, seed & 4 != 0 ? only(clinician) : nobody());
        Reason afterwards = newConsents.check(request, time(), time());
        bool permits = afterwards == Reason.PERMITTED || afterwards == Reason.OWNER;
        vm.assertTrue(!permits || before == afterwards, "permitted where it was not");
        if (seed & 15 == 0) vm.assertEq(uint256(before), uint256(afterwards), "the same answer");
    }

    function moveAway() external {
        move(1, PATIENT, STRANGER);
    }

    function moveBack() external {
        move(1, OTHER_PATIENT, PATIENT);
    }

    function _expect(Reason old, Reason present) private view {
        vm.assertEq(uint256(consents.check(someRequest(), time(), time())), uint256(old), "in the old");
        vm.assertEq(uint256(newConsents.check(someRequest(), time(), time())), uint256(present), "in the new");
    }

    function _expectWrongSignature() private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, patient));
    }

    function _expectNotSuccessor(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotSuccessor.selector, 1, caller));
    }

    function _expectWrongPredecessor(address predecessor) private {
        vm.expectRevert(abi.encodeWithSelector(ICarriedConsents.ConsentRegistry_WrongPredecessor.selector, predecessor));
    }

    /// @dev Where `twinCount` lies: the last of the registry's variables, and 1 after `populate`.
    function _placeOfCount() private view returns (uint256 place) {
        for (place = 20; uint256(vm.load(address(twins), bytes32(place))) != 1; --place) {}
    }
}
