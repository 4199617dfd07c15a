"""Writing parts of many twins as one batch: what a gateway does all day, and what every put stands on.

A part is what one snapshot will hold: readings of one hour of one category of one twin, other marks for readings that
are anchored, or a twin's state.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import encoding
from .._backend.write_journal import WriteJournal
from ..errors import DtledgerError
from ..ledger import View
from ..ledger.now import Now
from ..readings import Reading, encode_readings, hourly
from ..snapshots.package import Keys
from ..snapshots.roster import Roster
from ..snapshots.writer import Draft, Target, Written
from ..types import Digest, Period
from .anchoring import Anchoring
from .context import Context
from .snapshots import Listed
from .write_rights import WriteRights, refusal


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of one hour of one category of one twin."""

    twin: int
    category: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """Readings of the anchored snapshot of that manifest digest and period, as they are marked now, and why they were
    marked anew."""

    twin: int
    category: str
    digest: Digest
    period: Period
    readings: tuple[Reading, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """A twin's state as of a unix minute, as `twin.snapshot` has it."""

    twin: int
    category: str
    minute: int
    content: bytes = field(repr=False)


AnyPart = Part | Remark | State


@dataclass(frozen=True, slots=True)
class PartWritten:
    """What is new of the part at `place`, its marks in the journal, and the snapshot that holds it."""

    place: int
    readings: tuple[Reading, ...]
    marks: tuple[bytes, ...]
    snapshot: Written


class PartWriter:
    """Writes parts of any twins that this key may write to."""

    def __init__(
        self,
        context: Context,
        journal: WriteJournal,
        roster: Callable[[int, View | None], Roster],
        show: Callable[[Digest], Listed],
    ) -> None:
        self._context = context
        self._journal = journal
        self._roster = roster
        self._show = show
        self._rights = WriteRights(context)
        self._anchoring = Anchoring(context, journal, self._rights)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def put_batch(
        self, parts: Sequence[AnyPart], stored: Callable[[Sequence[PartWritten]], None] = lambda written: None
    ) -> list[DtledgerError | None]:
        """Write parts of any twins and categories as one batch, a part as one snapshot. What was written before is left
        out, and a part that cannot be written stops no other.

        Args:
            stored: is told what will be anchored once it is stored, and before anything is anchored.

        Returns: of each part, None if all of it is anchored and counts, else why not: an AccessDeniedError, or what
        could not be had of its twin's keys and roster.

        Raises:
            UnreachableError: ledger or store does not answer; put it again, and it goes on where it stopped.
        """
        with self._journal.held():
            self._anchoring.begin()
            now = self._context.now()
            outcomes: list[DtledgerError | None] = [None] * len(parts)
            ready: list[tuple[int, Target, Draft, tuple[Reading, ...], list[bytes]]] = []
            for place, part in enumerate(parts):
                try:
                    if (made := self._draft(part, now)) is not None:
                        ready.append((place, *made))
                except DtledgerError as error:
                    outcomes[place] = error
            if not ready:
                return outcomes

            def tell(written: Sequence[tuple[int, Written]]) -> None:
                stored([PartWritten(ready[at][0], ready[at][3], tuple(ready[at][4]), each) for at, each in written])

            outcome = self._anchoring.write(
                [(target, draft) for _, target, draft, _, _ in ready], [marks for *_, marks in ready], tell
            )
            for at, reason in outcome.refused.items():
                place, target, draft, _, _ = ready[at]
                outcomes[place] = refusal(target.twin, draft.category, reason, [draft.period])
            return outcomes

    def _draft(self, part: AnyPart, now: Now) -> tuple[Target, Draft, tuple[Reading, ...], list[bytes]] | None:
        """What is new in a part, as it is written, and its marks; None if nothing is."""
        if not isinstance(part, Part):
            return self._whole(part, now)
        readings = part.readings
        period = Period(min(each.minute for each in readings), max(each.minute for each in readings))
        keys = self._rights.require(part.twin, part.category, [period], now)
        marks = [mark_of(keys, part.category, each) for each in readings]
        unwritten = self._journal.unwritten(marks)
        fresh = [(each, mark) for each, mark in zip(readings, marks, strict=True) if mark in unwritten]
        if not fresh:
            return None
        group = hourly(each for each, _ in fresh)[0]
        draft = Draft(part.category, group.period, encode_readings(part.category, group.readings))
        target = Target(part.twin, keys, self._roster(part.twin, now.view))
        return target, draft, tuple(each for each, _ in fresh), [mark for _, mark in fresh]

    def _whole(self, part: Remark | State, now: Now) -> tuple[Target, Draft, tuple[Reading, ...], list[bytes]] | None:
        """As `_draft`, of what is written whole or not at all."""
        if isinstance(part, State):
            period, kind, corrects, plaintext = Period(part.minute, part.minute), "state", None, part.content
        else:
            period, kind, corrects = part.period, "amendment", part.digest
            times = [each.seconds for each in part.readings]
            plaintext = encode_readings(part.category, part.readings, part.reason, times)
        keys = self._rights.require(part.twin, part.category, [period], now)
        mark = digest_of(keys, part.category, [kind, corrects or part.twin, plaintext])
        if not self._journal.unwritten([mark]):
            return None
        target = Target(part.twin, keys, self._roster(part.twin, now.view))
        return target, Draft(part.category, period, plaintext, corrects), (), [mark]

    def unwritten(self, marks: Sequence[bytes]) -> set[bytes]:
        """Those of the marks that `put_batch` told of whose readings are in no batch that counts."""
        return self._journal.unwritten(marks)

    def resume(self) -> None:
        """End a batch that a crash left. Raises UnreachableError."""
        with self._journal.held():
            self._anchoring.begin()

    def _target(self, twin: int, category: str, periods: Sequence[Period]) -> Target:
        """As the ledger has it now: a newer grant, card or denial counts from the next batch on."""
        return Target(twin, self._rights.require(twin, category, periods), self._roster(twin, None))


def mark_of(keys: Keys, category: str, reading: Reading) -> bytes:
    """By what the journal knows a reading again, whatever was found of it: an HMAC, which says nothing to others."""
    given = reading.unjudged
    what = [category, given.seconds, given.value, given.unit, given.quality]
    return digest_of(keys, category, [*what, given.micros] if given.micros else what)


def digest_of(keys: Keys, category: str, what: list[Any]) -> bytes:
    """The mark of anything of a category: sixteen bytes of an HMAC under a key of the category's."""
    return hmac.new(keys.label(category, _MARKER), encoding.encode(what), hashlib.sha256).digest()[:16]


_MARKER = encoding.address("0x" + "00" * 19 + "01")
"""No writer: the label of nobody's stream is the key of the marks."""
