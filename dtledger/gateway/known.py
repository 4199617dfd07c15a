"""What a gateway knows of each twin between two batches, sealed in its queue's file: its memory, and what waits.

A memory is a column of numbers (`twin.batch.pack`), little-endian binary64, under the digest of the model that it is
of: under another model a twin begins anew, for old numbers would mean something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from .._backend.twin_tables import Sealed, TwinTables
from ..errors import IntegrityError
from ..twin import batch
from ..twin.factors import Array
from ..types import Digest
from .moments import Waiting
from .sealing import Seal

Memory = TypeVar("Memory")


@dataclass(frozen=True, slots=True)
class Known:
    """One twin. `newest` is the time (unix seconds) of its sensor's newest reading, `offset` the minutes east of UTC
    that its clock stands at for life; `innovation`, `nis` and `flags` are of that reading."""

    twin: int
    offset: int = 0
    newest: int | None = None
    innovation: float | None = None
    nis: float | None = None
    flags: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    def minute(self, seconds: int) -> float:
        """The minute of the twin's own clock."""
        return seconds / 60 + self.offset

    def seconds(self, minute: float) -> int:
        """Unix seconds of a minute of the twin's own clock."""
        return round((minute - self.offset) * 60)


class Book(Generic[Memory]):
    """Reads and writes what is known, under names of a `kind`: memories under a model's digest, of which `nothing` is
    that of one twin before its first reading."""

    def __init__(self, tables: TwinTables, seal: Seal, kind: str, model: Digest, nothing: Memory) -> None:
        self._tables = tables
        self._seal = seal
        self._kind = kind
        self._nothing = nothing
        self._numbers = batch.pack(nothing)[:, 0]
        self._model = model

    def of(self, twins: Sequence[int]) -> tuple[list[Known], Memory]:
        """What is known of these, and their memories side by side; of whom nothing is known, a beginning."""
        names = [self.name(twin) for twin in twins]
        found = {each.name: each for each in self._tables.states(names)}
        opened = [self._open(found[name]) if name in found else None for name in names]
        known = [Known(twin) if each is None else each[0] for twin, each in zip(twins, opened, strict=True)]
        columns = np.stack([self._numbers if each is None else each[1] for each in opened], axis=1)
        return known, batch.unpack(self._nothing, columns)

    def untold(self, most: int) -> tuple[list[Known], Memory | None]:
        """Those whose states are to be told, and their memories side by side. Who cannot be read is forgotten."""
        sealed = self._tables.untold(most)
        opened = [self._open(each) for each in sealed]
        self._tables.forget([each.name for each, one in zip(sealed, opened, strict=True) if one is None])
        read = [each for each in opened if each is not None]
        if not read:
            return [], None
        columns = np.stack([column for _, column in read], axis=1)
        return [each for each, _ in read], batch.unpack(self._nothing, columns)

    def close(self, known: Sequence[Known], memory: Memory) -> list[Sealed]:
        """What is known, sealed."""
        rows = np.ascontiguousarray(batch.pack(memory).T, dtype="<f8")
        return [
            self._seal.close(self.name(each.twin), [self._model, *_plain(each), row.tobytes()])
            for each, row in zip(known, rows, strict=True)
        ]

    def name(self, twin: int) -> bytes:
        return self._seal.name(self._kind, twin)

    def _open(self, found: Sealed) -> tuple[Known, Array] | None:
        try:
            model, *plain, column = self._seal.open(found)
        except (IntegrityError, ValueError):
            return None
        numbers = np.frombuffer(column, dtype="<f8").astype(np.float64)
        if model != self._model or len(numbers) != len(self._numbers):
            return None
        return _known(plain), numbers


def _plain(known: Known) -> list[Any]:
    waiting = [[each.seconds, each.kind, each.amount, each.signer] for each in known.waiting]
    return [known.twin, known.offset, known.newest, known.innovation, known.nis, [*known.flags], waiting]


def _known(plain: list[Any]) -> Known:
    twin, offset, newest, innovation, nis, flags, waiting = plain
    told = tuple(Waiting(*each) for each in waiting)  # those of before signers were kept have none
    return Known(twin, offset, newest, innovation, nis, tuple(flags), told)
