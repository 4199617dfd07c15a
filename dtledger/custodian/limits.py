"""How much one custodian gives: snapshots a day under one grant, receipts a minute to one asker, refusals a day.

A grant is read once by those who need it, some of it again; a stolen key reads all that it can. A day may open twice
the hours that the grant's data can have, and `spare` snapshots more; but never more than `greatest`, for a grant of all
that was ever written has hours without end. Whoever asks for more is refused under a receipt
that says LIMIT, so that the patient sees it too, and an operator sees it in the metrics.

>>> from dtledger.types import Period
>>> DailyLimit(spare=100).most(Grant(data=Period(0, 30 * 1440 - 1)))
1540
>>> DailyLimit(spare=100, greatest=50_000).most(Grant(data=Period(0, 2**30 - 1)))
50000
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from ..errors import LimitPassedError
from ..policy import Grant
from ..types import Address
from ..vocabulary import Reason

__all__ = ["DAY_SECONDS", "DailyLimit", "MinuteLimit"]

SNAPSHOTS_A_DAY = "snapshots_a_day"
RECEIPTS_A_MINUTE = "receipts_a_minute"
REFUSED_A_DAY = "refused_a_day"

MOST_REFUSED = 20_000
"""Snapshots that one asker is refused within 24 hours: each stands in a receipt, and its patient reads them all."""

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
    was refused `most_refused` snapshots within 24 hours makes none."""

    def __init__(self, most: int, most_refused: int = MOST_REFUSED) -> None:
        self._most = most
        self._most_refused = most_refused
        self._asked: dict[Address, deque[int]] = {}
        self._refused: dict[Address, _Refused] = {}
        self._lock = threading.Lock()

    def note_refused(self, asker: Address, at: int, snapshots: int) -> None:
        """So many were refused at unix seconds `at`, and stand in a receipt."""
        with self._lock:
            self._refused.setdefault(asker, _Refused()).add(at, snapshots)

    def count(self, asker: Address, at: int) -> None:
        """Count a request at unix seconds `at`.

        Raises:
            LimitPassedError: it is one too many; it is not counted.
        """
        with self._lock:
            self._require_few_refused(asker, at)
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

    def _require_few_refused(self, asker: Address, at: int) -> None:
        refused = self._refused.get(asker)
        if refused is not None and refused.since(at - DAY_SECONDS) >= self._most_refused:
            raise LimitPassedError(
                f"{self._most_refused} snapshots were refused within a day ({REFUSED_A_DAY}).",
                limit=REFUSED_A_DAY,
                reason=Reason.LIMIT,
                hint="Ask for what is granted, or again tomorrow: `dtledger consent explain` says what is.",
            )


class _Refused:
    """What one asker was refused, and how much that is in all: a sum that is asked for at every request."""

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
