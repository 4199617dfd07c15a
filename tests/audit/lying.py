"""What a lie about a model is. Each fails one claim, and no other.

A lie is a whole run: with `told` it is told, and without it the same run is made with that one fault mended. The site
that lies is the first of the scene, in round 1 unless `number` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dtledger.types import Digest
from tests.audit.runs import Run

OTHER = Digest(b"\2" * 32)
Make = Callable[[Run, bool], object]


@dataclass(frozen=True)
class Lie:
    """`claim` fails, with `says` in its evidence; `cannot` are claims that cannot be checked then."""

    claim: str
    says: str
    make: Make
    cannot: Sequence[str] = ()
    number: int = 1


class Lies(dict[str, Lie]):
    """Lies by name."""

    def lie(
        self, name: str, claim: str, says: str, cannot: Sequence[str] = (), number: int = 1
    ) -> Callable[[Make], Make]:
        """Keeps the run that it decorates."""

        def keep(make: Make) -> Make:
            assert name not in self
            self[name] = Lie(claim, says, make, cannot, number)
            return make

        return keep
