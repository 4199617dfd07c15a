"""`contracts/base/GuardedTwins.sol`."""

from __future__ import annotations

from ...ledger import AnnouncedMove
from ...ledger import guardians as messages
from ...ledger.events import Frozen, GuardiansSet, MoveAnnounced, MoveVetoed, Unfrozen
from ...ledger.guardians import GREATEST_DELAY, LEAST_DELAY, Guardians
from ...ledger.rejections import FormerOwnerError
from ...ledger.rejections.guardians import (
    FrozenBeforeError,
    InvalidDelayError,
    MoveBindingError,
    MoveNotAnnouncedError,
    MoveNotReadyError,
    NotAscendingError,
    NotFrozenError,
    NotGuardianError,
    TooFewGuardiansError,
    WrongGuardiansError,
)
from ...types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from .twin_store import TwinStore, owner_of

FREEZE = 30 * 86_400
FREEZE_REST = 365 * 86_400

Opening = tuple[int, list[Address], bytes]
Rows = list[tuple[Address, bytes]]


class GuardedTwins(TwinStore):
    """What guardians do to a twin, and what its owner does about them."""

    def set_guardians(self, twin: int, guardians: Digest, recovery_delay: int) -> None:
        self._set_guardians(twin, self._require_owner(twin), guardians, recovery_delay)

    def set_guardians_signed(
        self, twin: int, guardians: Digest, recovery_delay: int, counter: int, deadline: int, signature: bytes
    ) -> None:
        self._require_in_time(deadline)
        owner = owner_of(self._storage, twin)
        message = messages.set_guardians(self._deployment, twin, guardians, recovery_delay, counter, deadline)
        self._require_signed(owner, message, signature)
        self._require_counter(twin, counter)
        self._set_guardians(twin, owner, guardians, recovery_delay)

    def freeze(self, twin: int, counter: int, deadline: int, opening: Opening, signatures: Rows) -> None:
        message = messages.counted(self._deployment, "Freeze", twin, counter, deadline)
        together = self._require_guardians(twin, counter, deadline, message, opening, signatures)
        self._require_not_retired(twin)
        self._require_not_frozen(twin)
        state = self._state(twin)
        if not together and state.frozen_at and self._now < state.frozen_at + FREEZE_REST:
            raise FrozenBeforeError({"twin": twin, "frozenAt": state.frozen_at})
        until = self._now + FREEZE
        retire_at = max(state.retire_at, until) if state.retire_at else 0
        counter = self._change(twin, retire_at=retire_at, frozen_at=self._now, frozen_until=until)
        self._emit(Frozen(twin, until, retire_at, counter))

    def unfreeze(self, twin: int, counter: int, deadline: int, opening: Opening, signatures: Rows) -> None:
        message = messages.counted(self._deployment, "Unfreeze", twin, counter, deadline)
        self._require_guardians(twin, counter, deadline, message, opening, signatures)
        if not self._state(twin).is_frozen(self._now):
            raise NotFrozenError({"twin": twin})
        self._emit(Unfrozen(twin, self._change(twin, frozen_until=0)))

    def announce_move(
        self,
        twin: int,
        to: Address,
        counter: int,
        deadline: int,
        opening: Opening,
        signatures: Rows,
        recipient_signature: bytes,
    ) -> None:
        message = messages.announce_move(self._deployment, twin, to, counter, deadline)
        together = self._require_guardians(twin, counter, deadline, message, opening, signatures)
        self._require_own_or_signed(to, message, recipient_signature)
        self._require_no_retirement(twin)
        self._require_never_owner(twin, to)
        if to == owner_of(self._storage, twin):
            raise FormerOwnerError({"twin": twin, "to": to})
        state = self._state(twin)
        ready_at = self._now + state.recovery_delay
        binding = together and state.is_frozen(self._now)
        until = ready_at + FREEZE if binding else state.frozen_until
        counter = self._change(twin, frozen_until=until, move=AnnouncedMove(to, ready_at, binding))
        self._emit(MoveAnnounced(twin, to, ready_at, binding, until, counter))

    def complete_move(self, twin: int) -> None:
        move = self._announced(twin)
        if self._now < move.ready_at:
            raise MoveNotReadyError({"twin": twin, "readyAt": move.ready_at})
        self._move_to(twin, owner_of(self._storage, twin), move.to)

    def veto_move(self, twin: int) -> None:
        self._require_owner(twin)
        self._veto(twin)

    def veto_move_signed(self, twin: int, counter: int, deadline: int, signature: bytes) -> None:
        self._require_in_time(deadline)
        message = messages.counted(self._deployment, "VetoMove", twin, counter, deadline)
        self._require_signed(owner_of(self._storage, twin), message, signature)
        self._require_counter(twin, counter)
        self._veto(twin)

    def rescue_twin(self, twin: int, counter: int, deadline: int, opening: Opening, signatures: Rows) -> None:
        message = messages.counted(self._deployment, "RescueTwin", twin, counter, deadline)
        self._require_guardians(twin, counter, deadline, message, opening, signatures)
        self._cancel(twin)

    def _set_guardians(self, twin: int, owner: Address, guardians: Digest, recovery_delay: int) -> None:
        self._require_not_retired(twin)
        self._require_not_frozen(twin)
        fits = LEAST_DELAY <= recovery_delay <= GREATEST_DELAY
        if recovery_delay if guardians == ZERO_DIGEST else not fits:
            raise InvalidDelayError({"recoveryDelay": recovery_delay})
        counter = self._change(twin, guardians=guardians, recovery_delay=recovery_delay, move=None)
        self._emit(GuardiansSet(twin, owner, guardians, recovery_delay, counter))

    def _veto(self, twin: int) -> None:
        move = self._announced(twin)
        self._require_not_retired(twin)
        if move.binding and self._state(twin).is_frozen(self._now):
            raise MoveBindingError({"twin": twin, "to": move.to})
        self._emit(MoveVetoed(twin, self._change(twin, move=None)))

    def _announced(self, twin: int) -> AnnouncedMove:
        move = self._state(twin).move
        if move is None:
            raise MoveNotAnnouncedError({"twin": twin})
        return move

    def _require_guardians(
        self, twin: int, counter: int, deadline: int, message: Digest, opening: Opening, signatures: Rows
    ) -> bool:
        """Says whether all of them signed."""
        self._require_in_time(deadline, messages.MESSAGE_LIFE)
        needed, known, salt = opening
        opened, present = Guardians(needed, tuple(known), salt).digest, self._state(twin).guardians
        if opened != present:
            raise WrongGuardiansError({"opened": opened, "present": present})
        self._require_counter(twin, counter)
        before = ZERO_ADDRESS
        for guardian, signature in signatures:
            if int(guardian, 16) <= int(before, 16):
                raise NotAscendingError({"guardian": guardian})
            if guardian not in known:
                raise NotGuardianError({"twin": twin, "signer": guardian})
            self._require_signed(guardian, message, signature)
            before = guardian
        if needed == 0 or len(signatures) < needed:
            raise TooFewGuardiansError({"signed": len(signatures), "needed": needed})
        return len(signatures) == len(known)
