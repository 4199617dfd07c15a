"""The receipt log: append-only, hash-chained, on the disk before an answer leaves.

A file holds one entry a line, base64 of canonical CBOR: the signed receipt, the request's nonce and the list of
digests. A line cut short by a crash was never answered and is dropped at the next start. Several processes may
share a file; concurrent appends share one sync and get successive numbers. An entry is handed out, as a new one or
for a retry, when it is on the disk and not before.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from .. import encoding
from ..crypto import merkle
from ..custody import NOTHING_BEFORE, AccessReceipt, ReceiptMap
from ..errors import DtledgerError, IntegrityError
from ..types import Address, Digest


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt, and what the custodian keeps beside it."""

    receipt: AccessReceipt
    nonce: bytes
    digests: tuple[Digest, ...]

    def encode(self) -> bytes:
        return encoding.encode([self.receipt.encode(), self.nonce, list(self.digests)])

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        receipt, nonce, digests = encoding.decode(data)
        return cls(AccessReceipt.decode(receipt), nonce, tuple(digests))


Make = Callable[[Entry | None, Entry | None], Entry]
"""Makes the next entry from the log's last and the twin's last; called with the log locked. It may give one that the
log has already: then nothing is added."""


class Receipts(Protocol):
    """A custodian's log of receipts, which are only added."""

    def append(self, twin: int, make: Make) -> Entry: ...
    def by_nonce(self, requester: Address, nonce: bytes) -> Entry | None: ...
    def of_twin(self, twin: int, first: int = 0, most: int | None = None) -> list[Entry]:
        """The twin's entries from number `first` of its own list on, at most so many."""
        ...

    def first(self, count: int | None = None) -> list[Entry]:
        """The log's first `count` entries, fewer if it has no more; all without a count. They are on the disk."""
        ...

    def map(self, count: int | None = None) -> ReceiptMap:
        """The map of as many."""
        ...

    def at(self, number: int) -> Entry | None:
        """The entry of that number in the log."""
        ...

    def released_since(self, twin: int, grantee: Address, slot: int, at: int) -> int: ...


class MemoryReceipts:
    """The log without a file, for worlds that live in one process."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._by_nonce: dict[tuple[Address, bytes], Entry] = {}
        self._by_twin: dict[int, list[Entry]] = {}
        self._lock = threading.RLock()

    def append(self, twin: int, make: Make) -> Entry:
        with self._lock:
            entry = self._make(twin, make)
            if not self._has(entry):
                self._take(entry)
            return entry

    def by_nonce(self, requester: Address, nonce: bytes) -> Entry | None:
        """The newest entry of that requester's with that nonce."""
        with self._lock:
            return self._by_nonce.get((requester, nonce))

    def of_twin(self, twin: int, first: int = 0, most: int | None = None) -> list[Entry]:
        with self._lock:
            return self._by_twin.get(twin, [])[first:][:most]

    def first(self, count: int | None = None) -> list[Entry]:
        with self._lock:
            return self.entries[:count]

    def map(self, count: int | None = None) -> ReceiptMap:
        receipts = (entry.receipt for entry in self.first(count))
        return ReceiptMap.of((each.twin, each.twin_number, each.hash) for each in receipts)

    def at(self, number: int) -> Entry | None:
        with self._lock:
            return self.entries[number] if number < len(self.entries) else None

    def released_since(self, twin: int, grantee: Address, slot: int, at: int) -> int:
        """Snapshots opened under a grant in receipts from that time on (unix seconds)."""
        of_twin = (entry.receipt for entry in self.of_twin(twin))
        return sum(each.permitted for each in of_twin if (each.grantee, each.slot) == (grantee, slot) and each.at >= at)

    def _make(self, twin: int, make: Make) -> Entry:
        of_twin = self._by_twin.get(twin)
        return make(self.entries[-1] if self.entries else None, of_twin[-1] if of_twin else None)

    def _has(self, entry: Entry) -> bool:
        number = entry.receipt.number
        return number < len(self.entries) and self.entries[number] is entry

    def _take(self, entry: Entry) -> None:
        """Add an entry that follows the last one. Raises as `require_follows`."""
        receipt = entry.receipt
        before = self._by_twin.get(receipt.twin)
        require_follows(entry, self.entries[-1] if self.entries else None, before[-1] if before else None)
        self.entries.append(entry)
        self._by_nonce[receipt.requester, entry.nonce] = entry
        self._by_twin.setdefault(receipt.twin, []).append(entry)


def require_follows(entry: Entry, last: Entry | None, last_of_twin: Entry | None) -> None:
    """Pass if the entry is the next after the log's last and the twin's last.

    Raises:
        IntegrityError: it is not; an entry was removed, changed or put in another place.
    """
    receipt = entry.receipt
    stands = (receipt.number, receipt.previous, receipt.twin_number, receipt.twin_previous)
    follows = (
        *((last.receipt.number + 1, last.receipt.hash) if last else (0, NOTHING_BEFORE)),
        *((last_of_twin.receipt.twin_number + 1, last_of_twin.receipt.hash) if last_of_twin else (0, NOTHING_BEFORE)),
    )
    if stands != follows:
        raise IntegrityError(f"receipt {receipt.number} does not follow the one before it", party=receipt.custodian)
    if merkle.root(entry.digests) != receipt.digests:
        raise IntegrityError(f"receipt {receipt.number} is for other snapshots", party=receipt.custodian)


class ReceiptLog(MemoryReceipts):
    """The log in a file. What another process appended is read before each use.

    Raises:
        IntegrityError: an entry was removed, changed or put in another place.
        DtledgerError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file_lock = FileLock(f"{path}.lock")
        self._read_to = 0
        self._synced_to = 0
        self._sync_lock = threading.Lock()
        with self._translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._held():
            pass

    def append(self, twin: int, make: Make) -> Entry:
        with self._held():
            entry = self._make(twin, make)
            if not self._has(entry):
                line = base64.b64encode(entry.encode()) + b"\n"
                self._write(line)
                self._take(entry)
                self._read_to += len(line)
            written_to = self._read_to
        with self._translated():
            self._sync(written_to)
        return entry

    def by_nonce(self, requester: Address, nonce: bytes) -> Entry | None:
        with self._held():
            entry = super().by_nonce(requester, nonce)
            written_to = self._read_to
        if entry is not None:  # another thread or process may have written it a moment ago
            with self._translated():
                self._sync(written_to)
        return entry

    def of_twin(self, twin: int, first: int = 0, most: int | None = None) -> list[Entry]:
        with self._held():
            return super().of_twin(twin, first, most)

    def first(self, count: int | None = None) -> list[Entry]:
        with self._held():
            entries = super().first(count)
            written_to = self._read_to
        with self._translated():
            self._sync(written_to)
        return entries

    def at(self, number: int) -> Entry | None:
        with self._held():
            return super().at(number)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The log for this thread of this process alone, read up to its end."""
        with self._translated(), self._lock, self._file_lock:
            self._catch_up()
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one border where errors of the operating system become ours."""
        try:
            yield
        except OSError as error:
            raise DtledgerError(
                f"The receipt log cannot be written ({error.strerror or error}), so no key is released.",
                hint=f"Free space, or make {self._path} and its folder writable for this account.",
            ) from error

    def _write(self, line: bytes) -> None:
        with open(self._path, "r+b") as file:
            file.seek(self._read_to)
            file.write(line)
            file.truncate()

    def _sync(self, position: int) -> None:
        """Return once everything up to `position` is on the disk; whoever waits meanwhile shares the next sync."""
        with self._sync_lock:
            if self._synced_to >= position:
                return
            with open(self._path, "rb") as file:
                reached = os.fstat(file.fileno()).st_size
                os.fsync(file.fileno())
            self._synced_to = reached

    def _catch_up(self) -> None:
        """Read what was appended since; a last line without its end was never answered and is written over."""
        with open(self._path, "a+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(self._read_to)
            data = file.read()
        if size < self._read_to:
            raise IntegrityError(f"the receipt log was cut off: receipt {len(self.entries) - 1} is gone from it")
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole.splitlines():
            try:
                self._take(Entry.decode(base64.b64decode(line, validate=True)))
            except (binascii.Error, ValueError, TypeError) as error:
                raise IntegrityError(f"the receipt log is damaged after receipt {len(self.entries) - 1}") from error
        self._read_to += len(whole)
