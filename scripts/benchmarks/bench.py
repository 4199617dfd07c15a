"""One run: its sizes, and what its rows share. A chain is started, and a store filled, when a row first needs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

from . import kubo
from .world import World, devnet_world

T = TypeVar("T")

DIRECTORY, KUBO = "directory", "kubo"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. `lasting` is the seconds that a rate is taken for, `runs` the times that two sides take
    turns; a year has runs of its own, since each is long."""

    runs: int = 9
    year_runs: int = 3
    lasting: float = 3.0
    fortnight: int = 336
    year: int = 8_760
    wave: int = 116_600
    """Readings of a pulse wave in one snapshot, at nine bytes each: 1 MiB."""
    plaintexts: tuple[int, int] = (1, 16)
    """Plaintexts to encrypt, in MiB."""
    rounds: int = 10
    """Grants that are revoked while they are read."""
    race: tuple[int, int] = (3_000, 100_000)
    """Racing requests that are sent after a revocation, as a rule and with `--year`."""
    load: tuple[int, float] = (20, 10.0)
    long_load: tuple[int, float] = (200, 120.0)
    """Readers at once, and for how many seconds, as a rule and with `--year`."""
    cohort: int = 1_000
    """Twins in one round of a model."""
    leaves: int = 10_000
    """Twins under one consent root, by itself."""
    audited: int = 40
    """Twins whose audits are verified from files."""
    events: int = 10_000
    """Events that an index is made of."""
    growth: tuple[int, ...] = (168, 336, 672, 1_344, 2_688)
    """Hours of the twins whose audits are compared, with `--growth`."""
    grown: tuple[int, ...] = (1, 10, 100, 1_000, 10_000)
    """How many twins, grants, snapshots or receipts there are, with `--growth`."""
    growing: int = 7
    """Times that each thing is done at each of these sizes."""
    twins: int = 1_000
    """Twins of a gateway."""
    ingested: int = 3
    """Hours of their readings."""
    changes: int = 5_000
    """Consent changes that are carried."""


FULL = Sizes()
QUICK = Sizes(
    2,
    1,
    0.05,
    fortnight=3,
    year=6,
    wave=600,
    plaintexts=(1, 1),
    rounds=1,
    race=(30, 60),
    load=(3, 0.5),
    long_load=(4, 1.0),
    cohort=3,
    leaves=30,
    audited=1,
    events=200,
    growth=(2, 4),
    grown=(1, 3),
    growing=2,
    twins=2,
    ingested=1,
    changes=6,
)


@dataclass
class Bench:
    """A context manager that ends everything that was started in it."""

    sizes: Sizes = FULL
    stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made when it is first asked for by that name."""
        if name not in self._made:
            self._made[name] = make()
        return cast(T, self._made[name])

    def world(self, store: str = DIRECTORY) -> World:
        """The world whose blocks lie in that store.

        Raises:
            NotMeasuredError: there is no such store on this machine.
        """
        return self.once(f"world-{store}", lambda: self.stack.enter_context(devnet_world(self._address(store))))

    def _address(self, store: str) -> str | None:
        return self.stack.enter_context(kubo.daemon()).address if store == KUBO else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()
