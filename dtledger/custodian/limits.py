"""How much one custodian gives: snapshots a day under one grant; to one asker receipts a minute, snapshots and refusals
a day, and so many snapshots at a time.

A grant is read once by those who need it, some of it again; a stolen key reads all that it can. A day may open twice
the hours that the grant's data can have, and `spare` snapshots more; but never more than `greatest`, for a grant of all
that was ever written has hours without end. Whoever asks for more is refused under a receipt
that says LIMIT, so that the patient sees it too, and an operator sees it in the metrics.

What a grant may open bounds nobody who reads a twin of their own, or sends one request again and again: of these, too,
each costs as much work as it has snapshots, and stands in the log with all of them. So one asker may ask for so many a
day, whatever comes of it, and the others' requests have their turn meanwhile.

>>> from dtledger.types import Period
>>> DailyLimit(spare=100).most(Grant(data=Period(0, 30 * 1440 - 1)))
1540
>>> DailyLimit(spare=100, greatest=50_000).most(Grant(data=Period(0, 2**30 - 1)))
50000
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import LimitPassedError
from ..policy import Grant
from ..types import Address
from ..vocabulary import Reason

__all__ = ["DAY_SECONDS", "DailyLimit", "LimitAtOnce", "MinuteLimit"]

SNAPSHOTS_A_DAY = "snapshots_a_day"
RECEIPTS_A_MINUTE = "receipts_a_minute"
REFUSED_A_DAY = "refused_a_day"
ASKED_A_DAY = "asked_a_day"
SNAPSHOTS_AT_ONCE = "snapshots_at_once"

MOST_REFUSED = 20_000
"""Snapshots that one asker is refused within 24 hours: each stands in a receipt, and its patient reads them all."""

MOST_ASKED = 500_000
"""Snapshots that one asker asks for within 24 hours: 28 categories of two years, hourly. They take a minute of
work and 20 MB of the log."""

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DailyLimit:
    """Snapshots that one grant may open within 24 hours."""

    spare: int = 1_000
    greatest: int = 50_000

    def most(self, grant: Grant) -> int:
        return min(2 * -(-grant.data.minutes // 60) + self.spare, self.greatest)

    def error(self, grant: Grant) -> LimitPassedError:
        return LimitPassedError(
            f"More than {self.most(grant)} snapshots were asked for under one grant within a day ({SNAPSHOTS_A_DAY}).",
            limit=SNAPSHOTS_A_DAY,
            reason=Reason.LIMIT,
            hint="Ask for a shorter period, or again tomorrow. If that was not you, tell the patient: renew the key.",
        )


class MinuteLimit:
    """Requests that one asker may make within 60 seconds, whatever comes of them: each fills the receipt log. Whoever
    was refused `most_refused` snapshots within 24 hours, or asked for `most_asked`, makes none."""

    def __init__(self, most: int, most_refused: int = MOST_REFUSED, most_asked: int = MOST_ASKED) -> None:
        self._most = most
        self._most_refused = most_refused
        self._most_asked = most_asked
        self._asked: dict[Address, deque[int]] = {}
        self._refused: dict[Address, _Snapshots] = {}
        self._asked_for: dict[Address, _Snapshots] = {}
        self._lock = threading.Lock()

    def note_refused(self, asker: Address, at: int, snapshots: int) -> None:
        """So many were refused at unix seconds `at`, and stand in a receipt."""
        with self._lock:
            self._refused.setdefault(asker, _Snapshots()).add(at, snapshots)

    def count(self, asker: Address, at: int, snapshots: int) -> None:
        """Count a request for so many at unix seconds `at`.

        Raises:
            LimitPassedError: it is one too many; it is not counted.
        """
        with self._lock:
            self._require_few_refused(asker, at)
            self._require_few_asked(asker, at, snapshots)
            asked = self._asked.setdefault(asker, deque())
            while asked and asked[0] <= at - 60:
                asked.popleft()
            if len(asked) >= self._most:
                raise LimitPassedError(
                    f"More than {self._most} requests came within a minute ({RECEIPTS_A_MINUTE}).",
                    limit=RECEIPTS_A_MINUTE,
                    reason=Reason.LIMIT,
                    hint="Ask for many snapshots in one request, or again in a minute.",
                )
            asked.append(at)
            self._asked_for.setdefault(asker, _Snapshots()).add(at, snapshots)

    def _require_few_refused(self, asker: Address, at: int) -> None:
        refused = self._refused.get(asker)
        if refused is not None and refused.since(at - DAY_SECONDS) >= self._most_refused:
            raise LimitPassedError(
                f"{self._most_refused} snapshots were refused within a day ({REFUSED_A_DAY}).",
                limit=REFUSED_A_DAY,
                reason=Reason.LIMIT,
                hint="Ask for what is granted, or again tomorrow: `dtledger consent explain` says what is.",
            )

    def _require_few_asked(self, asker: Address, at: int, snapshots: int) -> None:
        asked = self._asked_for.get(asker)
        if asked is not None and asked.since(at - DAY_SECONDS) + snapshots > self._most_asked:
            raise LimitPassedError(
                f"More than {self._most_asked} snapshots were asked for within a day ({ASKED_A_DAY}).",
                limit=ASKED_A_DAY,
                reason=Reason.LIMIT,
                hint="Ask again tomorrow. If that was not you: renew the key.",
            )


class LimitAtOnce:
    """Snapshots of one asker that are worked on at a time, or one request: more would keep all others waiting, and many
    small ones do not."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._present: Counter[Address] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, asker: Address, snapshots: int) -> Iterator[None]:
        """For a request for so many, until this ends.

        Raises:
            LimitPassedError: as many are worked on.
        """
        with self._lock:
            present = self._present[asker]
            if present and present + snapshots > self._most:
                raise LimitPassedError(
                    f"More than {self._most} snapshots were asked for at a time ({SNAPSHOTS_AT_ONCE}).",
                    limit=SNAPSHOTS_AT_ONCE,
                    reason=Reason.LIMIT,
                    hint="Ask for one part after the other.",
                )
            self._present[asker] += snapshots
        try:
            yield
        finally:
            with self._lock:
                self._present -= Counter({asker: snapshots})  # whose count is 0 goes


class _Snapshots:
    """Snapshots of one asker, and how many they are in all: a sum that is asked for at every request."""

    def __init__(self) -> None:
        self._each: deque[tuple[int, int]] = deque()
        self._sum = 0

    def add(self, at: int, snapshots: int) -> None:
        self._each.append((at, snapshots))
        self._sum += snapshots

    def since(self, at: int) -> int:
        """How many after unix seconds `at`; what was before is forgotten."""
        while self._each and self._each[0][0] <= at:
            self._sum -= self._each.popleft()[1]
        return self._sum
