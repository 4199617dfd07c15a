"""Collecting: what snapshots say, group by group, until it is one answer in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from .. import vocabulary
from ..custody import AccessReceipt
from ..errors import DtledgerError, InputError, IntegrityError
from ..readings import SOURCES, Content, decode_readings
from ..snapshots.finder import Found
from ..snapshots.lines import Doubled
from ..snapshots.opening import Opened
from ..types import Address, Digest, Period
from ..vocabulary import Reason, Unit, known_unit, unit
from .corrections import Corrections
from .deciding import Question, shut
from .readings import Readings, TwinReading

_AT = attrgetter("at")


@dataclass(slots=True)
class Collected:
    """What came so far: no plaintext, so that a long read needs little more memory than a short one."""

    values: list[TwinReading] = field(default_factory=list)
    receipts: list[AccessReceipt] = field(default_factory=list)
    refused: list[tuple[Period, Reason]] = field(default_factory=list)
    faults: dict[Address, DtledgerError] = field(default_factory=dict)
    snapshots: int = 0
    asked: int = 0
    answered: int | None = None
    uncounted: int = 0
    doubled: list[Doubled] = field(default_factory=list)
    corrections: Corrections = field(default_factory=Corrections)

    def add(
        self, opened: Opened, contents: Mapping[Digest, Content], found: Mapping[Digest, Found], question: Question
    ) -> None:
        for digest, content in contents.items():
            self.values += values_of(found[digest], question, content)
            if found[digest].manifest.corrects:
                self.corrections.open(found[digest], content)
        self.receipts += opened.receipts
        self.refused += [(found[digest].manifest.period, reason) for digest, reason in opened.refused.items()]
        self.faults |= opened.faults
        self.snapshots += len(opened.plaintexts)
        self.asked = max(self.asked, opened.asked)
        self.answered = opened.answered if self.answered is None else min(self.answered, opened.answered)

    def result(
        self,
        category: str,
        age: int | None,
        target: Unit | None,
        *,
        partial: bool,
        originals: bool,
        snapshot: Digest | None,
    ) -> Readings:
        """The answer, its values in `target` if that is given; with the `originals` those too that stand no more, and
        of one `snapshot` and its family alone if that is given.

        Raises:
            AccessDeniedError: custodians refused a snapshot (all, if `partial`).
            DtledgerError: all that there is, is at fault.
        """
        if self.refused and not (partial and self.snapshots):
            raise shut(self.refused)
        if self.faults and not self.snapshots:
            raise next(iter(self.faults.values()))
        values, amendments = self.corrections.apply(self.values)
        if snapshot is not None:
            family = self.corrections.family(snapshot)
            values = [each for each in values if each.snapshot in family]
            amendments = [each for each in amendments if each.snapshot in family]
        values = _in_order(values)
        superseded = sum(bool(each.superseded_by) for each in values)
        if superseded and not originals:
            values = [each for each in values if not each.superseded_by]
        return Readings(
            [_converted(each, target) for each in values] if target else values,
            category=category,
            age=age,
            snapshots=self.snapshots,
            receipts=self.receipts,
            refused=self.refused,
            faults=self.faults,
            asked=self.asked,
            answered=self.answered or 0,
            uncounted=self.uncounted,
            amendments=amendments,
            superseded=superseded,
            doubled=self.doubled,
        )


def content_of(found: Found, category: str, plaintext: bytes) -> Content:
    """What one snapshot holds.

    Raises:
        IntegrityError: it is not readings of that category and of its own period, or gives a reason without correcting
            anything, or the other way round.
    """
    digest = found.digest.hex()
    try:
        content = decode_readings(plaintext)
    except IntegrityError as error:
        raise IntegrityError(error.message, block=digest, party=found.writer) from error
    period = found.manifest.period
    if not all(period.start <= each.minute <= period.end for each in content.readings):
        raise IntegrityError("a snapshot holds readings of another time", block=digest, party=found.writer)
    if content.category != category:
        raise IntegrityError("a writer filed a snapshot under another category", block=digest, party=found.writer)
    if bool(content.reason) != bool(found.manifest.corrects):
        raise IntegrityError(
            "a snapshot gives a reason if it corrects another one, and only then", block=digest, party=found.writer
        )
    return content


def values_of(found: Found, question: Question, content: Content) -> Iterator[TwinReading]:
    """The readings of one snapshot that were asked for."""
    digest = found.digest.hex()
    for each in content.readings:
        if question.period.start <= each.minute <= question.period.end:
            yield TwinReading(each.at, each.value, each.unit, each.quality, digest, found.late, why=each.why)


def _in_order(values: list[TwinReading]) -> list[TwinReading]:
    """One of each (time, value, unit, source), whatever snapshots it stands in, by time. `values` is left sorted."""
    values.sort(key=_AT)
    kept: list[TwinReading] = []
    for _, at_once in groupby(values, _AT):
        distinct: dict[tuple[float, str, str, frozenset[str]], TwinReading] = {}
        for each in sorted(at_once, key=_which):
            source = SOURCES.intersection(each.quality.split())
            distinct.setdefault((each.value, each.unit, each.superseded_by, source), each)
        kept += distinct.values()
    return kept


def _which(each: TwinReading) -> tuple[str, str, float, bool, str]:
    """Of equal values that one stands for all which somebody doubts."""
    return each.superseded_by, each.unit, each.value, not each.doubtful, each.snapshot


def unit_for(category: str, to_unit: str) -> Unit:
    """The unit of that UCUM code, if values of the category can be converted into it.

    Raises:
        InputError: it is not known, or measures something else.
    """
    try:
        target, measure = unit(to_unit), vocabulary.category(category)
    except ValueError as error:
        raise InputError(f"{error}.") from None
    if not measure.measured_in(target.code):
        raise InputError(f"{target.code} is not a unit of {category}.", hint=f"{measure.unit} is one.")
    return target


def _converted(each: TwinReading, target: Unit) -> TwinReading:
    """The reading in another unit; as it is, where its own is not known here or measures something else: a pump's rate
    is no dose."""
    own = known_unit(each.unit)
    if own is None or own.base != target.base:
        return each
    return replace(each, value=own.convert(each.value, target), unit=target.code)
