// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {Card, ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {World} from "./support/World.sol";
import {vm} from "./support/Vm.sol";

/// @notice Minting, the lock, and the card.
contract TwinRegistryTest is World {
    function setUp() external {
        deploy();
    }

    // Mint

    function test_twins_are_numbered_from_one_and_belong_to_the_patient_who_signed() external {
        bytes memory signature = sign(PATIENT, twins, messages.mint(patient, 0, soon()));
        vm.expectEmit(address(twins));
        emit IERC721.Transfer(address(0), patient, 1);
        vm.expectEmit(address(twins));
        emit IERC5192.Locked(1);
        vm.prank(MINTER);
        uint256 twin = twins.mint(patient, 0, soon(), signature);
        vm.assertEq(twin, 1, "number");
        vm.assertEq(twins.ownerOf(1), patient, "owner");
        vm.assertEq(twins.ownerOrZero(1), patient, "owner or zero");
        vm.assertEq(twins.ownerOrZero(2), address(0), "no owner");
        vm.assertEq(mint(OTHER_PATIENT), 2, "next number");
        vm.assertEq(mint(PATIENT), 3, "a patient's second");
        vm.assertEq(twins.twinCount(), 3, "count");
    }

    function test_a_mint_counts_once() external {
        bytes memory signature = sign(PATIENT, twins, messages.mint(patient, 0, soon()));
        vm.prank(MINTER);
        twins.mint(patient, 0, soon(), signature);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCount.selector, 0, 1));
        vm.prank(MINTER);
        twins.mint(patient, 0, soon(), signature);
    }

    function test_nobody_mints_for_a_patient_who_did_not_sign() external {
        bytes memory signature = sign(STRANGER, twins, messages.mint(patient, 0, soon()));
        _expectWrongSignature(patient);
        vm.prank(MINTER);
        twins.mint(patient, 0, soon(), signature);
        signature = sign(PATIENT, twins, messages.mint(patient, 0, soon()));
        vm.prank(MINTER);
        twins.mint(patient, 0, soon(), signature);
    }

    function test_only_a_minter_mints() external {
        bytes memory signature = sign(PATIENT, twins, messages.mint(patient, 0, soon()));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, patient));
        vm.prank(patient);
        twins.mint(patient, 0, soon(), signature);
        vm.prank(MINTER);
        twins.mint(patient, 0, soon(), signature);
    }

    function test_a_mint_is_signed_in_time() external {
        uint40 late = time() + 1 hours + 1;
        bytes memory signature = sign(PATIENT, twins, messages.mint(patient, 0, late));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, late));
        vm.prank(MINTER);
        twins.mint(patient, 0, late, signature);
        vm.warp(START + 1);
        vm.prank(MINTER);
        twins.mint(patient, 0, late, signature);
    }

    // The lock

    function test_a_twin_is_locked_for_ever() external {
        mint(PATIENT);
        vm.assertTrue(twins.locked(1), "locked");
        vm.startPrank(patient);
        _expectLocked();
        twins.transferFrom(patient, stranger, 1);
        _expectLocked();
        twins.safeTransferFrom(patient, stranger, 1);
        _expectLocked();
        twins.safeTransferFrom(patient, stranger, 1, "");
        _expectLocked();
        twins.approve(stranger, 1);
        _expectLocked();
        twins.setApprovalForAll(stranger, true);
        vm.stopPrank();
        vm.assertEq(twins.ownerOf(1), patient, "owner");
    }

    function test_the_lock_of_a_twin_that_is_not_there_is_no_answer() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        twins.locked(1);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        twins.ownerOf(1);
    }

    function test_the_interfaces_are_declared() external view {
        vm.assertTrue(twins.supportsInterface(0xb45a3c0e), "ERC-5192");
        vm.assertTrue(twins.supportsInterface(0x80ac58cd), "ERC-721");
        vm.assertTrue(twins.supportsInterface(0x01ffc9a7), "ERC-165");
        vm.assertTrue(!twins.supportsInterface(0xffffffff), "none");
    }

    // Card

    function test_the_owner_sets_the_card_by_naming_the_present_one() external {
        mint(PATIENT);
        Card memory first = someCard(1);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.CardSet(1, patient, 0, first);
        vm.prank(patient);
        twins.setCard(1, 0, first);
        bytes32 present = twins.cardOf(1);
        vm.assertEq(present, messages.chainedCard(0, first), "first");

        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCard.selector, 0, present));
        vm.prank(patient);
        twins.setCard(1, 0, someCard(2));
        vm.prank(patient);
        twins.setCard(1, present, someCard(2));
        vm.assertEq(twins.cardOf(1), messages.chainedCard(present, someCard(2)), "second");
    }

    function test_only_the_owner_sets_the_card() external {
        mint(PATIENT);
        address[3] memory others = [MINTER, REGISTRAR, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotOwner.selector, 1, others[i]));
            vm.prank(others[i]);
            twins.setCard(1, 0, someCard(1));
        }
        vm.prank(patient);
        twins.setCard(1, 0, someCard(1));
    }

    function testFuzz_a_signed_card_is_the_owners_and_for_the_card_it_replaces(uint256 seed) external {
        mint(PATIENT);
        Card memory card = someCard(seed);
        bytes memory signature = _signCard(STRANGER, 0, card, soon());
        _expectWrongSignature(patient);
        twins.setCardSigned(1, 0, card, soon(), signature);

        signature = _signCard(PATIENT, 0, card, soon());
        Card memory changed = card;
        changed.roster = keccak256("another roster");
        _expectWrongSignature(patient);
        twins.setCardSigned(1, 0, changed, soon(), signature);

        card = someCard(seed);
        vm.prank(RELAYER);
        twins.setCardSigned(1, 0, card, soon(), signature);
        bytes32 present = twins.cardOf(1);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCard.selector, 0, present));
        twins.setCardSigned(1, 0, card, soon(), signature);
    }

    function test_a_card_that_is_set_back_does_not_revive_a_message_for_it() external {
        mint(PATIENT);
        vm.prank(patient);
        twins.setCard(1, 0, someCard(1));
        bytes32 first = twins.cardOf(1);
        bytes memory signature = _signCard(PATIENT, first, someCard(2), soon());
        vm.prank(patient);
        twins.setCard(1, first, someCard(2));
        bytes32 second = twins.cardOf(1);
        vm.prank(patient);
        twins.setCard(1, second, someCard(1));
        bytes32 third = twins.cardOf(1);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCard.selector, first, third));
        twins.setCardSigned(1, first, someCard(2), soon(), signature);
    }

    function test_a_signed_card_is_in_time() external {
        mint(PATIENT);
        uint40 past = time() - 1;
        bytes memory signature = _signCard(PATIENT, 0, someCard(1), past);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, past));
        twins.setCardSigned(1, 0, someCard(1), past, signature);
        signature = _signCard(PATIENT, 0, someCard(1), soon());
        twins.setCardSigned(1, 0, someCard(1), soon(), signature);
    }

    function test_a_twin_that_is_not_there_has_no_card() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9));
        vm.prank(patient);
        twins.setCard(9, 0, someCard(1));
    }

    function _signCard(uint256 key, bytes32 previous, Card memory card, uint40 deadline)
        private
        view
        returns (bytes memory)
    {
        return sign(key, twins, messages.setCard(1, previous, card, deadline));
    }

    function _expectLocked() private {
        vm.expectRevert(ITwinRegistry.TwinRegistry_Locked.selector);
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }
}
