"""How much one custodian gives: snapshots a day under one grant, receipts a minute to one asker.

A grant is read once by those who need it, some of it again; a stolen key reads all that it can. A day may open twice
the hours that the grant's data can have, and `spare` snapshots more. Whoever asks for more is refused under a receipt
that says LIMIT, so that the patient sees it too, and an operator sees it in the metrics.

>>> from dtledger.types import Period
>>> DailyLimit(spare=100).most(Grant(data=Period(0, 30 * 1440 - 1)))
1540
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

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DailyLimit:
    """Snapshots that one grant may open within 24 hours."""

    spare: int = 1_000

    def most(self, grant: Grant) -> int:
        return 2 * -(-grant.data.minutes // 60) + self.spare

    def error(self, grant: Grant) -> LimitPassedError:
        return LimitPassedError(
            f"More than {self.most(grant)} snapshots were asked for under one grant within a day ({SNAPSHOTS_A_DAY}).",
            limit=SNAPSHOTS_A_DAY,
            reason=Reason.LIMIT,
            hint="Ask for a shorter period, or again tomorrow. If that was not you, tell the patient: renew the key.",
        )


class MinuteLimit:
    """Requests that one asker may make within 60 seconds, whatever comes of them: each fills the receipt log."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: dict[Address, deque[int]] = {}
        self._lock = threading.Lock()

    def count(self, asker: Address, at: int) -> None:
        """Count a request at unix seconds `at`.

        Raises:
            LimitPassedError: it is one too many; it is not counted.
        """
        with self._lock:
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
