"""Following: each new snapshot of a twin for as long as consent lasts, and never one after.

Every look asks the rule anew, whether or not there is something new, and what is new passes the one door that all reads
pass. A cursor says how many snapshots of each writer were given: whoever keeps it goes on where they stopped, without
a gap and without a snapshot twice. What a writer wrote wrong stands in `faults` and is passed over: nobody who may
write holds up those who read.

The cursor stands still while a snapshot is refused for another reason than its period, as one is of a generation that
the owner has not packaged yet: then whoever goes on from it may be given its neighbours again.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from .. import encoding
from ..errors import AccessDeniedError, InputError, IntegrityError
from ..types import Address, Period
from ..vocabulary import Purpose, Reason
from .reading import Reader
from .readings import Readings

POLL_SECONDS = 2.0
"""Between two looks at the ledger."""

_GAP_MINUTES = 60
"""New snapshots so far apart are asked for on their own: what lies between is not new."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """What came new: the readings of those snapshots alone, and the cursor to go on from once they are kept."""

    readings: Readings
    cursor: str


def follow(
    reader: Reader,
    twin: int,
    category: str,
    purpose: Purpose,
    *,
    cursor: str | None = None,
    period: Period | None = None,
    to_unit: str | None = None,
    every: float = POLL_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Refresh]:
    """Each new snapshot that the grant covers, some at a time. It ends by an error, never in silence.

    Args:
        cursor: of the last refresh that was kept; without one it begins with what is anchored from now on.
        period: without a cursor, what is there of this period is given first.
        to_unit: a UCUM code to convert values into.
        every: seconds between two looks.
        pause: waits for so many seconds.

    Raises:
        AccessDeniedError: consent ended; what was new by then is not given.
        InputError: the cursor is none.
        UnreachableError: ledger, store or too many custodians do not answer; follow again from the last cursor.
    """
    counts = _counts(cursor) if cursor is not None else _now(reader, twin, category, purpose)
    given: set[str] = set()
    if cursor is None and period is not None:
        first = reader.read(twin, category, purpose, period, to_unit=to_unit)
        given = {each.snapshot for each in first}
        yield Refresh(first, _cursor(counts))
    while True:
        finder = reader.finder(twin, category, purpose)
        after = dict(counts)
        periods: list[Period] = []
        digests: set[str] = set()
        for writer, number, row in finder.rows_after(category, counts):
            after[writer] = max(after.get(writer, 0), number + 1)
            periods.append(row.period)
            digests.add(row.manifest.digest.hex())
        writers = {writer for writer, count in after.items() if count > counts.get(writer, 0)}
        read = [_read(reader, twin, category, purpose, each, to_unit, writers) for each in _runs(periods)]
        covered = [each.of_snapshots(digests - given) for each in read if each is not None]
        waits = any(reason is not Reason.PERIOD for each in covered for _, reason in each.refused)
        if covered:
            readings = Readings.joined(covered)
            yield Refresh(readings, _cursor(counts if waits else after))
            given |= {each.snapshot for each in readings}
        if not waits:
            counts, given = after, set()
        pause(every)


def _runs(periods: list[Period]) -> list[Period]:
    """The periods joined where they touch or lie close, in the order of time."""
    joined: list[Period] = []
    for each in sorted(periods):
        if joined and each.start <= joined[-1].end + _GAP_MINUTES:
            joined[-1] = Period(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    return joined


def _read(
    reader: Reader,
    twin: int,
    category: str,
    purpose: Purpose,
    period: Period,
    to_unit: str | None,
    writers: Collection[Address],
) -> Readings | None:
    """What the grant covers of a period; None if that is nothing. What those writers wrote wrong is a fault of it."""
    try:
        return reader.read(twin, category, purpose, period, partial=True, to_unit=to_unit)
    except AccessDeniedError as error:
        if error.reason is Reason.PERIOD:
            return None
        raise
    except IntegrityError as error:
        party = next((each for each in writers if each == error.party), None)
        if party is None:  # a store or a custodian: it may do better the next time
            raise
        return Readings([], category=category, age=None, faults={party: error})


def _now(reader: Reader, twin: int, category: str, purpose: Purpose) -> dict[Address, int]:
    located = reader.finder(twin, category, purpose).located
    newest = {writer: located.newest(writer, category) for writer in located.writers()}
    return {writer: each.count for writer, each in newest.items() if each is not None}


def _cursor(counts: Mapping[Address, int]) -> str:
    return base64.urlsafe_b64encode(encoding.encode(sorted(counts.items()))).decode()


def _counts(cursor: str) -> dict[Address, int]:
    try:
        rows = encoding.decode(base64.urlsafe_b64decode(cursor.encode()))
        counts = {encoding.address(writer): count for writer, count in rows}
        if all(type(each) is int and each >= 0 for each in counts.values()):
            return counts
    except (binascii.Error, IntegrityError, ValueError, TypeError, AttributeError):
        pass
    raise InputError("This is no cursor.", hint="Take one that an earlier refresh gave, or leave it out.")
