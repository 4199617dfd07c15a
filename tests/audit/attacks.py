"""Attacks on an audit: each changes what a node, a store or a custodian answers, or what a writer anchored.
They are in `lies_of_nodes`, `lies_of_snapshots` and `lies_of_custodians`.

`fails` are the claims, by name, that must fail; every other one must not. `mended` makes the same change without its
fault, after which every claim passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtledger.audit import Asked
from dtledger.audit.source import Source
from dtledger.types import Digest
from tests.audit.chain_world import ChainWorld

OTHER = Digest(b"\7" * 32)


@dataclass
class Evidence:
    """What an audit is made from."""

    world: ChainWorld
    asked: Asked
    source: Source
    store: Any


Make = Callable[[Evidence, bool], Evidence | None]


@dataclass(frozen=True)
class Attack:
    """`cannot` are claims that cannot be checked when it is made."""

    make: Make
    fails: frozenset[str]
    cannot: frozenset[str] = frozenset()


ATTACKS: dict[str, Attack] = {}


def attack(name: str, fails: str, cannot: str = "") -> Callable[[Make], Make]:
    """Keeps what it decorates: given evidence, and whether the fault is made."""

    def keep(make: Make) -> Make:
        assert name not in ATTACKS
        ATTACKS[name] = Attack(make, frozenset(fails.split()), frozenset(cannot.split()))
        return make

    return keep


class Lying:
    """A source in the place of another one, but for the methods that are given."""

    def __init__(self, source: Source, **methods: Callable[..., Any]) -> None:
        self._source = source
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
