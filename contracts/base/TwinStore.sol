// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ITwinRegistry} from "../interfaces/ITwinRegistry.sol";
import {TypedDomain} from "./TypedDomain.sol";

/// @title TwinStore
/// @notice What is kept of a twin, what every call on it asks, and the two ends that owners and guardians share: the move
/// to another key, and a retirement's cancellation. Who may is asked by those who call here.
abstract contract TwinStore is ITwinRegistry, ERC721, TypedDomain {
    /// @dev One slot.
    /// @param retireAt When the announced retirement is final; zero without one.
    /// @param counter What signed calls name: each write of this slot raises it.
    /// @param frozenAt When the newest freeze began; zero before the first.
    /// @param frozenUntil When it ends; zero once guardians ended it.
    /// @param recoveryDelay Seconds that a move by guardians waits; zero without guardians.
    /// @param readyAt When the move that guardians announced can be completed; zero without one.
    /// @param binding That move cannot be vetoed while the twin is frozen.
    struct State {
        uint40 retireAt;
        uint32 counter;
        uint40 frozenAt;
        uint40 frozenUntil;
        uint32 recoveryDelay;
        uint40 readyAt;
        bool binding;
    }

    mapping(uint256 twin => bytes32) internal _cards;
    mapping(uint256 twin => State) internal _states;
    mapping(uint256 twin => mapping(address key => bool)) internal _former;
    mapping(uint256 twin => bytes32) internal _guardians;
    mapping(uint256 twin => address) internal _recipients;

    /// @inheritdoc ITwinRegistry
    function cardOf(uint256 twin) external view returns (bytes32) {
        return _cards[twin];
    }

    /// @inheritdoc ITwinRegistry
    function stateOf(uint256 twin) external view returns (uint40 retireAt, uint32 counter) {
        State memory state = _states[twin];
        return (state.retireAt, state.counter);
    }

    /// @inheritdoc ITwinRegistry
    function ownerOf(uint256 twin) public view override(ITwinRegistry, ERC721) returns (address) {
        return super.ownerOf(twin);
    }

    /// @inheritdoc ITwinRegistry
    function ownerOrZero(uint256 twin) external view returns (address) {
        return _ownerOf(twin);
    }

    /// @inheritdoc ITwinRegistry
    function wasOwner(uint256 twin, address key) external view returns (bool) {
        return _wasOwner(twin, key);
    }

    /// @dev Gives the twin to a key that never owned it. All that its owner had chosen, and all that was done to it under
    /// that owner, ends here: the card, the guardians, their announcement and their freeze.
    function _moveTo(uint256 twin, address from, address to) internal {
        State storage state = _states[twin];
        _requireNoRetirement(twin, state);
        _former[twin][from] = true;
        _requireNeverOwner(twin, to);

        uint32 counter = state.counter + 1;
        if (state.recoveryDelay != 0) delete _guardians[twin];
        if (state.readyAt != 0) delete _recipients[twin];
        delete _cards[twin];
        _states[twin] = State(0, counter, 0, 0, 0, 0, false);
        _update(to, twin, address(0));
        emit Moved(twin, from, to, counter);
    }

    function _cancelRetirement(uint256 twin) internal {
        State storage state = _states[twin];
        if (state.retireAt == 0) revert TwinRegistry_RetirementNotAnnounced(twin);
        _requireNotRetired(twin, state);
        state.retireAt = 0;
        emit RetirementCancelled(twin, ++state.counter);
    }

    function _requireOwner(uint256 twin) internal view returns (address owner) {
        owner = ownerOf(twin);
        if (msg.sender != owner) revert TwinRegistry_NotOwner(twin, msg.sender);
    }

    /// @dev Whether the key owned the twin before another did.
    function _wasOwner(uint256 twin, address key) internal view virtual returns (bool) {
        return _former[twin][key];
    }

    function _requireNeverOwner(uint256 twin, address to) internal view {
        if (_wasOwner(twin, to)) revert TwinRegistry_FormerOwner(twin, to);
    }

    function _requireCounter(State storage state, uint32 counter) internal view {
        if (counter != state.counter) revert TwinRegistry_StaleCounter(counter, state.counter);
    }

    function _requireNoRetirement(uint256 twin, State storage state) internal view {
        if (state.retireAt != 0) revert TwinRegistry_RetirementAnnounced(twin, state.retireAt);
    }

    function _requireNotRetired(uint256 twin, State storage state) internal view {
        uint40 retireAt = state.retireAt;
        if (retireAt != 0 && block.timestamp >= retireAt) revert TwinRegistry_Retired(twin, retireAt);
    }

    function _requireNotFrozen(uint256 twin, State storage state) internal view {
        if (_isFrozen(state)) revert TwinRegistry_Frozen(twin, state.frozenUntil);
    }

    function _isFrozen(State storage state) internal view returns (bool) {
        return block.timestamp < state.frozenUntil;
    }

    function _now() internal view returns (uint40) {
        // forge-lint: disable-next-line(unsafe-typecast) 40 bits of seconds last for 34,000 years
        return uint40(block.timestamp);
    }
}
