// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Guardians, GuardianSignature, IGuardedTwins} from "../interfaces/IGuardedTwins.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {TwinStore} from "./TwinStore.sol";

/// @title GuardedTwins
/// @notice What guardians do to a twin, and what its owner does about them.
///
/// STATES. A twin is frozen or not, and a move to another key is announced or not. A freeze ends by the guardians, by a
/// move, or by itself after 30 days; guardians who froze it within the last year do so again only all together. While it
/// is frozen nothing on it is permitted, its owner sets neither card nor guardians, neither announces nor cancels a
/// retirement nor moves it, and a retirement that was announced does not become final. An announced move is completed by
/// anyone once its delay is over; it ends by the owner's veto, by new guardians, by another announcement or by a move. One
/// that all guardians announced on a frozen twin is *binding*: it is not vetoed while the twin is frozen, and the twin
/// stays so until 30 days after the move is ready.
///
/// AUTHORITY. The owner names its guardians and the delay. As many of them as it said act together, all of them where all
/// are asked; they never read, write or permit anything. An owner's key that was stolen does not leave a frozen twin. Who
/// stole it before the freeze can name other guardians, or move the twin away: guardians are quick, or late.
///
/// TIME. All sign one message with the twin's counter and a deadline at most three days ahead, for people have to be asked
/// one after another. Every call here raises the counter, a veto too: what was vetoed is not announced again by the same
/// signatures, and a freeze that guardians ended does not come back.
///
/// PRIVACY. Until guardians act nothing stands on the ledger but a salted digest of who they are, and the delay. What they
/// do shows all of them, for ever: a new owner chooses anew, with a new salt.
///
/// LIVENESS. Every freeze ends by itself, and its owner can do then what it could before it. All guardians together can
/// begin another each time, and m of them can end one and so what was binding: they are as strong as their owner made them.
///
/// Invariants: on a frozen twin owner, card and guardians stay as they are, but for a move that guardians announced. A
/// retired twin is not frozen. A move that is not binding is completed only after the owner's whole delay without a veto.
/// Fewer guardians than the owner asked for change nothing.
abstract contract GuardedTwins is TwinStore {
    /// @notice The longest that a message of guardians may have to live, in seconds.
    uint256 public constant GUARDIANS_MESSAGE_LIFE = 3 days;

    uint40 private constant FREEZE = 30 days;
    uint40 private constant FREEZE_REST = 365 days;
    uint32 private constant LEAST_DELAY = 2 days;
    uint32 private constant GREATEST_DELAY = 30 days;

    /// @inheritdoc IGuardedTwins
    function setGuardians(uint256 twin, bytes32 guardians, uint32 recoveryDelay) external {
        _setGuardians(twin, _requireOwner(twin), guardians, recoveryDelay);
    }

    /// @inheritdoc IGuardedTwins
    function setGuardiansSigned(
        uint256 twin,
        bytes32 guardians,
        uint32 recoveryDelay,
        uint32 counter,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        address owner = ownerOf(twin);
        bytes32 message = TypedData.setGuardians(twin, guardians, recoveryDelay, counter, deadline);
        _requireSigned(owner, message, signature);
        _requireCounter(_states[twin], counter);
        _setGuardians(twin, owner, guardians, recoveryDelay);
    }

    /// @inheritdoc IGuardedTwins
    function freeze(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external {
        bytes32 message = TypedData.counted(TypedData.FREEZE, twin, counter, deadline);
        bool all = _requireGuardians(twin, counter, deadline, message, guardians, signatures);
        State storage state = _states[twin];
        _requireNotRetired(twin, state);
        _requireNotFrozen(twin, state);
        uint40 frozenAt = state.frozenAt;
        if (!all && frozenAt != 0 && block.timestamp < frozenAt + FREEZE_REST) {
            revert TwinRegistry_FrozenBefore(twin, frozenAt);
        }

        uint40 until = _now() + FREEZE;
        if (state.retireAt != 0 && state.retireAt < until) state.retireAt = until;
        (state.frozenAt, state.frozenUntil) = (_now(), until);
        emit Frozen(twin, until, state.retireAt, ++state.counter);
    }

    /// @inheritdoc IGuardedTwins
    function unfreeze(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external {
        bytes32 message = TypedData.counted(TypedData.UNFREEZE, twin, counter, deadline);
        _requireGuardians(twin, counter, deadline, message, guardians, signatures);
        State storage state = _states[twin];
        if (!_isFrozen(state)) revert TwinRegistry_NotFrozen(twin);
        state.frozenUntil = 0;
        emit Unfrozen(twin, ++state.counter);
    }

    /// @inheritdoc IGuardedTwins
    function announceMove(
        uint256 twin,
        address to,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures,
        bytes calldata recipientSignature
    ) external {
        bytes32 message = TypedData.moving(TypedData.ANNOUNCE_MOVE, twin, to, counter, deadline);
        bool all = _requireGuardians(twin, counter, deadline, message, guardians, signatures);
        _requireOwnOrSigned(to, message, recipientSignature);
        State storage state = _states[twin];
        _requireNoRetirement(twin, state);
        _requireNeverOwner(twin, to);
        if (to == ownerOf(twin)) revert TwinRegistry_FormerOwner(twin, to);

        state.readyAt = _now() + state.recoveryDelay;
        state.binding = all && _isFrozen(state);
        if (state.binding) state.frozenUntil = state.readyAt + FREEZE;
        _recipients[twin] = to;
        emit MoveAnnounced(twin, to, state.readyAt, state.binding, state.frozenUntil, ++state.counter);
    }

    /// @inheritdoc IGuardedTwins
    function completeMove(uint256 twin) external {
        uint40 readyAt = _states[twin].readyAt;
        if (readyAt == 0) revert TwinRegistry_MoveNotAnnounced(twin);
        if (block.timestamp < readyAt) revert TwinRegistry_MoveNotReady(twin, readyAt);
        _moveTo(twin, ownerOf(twin), _recipients[twin]);
    }

    /// @inheritdoc IGuardedTwins
    function vetoMove(uint256 twin) external {
        _requireOwner(twin);
        _vetoMove(twin);
    }

    /// @inheritdoc IGuardedTwins
    function vetoMoveSigned(uint256 twin, uint32 counter, uint40 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        _requireSigned(ownerOf(twin), TypedData.counted(TypedData.VETO_MOVE, twin, counter, deadline), signature);
        _requireCounter(_states[twin], counter);
        _vetoMove(twin);
    }

    /// @inheritdoc IGuardedTwins
    function rescueTwin(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) external {
        bytes32 message = TypedData.counted(TypedData.RESCUE_TWIN, twin, counter, deadline);
        _requireGuardians(twin, counter, deadline, message, guardians, signatures);
        _cancelRetirement(twin);
    }

    /// @inheritdoc IGuardedTwins
    function guardiansOf(uint256 twin) external view returns (bytes32 guardians, uint32 recoveryDelay) {
        return (_guardians[twin], _states[twin].recoveryDelay);
    }

    /// @inheritdoc IGuardedTwins
    function freezeOf(uint256 twin) external view returns (uint40 frozenAt, uint40 frozenUntil) {
        State storage state = _states[twin];
        return (state.frozenAt, state.frozenUntil);
    }

    /// @inheritdoc IGuardedTwins
    function moveOf(uint256 twin) external view returns (address to, uint40 readyAt, bool binding) {
        State storage state = _states[twin];
        return (_recipients[twin], state.readyAt, state.binding);
    }

    function _setGuardians(uint256 twin, address owner, bytes32 guardians, uint32 recoveryDelay) private {
        State storage state = _states[twin];
        _requireNotRetired(twin, state);
        _requireNotFrozen(twin, state);
        bool fits = recoveryDelay >= LEAST_DELAY && recoveryDelay <= GREATEST_DELAY;
        if (guardians == 0 ? recoveryDelay != 0 : !fits) revert TwinRegistry_InvalidDelay(recoveryDelay);

        _guardians[twin] = guardians;
        state.recoveryDelay = recoveryDelay;
        _endAnnouncement(twin, state);
        emit GuardiansSet(twin, owner, guardians, recoveryDelay, ++state.counter);
    }

    function _vetoMove(uint256 twin) private {
        State storage state = _states[twin];
        if (state.readyAt == 0) revert TwinRegistry_MoveNotAnnounced(twin);
        _requireNotRetired(twin, state);
        if (state.binding && _isFrozen(state)) revert TwinRegistry_MoveBinding(twin, _recipients[twin]);
        _endAnnouncement(twin, state);
        emit MoveVetoed(twin, ++state.counter);
    }

    function _endAnnouncement(uint256 twin, State storage state) internal {
        if (state.readyAt == 0) return;
        (state.readyAt, state.binding) = (0, false);
        delete _recipients[twin];
    }

    /// @dev Refuses what fewer of the twin's guardians signed than its owner asked for; says whether all of them did.
    function _requireGuardians(
        uint256 twin,
        uint32 counter,
        uint40 deadline,
        bytes32 message,
        Guardians calldata guardians,
        GuardianSignature[] calldata signatures
    ) private view returns (bool all) {
        _requireWithin(deadline, GUARDIANS_MESSAGE_LIFE);
        (bytes32 opened, bytes32 present) = (TypedData.hash(guardians), _guardians[twin]);
        if (opened != present) revert TwinRegistry_WrongGuardians(opened, present);
        _requireCounter(_states[twin], counter);

        address before;
        uint256 place = 0;
        address[] calldata known = guardians.addresses;
        for (uint256 i = 0; i < signatures.length; ++i) {
            address guardian = signatures[i].guardian;
            if (guardian <= before) revert TwinRegistry_NotAscending(guardian);
            while (place < known.length && known[place] < guardian) ++place;
            if (place == known.length || known[place] != guardian) revert TwinRegistry_NotGuardian(twin, guardian);
            _requireSigned(guardian, message, signatures[i].signature);
            before = guardian;
        }
        if (guardians.needed == 0 || signatures.length < guardians.needed) {
            revert TwinRegistry_TooFewGuardians(signatures.length, guardians.needed);
        }
        return signatures.length == known.length;
    }
}
