"""What stands between a gateway's queue and its writer: it takes the readings, marks them, and says what is written
beside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ..client.parts import Remark, State
from ..errors import DtledgerError
from .queue import Hour, Measured


class Ingest(Protocol):
    """`twins.Twins` and `vital_signs.VitalSigns` are."""

    def hear(self, measured: Sequence[Measured]) -> None:
        """These have come, and are on the disk; from any thread."""

    def take(self, hours: Sequence[Hour]) -> Sequence[Hour]:
        """What shall be written of the hours."""

    def waiting(self, most: int) -> Sequence[State | Remark]:
        """What is to be written beside them."""

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        """Each of those is anchored, or is not and why."""

    def forget(self, hour: Hour) -> None:
        """The hour's readings went to their owner, who does not let them be written."""

    def end(self, twins: Collection[int]) -> None:
        """These twins have ended."""


class Several:
    """All of these as one, one after another: each takes the categories that it knows. Without any, hours stay as they
    are, and nothing is said beside."""

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


NO_TWINS = Several()
