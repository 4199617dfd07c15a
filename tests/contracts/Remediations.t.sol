// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IModelLedger as I, Model} from "../../contracts/interfaces/IModelLedger.sol";
import {Training} from "./support/Training.sol";
import {vm} from "./support/Vm.sol";

/// @notice What becomes of a model under which consents were withdrawn: it goes back, or it stays in use for a reason.
/// Of every refusal the same call succeeds once its one fault is mended.
contract RemediationsTest is Training {
    bytes32 private constant MADE_NEXT = keccak256("the second aggregate");

    function setUp() external {
        gather();
        register();
        _round(MADE);
        _round(MADE_NEXT);
    }

    function test_a_retrained_model_goes_on_from_what_a_round_started_from() external {
        vm.expectEmit(address(models));
        emit I.Remediated(1, 2, 2, true, "reason");
        vm.prank(coordinator);
        models.retrain(1, 2, "reason");
        Model memory model = models.modelOf(1);
        vm.assertEq(model.aggregate, MADE, "what the second round started from");
        vm.assertTrue(model.round == 2 && !model.open, "its rounds are what they were");
        bytes memory stale = abi.encodeCall(models.openRound, (1, MADE_NEXT));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_StaleParent.selector, MADE_NEXT, MADE), coordinator, stale);
        vm.prank(coordinator);
        vm.assertEq(models.openRound(1, MADE), 3, "rounds are numbered on");
        commit(researcher, 1, 3);
        vm.assertEq(models.standingOf(1, researcher).spent, 300, "what was spent stays spent");
    }

    function test_a_model_is_retrained_from_its_beginning_and_from_a_retrained_round() external {
        vm.startPrank(coordinator);
        models.retrain(1, 1, "reason");
        vm.assertEq(models.modelOf(1).aggregate, BEGINNING, "the beginning");
        models.openRound(1, BEGINNING);
        vm.stopPrank();
        commit(researcher, 1, 3);
        finalise(1, 3, 1);
        vm.startPrank(coordinator);
        models.retrain(1, 3, "reason");
        vm.assertEq(models.modelOf(1).aggregate, BEGINNING, "the third round started there too");
        models.retrain(1, 2, "reason");
        vm.assertEq(models.modelOf(1).aggregate, MADE, "the second on what the first made");
    }

    function test_what_was_made_is_accepted_and_nothing_else_changes() external {
        bytes32 before = keccak256(abi.encode(models.modelOf(1)));
        vm.expectEmit(address(models));
        emit I.Remediated(1, 1, 2, false, "reason");
        vm.prank(coordinator);
        models.accept(1, 1, "reason");
        vm.assertEq(keccak256(abi.encode(models.modelOf(1))), before, "changed");
    }

    function test_while_a_round_is_open_those_before_are_accepted_and_none_is_retrained() external {
        open(1);
        bytes memory retraining = abi.encodeCall(models.retrain, (1, 1, "reason"));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_RoundStillOpen.selector, 1, 3), coordinator, retraining);
        _refuseAccepting(3);
        vm.expectEmit(address(models));
        emit I.Remediated(1, 2, 2, false, "reason");
        vm.prank(coordinator);
        models.accept(1, 2, "reason");
        commit(researcher, 1, 3);
        finalise(1, 3, 1);
        _take(retraining);
    }

    function test_what_is_remediated_was_finalised() external {
        for (uint32 first = 0; first <= 3; first += 3) {
            bytes memory refusal = abi.encodeWithSelector(I.ModelLedger_RoundNotFinalised.selector, 1, first);
            expectRefused(refusal, coordinator, abi.encodeCall(models.retrain, (1, first, "reason")));
            _refuseAccepting(first);
        }
        _take(abi.encodeCall(models.accept, (1, 2, "reason")));
        _take(abi.encodeCall(models.retrain, (1, 2, "reason")));
    }

    function test_a_remedy_has_a_record() external {
        bytes memory refusal = abi.encodeWithSelector(I.ModelLedger_InvalidTerms.selector, bytes32("record"));
        expectRefused(refusal, coordinator, abi.encodeCall(models.retrain, (1, 1, 0)));
        expectRefused(refusal, coordinator, abi.encodeCall(models.accept, (1, 1, 0)));
        _take(abi.encodeCall(models.retrain, (1, 1, "reason")));
    }

    function test_remedies_are_the_coordinators_own() external {
        bytes[2] memory calls =
            [abi.encodeCall(models.retrain, (1, 1, "reason")), abi.encodeCall(models.accept, (1, 1, "reason"))];
        for (uint256 i = 0; i < calls.length; ++i) {
            expectRefused(
                abi.encodeWithSelector(I.ModelLedger_NotCoordinator.selector, 1, otherSite), otherSite, calls[i]
            );
        }
        suspend(coordinator);
        for (uint256 i = 0; i < calls.length; ++i) {
            expectRefused(abi.encodeWithSelector(I.ModelLedger_Suspended.selector, coordinator), coordinator, calls[i]);
        }
        steward(abi.encodeCall(members.reinstate, (coordinator)));
        for (uint256 i = 0; i < calls.length; ++i) {
            _take(calls[i]);
        }
    }

    function test_there_is_nothing_to_remedy_of_a_model_that_is_not_there() external {
        bytes memory unknown = abi.encodeWithSelector(I.ModelLedger_UnknownModel.selector, 2);
        expectRefused(unknown, coordinator, abi.encodeCall(models.retrain, (2, 1, "reason")));
        expectRefused(unknown, coordinator, abi.encodeCall(models.accept, (2, 1, "reason")));
        _take(abi.encodeCall(models.retrain, (1, 1, "reason")));
    }

    function _round(bytes32 made) private {
        uint32 round = open(1);
        commit(researcher, 1, round);
        vm.prank(coordinator);
        models.finaliseAggregate(1, round, made, "record", 1);
    }

    function _refuseAccepting(uint32 first) private {
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_RoundNotFinalised.selector, 1, first),
            coordinator,
            abi.encodeCall(models.accept, (1, first, "reason"))
        );
    }

    function _take(bytes memory call) private {
        vm.prank(coordinator);
        (bool taken,) = address(models).call(call);
        vm.assertTrue(taken, "refused");
    }
}
