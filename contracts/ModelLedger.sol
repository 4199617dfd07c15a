// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMemberRegistry, Member} from "./interfaces/IMemberRegistry.sol";
import {IModelLedger, Model, Standing} from "./interfaces/IModelLedger.sol";
import {Bits} from "./libraries/Bits.sol";
import {Contribution} from "./types/Contribution.sol";
import {Kind} from "./types/Vocabulary.sol";

/// @title ModelLedger
/// @notice Which model was made of which updates, and under whose consents its sites say that they trained.
///
/// STATES. A model's rounds are numbered from 1. A round is open from its opening until it is finalised, and the next
/// opens only then. Each starts from the present aggregate: what the round before made, or for the first what its
/// coordinator names. A site commits at most one update in a round. Updates, records and cards are in the events; what
/// later calls are judged by is kept: the newest round, the present aggregate, what each round started from, and what
/// each site has spent.
///
/// REMEDIATIONS. A withdrawn consent touches what was made of the data and all that descends from it. The coordinator
/// says what became of rounds `first` to the newest that is finalised. *Retrained*: what `first` started from is the
/// present aggregate again, so that nothing made since is built upon. *Accepted*: it stays in use, for a reason that the
/// record gives. The ledger does not know which consent it was: a remediation is for what was withdrawn up to its block,
/// and whether it mends anything is for patients, sites and auditors to see. It gives no ε back.
///
/// AUTHORITY. An active COORDINATOR registers a model, and it alone opens, finalises and remediates the model's rounds.
/// Any active RESEARCHER commits updates, each as itself: nobody commits for another. Which of them go into an aggregate
/// is the coordinator's to say, in its record. Nothing here is restricted: governance reaches it through kinds and
/// suspension alone, and so can stop a party from now on, and neither speak for it nor change what it said.
///
/// TIME. Consents are judged at the end of the block that opened the round. A round has no deadline. No message is
/// relayed: coordinators and sites send for themselves.
///
/// PRIVACY. Terms, counts and digests. A category's number is public here, since it is the model's and no twin's. An
/// update is hashed with a salt, and the leaves under a consent root are known to patient and site alone. Cohort and ε
/// are the site's own claims; the ledger adds them up and cannot see whether they are true.
///
/// LIVENESS. A round waits for its coordinator, and for one update at least; a model whose coordinator is gone is
/// registered anew. A finalisation names how many updates there are, so a site can delay it by committing, once a round.
/// A model is retrained between rounds; what was made is accepted at any time.
///
/// Invariants: aggregates chain: a round's parent is what the round before made or, after a retraining, what an earlier
/// round started from, and nothing else. No site spends more than the budget, nor goes under the minimum cohort. A
/// finalised round takes no update. A remediation is its coordinator's, of finalised rounds, and under a record. Terms
/// never change, and numbers, rounds and what was spent never fall.
contract ModelLedger is IModelLedger {
    /// @dev Purposes are numbers of a mask of 32 bits.
    uint8 private constant PURPOSES = 32;

    IMemberRegistry public immutable MEMBERS;

    /// @inheritdoc IModelLedger
    uint32 public modelCount;

    mapping(uint32 model => Model) private _models;
    mapping(uint32 model => mapping(address site => Standing)) private _standings;
    /// @dev What each round started from.
    mapping(uint32 model => mapping(uint32 round => bytes32)) private _parents;

    constructor(IMemberRegistry members) {
        MEMBERS = members;
    }

    /// @inheritdoc IModelLedger
    function register(uint8 purpose, uint32 categories, uint32 minimumCohort, uint32 budget, bytes32 card)
        external
        returns (uint32 model)
    {
        _requireActive(Kind.COORDINATOR);
        if (purpose == 0 || purpose >= PURPOSES) revert ModelLedger_InvalidTerms("purpose");
        if (categories == 0) revert ModelLedger_InvalidTerms("categories");
        if (minimumCohort == 0) revert ModelLedger_InvalidTerms("minimumCohort");
        if (budget == 0) revert ModelLedger_InvalidTerms("budget");
        model = ++modelCount;
        Model storage entry = _models[model];
        entry.coordinator = msg.sender;
        entry.purpose = purpose;
        entry.categories = categories;
        entry.minimumCohort = minimumCohort;
        entry.budget = budget;
        emit ModelRegistered(model, msg.sender, purpose, categories, minimumCohort, budget, card);
    }

    /// @inheritdoc IModelLedger
    function openRound(uint32 model, bytes32 parent) external returns (uint32 round) {
        Model storage entry = _requireCoordinator(model);
        if (entry.open) revert ModelLedger_RoundStillOpen(model, entry.round);
        if (parent == 0) revert ModelLedger_InvalidTerms("parent");
        if (entry.round == 0) entry.aggregate = parent;
        else _requireParent(entry, parent);
        round = ++entry.round;
        _parents[model][round] = parent;
        entry.updates = 0;
        entry.open = true;
        emit RoundOpened(model, round, parent);
    }

    /// @inheritdoc IModelLedger
    function commitUpdate(bytes32 update, bytes32 parent, bytes32 consents, bytes32 record, Contribution contribution)
        external
    {
        _requireActive(Kind.RESEARCHER);
        _count(parent, contribution);
        emit UpdateCommitted(
            contribution.model(),
            contribution.round(),
            msg.sender,
            update,
            parent,
            consents,
            record,
            contribution.cohort(),
            contribution.epsilon()
        );
    }

    /// @inheritdoc IModelLedger
    function finaliseAggregate(uint32 model, uint32 round, bytes32 aggregate, bytes32 record, uint32 updates) external {
        Model storage entry = _requireCoordinator(model);
        _requireOpen(model, entry, round);
        if (aggregate == 0) revert ModelLedger_InvalidTerms("aggregate");
        uint32 present = entry.updates;
        if (present == 0) revert ModelLedger_EmptyRound(model, round);
        if (updates != present) revert ModelLedger_StaleUpdates(updates, present);
        entry.open = false;
        entry.aggregate = aggregate;
        emit AggregateFinalised(model, round, aggregate, record, updates);
    }

    /// @inheritdoc IModelLedger
    function retrain(uint32 model, uint32 first, bytes32 record) external {
        Model storage entry = _requireCoordinator(model);
        if (entry.open) revert ModelLedger_RoundStillOpen(model, entry.round);
        _remediate(model, first, entry.round, true, record);
        entry.aggregate = _parents[model][first];
    }

    /// @inheritdoc IModelLedger
    function accept(uint32 model, uint32 first, bytes32 record) external {
        Model storage entry = _requireCoordinator(model);
        _remediate(model, first, entry.open ? entry.round - 1 : entry.round, false, record);
    }

    /// @inheritdoc IModelLedger
    function modelOf(uint32 model) external view returns (Model memory) {
        return _models[model];
    }

    /// @inheritdoc IModelLedger
    function standingOf(uint32 model, address site) external view returns (Standing memory) {
        return _standings[model][site];
    }

    /// @dev Counts the caller's update in its round, and what it spends.
    function _count(bytes32 parent, Contribution contribution) private {
        (uint32 model, uint32 round) = (contribution.model(), contribution.round());
        Model storage entry = _requireModel(model);
        Standing storage standing = _standings[model][msg.sender];
        _requireOpen(model, entry, round);
        if (standing.round == round) revert ModelLedger_AlreadyCommitted(model, round, msg.sender);
        _requireParent(entry, parent);
        if (contribution.cohort() < entry.minimumCohort) {
            revert ModelLedger_UnderCohort(contribution.cohort(), entry.minimumCohort);
        }
        uint32 epsilon = contribution.epsilon();
        uint32 spent = standing.spent;
        if (epsilon == 0) revert ModelLedger_InvalidTerms("epsilon");
        if (epsilon > entry.budget - spent) revert ModelLedger_OverBudget(epsilon, spent, entry.budget);
        (standing.round, standing.spent) = (round, spent + epsilon);
        ++entry.updates;
    }

    /// @dev Tells a remediation of rounds that are finalised.
    function _remediate(uint32 model, uint32 first, uint32 last, bool retrained, bytes32 record) private {
        if (first == 0 || first > last) revert ModelLedger_RoundNotFinalised(model, first);
        if (record == 0) revert ModelLedger_InvalidTerms("record");
        emit Remediated(model, first, last, retrained, record);
    }

    /// @dev Refuses a caller that is not enrolled, not of that kind, or suspended, itself or its organisation.
    function _requireActive(uint8 kind) private view {
        Member memory member = MEMBERS.memberOf(msg.sender);
        if (member.version == 0) revert ModelLedger_NotEnrolled(msg.sender);
        if (!Bits.has(member.kinds, kind)) revert ModelLedger_NotOfKind(msg.sender, kind);
        if (!MEMBERS.isActive(msg.sender)) revert ModelLedger_Suspended(msg.sender);
    }

    function _requireCoordinator(uint32 model) private view returns (Model storage entry) {
        _requireActive(Kind.COORDINATOR);
        entry = _requireModel(model);
        if (entry.coordinator != msg.sender) revert ModelLedger_NotCoordinator(model, msg.sender);
    }

    function _requireModel(uint32 model) private view returns (Model storage entry) {
        entry = _models[model];
        if (entry.minimumCohort == 0) revert ModelLedger_UnknownModel(model);
    }

    function _requireOpen(uint32 model, Model storage entry, uint32 round) private view {
        uint32 newest = entry.round;
        if (round == 0 || round > newest) revert ModelLedger_RoundNotOpen(model, round);
        if (round < newest || !entry.open) revert ModelLedger_RoundFinalised(model, round);
    }

    function _requireParent(Model storage entry, bytes32 parent) private view {
        bytes32 present = entry.aggregate;
        if (parent != present) revert ModelLedger_StaleParent(parent, present);
    }
}
