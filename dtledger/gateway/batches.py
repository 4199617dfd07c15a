"""Batches of devices into the queue: each is taken once, in its order, or refused for a reason that is kept.

What is asked, in this order; the first that fails is the reason: the form · the device · its signature · suspension ·
the twin and its owner · the number and what it follows from · what is measured · the device's time · the right to
write. A batch that is taken moves the device's chain in the one transaction that keeps its readings; one that is
refused moves nothing, so that the device may sign another with its number. A value that no body has is set aside by
itself: the batch is signed as it is, and could never be sent otherwise.
"""

from __future__ import annotations

import secrets
from threading import Lock

from .._backend.refusal_file import Refusal, RefusalFile
from ..client import Context
from ..client.writing import CLOCK_AHEAD
from ..device.batch import Answers, Batch, Code, Refused, digest_of, read_batch
from ..device.enrolment import Enrolment
from ..errors import AccessDeniedError, BusyError
from ..importers.values import plausible
from ..readings import Reading
from .devices import Chain, Device, Devices
from .ingest import NO_TWINS, Ingest
from .queue import Measured, ReadingQueue
from .rights import Rights

KEY = "device-answers"
"""The name of the seed of the key that answers are signed by, among a key file's secrets."""


class Batches:
    """Takes batches into the queue, of which `twins` hear; for any thread."""

    def __init__(
        self,
        context: Context,
        queue: ReadingQueue,
        devices: Devices,
        rights: Rights,
        refusals: RefusalFile,
        twins: Ingest = NO_TWINS,
    ) -> None:
        drawn = secrets.token_bytes(32)
        held = context.key.update(lambda held: held if KEY in held.extra else held.with_extra(KEY, drawn))
        self._context = context
        self._queue = queue
        self._devices = devices
        self._rights = rights
        self._refusals = refusals
        self._twins = twins
        self._answers = Answers(held.extra[KEY])
        self._lock = Lock()
        self.taken = 0
        """Batches that were taken since the start."""

    @property
    def public(self) -> bytes:
        """What answers are checked by."""
        return self._answers.public

    def take(self, message: bytes) -> tuple[Code, bytes, bytes]:
        """What becomes of a message: a code, the signed answer, and the name of the device that it says it is of."""
        batch, code, aside = None, Code.TAKEN, 0
        try:
            batch = read_batch(message)
            code, aside = self._take(batch)
        except Refused as refused:
            code = refused.code
            self._refuse(batch, code)
        except BusyError:
            code = Code.LATER
        digest = digest_of(message) if batch is None else batch.digest
        return code, self._answers.sign(digest, code, aside), batch.device if batch else b""

    def _take(self, batch: Batch) -> tuple[Code, int]:
        known = self._devices.find(batch.device)
        if known is None:
            raise Refused(Code.UNKNOWN)
        batch.verify(known.enrolment.key)
        with self._lock:
            known = self._devices.find(batch.device) or known  # it may have moved on meanwhile
            self._require_standing(batch, known)
            if batch.number == known.chain.number and batch.digest == known.chain.head:
                return Code.HELD, 0
            chain = follow(batch, known.chain)
            readings = self._readings(batch, known, chain)
            good = [each for each, fits in readings if fits]
            self._require_right(known.enrolment, good)
            source = f"{batch.device.hex()}/{batch.number}"
            measured = [Measured(known.enrolment.twin, name, each, source) for name, each in good]
            self._queue.put(measured, chain=self._devices.sealed(batch.device, chain))
            self._devices.moved(batch.device, chain)
            self.taken += 1
        self._twins.hear(measured)
        if aside := len(readings) - len(good):
            self._refuse(batch, Code.VALUE, aside)
        return Code.TAKEN, aside

    def _require_standing(self, batch: Batch, known: Device) -> None:
        if known.suspended:
            raise Refused(Code.SUSPENDED)
        if batch.twin != known.enrolment.twin:
            raise Refused(Code.TWIN)
        if not self._devices.is_owners(known.enrolment):
            raise Refused(Code.OWNER)

    def _readings(self, batch: Batch, known: Device, chain: Chain) -> list[tuple[tuple[str, Reading], bool]]:
        """Category and reading of each value, and whether a body and its devices give it."""
        channels, since = known.enrolment.channels, known.enrolment.since
        latest = self._context.clock() + CLOCK_AHEAD
        if known.chain.at > latest:
            raise BusyError("This gateway's clock ran back: what it took lies in a time to come.")
        if chain.at > latest:
            raise Refused(Code.AHEAD)
        if min(run.first for run in batch.runs) < since:
            raise Refused(Code.EARLY)
        found = []
        for run in batch.runs:
            channel = channels[run.channel]
            least, greatest = plausible(channel.category, channel.unit)
            for seconds, number, mark in run.timed():
                value = channel.value(number)
                quality = " ".join(sorted(filter(None, (channel.quality, mark))))
                reading = Reading(seconds, value, channel.unit, None, quality)
                found.append(((channel.category, reading), least <= value <= greatest))
        return found

    def _require_right(self, enrolment: Enrolment, good: list[tuple[str, Reading]]) -> None:
        try:
            for name in {name for name, _ in good}:
                self._rights.require(enrolment.twin, name, [each for category, each in good if category == name])
        except AccessDeniedError as error:
            raise Refused(Code.RIGHT) from error

    def _refuse(self, batch: Batch | None, code: Code, readings: int = 0) -> None:
        """Keep a refusal. Of a device that is not known only that: anybody can make up a name."""
        known = batch is not None and self._devices.find(batch.device) is not None
        device, number = (batch.device, batch.number) if batch and known else (b"", 0)
        self._refusals.add(Refusal(self._context.clock(), device, number, code, readings))


def follow(batch: Batch, chain: Chain) -> Chain:
    """The chain with the batch at its end.

    Raises:
        Refused: it does not follow: by its number, by its hash, by what it measures or by its time.
    """
    if batch.number < chain.number:
        raise Refused(Code.REPLAYED)
    if batch.number == chain.number:
        raise Refused(Code.FORKED)
    if batch.number > chain.number + 1:
        raise Refused(Code.GAP)
    if batch.previous != chain.head:
        raise Refused(Code.CHAIN)
    if batch.at < chain.at:
        raise Refused(Code.BACKWARDS)
    last = list(chain.last)
    for run in batch.runs:
        if run.channel >= len(last):
            raise Refused(Code.CHANNEL)
        if run.first <= last[run.channel]:
            raise Refused(Code.BACKWARDS)
        last[run.channel] = run.last
    return Chain(batch.number, batch.digest, batch.at, tuple(last))
