// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {World} from "./support/World.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Moves and retirement.
///
/// Move, carried by anyone
/// ├── late, or a signature of owner or recipient is missing → refused
/// ├── another counter → refused
/// ├── retirement is announced → refused
/// ├── to the owner or a former owner → refused
/// └── otherwise → moved, card cleared, counter raised
///
/// Retire
/// ├── announce: owner only, once → retired for readers at once
/// ├── cancel before the delay is over → live
/// └── after it → final: nothing changes any more
contract TwinLifeTest is World {
    function setUp() external {
        deploy();
        mint(PATIENT);
        vm.prank(patient);
        twins.setCard(1, 0, someCard(1));
    }

    // Move

    function test_a_twin_moves_with_both_keys_and_loses_its_card() external {
        bytes32 message = messages.move(1, stranger, 0, soon());
        bytes memory owners = sign(PATIENT, twins, message);
        bytes memory recipients = sign(STRANGER, twins, message);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.Moved(1, patient, stranger, 1);
        vm.prank(RELAYER);
        twins.move(1, stranger, 0, soon(), owners, recipients);
        vm.assertEq(twins.ownerOf(1), stranger, "owner");
        vm.assertEq(twins.balanceOf(patient), 0, "the former owner's twins");
        vm.assertEq(twins.cardOf(1), bytes32(0), "card");
        vm.assertTrue(twins.wasOwner(1, patient), "former owner");
        vm.assertTrue(!twins.wasOwner(1, stranger), "present owner");
        (, uint32 counter) = twins.stateOf(1);
        vm.assertEq(counter, 1, "counter");
    }

    function test_the_callers_own_signature_may_be_left_out() external {
        bytes memory recipients = sign(STRANGER, twins, messages.move(1, stranger, 0, soon()));
        vm.prank(patient);
        twins.move(1, stranger, 0, soon(), "", recipients);

        bytes memory owners = sign(STRANGER, twins, messages.move(1, otherPatient, 1, soon()));
        vm.prank(otherPatient);
        twins.move(1, otherPatient, 1, soon(), owners, "");
        vm.assertEq(twins.ownerOf(1), otherPatient, "owner");
    }

    function test_a_move_needs_both_signatures() external {
        bytes32 message = messages.move(1, stranger, 0, soon());
        bytes memory owners = sign(PATIENT, twins, message);
        bytes memory recipients = sign(STRANGER, twins, message);
        _expectWrongSignature(patient);
        twins.move(1, stranger, 0, soon(), recipients, recipients);
        _expectWrongSignature(stranger);
        twins.move(1, stranger, 0, soon(), owners, owners);
        _expectWrongSignature(patient);
        vm.prank(stranger);
        twins.move(1, stranger, 0, soon(), "", "");
        twins.move(1, stranger, 0, soon(), owners, recipients);
    }

    function test_a_move_is_in_time_and_names_the_counter() external {
        uint40 past = time() - 1;
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        twins.move(1, stranger, 0, past, "", "");

        bytes memory recipients = sign(STRANGER, twins, messages.move(1, stranger, 1, soon()));
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCounter.selector, 1, 0));
        vm.prank(patient);
        twins.move(1, stranger, 1, soon(), "", recipients);
        move(1, PATIENT, STRANGER);
    }

    function test_a_twin_never_returns_to_a_former_owner() external {
        move(1, PATIENT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_FormerOwner.selector, 1, patient));
        this.moveTwin(STRANGER, PATIENT);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_FormerOwner.selector, 1, stranger));
        this.moveTwin(STRANGER, STRANGER);
        move(1, STRANGER, OTHER_PATIENT);
        mint(PATIENT);
        move(2, PATIENT, STRANGER);
    }

    function test_a_twin_does_not_move_while_its_retirement_is_announced() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.expectRevert(
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, START + RETIRE_DELAY)
        );
        this.moveTwin(PATIENT, STRANGER);
        vm.prank(patient);
        twins.cancelRetirement(1);
        move(1, PATIENT, STRANGER);
    }

    function test_a_message_of_a_former_owner_is_worth_nothing() external {
        bytes memory signature = sign(PATIENT, twins, messages.setCard(1, 0, someCard(2), soon()));
        move(1, PATIENT, STRANGER);
        _expectWrongSignature(stranger);
        twins.setCardSigned(1, 0, someCard(2), soon(), signature);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotOwner.selector, 1, patient));
        vm.prank(patient);
        twins.setCard(1, 0, someCard(2));
        vm.prank(stranger);
        twins.setCard(1, 0, someCard(2));
    }

    // Retire

    function test_a_retirement_is_announced_and_cancelled_by_the_owner() external {
        vm.expectEmit(address(twins));
        emit ITwinRegistry.RetirementAnnounced(1, START + RETIRE_DELAY, 1);
        vm.prank(patient);
        twins.announceRetirement(1);
        _expectState(START + RETIRE_DELAY, 1);

        vm.warp(START + RETIRE_DELAY - 1);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.RetirementCancelled(1, 2);
        vm.prank(patient);
        twins.cancelRetirement(1);
        _expectState(0, 2);
    }

    function test_only_the_owner_announces_and_cancels() external {
        _expectNotOwner();
        vm.prank(stranger);
        twins.announceRetirement(1);
        vm.prank(patient);
        twins.announceRetirement(1);
        _expectNotOwner();
        vm.prank(stranger);
        twins.cancelRetirement(1);
        vm.prank(patient);
        twins.cancelRetirement(1);
    }

    function test_a_retirement_is_announced_once_and_cancelled_once() external {
        vm.startPrank(patient);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementNotAnnounced.selector, 1));
        twins.cancelRetirement(1);
        twins.announceRetirement(1);
        vm.expectRevert(
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, START + RETIRE_DELAY)
        );
        twins.announceRetirement(1);
        twins.cancelRetirement(1);
        twins.announceRetirement(1);
        vm.stopPrank();
    }

    function testFuzz_a_retirement_is_final_when_its_delay_is_over(uint256 later) external {
        vm.prank(patient);
        twins.announceRetirement(1);
        bytes32 present = twins.cardOf(1);
        vm.warp(START + RETIRE_DELAY - 1);
        vm.prank(patient);
        twins.setCard(1, present, someCard(2));
        present = twins.cardOf(1);

        vm.warp(START + RETIRE_DELAY + bound(later, 0, 1000 days));
        bytes memory retired =
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_Retired.selector, 1, START + RETIRE_DELAY);
        vm.startPrank(patient);
        vm.expectRevert(retired);
        twins.cancelRetirement(1);
        vm.expectRevert(retired);
        twins.setCard(1, present, someCard(3));
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementAnnounced.selector, 1, START + RETIRE_DELAY)
        );
        this.moveTwin(PATIENT, STRANGER);
    }

    function test_the_signed_forms_are_the_owners_and_name_the_counter() external {
        bytes memory forged = sign(STRANGER, twins, messages.announceRetirement(1, 0, soon()));
        _expectWrongSignature(patient);
        twins.announceRetirementSigned(1, 0, soon(), forged);

        bytes memory announcement = sign(PATIENT, twins, messages.announceRetirement(1, 0, soon()));
        vm.prank(RELAYER);
        twins.announceRetirementSigned(1, 0, soon(), announcement);
        _expectState(START + RETIRE_DELAY, 1);

        _expectWrongSignature(patient);
        twins.cancelRetirementSigned(1, 1, soon(), announcement);
        bytes memory cancellation = sign(PATIENT, twins, messages.cancelRetirement(1, 1, soon()));
        vm.prank(RELAYER);
        twins.cancelRetirementSigned(1, 1, soon(), cancellation);
        _expectState(0, 2);

        _expectStaleCounter(0, 2);
        twins.announceRetirementSigned(1, 0, soon(), announcement);
        vm.prank(patient);
        twins.announceRetirement(1);
        _expectStaleCounter(1, 3);
        twins.cancelRetirementSigned(1, 1, soon(), cancellation);
    }

    function test_the_signed_forms_are_in_time() external {
        uint40 past = time() - 1;
        bytes memory signature = sign(PATIENT, twins, messages.announceRetirement(1, 0, past));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        twins.announceRetirementSigned(1, 0, past, signature);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        twins.cancelRetirementSigned(1, 0, past, signature);
    }

    function test_a_twin_that_is_not_there_neither_moves_nor_retires() external {
        bytes memory missing = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9);
        vm.expectRevert(missing);
        twins.move(9, stranger, 0, soon(), "", "");
        vm.expectRevert(missing);
        twins.announceRetirement(9);
        vm.expectRevert(missing);
        twins.cancelRetirementSigned(9, 0, soon(), "");
    }

    function moveTwin(uint256 fromKey, uint256 toKey) external {
        move(1, fromKey, toKey);
    }

    function _expectState(uint40 retireAt, uint32 counter) private view {
        (uint40 presentAt, uint32 present) = twins.stateOf(1);
        vm.assertEq(presentAt, retireAt, "retireAt");
        vm.assertEq(present, counter, "counter");
    }

    function _expectNotOwner() private {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotOwner.selector, 1, stranger));
    }

    function _expectStaleCounter(uint32 named, uint32 present) private {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCounter.selector, named, present));
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }
}
