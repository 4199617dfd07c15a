"""The pump: from the queue into the store and onto the ledger, however long either is away.

One step takes the hours that are over (or have waited `batch_seconds`), writes them as one batch, anchors it, reads
every snapshot back from the store, and only then forgets the readings. A step that dies anywhere is gone on with by the
next: the writer's journal knows which readings are in a batch that counts, the queue knows what they were written as.
What the right to write does not cover any more waits `renewal_seconds` for a new grant, then goes sealed to the owner;
what is of a twin that has ended is destroyed.

`twins` stand between queue and writer: they take the readings, mark them, and say what is written beside.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from .._backend.queue_file import Kept
from ..client import Context, Writer
from ..client.parts import Part, PartWritten, Remark, State
from ..encoding import CID
from ..errors import AccessDeniedError, BusyError, DtledgerError, UnreachableError
from ..readings import Content
from ..snapshots.unanchored import seal_unanchored
from ..types import Address
from ..vocabulary import Reason
from .freshness import Freshness
from .ingest import NO_TWINS, Ingest
from .queue import Hour, ReadingQueue, without
from .sweeper import ended

log = logging.getLogger(__name__)

JUDGED_AGAIN = "glucose"
"""Whose gate may think better of what is anchored."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a pump works, in seconds: the longest that a reading waits for its hour, how long it waits for a new grant,
    between looks into an empty queue, and between tries at first and at most. `snapshots` are the most in one batch,
    `share` those of one twin: what piled up of it keeps no other waiting."""

    batch_seconds: int = 3600
    renewal_seconds: int = 86_400
    idle_seconds: float = 5.0
    retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0
    snapshots: int = 1024
    share: int = 96

    def backoff(self, failures: int, dice: Callable[[], float]) -> float:
        """Seconds to the next try: doubled each time, and half of it by chance, so that gateways that lost one node do
        not come back as one."""
        whole = min(self.retry_seconds * 2.0 ** min(failures - 1, 30), self.longest_retry_seconds)
        return whole * (0.5 + dice() / 2)


@dataclass(slots=True)
class Told:
    """What a pump did since it began, for status and metrics: counts, and names of errors alone."""

    anchored: int = 0
    """Readings whose snapshots are anchored and read back."""
    handed_over: int = 0
    """Readings that went sealed to their owners."""
    waiting: int = 0
    """Hours that could not be written when they were tried last."""
    failures: int = 0
    """Steps that failed one after another, up to now."""
    error: str = ""
    """The class of the error that the last step failed by; empty if it did not."""


@dataclass(slots=True)
class _Deferred:
    """An hour that is not tried before `until`."""

    until: float
    failures: int


class Pump:
    """Empties one queue by one key. `step` is for one thread at a time.

    Args:
        dice: a number from 0 to 1, for the jitter.
        strange: the rows of an hour that are not to be written (`Devices.strange`): they go sealed to the owner.
    """

    def __init__(
        self,
        context: Context,
        writer: Writer,
        queue: ReadingQueue,
        pace: Pace = Pace(),
        twins: Ingest = NO_TWINS,
        dice: Callable[[], float] = random.random,
        strange: Callable[[Hour], Collection[int]] = lambda _: (),
    ) -> None:
        self._context = context
        self._writer = writer
        self._queue = queue
        self._pace = pace
        self._twins = twins
        self._dice = dice
        self._strange = strange
        self._deferred: dict[bytes, _Deferred] = {}
        self.freshness = Freshness(queue)
        self.told = Told()

    def run(self, stop: threading.Event, wait: Callable[[float], object] | None = None) -> None:
        """Step until `stop` is set. `wait` waits that many seconds, by default until `stop`."""
        wait = wait or stop.wait
        while not stop.is_set():
            wait(self.once())

    def once(self) -> float:
        """One step, whatever comes of it; the seconds to wait before the next."""
        try:
            moved = self.step()
        except Exception as error:  # noqa: BLE001 whatever it is: a pump that ends takes its queue with it
            self.told.failures += 1
            self.told.error = type(error).__name__
            log.warning("a batch waits: %s, try %d", type(error).__name__, self.told.failures)
            return self._pace.backoff(self.told.failures, self._dice)
        self.told.failures, self.told.error = 0, ""
        return 0.0 if moved else self._pace.idle_seconds

    def step(self) -> int:
        """One batch; returns how many readings left the queue.

        Raises:
            UnreachableError: ledger or store does not answer.
            DtledgerError: queue or journal cannot be written.
        """
        now = self._context.clock()
        self._deferred = {part: each for part, each in self._deferred.items() if each.until > now or each.failures}
        longest = self._pace.longest_retry_seconds  # whose time lies beyond was deferred before the clock ran back
        skip = {part for part, each in self._deferred.items() if 0 < each.until - now <= longest}
        hours = self._queue.due(now - self._pace.batch_seconds, skip, self._pace.snapshots, self._pace.share)
        beside = [] if hours else self._twins.waiting(self._pace.snapshots)
        if not hours and not beside:
            self.told.waiting = len(skip)
            return 0
        settled = 0
        if any(row.written_as for hour in hours for row in hour.rows):
            self._writer.resume()
            settled = self._forget([self._standing(hour) for hour in hours])
            hours = [left for hour in hours if (left := self._queue.hour(hour.part))]
        handed_over = self.told.handed_over
        hours = [*self._twins.take([own for hour in hours if (own := self._own(hour)).rows])]
        settled += self.told.handed_over - handed_over
        moved = settled + self._write(hours, beside or self._twins.waiting(self._pace.snapshots))
        self.told.waiting = len(self._deferred)
        return moved

    def _write(self, hours: Sequence[Hour], beside: Sequence[State | Remark]) -> int:
        """Write and anchor; settle what stands."""

        def note(written: Sequence[PartWritten]) -> None:
            self._queue.note(
                {
                    number: (mark, str(each.snapshot.manifest), str(each.snapshot.custody))
                    for each in written
                    if each.place < len(hours)
                    for number, mark in _numbers(hours[each.place], each)
                }
            )

        if not hours and not beside:
            return 0
        parts = [Part(each.twin, each.category, each.readings) for each in hours]
        every = self._writer.put_batch([*parts, *beside], note)
        self._twins.settle(beside, every[len(hours) :])
        outcomes = every[: len(hours)]
        stand = [hour for hour, error in zip(hours, outcomes, strict=True) if error is None]
        self._queue.permitted(stand)
        moved = self._forget([replace(hour, rows=self._queue.rows(hour)) for hour in stand])
        moved += sum(self._refused(hour, error) for hour, error in zip(hours, outcomes, strict=True) if error)
        errors = [each for each in outcomes if each is not None]
        if errors and len(errors) == len(hours) and all(isinstance(each, UnreachableError) for each in errors):
            raise errors[0]
        return moved

    # what stands ---------------------------------------------------------------------------------------------

    def _standing(self, hour: Hour) -> Hour:
        """What of the hour an earlier step has anchored."""
        marks = {row.written_as for row in hour.rows if row.written_as}
        unwritten = self._writer.unwritten([*marks])
        pending = {row.number for row in hour.rows if row.written_as is None or row.written_as in unwritten}
        return without(hour, pending)

    def _forget(self, hours: Sequence[Hour]) -> int:
        """Read the snapshots back from the store, then forget the readings."""
        gone, judged_again = list[Kept](), list[Kept]()
        for hour in hours:
            try:
                self._read_back(hour)
            except DtledgerError as error:
                self._defer(hour, error)
            else:
                gone += hour.rows
                judged_again += hour.rows if hour.category == JUDGED_AGAIN else ()
                self._deferred.pop(hour.part, None)
                self.freshness.note(hour)
        if gone:
            self.freshness.keep()
            self._queue.drop(gone, judged_again)
        self.told.anchored += sum(row.manifest is not None for row in gone)  # the others were there before
        return len(gone)

    def _read_back(self, hour: Hour) -> None:
        for cid in dict.fromkeys(cid for row in hour.rows for cid in (row.manifest, row.custody) if cid):
            for _ in self._context.store.export([CID.decode(cid)]):
                pass

    def _own(self, hour: Hour) -> Hour:
        """The hour without what a former owner's device sent, which the present owner may adopt; of an owner that has
        no key yet the whole hour waits."""
        if not (strange := self._strange(hour)):
            return hour
        every = {row.number for row in hour.rows}
        try:
            self._seal(without(hour, every.difference(strange)))
        except UnreachableError:
            raise
        except DtledgerError as error:
            self._defer(hour, error)
            return without(hour, every)
        return without(hour, strange)

    # what is refused -----------------------------------------------------------------------------------------

    def _refused(self, hour: Hour, error: DtledgerError) -> int:
        """Try the hour again later; or, when a new grant did not come in time, seal it to the owner."""
        denied = isinstance(error, AccessDeniedError)
        if getattr(error, "reason", None) is Reason.RETIRED and hour.twin in ended(self._context):
            return self._destroy(hour)
        since = self._queue.refused_since(hour) if denied else self._context.clock()
        if denied and self._context.clock() - since >= self._pace.renewal_seconds:
            try:
                return self._hand_over(hour)
            except DtledgerError as failed:
                log.warning("an hour cannot be sealed to its owner: %s", type(failed).__name__)
        return self._defer(hour, error)

    def _defer(self, hour: Hour, error: DtledgerError) -> int:
        log.warning("an hour waits: %s", getattr(getattr(error, "reason", None), "name", type(error).__name__))
        before = self._deferred.get(hour.part, _Deferred(0, 0))
        failures = before.failures + 1
        until = self._context.clock() + self._pace.backoff(failures, self._dice)
        self._deferred[hour.part] = _Deferred(until, failures)
        return 0

    def _destroy(self, hour: Hour) -> int:
        """Its twin has ended: nobody may write the readings any more, and no owner could adopt them."""
        self._queue.destroy(hour.rows)
        self._deferred.pop(hour.part, None)
        for each in (self._twins, self.freshness):
            each.end([hour.twin])
        return len(hour.rows)

    def _hand_over(self, hour: Hour) -> int:
        self._seal(hour)
        self._deferred.pop(hour.part, None)
        self._twins.forget(hour)
        self.freshness.forget(hour)
        return len(hour.rows)

    def _seal(self, hour: Hour) -> None:
        """Seal the hour to its twin's owner, and forget its readings."""
        context = self._context
        owner, public = self._owner(hour.twin)
        content = Content(hour.category, hour.readings)
        block = seal_unanchored(context.deployment, hour.twin, content, context.clock(), context.key, owner, public)
        cid = context.store.put(block, "dag-cbor")
        context.store.get(cid)
        self._queue.hand_over(hour.rows, str(cid), owner, hour.twin)
        self.told.handed_over += len(hour.rows)

    def _owner(self, twin: int) -> tuple[Address, bytes]:
        view = self._context.view()
        owner, card = view.owner(twin), view.card(twin)
        if owner is None or card is None:
            raise BusyError(f"Nobody has a key to seal what is of twin {twin} to.")
        return owner, self._context.store.get(CID(card.key, "raw"))


def _numbers(hour: Hour, written: PartWritten) -> list[tuple[int, bytes]]:
    """Row numbers and marks of what was written of an hour."""
    marks = dict(zip(written.readings, written.marks, strict=True))
    return [(row.number, marks[each]) for each, row in zip(hour.readings, hour.rows, strict=True) if each in marks]
