"""A block store in a directory: one file a block, named by its CID as IPFS writes it.

    ROOT/blocks/kb/bafkreibm6jg3…c4yekba    the two characters before the last name the folder, as kubo's flatfs does
    ROOT/incoming/tmp8f3k…                  a block on its way in

A block is written to `incoming`, synced, renamed to its place, and the folder synced: after a kill -9 or a power cut a
file under `blocks` is whole or it is not there. What a killed process left in `incoming` is removed by whoever opens
the store a day later; a folder of its own keeps that from having to look at every block. Any number of processes may
share one directory.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder, DirectoryStore(Path(folder)) as store:
...     store.get(store.put(b"ciphertext", "raw"))
b'ciphertext'
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from ..encoding import CID, Codec, verify_block
from ..errors import DtledgerError, InputError, UnreachableError
from ..store import MAX_BLOCK_BYTES, BlockMissingError, name_block, walk

LEFTOVER_SECONDS: Final = 24 * 60 * 60
"""Older files in `incoming` have no living writer."""

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


class DirectoryStore:
    """A `dtledger.store.BlockStore` in `root`, which is made if it is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._blocks = root / "blocks"
        self._incoming = root / "incoming"
        with self._translated():
            for folder in (self._blocks, self._incoming):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(root)
            self._remove_leftovers()

    def describe(self) -> str:
        return f"the block store in {self._root}"

    def put(self, data: bytes, codec: Codec) -> CID:
        return self.put_many([(data, codec)])[0]

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        cids = [name_block(data, codec) for data, codec in blocks]
        files = {self._path(cid): data for cid, (data, _) in zip(cids, blocks, strict=True)}
        with self._translated():
            self._write({path: data for path, data in files.items() if not _holds(path, data)})
            for folder in {path.parent for path in files}:
                _sync_folder(folder)
        return cids

    def get(self, cid: CID) -> bytes:
        with self._translated():
            try:
                with self._path(cid).open("rb") as file:
                    data = file.read(MAX_BLOCK_BYTES + 1)
            except FileNotFoundError:
                raise BlockMissingError(cid, self.describe()) from None
        return verify_block(cid, data)

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return ((cid, self.get(cid)) for cid in cids)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return walk(cids, self.get)

    def has(self, cid: CID) -> bool:
        return self._path(cid).is_file()

    def remove(self, cids: Iterable[CID]) -> None:
        touched = set()
        with self._translated():
            for path in map(self._path, cids):
                with suppress(FileNotFoundError):
                    path.unlink()
                    touched.add(path.parent)
            for folder in touched:
                _sync_folder(folder)

    def close(self) -> None:
        """Nothing stays open between calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, cid: CID) -> Path:
        name = str(cid)
        return self._blocks / name[-3:-1] / name

    def _write(self, files: dict[Path, bytes]) -> None:
        """Write every file aside before the first takes its place: a full disk leaves no trace."""
        aside: dict[str, Path] = {}
        try:
            for path, data in files.items():
                handle, name = tempfile.mkstemp(dir=self._incoming)
                aside[name] = path
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            shards = {path.parent for path in files if not path.parent.is_dir()}
            for shard in shards:
                shard.mkdir(mode=0o700, exist_ok=True)
            if shards:
                _sync_folder(self._blocks)
            for name, path in list(aside.items()):
                os.replace(name, path)
                del aside[name]
        finally:
            for name in aside:
                with suppress(OSError):
                    os.unlink(name)

    def _remove_leftovers(self) -> None:
        oldest = time.time() - LEFTOVER_SECONDS
        for entry in os.scandir(self._incoming):
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(entry.path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one border where errors of the operating system become ours."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise DtledgerError(
                    f"The disk of {self.describe()} is full.", hint="Free some space and try again: nothing was kept."
                ) from error
            if error.errno in _FORBIDDEN:
                raise DtledgerError(
                    f"The disk of {self.describe()} refuses: {error.strerror}.",
                    hint="Give this account the right to read and write there, or choose another directory.",
                ) from error
            if isinstance(error, NotADirectoryError | FileExistsError):
                raise InputError(f"{self._root} is not a directory.", hint="Name a directory, new or old.") from error
            raise UnreachableError(f"The disk of {self.describe()} fails: {error.strerror}.") from error


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file is already there and right; a damaged one is then written anew."""
    try:
        with path.open("rb") as file:
            return file.read(len(data) + 1) == data
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """A rename or removal lasts only once its folder is synced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
