"""Carrying: a signed call goes to a relay, the next relay, or at last from one's own account.

No relay is believed. What it says counts when this client's own node has the event; one that says yes while nothing
lands, or says nothing, is passed over after a short wait, and what it brings late counts as well. All are given the
same message, so whichever bring it, it lands once. What a relay still holds of a denial may land until its deadline and
would end a newer grant: until then, or until it landed, nothing is granted against it (design section 4).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from .._backend.files import locked, parse_json, write_atomically
from ..errors import DtledgerError, InputError, UnreachableError
from ..ledger import Call, Receipt, View
from ..ledger.rejections import InsufficientFundsError
from ..types import Address
from .context import Context
from .signing import Denial, Signed, sign

PATIENCE_SECONDS = 20.0
"""How long a relay's call may take to reach this client's own node."""

PAUSE_SECONDS = 0.25

LONGEST_SECONDS = 2 * 3600
"""No message of ours is good for longer."""


class Relay(Protocol):
    """Somebody who carries calls."""

    @property
    def name(self) -> str: ...

    def send(self, call: Call) -> str:
        """Ask it; the transaction that it names, if any.

        Raises:
            DtledgerError: it refuses, or does not answer.
        """
        ...


class Denials:
    """The denials of this key that were given away and may still land, in the file at `path`; None keeps them here.

    What is damaged stops no denial: it is put beside the file, and as long as something of it may land nothing is
    granted.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept: list[Denial] = []

    def remember(self, denials: Sequence[Denial]) -> None:
        """Before they are given to anybody."""
        if self._path is None:
            self._kept += denials
            return
        if not denials:
            return
        with locked(self._path):
            newest = max(each.deadline for each in denials)
            self._write([*(each for each in self._readable() if each.deadline > newest - LONGEST_SECONDS), *denials])

    def open(self, view: View, owner: Address, now: int) -> list[Denial]:
        """Those that have neither landed in `view` nor expired by the ledger's time `now`; the others are forgotten."""
        if self._path is None:
            self._kept = self._left(view, owner, now)
            return list(self._kept)
        self._require_whole(now)
        if not self._path.exists():
            return []
        with locked(self._path):  # from the look on: what another process gives away meanwhile must not be forgotten
            left = self._left(view, owner, now)
            if len(left) < len(self.all()):
                self._write(left)
        return left

    def _left(self, view: View, owner: Address, now: int) -> list[Denial]:
        return [each for each in self.all() if each.deadline >= now and not _landed(view, owner, each)]

    def all(self) -> list[Denial]:
        if self._path is None or not self._path.exists():
            return list(self._kept)
        try:
            return [Denial(**row) for row in parse_json(self._path.read_bytes(), 2**24, most_depth=2)]
        except (TypeError, ValueError) as error:
            raise DtledgerError(
                f"{self._path} cannot be read: {error}.", hint="Move it aside; a denial does that by itself."
            ) from error

    @property
    def _damaged(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f"{self._path.name}.damaged")

    def _readable(self) -> list[Denial]:
        """All, or none if the file is damaged, which goes aside."""
        assert self._path is not None
        try:
            return self.all()
        except DtledgerError:
            self._path.replace(self._damaged)
            os.utime(self._damaged)
            return []

    def _require_whole(self, now: int) -> None:
        """
        Raises:
            InputError: a damaged file may have held a denial that lands yet.
        """
        if self._damaged.exists() and now - self._damaged.stat().st_mtime < LONGEST_SECONDS:
            raise InputError(
                f"{self._damaged} may hold a denial of yours that is still under way and would end what you now give.",
                hint="Wait for two hours after that file's time, or remove it if you know that none is.",
            )

    def _write(self, denials: Sequence[Denial]) -> None:
        assert self._path is not None
        write_atomically(self._path, json.dumps([asdict(each) for each in denials]).encode())


def _landed(view: View, owner: Address, denial: Denial) -> bool:
    """Whether it can end no grant that is made from now on."""
    if denial.grantee is None:
        return view.epoch(owner, denial.twin) > denial.named
    if denial.number is None:
        return view.block_count(denial.twin, denial.grantee) > denial.named
    return view.grant(owner, denial.twin, denial.grantee, denial.number).revision >= denial.named


class Carrier:
    """What `Context.carry` is when there are relays. `wait` and `clock` count seconds."""

    def __init__(
        self,
        relays: Sequence[Relay],
        denials: Denials,
        patience: float = PATIENCE_SECONDS,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relays = relays
        self._denials = denials
        self._patience = patience
        self._wait = wait
        self._clock = clock
        self.passed_over: list[tuple[str, str]] = []
        """Relays that did not bring the last call, and why."""
        self._may_come = False

    def __call__(self, context: Context, call: Call) -> Receipt:
        """Carry the call, or send it from the key's own account.

        Raises:
            InputError: a denial of this key's may still land on what it permits.
            LedgerRejection: the contract refuses it.
            UnreachableError: no relay brings it, and this account cannot send it either.
        """
        signed = sign(context, call)
        if signed is None:
            return context.ledger.send(call, context.key)
        self._refuse_against(context, signed)
        self._denials.remember(signed.denials)
        self.passed_over, self._may_come = [], False
        start = context.ledger.head().number
        for relay in self._relays:
            receipt = self._try(context, relay, signed, start)
            if receipt is not None:
                return receipt
        return self._send(context, call, signed, start)

    def _try(self, context: Context, relay: Relay, signed: Signed, start: int) -> Receipt | None:
        transaction, why = "", "it said yes, and nothing landed"
        deadline = self._clock() + self._patience
        try:
            transaction = relay.send(signed.call)
        except DtledgerError as error:  # also a refusal: it may be a lie, and the next relay will say
            why, deadline = error.message, self._clock()
            self._may_come |= isinstance(error, UnreachableError)
        receipt = self._await(context, signed, start, transaction, deadline)
        if receipt is None:
            self.passed_over.append((relay.name, why))
        return receipt

    def _await(self, context: Context, signed: Signed, start: int, transaction: str, deadline: float) -> Receipt | None:
        while (receipt := _found(context, signed, start, transaction)) is None and self._clock() < deadline:
            self._wait(PAUSE_SECONDS)
        return receipt

    def _send(self, context: Context, call: Call, signed: Signed, start: int) -> Receipt:
        try:
            return context.ledger.send(call, context.key)
        except DtledgerError as error:
            cannot = bool(self._relays) and isinstance(error, UnreachableError | InsufficientFundsError)
            # a relay that gave no answer may bring it yet: that it failed is said when nothing came of it
            deadline = self._clock() + (self._patience if cannot and self._may_come else 0)
            if (receipt := self._await(context, signed, start, "", deadline)) is not None:
                return receipt
            if not cannot:
                raise
            told = "; ".join(f"{name}: {why}" for name, why in self.passed_over)
            raise UnreachableError(
                f"No relay brought this to the ledger ({told}), and this account cannot send it either.",
                hint="Run it again: what it names may have changed meanwhile. Else name another relay, or fund the "
                "account; a denial may still land within half an hour.",
            ) from error

    def _refuse_against(self, context: Context, signed: Signed) -> None:
        if signed.permits is not None:
            self.require_landed(context, *signed.permits)

    def require_landed(self, context: Context, twin: int, grantees: Collection[Address] | None = None) -> None:
        """Pass if no denial of this key's on the twin, that would end what these (by default any) are given, may still
        land.

        Raises:
            InputError: one may.
        """
        view = context.view()
        for each in self._denials.open(view, context.key.address, context.ledger.head().at):
            if each.twin == twin and (grantees is None or each.grantee is None or each.grantee in grantees):
                raise InputError(
                    "A denial of yours is still under way and would end what you now give.",
                    hint="Wait until it has landed, or until its deadline half an hour after it was signed.",
                )


def _found(context: Context, signed: Signed, start: int, transaction: str) -> Receipt | None:
    """The receipt of what the message brought about after the block `start`, as our own node has it."""
    later = [each for each in context.ledger.history().logged if each.place.block > start]
    first = next((each for each in later if signed.brings(each.event)), None)
    if first is None:
        return None
    same = [each.event for each in later if each.place.block == first.place.block]
    events = tuple(each for each in same if signed.brings(each) or signed.beside(each))
    return Receipt(transaction, first.place.block, first.at, 0, events)
