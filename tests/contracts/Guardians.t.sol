// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Guardians, GuardianSignature, IGuardedTwins} from "../../contracts/interfaces/IGuardedTwins.sol";
import {ITwinRegistry} from "../../contracts/interfaces/ITwinRegistry.sol";
import {ITypedDomain} from "../../contracts/interfaces/ITypedDomain.sol";
import {ContractAccount} from "./support/Accounts.sol";
import {Guarding} from "./support/Guarding.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Who the guardians are, and what they sign together.
///
/// A call of guardians
/// ├── late, or further ahead than three days → refused
/// ├── the opening is not of the owner's digest → refused
/// ├── another counter → refused
/// ├── a guardian twice or out of order, an outsider, a wrong signature → refused
/// ├── fewer than the owner asked for, or an owner who asked for none → refused
/// └── otherwise → what the call does
contract GuardiansTest is Guarding {
    function setUp() external {
        deploy();
        mint(PATIENT);
        choose();
    }

    // The owner's choice

    function test_the_owner_chooses_guardians_anew() external {
        bytes32 digest = messages.guardians(guardiansSalted("another salt"));
        vm.expectEmit(address(twins));
        emit IGuardedTwins.GuardiansSet(1, patient, digest, 30 days, 2);
        vm.prank(patient);
        twins.setGuardians(1, digest, 30 days);
        (bytes32 present, uint32 delay) = twins.guardiansOf(1);
        vm.assertEq(present, digest, "digest");
        vm.assertEq(delay, 30 days, "delay");

        vm.prank(patient);
        twins.setGuardians(1, 0, 0);
        (present, delay) = twins.guardiansOf(1);
        vm.assertTrue(present == 0 && delay == 0, "none");
        vm.assertEq(counterOf(1), 3, "counter");
    }

    function test_only_the_owner_chooses_guardians() external {
        address[3] memory others = [MINTER, stranger, guardian(0)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_NotOwner.selector, 1, others[i]));
            vm.prank(others[i]);
            twins.setGuardians(1, "digest", DELAY);
        }
        vm.prank(patient);
        twins.setGuardians(1, "digest", DELAY);
    }

    function test_a_signed_choice_is_the_owners_in_time_and_names_the_counter() external {
        bytes memory forged = sign(STRANGER, twins, messages.setGuardians(1, "digest", DELAY, 1, soon()));
        _expectWrongSignature(patient);
        twins.setGuardiansSigned(1, "digest", DELAY, 1, soon(), forged);

        bytes memory signature = sign(PATIENT, twins, messages.setGuardians(1, "digest", DELAY, 1, later()));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, later()));
        twins.setGuardiansSigned(1, "digest", DELAY, 1, later(), signature);

        signature = sign(PATIENT, twins, messages.setGuardians(1, "digest", DELAY, 1, soon()));
        vm.prank(RELAYER);
        twins.setGuardiansSigned(1, "digest", DELAY, 1, soon(), signature);
        _expectStaleCounter(1, 2);
        twins.setGuardiansSigned(1, "digest", DELAY, 1, soon(), signature);
    }

    function testFuzz_a_move_by_guardians_waits_from_2_to_30_days(uint32 delay) external {
        bool fits = delay >= 2 days && delay <= 30 days;
        if (!fits) vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_InvalidDelay.selector, delay));
        vm.prank(patient);
        twins.setGuardians(1, "digest", delay);
        delay = uint32(bound(delay, 2 days, 30 days));
        vm.prank(patient);
        twins.setGuardians(1, "digest", delay);
    }

    function test_without_guardians_there_is_no_delay() external {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_InvalidDelay.selector, DELAY));
        vm.prank(patient);
        twins.setGuardians(1, 0, DELAY);
        vm.prank(patient);
        twins.setGuardians(1, 0, 0);
    }

    function test_a_retired_twin_keeps_its_guardians() external {
        vm.prank(patient);
        twins.announceRetirement(1);
        vm.warp(START + RETIRE_DELAY - 1);
        vm.prank(patient);
        twins.setGuardians(1, "digest", DELAY);
        vm.warp(START + RETIRE_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_Retired.selector, 1, START + RETIRE_DELAY));
        vm.prank(patient);
        twins.setGuardians(1, "another digest", DELAY);
    }

    // Together

    function test_guardians_are_those_that_the_owner_chose() external {
        Guardians memory opened = guardians();
        opened.needed = 1;
        _expectWrongGuardians(opened, messages.guardians(guardians()));
        this.freezeAs(opened, ALL);
        opened = guardiansSalted("another salt");
        _expectWrongGuardians(opened, messages.guardians(guardians()));
        this.freezeAs(opened, ALL);
        opened = guardians();
        opened.addresses[0] = stranger;
        _expectWrongGuardians(opened, messages.guardians(guardians()));
        this.freezeAs(opened, OTHER_TWO);
        this.freezeAs(guardians(), OTHER_TWO);
    }

    function test_a_twin_without_guardians_has_none() external {
        vm.prank(patient);
        twins.setGuardians(1, 0, 0);
        _expectWrongGuardians(guardians(), 0);
        this.freeze(ALL);
        choose();
        this.freeze(ALL);
    }

    function test_former_guardians_are_nobody() external {
        bytes32 digest = messages.guardians(guardiansSalted("another salt"));
        vm.prank(patient);
        twins.setGuardians(1, digest, DELAY);
        _expectWrongGuardians(guardians(), digest);
        this.freeze(ALL);
        this.freezeAs(guardiansSalted("another salt"), TWO);
    }

    function test_as_many_guardians_sign_as_the_owner_asked_for() external {
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_TooFewGuardians.selector, 1, 2));
            this.freeze(1 << i);
        }
        this.freeze(5);
    }

    function test_nobody_is_not_enough_where_the_owner_asked_for_nobody() external {
        Guardians memory careless = guardians();
        careless.needed = 0;
        bytes32 digest = messages.guardians(careless);
        vm.prank(patient);
        twins.setGuardians(1, digest, DELAY);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_TooFewGuardians.selector, 0, 0));
        this.freezeAs(careless, 0);
        choose();
        this.freeze(TWO);
    }

    function test_nobodys_signature_counts_twice() external {
        GuardianSignature[] memory signatures = signedBy(TWO, messages.freeze(1, 1, later()));
        GuardianSignature memory second = signatures[1];
        signatures[1] = signatures[0];
        _expectNotAscending(guardian(0));
        twins.freeze(1, 1, later(), guardians(), signatures);
        (signatures[0], signatures[1]) = (second, signatures[0]);
        _expectNotAscending(guardian(0));
        twins.freeze(1, 1, later(), guardians(), signatures);
        (signatures[0], signatures[1]) = (signatures[1], second);
        twins.freeze(1, 1, later(), guardians(), signatures);
    }

    function test_an_outsider_is_no_guardian() external {
        bytes32 message = messages.freeze(1, 1, later());
        GuardianSignature[] memory signatures = signedBy(1, message);
        GuardianSignature[] memory more = new GuardianSignature[](2);
        GuardianSignature memory outsiders = GuardianSignature(stranger, sign(STRANGER, twins, message));
        bool first = stranger < guardian(0);
        (more[0], more[1]) = first ? (outsiders, signatures[0]) : (signatures[0], outsiders);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_NotGuardian.selector, 1, stranger));
        twins.freeze(1, 1, later(), guardians(), more);
        twins.freeze(1, 1, later(), guardians(), signedBy(TWO, message));
    }

    function test_each_signature_is_its_guardians_over_this_message() external {
        GuardianSignature[] memory signatures = signedBy(TWO, messages.freeze(1, 1, later()));
        signatures[1].signature = signatures[0].signature;
        _expectWrongSignature(guardian(1));
        twins.freeze(1, 1, later(), guardians(), signatures);

        bytes32[3] memory others =
            [messages.unfreeze(1, 1, later()), messages.rescueTwin(1, 1, later()), messages.freeze(2, 1, later())];
        for (uint256 i = 0; i < others.length; ++i) {
            signatures = signedBy(TWO, others[i]);
            _expectWrongSignature(guardian(0));
            twins.freeze(1, 1, later(), guardians(), signatures);
        }
        twins.freeze(1, 1, later(), guardians(), signedBy(TWO, messages.freeze(1, 1, later())));
    }

    function test_a_message_of_guardians_lives_three_days_at_most() external {
        uint40 far = time() + 3 days + 1;
        GuardianSignature[] memory signatures = signedBy(TWO, messages.freeze(1, 1, far));
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlineTooFar.selector, far));
        twins.freeze(1, 1, far, guardians(), signatures);
        vm.warp(far + 1);
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_DeadlinePassed.selector, far));
        twins.freeze(1, 1, far, guardians(), signatures);
        vm.warp(far);
        twins.freeze(1, 1, far, guardians(), signatures);
    }

    function test_a_message_of_guardians_counts_once() external {
        uint40 deadline = later();
        GuardianSignature[] memory signatures = signedBy(TWO, messages.freeze(1, 1, deadline));
        twins.freeze(1, 1, deadline, guardians(), signatures);
        this.unfreeze(ALL);
        _expectStaleCounter(1, 3);
        twins.freeze(1, 1, deadline, guardians(), signatures);
    }

    function test_a_guardian_that_is_a_contract_signs_by_ERC1271() external {
        ContractAccount account = new ContractAccount();
        Guardians memory some = Guardians(1, new address[](1), "salt");
        some.addresses[0] = address(account);
        bytes32 digest = messages.guardians(some);
        vm.prank(patient);
        twins.setGuardians(1, digest, DELAY);
        bytes32 message = messages.freeze(1, 2, later());
        GuardianSignature[] memory signatures = new GuardianSignature[](1);
        signatures[0] = GuardianSignature(address(account), "anything");
        _expectWrongSignature(address(account));
        twins.freeze(1, 2, later(), some, signatures);
        account.approve(MessageHashUtils.toTypedDataHash(twins.domainSeparator(), message));
        twins.freeze(1, 2, later(), some, signatures);
    }

    function freezeAs(Guardians calldata opened, uint256 mask) external {
        uint32 counter = counterOf(1);
        twins.freeze(1, counter, later(), opened, signedBy(mask, messages.freeze(1, counter, later())));
    }

    function _expectWrongGuardians(Guardians memory opened, bytes32 present) private {
        bytes32 digest = messages.guardians(opened);
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_WrongGuardians.selector, digest, present));
    }

    function _expectNotAscending(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IGuardedTwins.TwinRegistry_NotAscending.selector, who));
    }

    function _expectStaleCounter(uint32 named, uint32 present) private {
        vm.expectRevert(abi.encodeWithSelector(ITwinRegistry.TwinRegistry_StaleCounter.selector, named, present));
    }

    function _expectWrongSignature(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(ITypedDomain.TypedDomain_WrongSignature.selector, signer));
    }
}
