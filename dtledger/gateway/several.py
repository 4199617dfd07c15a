"""Several that stand between queue and writer, one after another: each takes the categories that it knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..client.parts import Remark, State
from ..errors import DtledgerError
from .ingest import Ingest
from .queue import Hour, Measured


class Several:
    """All of them, as one."""

    def __init__(self, *each: Ingest) -> None:
        self._each = each

    def hear(self, measured: Sequence[Measured]) -> None:
        for each in self._each:
            each.hear(measured)

    def take(self, hours: Sequence[Hour]) -> Sequence[Hour]:
        for each in self._each:
            hours = each.take(hours)
        return hours

    def waiting(self, most: int) -> Sequence[State | Remark]:
        return [part for each in self._each for part in each.waiting(most)]

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        for each in self._each:
            each.settle(parts, errors)

    def forget(self, hour: Hour) -> None:
        for each in self._each:
            each.forget(hour)

    def end(self, twins: Collection[int]) -> None:
        for each in self._each:
            each.end(twins)
