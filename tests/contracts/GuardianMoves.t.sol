// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {GuardianSignature, IGuardedTwins} from "../../contracts/interfaces/IGuardedTwins.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {Guarding} from "./support/Guarding.sol";
import {vm} from "./support/Vm.sol";

/// @notice Moves that guardians announce: waited for, vetoed, binding.
///
/// Announced
/// ├── the recipient did not sign, owns or owned the twin, or a retirement is announced → refused
/// ├── on a frozen twin by all → binding, and frozen until 30 days after it is ready
/// └── otherwise → may be vetoed
/// Complete: before its time, without one, or while a retirement is announced → refused
/// Veto: not the owner, without one, binding and frozen, retired → refused
contract GuardianMovesTest is Guarding {
    function setUp() external {
        deploy();
        mint(PATIENT);
        choose();
        vm.prank(patient);
        twins.setCard(1, 0, someCard(1));
    }

    function test_an_announced_move_is_completed_by_anyone_after_the_delay() external {
        vm.expectEmit(address(twins));
        emit IGuardedTwins.MoveAnnounced(1, otherPatient, START + DELAY, false, 0, 2);
        this.announceMove(TWO, OTHER_PATIENT);
        _expectMove(otherPatient, START + DELAY, false);
        vm.warp(START + DELAY);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.Moved(1, patient, otherPatient, 3);
        vm.prank(RELAYER);
        twins.completeMove(1);
        vm.assertEq(twins.ownerOf(1), otherPatient, "owner");
        vm.assertTrue(twins.wasOwner(1, patient), "former owner");
        vm.assertEq(twins.cardOf(1), bytes32(0), "card");
        (bytes32 digest, uint32 delay) = twins.guardiansOf(1);
        vm.assertTrue(digest == 0 && delay == 0, "guardians");
        _expectMove(address(0), 0, false);
    }

    function test_a_move_is_not_completed_before_its_time_or_unannounced() external {
        _expectNotAnnounced();
        twins.completeMove(1);
        this.announceMove(TWO, OTHER_PATIENT);
        vm.warp(START + DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_MoveNotReady.selector, 1, START + DELAY));
        twins.completeMove(1);
        vm.warp(START + DELAY);
        twins.completeMove(1);
    }

    function test_the_recipient_signs_too() external {
        uint40 deadline = later();
        bytes32 message = messages.announceMove(1, otherPatient, 1, deadline);
        GuardianSignature[] memory signatures = signedBy(TWO, message);
        bytes memory forged = sign(STRANGER, twins, message);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, otherPatient));
        twins.announceMove(1, otherPatient, 1, deadline, guardians(), signatures, forged);
        vm.prank(otherPatient);
        twins.announceMove(1, otherPatient, 1, deadline, guardians(), signatures, "");
    }

    function test_no_move_goes_to_the_owner_or_a_former_one() external {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_FormerOwner.selector, 1, patient));
        this.announceMove(TWO, PATIENT);
        move(1, PATIENT, OTHER_PATIENT);
        choose();
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_FormerOwner.selector, 1, patient));
        this.announceMove(TWO, PATIENT);
        this.announceMove(TWO, STRANGER);
    }

    function test_a_twin_whose_retirement_is_announced_is_not_moved_by_guardians() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        bytes memory announced =
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, START + RETIRE_DELAY);
        vm.expectRevert(announced);
        this.announceMove(ALL, OTHER_PATIENT);
        this.rescue(TWO);
        this.announceMove(TWO, OTHER_PATIENT);
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.warp(START + DELAY);
        vm.expectRevert(announced);
        twins.completeMove(1);
        vm.warp(START + DELAY - 1);
        this.rescue(TWO);
        vm.warp(START + DELAY);
        twins.completeMove(1);
    }

    function test_the_owner_vetoes_and_the_same_signatures_announce_nothing_again() external {
        uint40 deadline = later();
        bytes32 message = messages.announceMove(1, otherPatient, 1, deadline);
        GuardianSignature[] memory signatures = signedBy(ALL, message);
        bytes memory recipients = sign(OTHER_PATIENT, twins, message);
        twins.announceMove(1, otherPatient, 1, deadline, guardians(), signatures, recipients);
        vm.expectEmit(address(twins));
        emit IGuardedTwins.MoveVetoed(1, 3);
        vm.prank(patient);
        twins.vetoMove(1);
        _expectMove(address(0), 0, false);
        _expectStaleCounter(1, 3);
        twins.announceMove(1, otherPatient, 1, deadline, guardians(), signatures, recipients);
        vm.warp(START + DELAY);
        _expectNotAnnounced();
        twins.completeMove(1);
    }

    function test_only_the_owner_vetoes_and_only_what_is_announced() external {
        _expectNotAnnounced();
        vm.prank(patient);
        twins.vetoMove(1);
        this.announceMove(TWO, OTHER_PATIENT);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotOwner.selector, 1, stranger));
        vm.prank(stranger);
        twins.vetoMove(1);
        vm.prank(patient);
        twins.vetoMove(1);
    }

    function test_a_signed_veto_is_the_owners_in_time_and_names_the_counter() external {
        this.announceMove(TWO, OTHER_PATIENT);
        bytes memory forged = sign(STRANGER, twins, messages.vetoMove(1, 2, soon()));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, patient));
        twins.vetoMoveSigned(1, 2, soon(), forged);
        uint40 past = time() - 1;
        bytes memory signature = sign(PATIENT, twins, messages.vetoMove(1, 2, past));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        twins.vetoMoveSigned(1, 2, past, signature);
        signature = sign(PATIENT, twins, messages.vetoMove(1, 2, soon()));
        vm.prank(RELAYER);
        twins.vetoMoveSigned(1, 2, soon(), signature);
        this.announceMove(TWO, OTHER_PATIENT);
        _expectStaleCounter(2, 4);
        twins.vetoMoveSigned(1, 2, soon(), signature);
    }

    function test_a_move_by_all_on_a_frozen_twin_is_not_vetoed() external {
        this.freeze(TWO);
        uint40 end = START + DELAY + 30 days;
        vm.expectEmit(address(twins));
        emit IGuardedTwins.MoveAnnounced(1, otherPatient, START + DELAY, true, end, 3);
        this.announceMove(ALL, OTHER_PATIENT);
        vm.warp(end - 1);
        _expectBinding();
        vm.prank(patient);
        twins.vetoMove(1);
        bytes memory signature = sign(PATIENT, twins, messages.vetoMove(1, 3, soon()));
        _expectBinding();
        twins.vetoMoveSigned(1, 3, soon(), signature);
        twins.completeMove(1);
        (uint40 frozenAt, uint40 frozenUntil) = twins.freezeOf(1);
        vm.assertTrue(frozenAt == 0 && frozenUntil == 0, "still frozen");
    }

    function test_a_binding_move_that_nobody_completed_is_vetoed_once_the_freeze_has_ended() external {
        this.freeze(TWO);
        this.announceMove(ALL, OTHER_PATIENT);
        vm.warp(START + DELAY + 30 days);
        vm.prank(patient);
        twins.vetoMove(1);
    }

    function test_a_binding_move_is_vetoed_once_guardians_end_the_freeze() external {
        this.freeze(TWO);
        this.announceMove(ALL, OTHER_PATIENT);
        _expectBinding();
        vm.prank(patient);
        twins.vetoMove(1);
        this.unfreeze(TWO);
        vm.prank(patient);
        twins.vetoMove(1);
    }

    function test_a_move_by_fewer_or_on_a_twin_that_is_not_frozen_is_vetoed() external {
        this.announceMove(ALL, OTHER_PATIENT);
        _expectMove(otherPatient, START + DELAY, false);
        this.freeze(TWO);
        vm.startPrank(patient);
        twins.vetoMove(1);
        vm.stopPrank();
        this.announceMove(TWO, OTHER_PATIENT);
        (, uint40 frozenUntil) = twins.freezeOf(1);
        vm.assertEq(frozenUntil, START + 30 days, "the freeze is not put off");
        vm.prank(patient);
        twins.vetoMove(1);
    }

    function test_another_announcement_takes_the_place_of_the_former_and_waits_anew() external {
        this.announceMove(TWO, OTHER_PATIENT);
        vm.warp(START + 1 days);
        this.announceMove(OTHER_TWO, STRANGER);
        _expectMove(stranger, START + 1 days + DELAY, false);
        vm.warp(START + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IGuardedTwins.TwinRegistry_MoveNotReady.selector, 1, START + 1 days + DELAY)
        );
        twins.completeMove(1);
        vm.warp(START + 1 days + DELAY);
        twins.completeMove(1);
        vm.assertEq(twins.ownerOf(1), stranger, "owner");
    }

    function test_new_guardians_or_the_owners_own_move_end_an_announcement() external {
        this.announceMove(TWO, OTHER_PATIENT);
        choose();
        _expectMove(address(0), 0, false);
        this.announceMove(TWO, OTHER_PATIENT);
        move(1, PATIENT, STRANGER);
        _expectMove(address(0), 0, false);
        vm.warp(START + DELAY);
        _expectNotAnnounced();
        twins.completeMove(1);
        vm.assertEq(twins.ownerOf(1), stranger, "owner");
    }

    function test_a_former_owners_guardians_are_nobody_to_the_new_one() external {
        this.announceMove(TWO, OTHER_PATIENT);
        vm.warp(START + DELAY);
        twins.completeMove(1);
        bytes32 digest = messages.guardians(guardians());
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_WrongGuardians.selector, digest, bytes32(0)));
        this.announceMove(ALL, STRANGER);
        choose();
        this.announceMove(TWO, STRANGER);
    }

    function test_an_announcement_on_a_retired_twin_stays_as_it_is() external {
        this.announceMove(TWO, OTHER_PATIENT);
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.warp(START + RETIRE_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_Retired.selector, 1, START + RETIRE_DELAY));
        vm.prank(patient);
        twins.vetoMove(1);
        vm.warp(START + RETIRE_DELAY - 1);
        vm.prank(patient);
        twins.vetoMove(1);
    }

    function _expectMove(address to, uint40 readyAt, bool binding) private view {
        (address presentTo, uint40 presentAt, bool presentBinding) = twins.moveOf(1);
        vm.assertEq(presentTo, to, "to");
        vm.assertEq(presentAt, readyAt, "readyAt");
        vm.assertTrue(presentBinding == binding, "binding");
    }

    function _expectNotAnnounced() private {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_MoveNotAnnounced.selector, 1));
    }

    function _expectBinding() private {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_MoveBinding.selector, 1, otherPatient));
    }

    function _expectStaleCounter(uint32 named, uint32 present) private {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCounter.selector, named, present));
    }
}
