// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TwinRegistry} from "../../contracts/TwinRegistry.sol";
import {Request} from "../../contracts/interfaces/IConsentRegistry.sol";
import {IGuardedTwins} from "../../contracts/interfaces/IGuardedTwins.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {Purpose, Reason} from "../../contracts/types/Vocabulary.sol";
import {Anarchy} from "./invariants/TyrantHandler.sol";
import {Guarding} from "./support/Guarding.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice A frozen twin: nothing is permitted on it, and what is its owner's stands still, until the freeze ends.
///
/// Freeze
/// ├── retired, or frozen already → refused
/// ├── within a year of the former one, and not by all guardians → refused
/// └── otherwise → frozen for 30 days; an announced retirement is put off to the end
contract FreezeTest is Guarding {
    function setUp() external {
        deploy();
        populate();
        choose();
        vm.startPrank(patient);
        consents.grant(1, clinician, 0, pack(broadTerms()), "package");
        twins.setCard(1, 0, someCard(1));
        vm.stopPrank();
    }

    function test_two_of_three_freeze_a_twin_for_30_days() external {
        vm.expectEmit(address(twins));
        emit IGuardedTwins.Frozen(1, START + 30 days, 0, 2);
        this.freeze(TWO);
        (uint40 frozenAt, uint40 frozenUntil) = twins.freezeOf(1);
        vm.assertEq(frozenAt, START, "from");
        vm.assertEq(frozenUntil, START + 30 days, "until");
    }

    function test_on_a_frozen_twin_nothing_is_permitted_until_the_freeze_ends() external {
        vm.assertTrue(_verdict(time()) == Reason.PERMITTED, "before");
        this.freeze(TWO);
        vm.assertTrue(_verdict(time()) == Reason.FROZEN, "at once");
        vm.assertTrue(_verdict(START + 30 days - 1) == Reason.FROZEN, "in its last second");
        vm.assertTrue(_verdict(START + 30 days) != Reason.FROZEN, "by itself");
        this.unfreeze(TWO);
        vm.assertTrue(_verdict(time()) == Reason.PERMITTED, "by the guardians");
    }

    function test_the_owner_of_a_frozen_twin_does_not_read_it_either() external {
        Request memory request = someRequest();
        (request.requester, request.grantee, request.purpose) = (patient, patient, Purpose.PATRQT);
        this.freeze(TWO);
        vm.assertTrue(consents.check(request, time(), time()) == Reason.FROZEN, "frozen");
        this.unfreeze(TWO);
        vm.assertTrue(consents.check(request, time(), time()) == Reason.OWNER, "not frozen");
    }

    function test_the_owner_of_a_frozen_twin_sets_neither_card_nor_guardians() external {
        this.freeze(TWO);
        uint40 end = START + 30 days;
        vm.warp(end - 1);
        bytes32 card = twins.cardOf(1);
        bytes memory signature = sign(PATIENT, twins, messages.setCard(1, card, someCard(2), soon()));
        _expectFrozen(end);
        twins.setCardSigned(1, card, someCard(2), soon(), signature);
        signature = sign(PATIENT, twins, messages.setGuardians(1, "digest", DELAY, 2, soon()));
        _expectFrozen(end);
        twins.setGuardiansSigned(1, "digest", DELAY, 2, soon(), signature);
        vm.startPrank(patient);
        _expectFrozen(end);
        twins.setCard(1, card, someCard(2));
        _expectFrozen(end);
        twins.setGuardians(1, "digest", DELAY);
        vm.warp(end);
        twins.setCard(1, card, someCard(2));
        twins.setGuardians(1, "digest", DELAY);
        vm.stopPrank();
    }

    function test_the_owner_of_a_frozen_twin_does_not_retire_it() external {
        this.freeze(TWO);
        bytes memory signature = sign(PATIENT, twins, messages.announceRetirement(1, 2, soon()));
        _expectFrozen(START + 30 days);
        twins.announceRetirementSigned(1, 2, soon(), signature);
        _expectFrozen(START + 30 days);
        vm.prank(patient);
        twins.announceRetirement(1);
        this.unfreeze(TWO);
        vm.prank(patient);
        twins.announceRetirement(1);
    }

    function test_the_owner_of_a_frozen_twin_cancels_no_retirement() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        this.freeze(TWO);
        bytes memory signature = sign(PATIENT, twins, messages.cancelRetirement(1, 3, soon()));
        _expectFrozen(START + 30 days);
        twins.cancelRetirementSigned(1, 3, soon(), signature);
        _expectFrozen(START + 30 days);
        vm.prank(patient);
        twins.cancelRetirement(1);
        this.unfreeze(TWO);
        vm.prank(patient);
        twins.cancelRetirement(1);
    }

    function test_a_stolen_key_does_not_leave_a_frozen_twin() external {
        this.freeze(TWO);
        _expectFrozen(START + 30 days);
        this.moveTwin(PATIENT, STRANGER);
        this.unfreeze(TWO);
        move(1, PATIENT, STRANGER);
    }

    function test_a_retirement_does_not_become_final_while_the_twin_is_frozen() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.warp(START + RETIRE_DELAY - 1);
        uint40 end = time() + 30 days;
        vm.expectEmit(address(twins));
        emit IGuardedTwins.Frozen(1, end, end, 3);
        this.freeze(TWO);
        vm.warp(end - 1);
        this.rescue(TWO);
        (uint40 retireAt,) = twins.stateOf(1);
        vm.assertEq(retireAt, 0, "rescued");
    }

    function test_a_retirement_that_ends_later_than_a_freeze_is_not_put_off() external {
        twinsWithDelay(60 days);
        vm.prank(patient);
        twins.announceRetirement(1);
        this.freeze(TWO);
        (uint40 retireAt,) = twins.stateOf(1);
        vm.assertEq(retireAt, START + 60 days, "retireAt");
    }

    function test_a_twin_is_frozen_once_at_a_time() external {
        this.freeze(ALL);
        vm.warp(START + 30 days - 1);
        _expectFrozen(START + 30 days);
        this.freeze(ALL);
        vm.warp(START + 30 days);
        this.freeze(ALL);
    }

    function testFuzz_within_a_year_all_freeze_again(uint256 after_) external {
        this.freeze(TWO);
        vm.warp(START + bound(after_, 30 days, 365 days - 1));
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_FrozenBefore.selector, 1, START));
        this.freeze(OTHER_TWO);
        this.freeze(ALL);
        uint40 again = time();
        vm.warp(again + 365 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_FrozenBefore.selector, 1, again));
        this.freeze(TWO);
        vm.warp(again + 365 days);
        this.freeze(TWO);
    }

    function test_other_guardians_do_not_begin_another_year() external {
        this.freeze(TWO);
        this.unfreeze(TWO);
        choose();
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_FrozenBefore.selector, 1, START));
        this.freeze(TWO);
        this.freeze(ALL);
    }

    function test_only_a_frozen_twin_is_unfrozen() external {
        _expectNotFrozen();
        this.unfreeze(ALL);
        this.freeze(TWO);
        vm.expectEmit(address(twins));
        emit IGuardedTwins.Unfrozen(1, 3);
        this.unfreeze(OTHER_TWO);
        _expectNotFrozen();
        this.unfreeze(ALL);
        this.freeze(ALL);
        vm.warp(START + 30 days);
        _expectNotFrozen();
        this.unfreeze(ALL);
    }

    function test_a_retired_twin_is_neither_frozen_nor_rescued() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.warp(START + RETIRE_DELAY);
        bytes memory retired =
            abi.encodeWithSelector(ITwinRegistry.TwinRegistry_Retired.selector, 1, START + RETIRE_DELAY);
        vm.expectRevert(retired);
        this.freeze(ALL);
        vm.expectRevert(retired);
        this.rescue(ALL);
        vm.warp(START + RETIRE_DELAY - 1);
        this.rescue(TWO);
        this.freeze(TWO);
    }

    function test_guardians_rescue_a_twin_whose_retirement_is_announced() external {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_RetirementNotAnnounced.selector, 1));
        this.rescue(TWO);
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.expectEmit(address(twins));
        emit ITwinRegistry.RetirementCancelled(1, 3);
        this.rescue(TWO);
    }

    function moveTwin(uint256 fromKey, uint256 toKey) external {
        move(1, fromKey, toKey);
    }

    /// @dev Another registry, whose retirements wait so long.
    function twinsWithDelay(uint40 delay) private {
        twins = new TwinRegistry(address(new Anarchy()), GENESIS, delay, ITwinRegistry(address(0)));
        mint(PATIENT);
        choose();
    }

    function _verdict(uint40 at_) private view returns (Reason) {
        return consents.check(someRequest(), at_, at_);
    }

    function _expectFrozen(uint40 until) private {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_Frozen.selector, 1, until));
    }

    function _expectNotFrozen() private {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_NotFrozen.selector, 1));
    }
}
