"""Files that survive a crash: a write is there whole, or it is not there at all.

`write_atomically` writes to a file beside the target, syncs it, renames it over the target and syncs the folder, so a
kill -9 or a power cut at any point leaves the old bytes or the new ones. `locked` lets one process (and one thread)
at a time read, change and write a file. A link is followed: the file that it names is replaced, not the link.

What a killed writer left beside a file goes when the file is next written or locked: a writer holds what it writes, and
the system frees that when the writer dies, so what nobody holds is nobody's. `dtledger._backend.folders` does the same.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     file = Path(folder) / "note"
...     with locked(file):
...         write_atomically(file, b"one")
...     file.read_bytes()
b'one'
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import DtledgerError

__all__ = ["LOCK_SECONDS", "clear_leftovers", "destroy", "hold", "locked", "parse_json", "write_atomically"]

LOCK_SECONDS = 30.0
"""How long to wait for another process to finish with a file."""

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_MOST_BRACKETS = 1_000
"""No JSON file of ours has more."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace the file at `path`, or make it, with `data` and the permissions `mode`. The folder must exist.

    Raises:
        DtledgerError: it could not be written (disk full, read-only, no such folder); the old file is as it was.
    """
    target = _real(path)
    try:
        clear_leftovers(target)
        descriptor, temporary = _begun(target)
        try:
            temporary.chmod(mode)
            _write_all(descriptor, data)
            os.fsync(descriptor)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(descriptor)
        _sync_folder(target.parent)
    except OSError as error:
        raise _failure(target, error) from error


def destroy(path: Path) -> None:
    """Overwrite a file's bytes, sync, take it away and sync the folder; one that is not there is passed over.

    Warning: a disk that writes elsewhere than it read (flash, snapshots, journals) may keep the former bytes.

    Raises:
        DtledgerError: it could not be written or taken away.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            _write_all(file.fileno(), os.urandom(os.fstat(file.fileno()).st_size))
            os.fsync(file.fileno())
        path.unlink()
        _sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failure(path, error) from error


@contextmanager
def locked(path: Path, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the file at `path`, there or not yet, for one process and one thread until the block ends.

    The lock is a file beside it (`.NAME.lock`), which stays; the system frees it when its holder dies.

    Raises:
        DtledgerError: somebody else held it for `timeout` seconds, or the folder cannot be written.
    """
    target = _real(path)
    if not target.parent.is_dir():  # filelock would make it, open to everybody
        raise _failure(target, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    lock = FileLock(target.with_name(f".{target.name}.lock"), timeout=timeout, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise DtledgerError(
            f"{target} has been in use by another process for {timeout:g} seconds.",
            hint="Wait for it to finish, or end it, and try again.",
        ) from error
    except OSError as error:
        raise _failure(target, error) from error
    try:
        clear_leftovers(target)
        yield
    finally:
        lock.release()


def parse_json(data: bytes, most_bytes: int = 65_536, *, most_depth: int | None = None) -> Any:
    """The value of JSON that somebody else may have written. Without `most_depth` it may hold few brackets in all.

    Raises:
        ValueError: it is not JSON in UTF-8, has a name twice in one object, or is larger or deeper than any of ours.
    """
    # eth-account imports py_ecc, which raises Python's recursion limit so far that CPython 3.11 overflows its stack
    # in deeply nested JSON: the process would die instead of raising RecursionError.
    brackets = data.count(b"[") + data.count(b"{")
    if len(data) > most_bytes or (brackets > _MOST_BRACKETS and (most_depth is None or _depth(data) > most_depth)):
        raise ValueError("larger or deeper than any file of ours")
    return json.loads(data.decode(), object_pairs_hook=_each_once)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members with one name one reader takes the first and another the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _depth(data: bytes) -> int:
    """How deep JSON is nested, its texts left out. One without an end goes on to the end: it is looked for once."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[\]{}]", _TEXT.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot sync a folder
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hold(descriptor: int) -> bool:
    """Hold what is written, a file or a folder, until it is closed; whether nobody else does. Where a file system knows
    no locks nobody holds anything, and nothing is cleared away."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def clear_leftovers(target: Path) -> None:
    """Take away what killed writers of this file or folder left beside it (`.NAME.….tmp`)."""
    leftover = re.compile(re.escape(f".{target.name}.") + r"[^.]+\.tmp")
    with suppress(OSError):
        for entry in list(os.scandir(target.parent)):
            if leftover.fullmatch(entry.name):
                _clear(Path(entry.path))


def _clear(path: Path) -> None:
    with suppress(OSError):  # it is gone, or somebody's: in use, or not ours to take away
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        finally:
            os.close(descriptor)


def _begun(target: Path) -> tuple[int, Path]:
    """A new file beside the target, held. One that is cleared away before it is held is begun again."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        if hold(descriptor) and os.path.exists(name):
            return descriptor, Path(name)
        os.close(descriptor)


def _failure(target: Path, error: OSError) -> DtledgerError:
    if error.errno in _FULL:
        hint = "The disk is full: free some space and try again; what was there before is unharmed."
    elif error.errno in _FORBIDDEN:
        hint = f"Make the folder {target.parent} writable for your account, and try again."
    elif error.errno == errno.ENOENT:
        hint = f"Is there a folder {target.parent}?"
    else:
        hint = "What was there before is unharmed."
    return DtledgerError(f"{target} could not be written: {error.strerror or error}.", hint=hint)
