"""When it is, for one decision: the head to decide by, and the span between its time and the clock's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import HeadTooOldError, LedgerRejection, UnreachableError
from ..ledger import Ledger, Sender
from ..snapshots.signed import Signer
from ..types import Head


class Identity(Signer, Sender, Protocol):
    """A custodian's key signs receipts and, for heartbeats, transactions."""


@dataclass(frozen=True, slots=True)
class Now:
    """One decision's place in time: the head, and the earlier and the later of its time and the clock's."""

    head: Head
    earliest: int
    latest: int


class Timekeeper:
    """Knows the time as long as the chain makes blocks, and asks it for one when it has not."""

    def __init__(self, ledger: Ledger, key: Identity, clock: Callable[[], int], max_head_age: int) -> None:
        self._ledger = ledger
        self._key = key
        self._clock = clock
        self._max_head_age = max_head_age

    def now(self) -> Now:
        """The head to decide by; an old one is renewed by one heartbeat.

        Raises:
            HeadTooOldError: no new block came.
            UnreachableError: the node does not answer.
        """
        head = self._ledger.head()
        if self._clock() - head.at > self._max_head_age:
            head = self._beat(head)
        clock = self._clock()
        return Now(head, min(clock, head.at), max(clock, head.at))

    def _beat(self, old: Head) -> Head:
        try:
            self._ledger.heartbeat(self._key)
            head = self._ledger.head()
        except (UnreachableError, LedgerRejection) as error:
            raise self._frozen(old) from error
        if self._clock() - head.at > self._max_head_age:
            raise self._frozen(head)
        return head

    def _frozen(self, head: Head) -> HeadTooOldError:
        return HeadTooOldError(
            f"Block {head.number} is {self._clock() - head.at} s old and no newer one came, so nothing is permitted.",
            hint="Check that the chain makes blocks and that this custodian's account can pay for a heartbeat.",
        )
