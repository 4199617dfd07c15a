// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IModelLedger as I, Standing} from "../../contracts/interfaces/IModelLedger.sol";
import {Contribution} from "../../contracts/types/Contribution.sol";
import {Kind} from "../../contracts/types/Vocabulary.sol";
import {Training} from "./support/Training.sol";
import {vm} from "./support/Vm.sol";

/// @notice Updates: by whom, in which round, on what, of how many twins and for how much ε. Of every refusal the same
/// call succeeds once its one fault is mended.
contract ModelUpdatesTest is Training {
    function setUp() external {
        gather();
        register();
        open(1);
    }

    function testFuzz_an_update_is_told_with_all_that_its_site_says(
        bytes32 update,
        bytes32 consents,
        bytes32 record,
        uint32 cohort,
        uint32 epsilon
    ) external {
        cohort = COHORT + cohort % (type(uint32).max - COHORT);
        epsilon = 1 + epsilon % BUDGET;
        vm.expectEmit(address(models));
        emit I.UpdateCommitted(1, 1, researcher, update, BEGINNING, consents, record, cohort, epsilon);
        vm.prank(researcher);
        models.commitUpdate(update, BEGINNING, consents, record, contribution(1, 1, cohort, epsilon));
        Standing memory standing = models.standingOf(1, researcher);
        vm.assertEq(standing.round, 1, "round");
        vm.assertEq(standing.spent, epsilon, "spent");
        vm.assertEq(models.modelOf(1).updates, 1, "updates");
        vm.assertEq(models.standingOf(1, otherSite).spent, 0, "another site's");
    }

    function testFuzz_a_contribution_says_what_was_packed(uint32 model, uint32 round, uint32 cohort, uint32 epsilon)
        external
        pure
    {
        Contribution said = contribution(model, round, cohort, epsilon);
        vm.assertEq(said.model(), model, "model");
        vm.assertEq(said.round(), round, "round");
        vm.assertEq(said.cohort(), cohort, "cohort");
        vm.assertEq(said.epsilon(), epsilon, "epsilon");
    }

    function test_a_site_commits_once_a_round() external {
        commit(researcher, 1, 1);
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_AlreadyCommitted.selector, 1, 1, researcher), researcher, _call()
        );
        commit(otherSite, 1, 1);
        finalise(1, 1, 2);
        open(1);
        commit(researcher, 1, 2);
        vm.assertEq(models.standingOf(1, researcher).spent, 200, "spent over both");
    }

    function test_a_round_takes_updates_while_it_is_open() external {
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_RoundNotOpen.selector, 1, 2), otherSite, _call(1, 2, COHORT, 100)
        );
        expectRefused(
            abi.encodeWithSelector(I.ModelLedger_RoundNotOpen.selector, 1, 0), otherSite, _call(1, 0, COHORT, 100)
        );
        commit(researcher, 1, 1);
        bytes memory late = _call();
        finalise(1, 1, 1);
        bytes memory finalised = abi.encodeWithSelector(I.ModelLedger_RoundFinalised.selector, 1, 1);
        expectRefused(finalised, otherSite, late);
        open(1);
        expectRefused(finalised, otherSite, late);
        commit(otherSite, 1, 2);
    }

    function test_an_update_is_of_a_model_that_is_there() external {
        bytes memory call = abi.encodeCall(
            models.commitUpdate, ("update", BEGINNING, "consents", "record", contribution(2, 1, COHORT, 100))
        );
        expectRefused(abi.encodeWithSelector(I.ModelLedger_UnknownModel.selector, 2), researcher, call);
        register();
        open(2);
        _take(researcher, call);
    }

    function testFuzz_an_update_builds_on_the_present_aggregate(bytes32 parent) external {
        vm.assume(parent != BEGINNING);
        Contribution said = contribution(1, 1, COHORT, 100);
        bytes memory stale = abi.encodeCall(models.commitUpdate, ("update", parent, "consents", "record", said));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_StaleParent.selector, parent, BEGINNING), researcher, stale);
        commit(researcher, 1, 1);
    }

    function test_an_update_of_the_round_before_builds_on_nothing_any_more() external {
        commit(researcher, 1, 1);
        finalise(1, 1, 1);
        open(1);
        Contribution said = contribution(1, 2, COHORT, 100);
        bytes memory stale = abi.encodeCall(models.commitUpdate, ("update", BEGINNING, "consents", "record", said));
        expectRefused(abi.encodeWithSelector(I.ModelLedger_StaleParent.selector, BEGINNING, MADE), researcher, stale);
        commit(researcher, 1, 2);
    }

    function testFuzz_a_site_trains_on_the_minimum_cohort_at_least(uint32 cohort) external {
        cohort %= COHORT;
        bytes memory few = _call(1, 1, cohort, 100);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_UnderCohort.selector, cohort, COHORT), researcher, few);
        _take(researcher, _call(1, 1, COHORT, 100));
    }

    function testFuzz_a_site_spends_the_budget_at_most(uint32 first, uint32 second) external {
        first = 1 + first % (BUDGET - 1);
        commit(researcher, 1, 1, COHORT, first);
        finalise(1, 1, 1);
        open(1);
        if (second > BUDGET - first) {
            bytes memory over = abi.encodeWithSelector(I.ModelLedger_OverBudget.selector, second, first, BUDGET);
            expectRefused(over, researcher, _call(1, 2, COHORT, second));
            second = BUDGET - first;
        }
        if (second == 0) second = 1;
        _take(researcher, _call(1, 2, COHORT, second));
        vm.assertEq(models.standingOf(1, researcher).spent, first + second, "spent");
    }

    function test_a_budget_is_a_sites_own_in_each_model() external {
        commit(researcher, 1, 1, COHORT, BUDGET);
        commit(otherSite, 1, 1, COHORT, BUDGET);
        register();
        open(2);
        commit(researcher, 2, 1, COHORT, BUDGET);
        finalise(1, 1, 2);
        open(1);
        bytes memory over = abi.encodeWithSelector(I.ModelLedger_OverBudget.selector, 1, BUDGET, BUDGET);
        expectRefused(over, researcher, _call(1, 2, COHORT, 1));
    }

    function test_an_update_spends_something() external {
        bytes memory none = _call(1, 1, COHORT, 0);
        expectRefused(abi.encodeWithSelector(I.ModelLedger_InvalidTerms.selector, bytes32("epsilon")), researcher, none);
        _take(researcher, _call(1, 1, COHORT, 1));
    }

    function test_a_site_is_an_active_member_of_that_kind() external {
        expectRefused(abi.encodeWithSelector(I.ModelLedger_NotEnrolled.selector, stranger), stranger, _call());
        bytes memory notOfKind = abi.encodeWithSelector(I.ModelLedger_NotOfKind.selector, coordinator, Kind.RESEARCHER);
        expectRefused(notOfKind, coordinator, _call());
        bytes memory suspended = abi.encodeWithSelector(I.ModelLedger_Suspended.selector, researcher);
        suspend(researcher);
        expectRefused(suspended, researcher, _call());
        steward(abi.encodeCall(members.reinstate, (researcher)));
        suspend(clinic);
        expectRefused(suspended, researcher, _call());
        steward(abi.encodeCall(members.reinstate, (clinic)));
        _take(researcher, _call());
    }

    function _call() private view returns (bytes memory) {
        return _call(1, 1, COHORT, 100);
    }

    /// @dev On the present aggregate.
    function _call(uint32 model, uint32 round, uint32 cohort, uint32 epsilon) private view returns (bytes memory) {
        Contribution said = contribution(model, round, cohort, epsilon);
        bytes32 parent = models.modelOf(model).aggregate;
        return abi.encodeCall(models.commitUpdate, ("update", parent, "consents", "record", said));
    }

    function _take(address who, bytes memory call) private {
        vm.prank(who);
        (bool taken,) = address(models).call(call);
        vm.assertTrue(taken, "refused");
    }
}
