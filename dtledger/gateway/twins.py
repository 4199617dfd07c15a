"""The twins of a gateway: every reading of the queue passes its twin's gate and filter once, in the order of time.

A step takes the new readings of the hours that are to be written: all twins at once, reading by reading. What was found
of each (suspect, unverified, and why) and the twins' new states are written in one transaction, so that after a kill -9
at any instant the same is found again, and nothing is taken twice. The hours go on to the writer marked. The states are
told in snapshots of their own (`forecast`), without the readings that a twin remembers; a state that was not told, for
want of the right or because of a crash, is told as it is with the next batch.

An earlier reading that is judged otherwise now is marked in the queue, if it still lies there; else a snapshot corrects
the one that it was anchored in. A low reading alarms whatever its quality, and as soon as it is on the disk (`hear`):
it is judged as if its hour were taken now, and nothing of that is kept, so that what comes of before it finds its place
yet. When its hour is taken it alarms if it did not before, or is judged otherwise: twice after a crash, and never not
at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from .._backend.queue_file import Kept as Row
from ..client.parts import Remark, State
from ..errors import DtledgerError
from ..ledger import Deployment
from ..readings import Reading
from ..store import BlockStore
from ..twin import gate, prior
from ..twin.keeper import QUALITIES, SUSPECT, Keeper, Memory
from ..twin.snapshot import keeper_model
from ..vocabulary import Reason
from .alarms import Alarms
from .freshness import FORGOTTEN_SECONDS
from .hearing import Hearing
from .known import Book
from .lives import Life, Lives
from .moments import TAKEN, Moment, is_blood
from .queue import Hour, Measured, ReadingQueue
from .taking import TOO_LATE, fresh, marked, shared
from .telling import Telling

FORGET_SECONDS = 3600

MOST_TAKEN = 1200
"""Readings of one twin in a step: what piled up of it (4 days of five minutes) keeps others waiting for a second."""


def shipped() -> Keeper:
    """By what the package brings."""
    return Keeper(prior.shipped(), gate.shipped())


class Twins:
    """Keeps the twins of one queue in step by one keeper. `signer` says whose key signed what came from a source, empty
    for nobody's."""

    def __init__(
        self,
        queue: ReadingQueue,
        keeper: Keeper,
        deployment: Deployment,
        store: BlockStore,
        clock: Callable[[], int],
        signer: Callable[[str], bytes] = lambda _: b"",
    ) -> None:
        self._queue = queue
        self._keeper = keeper
        self._clock = clock
        self._book: Book[Memory] = Book(queue.twins, queue.seal, "twin", keeper_model(keeper).digest, keeper.start(1))
        self._lives = Lives(keeper, queue.seal, clock, signer)
        self._hearing = Hearing(queue, self._book, self._lives, clock)
        self._telling = Telling(queue, self._book, keeper, deployment, store)
        self._forgot_at = 0
        self.doubtful = 0
        """Readings since the start that are suspect or unverified."""

    @property
    def alarms(self) -> Alarms:
        return self._lives.alarms

    def wake(self) -> None:
        """Alarm of lows that wait since before this process."""
        self._hearing.wake()

    def hear(self, measured: Sequence[Measured]) -> None:
        """These have come, and are on the disk: alarm of the lows among them."""
        self._hearing.hear(measured)

    # taking --------------------------------------------------------------------------------------------------

    def take(self, hours: Sequence[Hour]) -> list[Hour]:
        """The hours, their readings taken and marked; of one twin no more than a step takes."""
        new = fresh(hours, TAKEN)
        if not new:
            return [*hours]
        hours, new = shared(hours, new, MOST_TAKEN)
        known, memory = self._book.of(sorted(new))
        lives = [self._lives.begin(each, new[each.twin]) for each in known]
        memory = self._lives.lead(lives, memory)
        verdicts = self._keep(lives, memory)
        found = {number: found for life in lives for number, (_, _, found) in life.verdicts.items()}
        return [marked(self._queue, hour, verdicts, found) for hour in hours]

    # keeping -------------------------------------------------------------------------------------------------

    def _keep(self, lives: Sequence[Life], memory: Memory) -> dict[int, bytes]:
        """Verdicts and states, in one transaction; the verdicts as they are sealed."""
        seal, later = self._queue.seal, {}
        for life in lives:
            for row, reading, why in self._earlier(life):
                verdict = reading.marked(QUALITIES[SUSPECT]).quality, why
                if row.number in life.verdicts:
                    life.verdicts[row.number] = row, reading, verdict
                elif not reading.doubtful:
                    later[row.number] = seal.verdict(row, *verdict)
                    self.doubtful += 1
        verdicts = {
            number: seal.verdict(row, *verdict) for life in lives for number, (row, _, verdict) in life.verdicts.items()
        }
        reasons = [why for life in lives for *_, (_, why) in life.verdicts.values()]
        self.doubtful += sum(why not in ("", TOO_LATE) for why in reasons)  # what comes too late may be a repeat
        states = self._book.close([life.known for life in lives], memory)
        self._queue.twins.take(verdicts, later, states)
        self._forget_old()
        return verdicts | later

    def _earlier(self, life: Life) -> Iterator[tuple[Row, Reading, str]]:
        """The readings that were judged otherwise: of this step, of the queue, or lent by it."""
        now: dict[int, list[Moment]] = {}
        for each in life.comes.moments:
            now.setdefault(each.reading.seconds, []).append(each)
        for seconds, why in dict.fromkeys(life.later):
            if seconds in now:
                yield from ((each.row, each.reading, why) for each in now[seconds])
                continue
            for part in self._queue.parts(life.known.twin, "glucose", seconds):
                lent = self._queue.twins.lent(part).get(part, [])
                for hour in (self._queue.hour(part), self._queue.hour(part, lent)):
                    for reading, row in zip(hour.readings, hour.rows, strict=True) if hour else ():
                        if reading.seconds == seconds and row.verdict is not None and not is_blood(reading):
                            yield row, reading, why

    # telling -------------------------------------------------------------------------------------------------

    def waiting(self, most: int) -> list[State | Remark]:
        """What is to be written beside the hours."""
        return self._telling.waiting(most)

    def settle(self, parts: Sequence[State | Remark], errors: Sequence[DtledgerError | None]) -> None:
        """What became of each."""
        self._telling.settle(parts, errors)

    @property
    def refused(self) -> dict[int, Reason | None]:
        """Twins whose states could not be told when that was tried last, and why."""
        return self._telling.refused

    def _forget_old(self) -> None:
        """Every hour, what is lent no more, and twins that have been silent too long."""
        now = self._clock()
        if now - self._forgot_at >= FORGET_SECONDS:
            self._queue.twins.forget(now=now, before=now - FORGOTTEN_SECONDS)
            self._forgot_at = now

    def end(self, twins: Collection[int]) -> None:
        """These twins have ended: nothing of them is kept any more; nor, though nothing may come, of what is old."""
        self._queue.twins.forget([self._book.name(twin) for twin in twins])
        for twin in twins:
            self._telling.refused.pop(twin, None)
        self._forget_old()

    def forget(self, hour: Hour) -> None:
        """Nothing of the hour's twin is kept any more, if it is the one that the twin stands at: an older one, or one
        of another category, says nothing of what may be written now, and a gate that has forgotten believes more."""
        (known,), _ = self._book.of([hour.twin])
        if hour.category == "glucose" and max(each.seconds for each in hour.readings) >= (known.newest or 0):
            self._queue.twins.forget([self._book.name(hour.twin)])
            self._telling.refused.pop(hour.twin, None)
