"""A custodian's sense of time: it decides by its node's head, and has it renewed when it is old."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import HeadTooOldError, LedgerRejection, UnreachableError
from ..ledger import Ledger, Now, Receipt, Sender, Tip
from ..snapshots.signed import Signer

FRESHNESS = 120
"""How far the time of what was signed for a custodian may lie from its clock, in seconds."""


class Identity(Signer, Sender, Protocol):
    """A custodian's key signs receipts and, for heartbeats, transactions."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a custodian waits for another one's heartbeat first: part `draw()` of `seconds`, by `wait`."""

    seconds: float
    draw: Callable[[], float] = random.random
    wait: Callable[[float], object] = time.sleep


AT_ONCE = Patience(0)


class Timekeeper:
    """Knows the time as long as the chain makes blocks, and asks it for one when it has not: by a transaction that is
    due anyway (`due` sends it, or gives None), else by a heartbeat.

    A head is old by the clock, or once it has stood still for as long by `ticks` (seconds that nobody sets): a clock
    that is behind makes no old head young. To a clock that is ahead each block is old as it comes, and no heartbeat
    helps: then one is sent as often as a head may grow old, and not for each request.

    A node that goes back behind a block that was decided by, for as long as a head may be old, is not believed: where
    several answer in turn one may lag, and what was refused by a revocation would be permitted again.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: Identity,
        clock: Callable[[], int],
        max_head_age: int,
        due: Callable[[], Receipt | None],
        patience: Patience,
        ticks: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._clock = clock
        self._ticks = ticks
        self._first_seen = -1, 0.0
        self._max_head_age = max_head_age
        self._due = due
        self._patience = patience
        self._newest = -1, 0.0
        """The highest block that was decided by, and when it was seen last."""
        self._futile = -1, 0.0
        """The newest block of a heartbeat that was old as it came, and when that was."""
        self._beating = threading.Lock()

    def now(self) -> Now:
        """The tip to decide by; an old one is renewed by one heartbeat.

        Raises:
            HeadTooOldError: no new block came, or the node went back.
            UnreachableError: the node does not answer.
        """
        return Now.of(self.renew(self._tip()), self._clock())

    def _tip(self) -> Tip:
        number, _ = self._newest  # before the node is asked: of two threads the later one is not gone back
        tip = self._ledger.tip()
        now = self._ticks()
        if tip.head.number >= self._newest[0] or now - self._newest[1] > self._max_head_age:
            self._newest = tip.head.number, now
        elif tip.head.number < number:
            raise HeadTooOldError(
                f"The node goes back: it gives block {tip.head.number} for its newest, after block {number}, so "
                "nothing is permitted.",
                hint="Let this custodian ask one node, its own; what several answer in turn is not one chain.",
            )
        return tip

    def renew(self, tip: Tip) -> Tip:
        """`tip`, or a newer one if it is old. Raises as `now`."""
        if tip.head.number < self._newest[0]:  # another request may have seen a newer one since; or the node goes back
            tip = self._tip()
        if not self._is_old(tip):
            return tip
        with self._beating:  # one heartbeat does for all who wait
            return self._beat(tip)

    def _beat(self, old: Tip) -> Tip:
        try:
            tip = self._tip()  # another request may have renewed it while this one waited for its turn
            if self._is_old(tip):
                tip = self._awaited()
            if self._is_old(tip):
                tip = self._renewed(tip)
        except HeadTooOldError:
            raise
        except (UnreachableError, LedgerRejection) as error:
            raise self._frozen(old) from error
        if self._is_old(tip):
            raise self._frozen(tip)
        return tip

    def _renewed(self, old: Tip) -> Tip:
        """The tip after a transaction of ours; as it is if the last one did not help, a while ago."""
        number, at = self._futile
        if old.head.number == number and self._ticks() - at <= self._max_head_age:
            return old
        if self._due() is None:
            self._ledger.heartbeat(self._key)
        tip = self._tip()
        if self._clock() - tip.head.at > self._max_head_age:
            self._futile = tip.head.number, self._ticks()
        return tip

    def _awaited(self) -> Tip:
        """The tip after a while in which another custodian's heartbeat may come."""
        if self._patience.seconds:
            self._patience.wait(self._patience.seconds * self._patience.draw())
        return self._tip()

    def _is_old(self, tip: Tip) -> bool:
        age = self._age(tip)
        return age > self._max_head_age

    def _age(self, tip: Tip) -> int:
        """Of the head, in seconds: by the clock, or since it was first seen here."""
        now, (number, since) = self._ticks(), self._first_seen
        if tip.head.number > number:  # of several nodes one may lag
            self._first_seen, since = (tip.head.number, now), now
        return max(self._clock() - tip.head.at, int(now - since))

    def _frozen(self, tip: Tip) -> HeadTooOldError:
        return HeadTooOldError(
            f"Block {tip.head.number} is {self._age(tip)} s old and no newer one came, so nothing is permitted.",
            hint="Check that the chain makes blocks, that this custodian's account can pay for a heartbeat, and its "
            "clock.",
        )
