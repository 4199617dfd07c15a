"""What a site or a coordinator keeps of the rounds of models: for each round the weights, then what was said of them.

Both are written before the ledger is told, the weights first. An entry is there when its second file is, whole: a
kill -9 at any point leaves the entry or none. Whether the ledger was told, the ledger knows.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     journal = RoundJournal(Path(folder) / "rounds")
...     journal.keep(7, 1, {"note": "first"}, [b"some ", b"weights"])
...     entry = journal.kept(7, 1)
...     entry.said, entry.weights(), journal.kept(7, 2)
({'note': 'first'}, b'some weights', None)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import encoding
from ..errors import DtledgerError, IntegrityError
from .files import LOCK_SECONDS, locked, write_atomically


@dataclass(frozen=True, slots=True)
class Kept:
    """One round's entry: what was said, and the file of the weights."""

    model: int
    number: int
    said: Mapping[str, Any]
    file: Path
    digest: bytes

    def weights(self) -> bytes:
        """Raises:
        IntegrityError: the file is gone, or is not what was kept.
        """
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise IntegrityError(f"the weights of round {self.number} cannot be read: {error.strerror}") from error
        if hashlib.sha256(data).digest() != self.digest:
            raise IntegrityError(f"the weights of round {self.number} are not what was kept", block=self.digest.hex())
        return data


class RoundJournal:
    """The entries of one key on one deployment. The folder is made, for its owner alone; `patience` is how many seconds
    whoever comes second waits.

    Warning: a site's weights of a round tell of its patients what an update tells, before any mask.

    Raises:
        DtledgerError: the folder or a file in it cannot be read or written; what it held stays.
    """

    def __init__(self, folder: Path, patience: float = LOCK_SECONDS) -> None:
        self._folder = folder
        self.patience = patience
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DtledgerError(f"The folder {folder} could not be made: {error.strerror}.") from error

    def __repr__(self) -> str:
        return f"RoundJournal({self._folder})"

    def held(self) -> AbstractContextManager[None]:
        """The journal for one process at a time; whoever comes second waits. Raises as `locked`."""
        return locked(self._folder / "rounds", self.patience)

    def keep(self, model: int, number: int, said: Mapping[str, Any], weights: Iterable[bytes]) -> None:
        """Write a round's entry, or write it anew."""
        data = b"".join(weights)
        digest = hashlib.sha256(data).digest()
        file = self._weights(model, number, digest)
        write_atomically(file, data)
        write_atomically(self._entry(model, number), encoding.encode({"said": dict(said), "weights": digest}))
        for each in self._folder.glob(f"{model}-{number}-*.weights"):
            if each != file:
                each.unlink()

    def kept(self, model: int, number: int) -> Kept | None:
        """A round's entry, if there is one.

        Raises:
            IntegrityError: it is malformed.
        """
        try:
            data = self._entry(model, number).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DtledgerError(f"{self._entry(model, number)} cannot be read: {error.strerror}.") from error
        match encoding.decode(data):
            case {"said": dict(said), "weights": bytes(digest), **rest} if not rest:
                return Kept(model, number, said, self._weights(model, number, digest), digest)
        raise IntegrityError(f"the journal's entry of round {number} is malformed")

    def numbers(self, model: int) -> list[int]:
        """The rounds of a model that have an entry."""
        return sorted(int(each.stem.split("-")[1]) for each in self._folder.glob(f"{model}-*.round"))

    def _entry(self, model: int, number: int) -> Path:
        return self._folder / f"{model}-{number}.round"

    def _weights(self, model: int, number: int, digest: bytes) -> Path:
        return self._folder / f"{model}-{number}-{digest[:8].hex()}.weights"
