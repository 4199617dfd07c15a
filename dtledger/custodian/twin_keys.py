"""A custodian's key pairs, one for each (twin, owner): random, never derived from anything, in no backup.

They lie apart from the receipts. Destroying a pair makes every snapshot under it unreadable for this custodian. What
was destroyed stays named, by the SHA-256 of its public half: a copy that comes back, out of a backup say, is destroyed
before it serves.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .._backend.files import destroy, locked, write_atomically
from ..crypto import seal
from ..crypto.seal import SealKey
from ..custody import SHARE_CONTEXT, SealedShare
from ..encoding import decode, encode, sha256
from ..errors import InputError, IntegrityError, KeyFileError
from ..types import Address, Digest

MOST_NAMES = 10_000
"""Names of destroyed pairs that are kept of one twin: it has one at a time, and its owner may name any."""


class TwinKeys(Protocol):
    """A custodian's key pairs, one for each twin and owner."""

    def obtain(self, twin: int, owner: Address) -> SealKey:
        """The pair for this twin and owner, drawn and kept at the first call."""
        ...

    def all_of(self, twin: int) -> list[SealKey]:
        """Every pair for the twin: its present owner's and earlier ones'."""
        ...

    def destroy(self, twin: int, owner: Address | None = None) -> tuple[Digest, ...]:
        """Destroy every pair for the twin, or that owner's alone; the names of all that ever were destroyed for the
        twin, sorted. A pair of such a name that comes back is destroyed before it serves."""
        ...

    def retire(self, twin: int, owner: Address, names: Collection[Digest]) -> tuple[Digest, ...]:
        """Destroy that owner's pair if it has one of these names, and note all, held or not; returns as `destroy`.

        Raises:
            InputError: the twin would have over `MOST_NAMES` of them; nothing was destroyed.
        """
        ...


def name_of(pair: SealKey) -> Digest:
    """What a pair that was destroyed is named by: the SHA-256 of its public half."""
    return sha256(pair.public)


def _few(names: set[Digest]) -> set[Digest]:
    if len(names) > MOST_NAMES:
        raise InputError(f"Over {MOST_NAMES:,} key pairs of one twin are not noted as destroyed.")
    return names


class MemoryTwinKeys:
    """Pairs that end with the process."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, Address], SealKey] = {}
        self._destroyed: dict[int, set[Digest]] = defaultdict(set)

    def obtain(self, twin: int, owner: Address) -> SealKey:
        self._destroy_what_came_back(twin)
        return self._pairs.setdefault((twin, owner), SealKey.generate())

    def all_of(self, twin: int) -> list[SealKey]:
        self._destroy_what_came_back(twin)
        return [pair for (each, _), pair in self._pairs.items() if each == twin]

    def destroy(self, twin: int, owner: Address | None = None) -> tuple[Digest, ...]:
        dead = self._destroyed[twin]
        dead |= {name_of(pair) for (of, by), pair in self._pairs.items() if of == twin and owner in (None, by)}
        self._destroy_what_came_back(twin)
        return tuple(sorted(dead))

    def retire(self, twin: int, owner: Address, names: Collection[Digest]) -> tuple[Digest, ...]:
        others = {name_of(pair) for (of, by), pair in self._pairs.items() if of == twin and by != owner}
        self._destroyed[twin] = _few(self._destroyed[twin] | (set(names) - others))
        self._destroy_what_came_back(twin)
        return tuple(sorted(self._destroyed[twin]))

    def _destroy_what_came_back(self, twin: int) -> None:
        dead = self._destroyed[twin]
        self._pairs = {key: pair for key, pair in self._pairs.items() if key[0] != twin or name_of(pair) not in dead}


class FileTwinKeys:
    """Pairs in files of one folder, each encrypted by AES-256-GCM under `wrapping_key` (32 bytes).

    What was destroyed is named in `TWIN.destroyed` of the folder `tombstones`, by default the same: where that is kept
    in a backup and the pairs are not, a restored copy knows it too.
    """

    def __init__(self, folder: Path, wrapping_key: bytes, tombstones: Path | None = None) -> None:
        self._folder = folder
        self._tombstones = tombstones or folder
        self._cipher = AESGCM(wrapping_key)
        self._open: dict[tuple[str, bytes], SealKey] = {}

    def obtain(self, twin: int, owner: Address) -> SealKey:
        path = self._folder / f"{twin}-{owner}.key"
        with locked(path):
            if path.exists():
                self._living(path, self._destroyed(twin))
            if not path.exists():
                nonce = secrets.token_bytes(12)
                pair = SealKey.generate()
                write_atomically(path, nonce + self._cipher.encrypt(nonce, pair.seed, path.name.encode()))
        return self._read(path)

    def all_of(self, twin: int) -> list[SealKey]:
        dead = self._destroyed(twin)
        pairs = (self._living(path, dead) for path in self._paths(twin))
        return [pair for pair in pairs if pair is not None]

    def destroy(self, twin: int, owner: Address | None = None) -> tuple[Digest, ...]:
        tombstone = self._tombstone(twin)
        with locked(tombstone):
            paths = self._paths(twin, owner)
            dead = self._destroyed(twin)
            for path in paths:
                with suppress(KeyFileError):  # a damaged one goes too, without a name
                    dead |= {name_of(self._read(path))}
            write_atomically(tombstone, encode(sorted(dead)))
            self._open.clear()
            for path in paths:
                destroy(path)
        return tuple(sorted(dead))

    def retire(self, twin: int, owner: Address, names: Collection[Digest]) -> tuple[Digest, ...]:
        tombstone = self._tombstone(twin)
        with locked(tombstone):
            pairs: dict[Path, SealKey] = {}
            for path in self._paths(twin):
                with suppress(KeyFileError):  # a damaged one serves nobody
                    pairs[path] = self._read(path)
            others = {name_of(pair) for path, pair in pairs.items() if path.name != f"{twin}-{owner}.key"}
            dead = _few(self._destroyed(twin) | (set(names) - others))
            write_atomically(tombstone, encode(sorted(dead)))
            for path in pairs:
                self._living(path, dead)
        return tuple(sorted(dead))

    def _paths(self, twin: int, owner: Address | None = None) -> list[Path]:
        return sorted(self._folder.glob(f"{twin}-{owner or '0x*'}.key"))

    def _tombstone(self, twin: int) -> Path:
        return self._tombstones / f"{twin}.destroyed"

    def _destroyed(self, twin: int) -> set[Digest]:
        """Raises:
        KeyFileError: the file that says it is damaged.
        """
        try:
            data = self._tombstone(twin).read_bytes()
        except FileNotFoundError:
            return set()
        match decode(data):
            case [*names] if all(isinstance(each, bytes) and len(each) == 32 for each in names):
                return set(map(Digest, names))
        raise KeyFileError(f"The custodian's file {self._tombstone(twin).name} is damaged.")

    def _living(self, path: Path, dead: set[Digest]) -> SealKey | None:
        """The pair in a file; None, and the file is destroyed, if that was destroyed before."""
        try:
            pair = self._read(path)
        except FileNotFoundError:  # another thread was faster
            return None
        if name_of(pair) not in dead:
            return pair
        destroy(path)
        self._open.clear()
        return None

    def _read(self, path: Path) -> SealKey:
        """Opened once; what another process destroyed is not served from memory."""
        data = path.read_bytes()
        pair = self._open.get((path.name, data))
        if pair is None:
            try:
                seed = self._cipher.decrypt(data[:12], data[12:], path.name.encode())
            except (InvalidTag, ValueError) as error:
                raise KeyFileError(
                    f"The custodian's key file {path.name} is damaged, or the key is another's."
                ) from error
            pair = self._open[path.name, data] = SealKey(seed)
        return pair


def open_with_any(pairs: Sequence[SealKey], sealed: SealedShare) -> bytes:
    """Open a share with the key pair of the present owner, or of an earlier one.

    Raises:
        IntegrityError: it is sealed to none of them.
    """
    for pair in pairs:
        try:
            return seal.open_(pair, sealed.sealed, SHARE_CONTEXT)
        except IntegrityError:
            continue
    raise IntegrityError("a share is not sealed to this custodian", block=sealed.digest.hex())
