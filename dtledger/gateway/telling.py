"""What a gateway tells of its twins beside the readings: their states, and marks of what it anchored before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from ..client.parts import Remark, State
from ..encoding import CID
from ..errors import AccessDeniedError, DtledgerError, IntegrityError
from ..ledger import Deployment
from ..readings import Reading
from ..snapshots.manifest import Manifest
from ..store import BlockMissingError, BlockStore
from ..twin import batch
from ..twin.keeper import Keeper, Memory
from ..twin.past import LONG_AGO
from ..twin.snapshot import StateSnapshot, encode_states, glucose_model, untold
from ..types import Digest
from ..vocabulary import Reason
from .known import Book
from .queue import Hour, ReadingQueue

log = logging.getLogger(__name__)

FORECAST = "forecast"
"""The category of states: whoever may open it needs no readings."""

REMARKED = "the twin's gate judges these readings otherwise since"


class Telling:
    """Tells what `book` knows and what the queue lent. `refused` are twins whose states could not be told when that was
    tried last, and why."""

    def __init__(
        self, queue: ReadingQueue, book: Book[Memory], keeper: Keeper, deployment: Deployment, store: BlockStore
    ) -> None:
        self._queue = queue
        self._book = book
        self._model = glucose_model(keeper.prior)
        self._deployment = deployment
        self._store = store
        self._lent: dict[Digest, list[int]] = {}
        self.refused: dict[int, Reason | None] = {}

    def waiting(self, most: int) -> list[State | Remark]:
        """What is to be written beside the hours: states, and marks of what is anchored."""
        return [*self._states(most), *self._remarks(most)]

    def _states(self, most: int) -> list[State]:
        known, memory = self._book.untold(most)
        if memory is None:
            return []
        minutes = memory.twin.origin_times[-1]
        begun = [place for place, minute in enumerate(minutes) if minute != LONG_AGO]
        self._queue.twins.settle([self._book.name(known[place].twin) for place in {*range(len(known))} - {*begun}])
        some = untold(batch.of(memory.twin, np.array(begun, dtype=np.intp)))
        known = [known[place] for place in begun]
        times = [each.seconds(float(minutes[place])) for each, place in zip(known, begun, strict=True)]
        told = [
            StateSnapshot(None, at, each.innovation, each.nis, each.flags)
            for each, at in zip(known, times, strict=True)
        ]
        contents = encode_states(self._model, told, some)
        return [
            State(each.twin, FORECAST, at // 60, content)
            for each, at, content in zip(known, times, contents, strict=True)
        ]

    def _remarks(self, most: int) -> list[Remark]:
        self._lent.clear()
        by_snapshot: dict[str, tuple[Hour, list[Reading]]] = {}
        for part, rows in self._queue.twins.lent().items():
            hour, changed = self._queue.hour(part, self._queue.twins.lent(part)[part]), {row.number for row in rows}
            every = [*zip(hour.readings, hour.rows, strict=True)] if hour else []
            times = {(row.manifest, reading.seconds) for reading, row in every if row.number in changed}
            for reading, row in every:
                if (row.manifest, reading.seconds) not in times:
                    continue
                assert hour is not None
                assert row.manifest is not None
                by_snapshot.setdefault(row.manifest, (hour, []))[1].append(reading)  # a correction replaces by seconds
                if row.number in changed:
                    self._lent.setdefault(CID.decode(row.manifest).digest, []).append(row.number)
        found = []
        for manifest, (hour, readings) in [*by_snapshot.items()][:most]:
            cid = CID.decode(manifest)
            with suppress(IntegrityError, BlockMissingError):  # it is tried again with the next batch
                period = Manifest.read(self._deployment, self._store.get(cid))[0].period
                found.append(Remark(hour.twin, hour.category, cid.digest, period, tuple(readings), REMARKED))
        return found

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        """What became of each: what consent does not cover is passed over, and said in the status."""
        told: list[bytes] = []
        remarked: list[int] = []
        for part, error in zip(parts, errors, strict=True):
            if isinstance(part, State):
                if part.category != FORECAST:
                    continue
                told.append(self._book.name(part.twin))
                self._note(part.twin, error)
            elif error is None or isinstance(error, AccessDeniedError):
                remarked += self._lent.get(part.digest, [])
        self._queue.twins.settle(told, remarked)

    def _note(self, twin: int, error: DtledgerError | None) -> None:
        if error is None:
            self.refused.pop(twin, None)
            return
        reason = getattr(error, "reason", None)
        self.refused[twin] = reason
        log.warning("a twin's state is not told: %s", getattr(reason, "name", type(error).__name__))
