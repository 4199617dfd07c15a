"""Where a custodian keeps letters: a list a twin, each of them at most a month old."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from .. import encoding
from .._backend.files import locked, write_atomically
from ..custody import Letter
from ..errors import IntegrityError
from ..types import Address

Change = Callable[[list[Letter]], list[Letter]]
"""Makes of a twin's letters those that are to be kept from then on; what it raises, changes nothing."""


class Letters(Protocol):
    """Where a custodian keeps letters, by twin."""

    def change(self, twin: int, change: Change) -> None:
        """Keep what `change` makes of the twin's letters. Nobody else changes them meanwhile."""
        ...

    def of_twin(self, twin: int) -> list[Letter]: ...

    def all(self) -> Iterator[Letter]: ...

    def of_member(self, member: Address) -> Iterator[Letter]:
        """Those between owners and that member, whatever the twin."""
        ...


class MemoryLetters:
    """Letters that end with the process."""

    def __init__(self) -> None:
        self._by_twin: dict[int, list[Letter]] = {}
        self._lock = threading.Lock()

    def change(self, twin: int, change: Change) -> None:
        with self._lock:
            self._by_twin[twin] = change(list(self._by_twin.get(twin, ())))

    def of_twin(self, twin: int) -> list[Letter]:
        return list(self._by_twin.get(twin, ()))

    def all(self) -> Iterator[Letter]:
        return (letter for twin in list(self._by_twin) for letter in self.of_twin(twin))

    def of_member(self, member: Address) -> Iterator[Letter]:
        return (letter for letter in self.all() if letter.member == member)


class FileLetters:
    """Letters in a folder, one file a twin, each written whole or not at all.

    Warning: whoever asks for what it is a member of has every file read, though not decoded; a service with very many
    twins wants an index.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def change(self, twin: int, change: Change) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(twin)
        with locked(path):
            kept = change(self._read(path))
            write_atomically(path, encoding.encode([each.encode() for each in kept]))

    def of_twin(self, twin: int) -> list[Letter]:
        return self._read(self._path(twin))

    def all(self) -> Iterator[Letter]:
        return (letter for path in sorted(self._folder.glob("*.letters")) for letter in self._read(path))

    def of_member(self, member: Address) -> Iterator[Letter]:
        named = member.encode()
        paths = (path for path in sorted(self._folder.glob("*.letters")) if named in path.read_bytes())
        return (letter for path in paths for letter in self._read(path) if letter.member == member)

    def _path(self, twin: int) -> Path:
        return self._folder / f"{twin}.letters"

    def _read(self, path: Path) -> list[Letter]:
        """Raises:
        IntegrityError: the file is damaged.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
        match encoding.decode(data):
            case [*rows] if all(isinstance(each, bytes) for each in rows):
                return [Letter.decode(each) for each in rows]
        raise IntegrityError(f"the custodian's file {path.name} holds no letters")
