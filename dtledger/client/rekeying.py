"""Rekeying: a twin's next generation, so that what is written from then on opens with no key that was given before.

The new secret is in the key file before anything depends on it, and is written under only once it is announced: every
live grant gets a package with all generations, and the same words granted again name it. Those who read get theirs
before those who write, so nothing is written that a reader of before cannot open. Each regrant names the slot as it
stands, so a grantee's own revocation that comes between is not undone. What was cut short goes on where it stopped: the
key file names the packages that were made for it.

Warning: while several grants each both read and write, on different terms, one of them may for the length of a
transaction write what the other cannot open yet.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ..errors import CannotCheckError, InputError, IntegrityError
from ..ledger import GrantRecord, Receipt, Slot, calls, messages
from ..ledger.rejections import StaleEpochError, StaleRevisionError
from ..ledger.rejections.guardians import FrozenError
from ..ledger.signed import SignedGrantMany, SignedRecipient
from ..store import BlockMissingError
from ..types import Digest
from ..vocabulary import Action
from .consents import Consents
from .recovery import Recovering
from .terms import GrantState

RECIPIENTS = 100
"""Most grants in one transaction."""

ATTEMPTS = 5
"""How often it looks again when a slot was changed under its hands."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a rekey did: `sealed` were granted again; `left` have no new package (blocked, or no key to seal to) and
    open nothing that is written from now on, until `Consents.reseal`."""

    generation: int
    sealed: tuple[Slot, ...]
    left: tuple[Slot, ...]
    receipts: tuple[Receipt, ...]


class Rekeying(Recovering):
    """The part of `Twins` that begins generations; what may recover a twin holds each new one."""

    def generation(self, twin: int) -> int:
        """The newest generation of an own twin. Raises KeyFileError if this key has no secrets of it."""
        return self._context.key.secrets.twin(self._context.deployment.origin, twin).latest

    def is_rekeying(self, twin: int) -> bool:
        """Whether a rekey was cut short: `rekey` goes on with it."""
        return self._context.key.secrets.rekeying(self._context.deployment.origin, twin) is not None

    def to_package(self, twin: int) -> tuple[list[GrantRecord], list[GrantRecord]]:
        """The grants that a rekey gives (or has yet to give) new packages, those who read alone first, and those that
        it leaves as they are because their grantees are blocked."""
        consents, view = Consents(self._context), self._context.view()
        states = [(each, consents.state(each, view)) for each in view.records(self._context.key.address, twin)]
        live = [each for each, state in states if state in (GrantState.LIVE, GrantState.SLEEPING)]
        packages = self._context.key.secrets.rekeying(self._context.deployment.origin, twin) or ()
        waiting = [each for each in live if each.package not in packages]
        return sorted(waiting, key=_order), [each for each, state in states if state is GrantState.BLOCKED]

    def rekey(self, twin: int) -> Rekeyed:
        """Begin the twin's next generation, or go on where that was cut short.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: the twin is retired, or is to be.
            FrozenError: its guardians have frozen it.
            StaleRevisionError: slots were changed again and again meanwhile; run it again.
            UnreachableError: ledger or store does not answer; run it again.
        """
        context = self._context
        view, deployment = context.view(), context.deployment.origin
        context.require_owner(twin, view)
        if view.retired(twin):
            raise InputError(f"Twin {twin} is retired, or is to be: nothing more is written to it.")
        state = view.state(twin)
        if state.is_frozen(context.now().latest):  # before anything changes: the card could not follow
            raise FrozenError({"twin": twin, "frozenUntil": state.frozen_until})
        fresh = random.token_bytes(32)
        secrets = context.key.update(lambda held: held.with_rekey(deployment, twin, fresh)).twin(deployment, twin)
        sealed: dict[Slot, None] = {}
        left: dict[Slot, None] = {}
        receipts: list[Receipt] = []
        for attempt in range(1, ATTEMPTS + 1):
            waiting, blocked = self.to_package(twin)
            try:
                for group in _groups(each for each in waiting if each.slot not in left):
                    receipt, slots = self._regrant(twin, group, left)
                    sealed |= dict.fromkeys(slots)
                    receipts += [receipt] if receipt else []
            except (StaleRevisionError, StaleEpochError):
                if attempt == ATTEMPTS:
                    raise
                continue
            break
        recovery = self.keep_recovery(twin)
        receipts += [recovery] if recovery else []
        context.key.update(lambda held: held.without_rekey(deployment, twin))
        stopped = (*left, *(each.slot for each in blocked))
        return Rekeyed(secrets.latest, tuple(sealed), stopped, tuple(receipts))

    def _regrant(
        self, twin: int, group: list[GrantRecord], left: dict[Slot, None]
    ) -> tuple[Receipt | None, tuple[Slot, ...]]:
        """One transaction: the same words again, exactly where they stand, with new packages."""
        context = self._context
        consents = Consents(context)
        packages: dict[Slot, Digest] = {}
        for each in group:
            try:
                packages[each.slot] = consents.package(each.slot, consents.terms_of(each))
            except (CannotCheckError, BlockMissingError, IntegrityError):  # this grantee's key is not to be had
                left[each.slot] = None
        if not packages:
            return None, ()
        made = tuple(packages.values())
        context.key.update(lambda held: held.with_packages(context.deployment.origin, twin, made))
        message = SignedGrantMany(
            context.key.address,
            twin,
            group[0].grant.terms,
            tuple(
                SignedRecipient(each.slot.grantee, each.slot.number, packages[each.slot], each.grant.revision)
                for each in group
                if each.slot in packages
            ),
            group[0].grant.epoch,
            context.deadline(),
        )
        signature = context.key.sign_digest(messages.grant_many(context.deployment, message))
        return context.send(calls.grant_many_signed(message, signature)), tuple(packages)


def _order(record: GrantRecord) -> tuple[int, int]:
    """Who reads alone first, who writes alone last; of these, the same terms together."""
    writes = bool(record.grant.actions & Action.WRITE.mask)
    return writes + (record.grant.actions == Action.WRITE.mask), record.grant.terms.pack()


def _groups(records: Iterable[GrantRecord]) -> Iterator[list[GrantRecord]]:
    """Grants of the same terms, as many as one transaction takes."""
    for _, alike in groupby(records, _order):
        waiting = list(alike)
        for start in range(0, len(waiting), RECIPIENTS):
            yield waiting[start : start + RECIPIENTS]
