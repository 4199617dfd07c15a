"""What a grant says, in words, and how it can stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..errors import InputError
from ..snapshots.research import MOST_TERMS
from ..types import MAX_MINUTE, Period
from ..vocabulary import CATEGORIES, Action, Purpose, UseTerm, category

_RESEARCH = {Purpose.HRESCH, Purpose.CLINTRCH, Purpose.PUBHLTH}

LONGEST_SECONDS = 36_525 * 86_400
"""A hundred years: what is meant to last longer is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says, in words: categories by name, times in unix seconds, data in unix minutes."""

    categories: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    actions: tuple[Action, ...]
    not_before_at: int
    expires_at: int
    data: Period
    research: tuple[UseTerm, ...] = ()
    """Of a grant to train: what the data may be used for, and under which obligations."""

    def __post_init__(self) -> None:
        if not self.categories or not self.actions:
            raise InputError("A grant names at least one category and one action.")
        try:
            for name in self.categories:
                category(name)
        except ValueError as error:
            raise InputError(f"{error}.") from None
        if bool(self.purposes) is not bool({Action.READ, Action.TRAIN} & set(self.actions)):
            known = ", ".join(each.name for each in Purpose)
            raise InputError(
                "Reading and training need a purpose, writing alone has none.",
                hint="Leave the purpose out." if self.purposes else f"Name one with --purpose: {known}.",
            )
        if not self.not_before_at < self.expires_at:
            raise InputError("A grant must end after it begins.")
        self._require_research()

    def _require_research(self) -> None:
        """What can be kept of research terms is kept here, before anything is signed, and afterwards by the rule."""
        if not self.research:
            return
        if Action.TRAIN not in self.actions:
            raise InputError("Terms of research go with a grant to train.", hint="Say --action TRAIN.")
        if len(self.research) > MOST_TERMS:
            raise InputError(f"A grant has at most {MOST_TERMS} terms of research.")
        care = {Purpose.TREAT, Purpose.CAREMGT, Purpose.COC}
        allowed = [each for each in self.research if each.row.allows]
        if any(each.row.short == "CC" for each in allowed) and not care & set(self.purposes):
            raise InputError("Clinical care (CC) needs a purpose of care.", hint="Name TREAT, CAREMGT or COC.")
        research = [each for each in allowed if each.row.short not in ("CC", "NRES")]
        if research and not _RESEARCH & set(self.purposes):
            raise InputError(
                f"{research[0].row.short} allows research, and no purpose of the grant is one.",
                hint="Name HRESCH, CLINTRCH or PUBHLTH.",
            )


class GrantState(Enum):
    """How a grant stands."""

    LIVE = "live"
    SLEEPING = "sleeping"
    BLOCKED = "blocked"
    ENDED = "ended"
    REVOKED = "revoked"


def writing_terms(categories: Sequence[str], now: int, seconds: int, back_to: int | None = None) -> Terms:
    """Terms for a gateway: it may add data of these categories from now (or from the minute `back_to`) until the
    grant ends."""
    start = now // 60 - now // 60 % 60 if back_to is None else back_to
    data = Period(start, min((now + seconds) // 60, MAX_MINUTE))
    return Terms(tuple(categories), (), (Action.WRITE,), now, now + seconds, data)


def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as the vocabulary has them, not as the twin's hidden bits lie; what has no name comes last."""
    known = [each.name for each in CATEGORIES]
    return tuple(sorted(names, key=lambda name: known.index(name) if name in known else len(known)))
