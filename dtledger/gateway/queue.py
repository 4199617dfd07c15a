"""The queue: readings that a gateway has accepted and that are not anchored yet, encrypted on its disk.

A reading is in it when `put` returns, and stays until its snapshot is anchored and read back from the store, or lies
sealed to the twin's owner. The same reading twice is kept once. The key is in the gateway's key file; the queue's file
tells how many readings there are and when they came, not whose they are, of what, or what they say.

What came over a day after it was measured is late, as the ledger has the word: it lies apart, and its snapshots are of
late readings alone. How far a device's chain has come is written in the one transaction that keeps its readings.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from operator import itemgetter
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .. import encoding
from .._backend.device_tables import DeviceTables
from .._backend.http_errors import DiskFullError
from .._backend.letter_tables import LetterTables
from .._backend.postgresql import Server
from .._backend.queue_file import Kept, QueueFile, Row, Totals
from .._backend.relay_tables import RelayTables
from .._backend.twin_tables import Sealed, TwinTables
from ..client import Identity
from ..crypto.padding import pad, unpad
from ..errors import BusyError, IntegrityError
from ..readings import Reading
from ..snapshots.standing import DAY
from ..types import Address
from .sealing import Seal

KEY = "queue"
"""The name of the queue's key among a key file's secrets."""

POSTS_KEPT_SECONDS = 7 * 86_400
"""How long a sender's idempotency key is remembered."""

LENT_SECONDS = 86_400
"""How long a twin may judge an anchored reading otherwise."""

PADDED_BYTES = 128
"""What a reading is padded to: a longer name is another category, a longer quality a sensor's "Low"."""

ROW_BYTES = 160
"""What a row takes beside its sealed bytes, about."""

LOOKED = 4
"""Parts of which it is looked up whose they are, for each that one step takes."""

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """A reading, which twin's and of what category it is, and what signed it, if something did: `device/number`."""

    twin: int
    category: str
    reading: Reading
    source: str = ""


@dataclass(frozen=True, slots=True)
class Hour:
    """What the queue holds of one hour of one category of one twin. `rows` and `sources` are in the order of
    `readings`; all of them are `late`, or none."""

    part: bytes
    twin: int
    category: str
    readings: tuple[Reading, ...]
    rows: tuple[Kept, ...]
    sources: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a queue takes: bytes in all, and bytes that stay free on its disk."""

    bytes: int = 2**30
    free_bytes: int = 2**28


class ReadingQueue:
    """The queue in the file at `path`, under a key that `identity` keeps; drawn when it is used first. With a `server`
    it lies there, and the folder of `path` is still watched for room.

    `clock` gives unix seconds, `free` the bytes free on a disk.
    """

    def __init__(
        self,
        path: Path,
        identity: Identity,
        clock: Callable[[], int],
        limits: Limits = Limits(),
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        server: Server | None = None,
    ) -> None:
        drawn = secrets.token_bytes(32)
        held = identity.update(lambda held: held if KEY in held.extra else held.with_extra(KEY, drawn))
        self._key: bytes = held.extra[KEY]
        self._names = _derive(self._key, "names")
        self._file = QueueFile(path, server)
        self.place = "file" if server is None else "PostgreSQL"
        """What it lies in, as anybody may be told."""
        self.twins = TwinTables(self._file)
        self.vital_signs = TwinTables(self._file, "vital_states")
        self.devices = DeviceTables(self._file)
        self._letters = LetterTables(self._file)
        self.relayed = RelayTables(self._file)
        self.seal = Seal(_derive(self._key, "beside"), self._name, clock)
        self._folder = path.parent
        self._clock = clock
        self._limits = limits
        self._free = free
        self.damaged = 0
        """Rows that did not open when they were last looked at; they stay."""
        self._twin_of: dict[bytes, int] = {}
        """Whose the parts are that were due: the file does not tell."""

    def close(self) -> None:
        self._file.close()

    def put(
        self,
        measured: Sequence[Measured],
        *,
        sender: str = "",
        idempotency_key: str | None = None,
        chain: Sealed | None = None,
    ) -> int:
        """Keep readings; returns how many are new. They outlive a crash when this returns, and so does how far the
        `chain` of a device has come.

        Raises:
            BusyError: the queue is full.
            DiskFullError: its disk is.
            InputError: the sender used the idempotency key for other readings.
        """
        now = self._clock()
        rows = [self._row(each, now) for each in measured]
        self.require_room(sum(len(row.sealed) + ROW_BYTES for row in rows))
        body = hashlib.sha256(b"".join(row.mark for row in rows)).digest()
        key = None if idempotency_key is None else self._name("post", sender, idempotency_key)
        moved = None if chain is None else (chain.name, chain.at, chain.sealed)
        return self._file.add(rows, key, body, now, moved)

    def require_room(self, size: int = 0) -> None:
        """Pass if `size` bytes more fit. Raises as `put`."""
        if self._free(self._folder) < self._limits.free_bytes + size:
            raise DiskFullError("The gateway's disk is full.", hint="Send it again later; its operator can see why.")
        rows, held = self._file.size()
        if held + rows * ROW_BYTES + size > self._limits.bytes:
            raise BusyError("The gateway's queue is full.", hint="Send it again later: it waits for ledger or store.")

    def due(self, came_before: int, skip: Collection[bytes], most: int, share: int | None = None) -> list[Hour]:
        """Hours that are over, or of which something came before that time, those that came first before others: at
        most as many, and of one twin no more than its `share`, the earliest of its hours."""
        parts = self._file.due(self._clock(), came_before, skip)
        self.damaged = 0
        self._twin_of = {part: self._twin_of[part] for part, _ in parts if part in self._twin_of}
        unknown = [part for part, _ in parts if part not in self._twin_of]
        opened = {part: self._open(part) for part in unknown[: LOOKED * most]}
        self._twin_of |= {part: hour.twin for part, hour in opened.items() if hour is not None}
        taken: Counter[int] = Counter()
        chosen = set()
        for part, _ in sorted(parts, key=itemgetter(1)):
            twin = self._twin_of.get(part)
            if twin is not None and (share is None or taken[twin] < share):
                taken[twin] += 1
                chosen.add(part)
        first = [part for part, _ in parts if part in chosen][:most]
        hours = (opened[part] if part in opened else self._open(part) for part in first)
        return [hour for hour in hours if hour is not None]

    def measured_since(self, seconds: int) -> Iterator[Hour]:
        """Hours that were not over at that time (unix seconds)."""
        for part in self._file.closing_after(seconds):
            if (hour := self._open(part)) is not None:
                yield hour

    def hour(self, part: bytes, rows: Sequence[Kept] | None = None) -> Hour | None:
        """One of them as it stands now, or those `rows` of it that its twin was lent."""
        return self._open(part, rows)

    def parts(self, twin: int, category: str, seconds: int) -> tuple[bytes, bytes]:
        """The names of the hour that a reading of that time is of: of what came in time, and of what came late."""
        return self._part(twin, category, seconds, late=False), self._part(twin, category, seconds, late=True)

    def rows(self, hour: Hour) -> tuple[Kept, ...]:
        """The rows of the hour as they stand now."""
        numbers = {row.number for row in hour.rows}
        return tuple(row for row in self._file.rows(hour.part) if row.number in numbers)

    def note(self, written: dict[int, tuple[bytes, str, str]]) -> None:
        """Row number → mark in the writer's journal, manifest and custody block, before the batch is anchored."""
        self._file.note(written)

    def drop(self, rows: Sequence[Kept], judged_again: Sequence[Kept] = ()) -> None:
        """Forget readings that are anchored and read back; those that a twin took and may judge again, after a day."""
        lent = [row.number for row in judged_again if row.verdict is not None]
        self._file.delete([row.number for row in rows], lent=lent, until=self._clock() + LENT_SECONDS)

    def hand_over(self, rows: Sequence[Kept], letter: str, owner: Address, twin: int) -> None:
        """Forget readings of the twin that the block `letter` holds, sealed to the owner."""
        self._letters.note(letter, self._name("letter", twin))
        self._file.delete([row.number for row in rows], (letter, self._name("reader", owner), self._clock()))

    def letters(self, owner: Address) -> list[str]:
        """The CIDs of what was sealed to that owner."""
        return self._file.letters(self._name("reader", owner))

    def letters_of(self, twins: Collection[int]) -> list[str]:
        """The CIDs of what was sealed to owners of these twins."""
        return self._letters.of([self._name("letter", twin) for twin in twins])

    def forget_letters(self, cids: Collection[str]) -> None:
        """These blocks are gone from the store."""
        self._letters.forget(cids)

    def destroy(self, rows: Sequence[Kept]) -> None:
        """Forget readings that nobody may have any more."""
        self._file.delete([row.number for row in rows])

    def refused_since(self, hour: Hour) -> int:
        return self._file.refused_since(hour.part, self._clock())

    def permitted(self, hours: Sequence[Hour]) -> None:
        """These were written after all."""
        self._file.permitted([hour.part for hour in hours])

    def forget_posts(self, _twins: object = ()) -> None:
        """Those of long ago, of whatever twins."""
        self._file.forget_posts(self._clock() - POSTS_KEPT_SECONDS)

    def totals(self) -> Totals:
        return self._file.totals()

    def free_bytes(self) -> int:
        return self._free(self._folder)

    # rows ----------------------------------------------------------------------------------------------------

    def _row(self, measured: Measured, now: int) -> Row:
        twin, category, reading = measured.twin, measured.category, measured.reading
        what = [twin, category, reading.seconds, reading.value, reading.unit, reading.quality, reading.micros]
        late = now - reading.seconds > DAY
        part = self._part(twin, category, reading.seconds, late=late)
        mark = self._name("mark", *what)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = encoding.encode([*what, reading.offset, measured.source, late])
        sealed = self._cipher(now).encrypt(nonce, pad(plain, PADDED_BYTES), _bound(mark, part))
        return Row(mark, part, (reading.seconds // 3600 + 1) * 3600, now, mark + nonce + sealed)

    def _part(self, twin: int, category: str, seconds: int, *, late: bool) -> bytes:
        return self._name("late part" if late else "part", twin, category, seconds // 3600)

    def _open(self, part: bytes, given: Sequence[Kept] | None = None) -> Hour | None:
        """What opens of the part; None if nothing does."""
        opened: list[tuple[Reading, Kept, str]] = []
        twin, category, late = 0, "", False
        for row in self._file.rows(part) if given is None else given:
            mark, nonce, sealed = row.sealed[:16], row.sealed[16 : 16 + _NONCE_BYTES], row.sealed[16 + _NONCE_BYTES :]
            try:
                plain = unpad(self._cipher(row.at).decrypt(nonce, sealed, _bound(mark, part)))
                said: list[Any] = encoding.decode(plain)
                twin, category, seconds, value, unit, quality, micros, offset, source, late = said
                quality, why = self.seal.judged(row, quality)
                opened.append((Reading(seconds, value, unit, offset, quality, micros, why), row, source))
            except (InvalidTag, IntegrityError, ValueError):
                self.damaged += 1
        if not opened:
            return None
        readings, rows, sources = zip(*opened, strict=True)
        return Hour(part, twin, category, readings, rows, sources, late)

    def _cipher(self, at: int) -> AESGCM:
        """A key a day: of one key there must be fewer than 2³² random nonces (NIST SP 800-38D, 8.3)."""
        return AESGCM(_derive(self._key, f"rows of day {at // DAY}"))

    def _name(self, kind: str, *what: Any) -> bytes:
        return hmac.new(self._names, encoding.encode([kind, *what]), hashlib.sha256).digest()[:16]


def without(hour: Hour, numbers: Collection[int]) -> Hour:
    """The hour without the rows of these numbers."""
    kept = [row.number not in numbers for row in hour.rows]
    readings, rows, sources = compress(hour.readings, kept), compress(hour.rows, kept), compress(hour.sources, kept)
    return replace(hour, readings=tuple(readings), rows=tuple(rows), sources=tuple(sources))


def _bound(mark: bytes, part: bytes) -> bytes:
    """What a row is sealed for: it opens nowhere else."""
    return mark + part


def _derive(key: bytes, what: str) -> bytes:
    """HKDF-Expand of one block (RFC 5869): the key is uniformly random already."""
    return hmac.new(key, f"dtledger/queue/1 {what}".encode() + b"\1", hashlib.sha256).digest()
