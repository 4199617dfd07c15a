"""What a report is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..audit import Claim, Verdict

ORDER = (Verdict.FAIL, Verdict.CANNOT_CHECK, Verdict.PASS)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `at` as people and JSON have it, `block` on the ledger."""

    at: str
    block: int
    what: str


@dataclass(frozen=True, slots=True)
class Access:
    """Data that somebody opened or trained on: `who`, `what`, `consent` as it is written, and `note` on how it is
    known."""

    who: str
    what: str
    consent: str
    note: str


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in the lineage. `row` is how far it is from where everything begins; `verdict` of the claims about it,
    None if there is none."""

    name: str
    row: int
    title: str
    detail: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One node went into another: their names."""

    source: str
    target: str


def worst(claims: Iterable[Claim]) -> Verdict | None:
    """The worst verdict of some claims; None of none."""
    found = {each.verdict for each in claims}
    return next((each for each in ORDER if each in found), None)


@dataclass(frozen=True, slots=True)
class Report:
    """`facts` are headings with what stands under them, `notes` what a reader has to know besides, `command` runs the
    audit again."""

    title: str
    facts: tuple[tuple[str, str], ...]
    claims: tuple[Claim, ...]
    events: tuple[Event, ...] = ()
    accesses: tuple[Access, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""

    @property
    def verdict(self) -> Verdict:
        """Of the whole: it passes if every claim does. Without a claim nothing was checked."""
        return worst(self.claims) or Verdict.CANNOT_CHECK

    @property
    def counts(self) -> dict[Verdict, int]:
        counted = Counter(each.verdict for each in self.claims)
        return {each: counted[each] for each in ORDER}

    @property
    def ordered(self) -> list[Claim]:
        """The claims, the worst first, else as they came."""
        return sorted(self.claims, key=lambda each: ORDER.index(each.verdict))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "title": self.title,
            "verdict": self.verdict.value,
            "counts": {each.value.replace(" ", "_"): count for each, count in self.counts.items()},
            "facts": dict(self.facts),
            "claims": [
                {"claim": each.name, "about": each.about, "verdict": each.verdict.value, "evidence": each.evidence}
                for each in self.ordered
            ],
            "timeline": [asdict(each) for each in self.events],
            "access": [asdict(each) for each in self.accesses],
            "lineage": {
                "nodes": [
                    {**asdict(each), "verdict": each.verdict.value if each.verdict else None} for each in self.nodes
                ],
                "edges": [asdict(each) for each in self.edges],
            },
            "notes": list(self.notes),
            "command": self.command,
        }
