"""What a read gives: values in the order of their time, and how far they can be relied on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, overload

from ..custody import AccessReceipt
from ..errors import DtledgerError
from ..readings import is_doubtful
from ..snapshots.lines import Doubled
from ..types import Address, Period
from ..vocabulary import Reason
from ..vocabulary import category as category_named

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class TwinReading:
    """One value of a twin. `at` is aware, in the source's own offset where it is known; `snapshot` is the digest of
    the manifest that it came in; `late` if that was anchored over a day after its data ended, `corrected` if it is an
    amendment. `superseded_by` is the digest of the amendment that took its place or withdrew it; empty while it stands.
    `why` says what a gateway's verdict on it (`doubtful`) rests on.
    """

    at: datetime
    value: float
    unit: str
    quality: str
    snapshot: str
    late: bool = False
    corrected: bool = False
    superseded_by: str = ""
    why: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether its gateway set it aside (`suspect`), or nobody vouches for it (`unverified`)."""
        return is_doubtful(self.quality)


@dataclass(frozen=True, slots=True)
class Amendment:
    """A snapshot that corrects another one: the digests of both, who wrote it, when it was anchored (unix seconds), and
    the writer's reason."""

    snapshot: str
    corrects: str
    writer: Address
    at: int
    reason: str


class Readings(Sequence[TwinReading]):
    """Readings of one category in the order of their time. `age` is the seconds from the newest anchored reading until
    now, None if there is none; `receipts` are the custodians', `refused` the periods that stay shut (with `partial`),
    `faults` says which custodians or (with `partial`) writers were at fault, and what each did first. `amendments` are
    those that changed what was asked for, by their digests, and `superseded` counts the values that stand no more; they
    are in the sequence only if the originals were asked for. `doubled` are snapshots whose number their writer had
    anchored before: they do not count, and their values are not here."""

    def __init__(
        self,
        values: Sequence[TwinReading],
        *,
        category: str,
        age: int | None,
        snapshots: int = 0,
        receipts: Sequence[AccessReceipt] = (),
        refused: Sequence[tuple[Period, Reason]] = (),
        faults: Mapping[Address, DtledgerError] | None = None,
        asked: int = 0,
        answered: int = 0,
        uncounted: int = 0,
        amendments: Sequence[Amendment] = (),
        superseded: int = 0,
        doubled: Sequence[Doubled] = (),
    ) -> None:
        self._values = tuple(values)
        self.category = category
        self.age = age
        self.snapshots = snapshots
        self.receipts = tuple(receipts)
        self.refused = tuple(refused)
        self.faults = dict(faults or {})
        self.asked = asked
        self.answered = answered
        self.uncounted = uncounted
        self.amendments = {each.snapshot: each for each in amendments}
        self.superseded = superseded
        self.doubled = tuple(doubled)

    def of_snapshots(self, digests: Collection[str]) -> Readings:
        """These, with the values and amendments of those snapshots alone."""
        only = copy(self)
        only._values = tuple(each for each in self if each.snapshot in digests)
        only.amendments = {digest: each for digest, each in self.amendments.items() if digest in digests}
        return only

    @classmethod
    def joined(cls, parts: Sequence[Readings]) -> Readings:
        """What several reads gave of one twin, of periods one after another."""
        return cls(
            [each for part in parts for each in part],
            category=parts[0].category,
            age=min((each.age for each in parts if each.age is not None), default=None),
            snapshots=sum(each.snapshots for each in parts),
            receipts=[each for part in parts for each in part.receipts],
            refused=[each for part in parts for each in part.refused],
            faults={party: fault for part in parts for party, fault in part.faults.items()},
            asked=max(each.asked for each in parts),
            answered=min(each.answered for each in parts),
            uncounted=sum(each.uncounted for each in parts),
            amendments=[each for part in parts for each in part.amendments.values()],
            superseded=sum(each.superseded for each in parts),
            doubled=[each for part in parts for each in part.doubled],
        )

    @property
    def stale(self) -> bool:
        """Whether the newest reading is older than its category's may be, or there is none."""
        return category_named(self.category).is_stale(self.age)

    @overload
    def __getitem__(self, place: int) -> TwinReading: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[TwinReading, ...]: ...
    def __getitem__(self, place: int | slice) -> TwinReading | tuple[TwinReading, ...]:
        return self._values[place]

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<{len(self)} readings from {self.snapshots} snapshots>"

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame with one row a reading, indexed by UTC time. Needs pandas, which dtledger does not install."""
        import pandas

        index = pandas.DatetimeIndex([pandas.Timestamp(each.at).tz_convert("UTC") for each in self], name="at")
        columns = ("value", "unit", "quality", "late", "snapshot", "corrected", "superseded_by", "why")
        return pandas.DataFrame({name: [getattr(each, name) for each in self] for name in columns}, index=index)
