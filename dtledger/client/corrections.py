"""Corrections: what amendments make of the values that a read came past.

An amendment, the snapshot that it corrects, the one that this corrects, and so on to the first, are one family: one
twin, category and period, so that whoever may open one may open all. In the order of the ledger each amendment ends
what stands in its family at the times that it names, or all, and adds its own values; what it repeats stands as it was.
Nothing is lost: a value that was ended says by which amendment.

An amendment is anchored in a later block than what it corrects, so no two can correct each other. One that corrects
no such snapshot, or one that does not count, is its writer's fault; if a writer's newest index lost what was corrected,
it is that writer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import DtledgerError, IntegrityError
from ..readings import Content
from ..snapshots.finder import Finder, Found
from ..types import Address, Digest, Period
from .readings import Amendment, TwinReading


@dataclass(frozen=True, slots=True)
class _Seen:
    """One snapshot that a read came past, without its blocks."""

    digest: Digest
    corrects: Digest | None
    period: Period
    writer: Address
    block: int
    sequence: int
    at: int
    counts: bool

    @classmethod
    def of(cls, found: Found) -> _Seen:
        manifest, batch = found.manifest, found.batch
        return cls(
            found.digest,
            manifest.corrects,
            manifest.period,
            found.writer,
            batch.block,
            manifest.sequence,
            batch.at,
            bool(found.counts),
        )

    @property
    def place(self) -> tuple[int, Address, int]:
        """Where it stands among the amendments of its family."""
        return self.block, self.writer, self.sequence


@dataclass(slots=True)
class Corrections:
    """Gathers what a read comes past, until its values can be settled."""

    _seen: dict[Digest, _Seen] = field(default_factory=dict)
    _contents: dict[Digest, Content] = field(default_factory=dict)
    _void: set[Digest] = field(default_factory=set)

    def see(self, group: Iterable[Found]) -> None:
        """Every snapshot of the walk, before any is opened."""
        self._seen |= {each.digest: _Seen.of(each) for each in group}

    def open(self, found: Found, content: Content) -> None:
        """What an amendment holds."""
        self._contents[found.digest] = content

    def settle(self, finder: Finder, category: str, *, partial: bool) -> dict[Address, DtledgerError]:
        """See that each amendment corrects what it may. With `partial` one that does not is left out, and it is
        returned who was at fault.

        Raises:
            IntegrityError: one corrects no snapshot of its twin, category and period that counts and was anchored
                before it; `.block` and `.party` name it.
        """
        faults: dict[Address, DtledgerError] = {}
        for each in self._amendments():
            fault = self._fault(each, finder, category)
            if fault is None:
                continue
            if not partial:
                raise fault
            faults.setdefault(Address(fault.party), fault)
            if fault.party == each.writer:
                self._void.add(each.digest)
        return faults

    def apply(self, values: list[TwinReading]) -> tuple[list[TwinReading], list[Amendment]]:
        """All values, those that stand no more marked as such, and the amendments that changed any."""
        amendments = sorted(self._amendments(), key=lambda each: each.place)
        if not amendments:
            return values, []
        first: dict[Digest, Digest] = {}
        for each in amendments:
            if each.digest not in self._void:
                assert each.corrects is not None
                first[each.digest] = first.get(each.corrects, each.corrects)
        apart = {digest.hex() for digest in (*first, *first.values(), *self._void)}
        by_snapshot: dict[str, list[TwinReading]] = {digest: [] for digest in apart}
        rest: list[TwinReading] = []
        for value in values:
            by_snapshot.get(value.snapshot, rest).append(value)
        families = {root: by_snapshot[root.hex()] for root in first.values() if root not in self._void}
        told = []
        for each in amendments:
            content = self._contents.get(each.digest)
            if content is None or each.digest not in first:
                continue
            root, own = first[each.digest], by_snapshot[each.digest.hex()]
            before = families.get(root, [])
            families[root] = _amend(before, own, content.replaces, each.digest.hex())
            if families[root] != before:
                told.append(_told(each, content.reason))
        return rest + [value for family in families.values() for value in family], told

    def family(self, digest: Digest) -> set[str]:
        """The digests of the snapshot's family, as `TwinReading.snapshot` has them."""
        family = {digest}
        seen = sorted(self._seen.values(), key=lambda each: each.place)
        for each in reversed(seen):
            if each.digest in family and each.corrects:
                family.add(each.corrects)
        for each in seen:
            if each.corrects in family:
                family.add(each.digest)
        return {each.hex() for each in family}

    def _amendments(self) -> list[_Seen]:
        """Those that count."""
        return [each for each in self._seen.values() if each.corrects and each.counts]

    def _fault(self, amendment: _Seen, finder: Finder, category: str) -> IntegrityError | None:
        assert amendment.corrects is not None
        target = self._seen.get(amendment.corrects)
        if target is None:
            return self._lost(amendment, finder, category)
        if target.period != amendment.period:
            return _wrong(amendment, "corrects a snapshot of another period")
        if not target.counts:
            return _wrong(amendment, "corrects a snapshot that does not count")
        if target.block >= amendment.block:
            return _wrong(amendment, "corrects a snapshot that was not anchored before it")
        return None

    def _lost(self, amendment: _Seen, finder: Finder, category: str) -> IntegrityError | None:
        """Who is at fault for a snapshot that was corrected and not come past."""
        assert amendment.corrects is not None
        if any(each.digest == amendment.corrects for each in finder.doubled):
            return _wrong(amendment, "corrects a snapshot that does not count")
        writer = finder.whose(category, amendment.corrects, amendment.period)
        if writer is None:
            return _wrong(amendment, "corrects what is no anchored snapshot of its twin, category and period")
        if writer in finder.faults:
            return None
        return IntegrityError(
            "the newest index of a writer lacks a snapshot that an earlier one had and an amendment corrects",
            block=amendment.corrects.hex(),
            party=writer,
        )


def _wrong(amendment: _Seen, what: str) -> IntegrityError:
    return IntegrityError(f"an amendment {what}", block=amendment.digest.hex(), party=amendment.writer)


def _told(amendment: _Seen, reason: str) -> Amendment:
    assert amendment.corrects is not None
    return Amendment(amendment.digest.hex(), amendment.corrects.hex(), amendment.writer, amendment.at, reason)


def _amend(
    family: Sequence[TwinReading], own: Sequence[TwinReading], replaces: Sequence[int] | None, digest: str
) -> list[TwinReading]:
    """The family's values after one more amendment."""
    times = None if replaces is None else set(replaces)
    new = {_what(value): value for value in own}
    after = []
    for value in family:
        meant = not value.superseded_by and (times is None or int(value.at.timestamp()) in times)
        ended = meant and new.pop(_what(value), None) is None
        after.append(replace(value, superseded_by=digest) if ended else value)
    return after + [replace(value, corrected=True) for value in new.values()]


def _what(value: TwinReading) -> tuple[datetime, float, str, str]:
    """What a value says, whatever snapshot says it; an instant is one in every zone."""
    return value.at, value.value, value.unit, value.quality
