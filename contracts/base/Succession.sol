// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC5192} from "../interfaces/IERC5192.sol";
import {ITwinRegistry} from "../interfaces/ITwinRegistry.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {GuardedTwins} from "./GuardedTwins.sol";
import {TwinStore} from "./TwinStore.sol";

/// @title Succession
/// @notice How a twin leaves for the deployment that comes after this one, and how one arrives from that before.
///
/// STATES. A twin lives in one deployment at a time. One that left is retired here for ever, and names the contract that
/// it left for. It arrives in the same transaction, with its number, owner, card and guardians, and once. Numbers tell
/// deployments apart: each numbers at most `NUMBERS` twins of its own, after all that its predecessors may.
///
/// AUTHORITY. The owner's signature for that one contract, which alone can use it; nobody else lets a twin go. What
/// arrives is read from the predecessor: who brings it can leave nothing out and add nothing.
///
/// TIME. The message names the twin's counter, and is used once at most: leaving is final.
///
/// PRIVACY. The ledger shows which twin left for where, as it shows everything else of it.
///
/// Invariants: a twin that left permits nothing here and never changes again. One that did not is untouched by whatever
/// deployments come after. Who owned a twin in a predecessor and does no more never owns it here.
abstract contract Succession is IERC5192, GuardedTwins {
    /// @inheritdoc ITwinRegistry
    uint256 public constant NUMBERS = 1_000_000_000;

    /// @inheritdoc ITwinRegistry
    ITwinRegistry public immutable PREDECESSOR;

    /// @inheritdoc ITwinRegistry
    uint256 public immutable LAST_BEFORE;

    mapping(uint256 twin => address) private _successors;

    constructor(ITwinRegistry predecessor) {
        PREDECESSOR = predecessor;
        bool first = address(predecessor) == address(0);
        LAST_BEFORE = first ? 0 : predecessor.LAST_BEFORE() + predecessor.NUMBERS();
    }

    /// @inheritdoc ITwinRegistry
    function depart(uint256 twin, bytes32 grants, uint32 counter, uint40 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        _requireSigned(ownerOf(twin), TypedData.depart(twin, msg.sender, grants, counter, deadline), signature);
        State storage state = _states[twin];
        _requireCounter(state, counter);
        _requireNoRetirement(twin, state);
        _requireNotFrozen(twin, state);
        _endAnnouncement(twin, state);
        state.retireAt = _now();
        _successors[twin] = msg.sender;
        emit Departed(twin, msg.sender, ++state.counter);
    }

    /// @inheritdoc ITwinRegistry
    function arrive(uint256 twin) external returns (address owner) {
        if (twin > LAST_BEFORE) revert TwinRegistry_NotBefore(twin);
        if (PREDECESSOR.successorOf(twin) != msg.sender) revert TwinRegistry_NotSuccessor(twin, msg.sender);
        owner = PREDECESSOR.ownerOf(twin);
        (bytes32 guardians, uint32 recoveryDelay) = PREDECESSOR.guardiansOf(twin);
        (uint40 frozenAt,) = PREDECESSOR.freezeOf(twin);
        (, uint32 counter) = PREDECESSOR.stateOf(twin);
        _cards[twin] = PREDECESSOR.cardOf(twin);
        _guardians[twin] = guardians;
        // the last freeze comes too: moving on gives guardians no second one within the year
        _states[twin] = State(0, counter, frozenAt, 0, recoveryDelay, 0, false);
        emit Arrived(twin, owner, guardians, recoveryDelay, frozenAt, counter);
        _mint(owner, twin);
        emit Locked(twin);
    }

    /// @inheritdoc ITwinRegistry
    function successorOf(uint256 twin) external view returns (address) {
        return _successors[twin];
    }

    /// @inheritdoc TwinStore
    function _wasOwner(uint256 twin, address key) internal view override returns (bool) {
        return super._wasOwner(twin, key) || (twin <= LAST_BEFORE && PREDECESSOR.wasOwner(twin, key));
    }
}
