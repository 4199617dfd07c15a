// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IModelLedger as I, Model} from "../../contracts/interfaces/IModelLedger.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {Training} from "./support/Training.sol";
import {vm} from "./support/Vm.sol";

/// @notice Models and their rounds: whose they are, what comes after what, and what a round is made into. Of every
/// refusal the same call succeeds once its one fault is mended.
contract ModelLedgerTest is Training {
    function setUp() external {
        gather();
    }

    // Registration

    function testFuzz_a_model_has_the_terms_that_it_was_registered_with(
        uint8 purpose,
        uint32 categories,
        uint32 cohort,
        uint32 budget,
        bytes32 card
    ) external {
        purpose = 1 + purpose % 31;
        vm.assume(categories != 0 && cohort != 0 && budget != 0);
        vm.expectEmit(address(models));
        emit I.ModelRegistered(1, coordinator, purpose, categories, cohort, budget, card);
        vm.prank(coordinator);
        vm.assertEq(models.register(purpose, categories, cohort, budget, card), 1, "number");
        Model memory model = models.modelOf(1);
        vm.assertEq(model.coordinator, coordinator, "coordinator");
        vm.assertEq(model.purpose, purpose, "purpose");
        vm.assertEq(model.categories, categories, "categories");
        vm.assertEq(model.minimumCohort, cohort, "minimum cohort");
        vm.assertEq(model.budget, budget, "budget");
        vm.assertTrue(model.round == 0 && !model.open && model.aggregate == 0, "no round yet");
    }

    function test_models_are_numbered_and_each_coordinators_own() external {
        vm.assertEq(models.modelCount(), 0, "none");
        vm.assertEq(register(), 1, "first");
        vm.prank(otherSite);
        vm.assertEq(models.register(8, 1, 1, 1, "card"), 2, "second");
        vm.assertEq(models.modelCount(), 2, "two");
        vm.assertEq(models.modelOf(1).coordinator, coordinator, "first");
        vm.assertEq(models.modelOf(2).coordinator, otherSite, "second");
    }

    function test_terms_that_no_update_could_meet_are_refused() external {
        _refuseTerms("purpose", 0, 1, 1, 1);
        _refuseTerms("purpose", 32, 1, 1, 1);
        _refuseTerms("categories", 8, 0, 1, 1);
        _refuseTerms("minimumCohort", 8, 1, 0, 1);
        _refuseTerms("budget", 8, 1, 1, 0);
        vm.prank(coordinator);
        models.register(31, 1, 1, 1, 0);
    }

    function _refuseTerms(bytes32 field, uint8 purpose, uint32 categories, uint32 cohort, uint32 budget) private {
        vm.expectRevert(abi.encodeWithSelector(I.ModelLedger_InvalidTerms.selector, field));
        vm.prank(coordinator);
        models.register(purpose, categories, cohort, budget, "card");
    }

    function test_a_coordinator_is_an_active_member_of_that_kind() external {
        bytes memory call = abi.encodeCall(models.register, (8, 1, 1, 1, "card"));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_NotEnrolled.selector, stranger), stranger, call);
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_NotOfKind.selector, researcher, Kind.COORDINATOR), researcher, call
        );
        suspend(coordinator);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_Suspended.selector, coordinator), coordinator, call);
        steward(abi.encodeCall(members.reinstate, (coordinator)));
        suspend(hospital);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_Suspended.selector, coordinator), coordinator, call);
        steward(abi.encodeCall(members.reinstate, (hospital)));
        register();
    }

    // Rounds

    function test_a_first_round_starts_from_what_its_coordinator_names() external {
        register();
        vm.expectEmit(address(models));
        emit I.RoundOpened(1, 1, BEGINNING);
        vm.prank(coordinator);
        vm.assertEq(models.openRound(1, BEGINNING), 1, "round");
        Model memory model = models.modelOf(1);
        vm.assertTrue(model.open && model.round == 1 && model.updates == 0, "open");
        vm.assertEq(model.aggregate, BEGINNING, "parent");
    }

    function test_a_round_starts_from_something() external {
        register();
        bytes memory nothing = abi.encodeCall(models.openRound, (1, 0));
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_InvalidTerms.selector, bytes32("parent")), coordinator, nothing
        );
        open(1);
    }

    function test_a_round_is_opened_once_the_one_before_is_finalised() external {
        register();
        open(1);
        bytes memory next = abi.encodeCall(models.openRound, (1, MADE));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_RoundStillOpen.selector, 1, 1), coordinator, next);
        commit(researcher, 1, 1);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_RoundStillOpen.selector, 1, 1), coordinator, next);
        finalise(1, 1, 1);
        vm.prank(coordinator);
        vm.assertEq(models.openRound(1, MADE), 2, "round");
        vm.assertEq(models.modelOf(1).updates, 0, "updates of the new round");
    }

    function testFuzz_a_round_starts_from_what_the_one_before_made(bytes32 parent) external {
        vm.assume(parent != MADE && parent != 0);
        register();
        open(1);
        commit(researcher, 1, 1);
        finalise(1, 1, 1);
        bytes memory stale = abi.encodeCall(models.openRound, (1, parent));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_StaleParent.selector, parent, MADE), coordinator, stale);
        open(1);
    }

    function test_rounds_are_the_coordinators_own() external {
        register();
        bytes memory opening = abi.encodeCall(models.openRound, (1, BEGINNING));
        bytes memory finalising = abi.encodeCall(models.finaliseAggregate, (1, 1, MADE, "record", 1));
        bytes memory notIts = abi.encodeWithSelector(I.ModelLedger_NotCoordinator.selector, 1, otherSite);
        expectRefused(notIts, otherSite, opening);
        open(1);
        commit(researcher, 1, 1);
        expectRefused(notIts, otherSite, finalising);
        suspend(coordinator);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_Suspended.selector, coordinator), coordinator, finalising);
        steward(abi.encodeCall(members.reinstate, (coordinator)));
        finalise(1, 1, 1);
    }

    function test_there_are_no_rounds_of_a_model_that_is_not_there() external {
        bytes memory unknown = abi.encodeWithSelector(I.ModelLedger_UnknownModel.selector, 1);
        bytes memory opening = abi.encodeCall(models.openRound, (1, BEGINNING));
        expectRefused(unknown, coordinator, opening);
        expectRefused(unknown, coordinator, abi.encodeCall(models.finaliseAggregate, (1, 1, MADE, "record", 1)));
        register();
        open(1);
    }

    // Aggregates

    function testFuzz_a_round_is_finalised_with_what_was_made_of_it(bytes32 aggregate, bytes32 record) external {
        vm.assume(aggregate != 0);
        register();
        open(1);
        commit(researcher, 1, 1);
        commit(otherSite, 1, 1);
        vm.expectEmit(address(models));
        emit I.AggregateFinalised(1, 1, aggregate, record, 2);
        vm.prank(coordinator);
        models.finaliseAggregate(1, 1, aggregate, record, 2);
        Model memory model = models.modelOf(1);
        vm.assertTrue(!model.open && model.round == 1 && model.updates == 2, "finalised");
        vm.assertEq(model.aggregate, aggregate, "aggregate");
    }

    function test_a_round_is_finalised_once_and_in_its_turn() external {
        register();
        bytes memory notOpen = abi.encodeWithSelector(I.ModelLedger_RoundNotOpen.selector, 1, 1);
        expectRefused(notOpen, coordinator, _finalising(1, 1));
        open(1);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_RoundNotOpen.selector, 1, 0), coordinator, _finalising(0, 1));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_RoundNotOpen.selector, 1, 2), coordinator, _finalising(2, 1));
        commit(researcher, 1, 1);
        finalise(1, 1, 1);
        bytes memory finalised = abi.encodeWithSelector(I.ModelLedger_RoundFinalised.selector, 1, 1);
        expectRefused(finalised, coordinator, _finalising(1, 1));
        open(1);
        commit(researcher, 1, 2);
        expectRefused(finalised, coordinator, _finalising(1, 1));
        finalise(1, 2, 1);
    }

    function test_an_aggregate_is_made_of_something_and_is_something() external {
        register();
        open(1);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_EmptyRound.selector, 1, 1), coordinator, _finalising(1, 0));
        commit(researcher, 1, 1);
        bytes memory nothing = abi.encodeCall(models.finaliseAggregate, (1, 1, 0, "record", 1));
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_InvalidTerms.selector, bytes32("aggregate")), coordinator, nothing
        );
        finalise(1, 1, 1);
    }

    function test_an_update_that_comes_in_meanwhile_is_not_left_out_unseen() external {
        register();
        open(1);
        commit(researcher, 1, 1);
        bytes memory withOne = _finalising(1, 1);
        commit(otherSite, 1, 1);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_StaleUpdates.selector, 1, 2), coordinator, withOne);
        finalise(1, 1, 2);
    }

    function _finalising(uint32 round, uint32 updates) private view returns (bytes memory) {
        return abi.encodeCall(models.finaliseAggregate, (1, round, MADE, "record", updates));
    }
}
