// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Contribution} from "../types/Contribution.sol";

/// @notice A model and its newest round. All zero if there is no such model. What a commitment is judged by comes first,
/// in one word of storage.
/// @param round The newest round's number; zero before the first.
/// @param updates How many updates that round has.
/// @param open Whether that round still takes updates.
/// @param purpose What it is trained for, a number of `Purpose`: the consents that count name it.
/// @param categories What it is trained on: bit n stands for category n of the vocabulary, for every twin alike.
/// @param minimumCohort The least number of twins that a site may train on in a round.
/// @param budget The privacy that a site may spend on the model altogether: ε in thousandths.
/// @param aggregate SHA-256 of what the newest round starts from and, once it is finalised, of what it made; after a
/// retraining, of what the next round starts from.
struct Model {
    uint32 round;
    uint32 updates;
    bool open;
    uint8 purpose;
    uint32 categories;
    uint32 minimumCohort;
    uint32 budget;
    address coordinator;
    bytes32 aggregate;
}

/// @notice Where a site stands in a model.
/// @param round The newest round that it committed an update in; zero if in none.
/// @param spent The privacy that all its updates spent: ε in thousandths.
struct Standing {
    uint32 round;
    uint32 spent;
}

/// @title IModelLedger
/// @notice Which model was made of which updates, and under whose consents its sites say that they trained.
interface IModelLedger {
    /// @param card Digest of the coordinator's public block about the model: its name, and in words what it is for.
    event ModelRegistered(
        uint32 indexed model,
        address indexed coordinator,
        uint8 purpose,
        uint32 categories,
        uint32 minimumCohort,
        uint32 budget,
        bytes32 card
    );
    /// @notice Its block is the consent block: sites train under the consents that stand at the end of it.
    event RoundOpened(uint32 indexed model, uint32 indexed round, bytes32 parent);
    event UpdateCommitted(
        uint32 indexed model,
        uint32 indexed round,
        address indexed site,
        bytes32 update,
        bytes32 parent,
        bytes32 consents,
        bytes32 record,
        uint32 cohort,
        uint32 epsilon
    );
    event AggregateFinalised(
        uint32 indexed model, uint32 indexed round, bytes32 aggregate, bytes32 record, uint32 updates
    );

    /// @notice What became of rounds `first` to `last`, under which consents were withdrawn up to this block: their
    /// aggregates are built upon no more (`retrained`), or stay in use for the reason that the record gives.
    event Remediated(uint32 indexed model, uint32 indexed first, uint32 last, bool retrained, bytes32 record);

    error ModelLedger_InvalidTerms(bytes32 field);
    error ModelLedger_UnknownModel(uint32 model);
    error ModelLedger_NotEnrolled(address caller);
    error ModelLedger_Suspended(address caller);
    error ModelLedger_NotOfKind(address caller, uint8 kind);
    error ModelLedger_NotCoordinator(uint32 model, address caller);
    error ModelLedger_RoundStillOpen(uint32 model, uint32 round);
    error ModelLedger_RoundNotOpen(uint32 model, uint32 round);
    error ModelLedger_RoundFinalised(uint32 model, uint32 round);
    error ModelLedger_RoundNotFinalised(uint32 model, uint32 round);
    error ModelLedger_StaleParent(bytes32 named, bytes32 present);
    error ModelLedger_AlreadyCommitted(uint32 model, uint32 round, address site);
    error ModelLedger_UnderCohort(uint32 cohort, uint32 minimum);
    error ModelLedger_OverBudget(uint32 epsilon, uint32 spent, uint32 budget);
    error ModelLedger_EmptyRound(uint32 model, uint32 round);
    error ModelLedger_StaleUpdates(uint32 named, uint32 present);

    /// @notice Declare a model, whose coordinator is the caller: an active COORDINATOR. Its terms stand for ever.
    /// @return model Its number, from 1.
    function register(uint8 purpose, uint32 categories, uint32 minimumCohort, uint32 budget, bytes32 card)
        external
        returns (uint32 model);

    /// @notice Open the next round, once the one before is finalised. The coordinator's.
    /// @param parent The present aggregate; in the first round whatever the coordinator starts from.
    /// @return round Its number, from 1.
    function openRound(uint32 model, bytes32 parent) external returns (uint32 round);

    /// @notice Commit to an update before it is sent, once a round. The site is the caller: an active RESEARCHER.
    /// @param update SHA-256 of a salt and the update.
    /// @param parent The present aggregate, which the update builds on.
    /// @param consents The consent root: Merkle root of one leaf a twin, which only patient and site can derive.
    /// @param record Digest of the site's signed record of the update.
    function commitUpdate(bytes32 update, bytes32 parent, bytes32 consents, bytes32 record, Contribution contribution)
        external;

    /// @notice Close a round with what was made of its updates. The coordinator's.
    /// @param aggregate SHA-256 of the aggregate.
    /// @param record Digest of the coordinator's signed record, which names the updates that went into it.
    /// @param updates How many updates the round has: one that comes in meanwhile is not left out unseen.
    function finaliseAggregate(uint32 model, uint32 round, bytes32 aggregate, bytes32 record, uint32 updates) external;

    /// @notice Go back to what round `first` started from: the next round starts there, and so without whoever withdrew
    /// since. Between rounds; the coordinator's.
    /// @param record Digest of the coordinator's signed record, which gives its reason.
    function retrain(uint32 model, uint32 first, bytes32 record) external;

    /// @notice Leave in use what rounds `first` to the newest that is finalised made, though consents under them were
    /// withdrawn. The coordinator's.
    /// @param record Digest of the coordinator's signed record, which gives its reason.
    function accept(uint32 model, uint32 first, bytes32 record) external;

    function modelCount() external view returns (uint32);

    function modelOf(uint32 model) external view returns (Model memory);

    function standingOf(uint32 model, address site) external view returns (Standing memory);
}
