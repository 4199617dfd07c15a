"""A whole folder, or a zip archive of one, that is there whole or not at all. What a killed writer left of it goes when
one of that name is written next (`dtledger._backend.files`).

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     write_folder(Path(folder) / "out", {"a/b.txt": b"one"})
...     (Path(folder) / "out" / "a" / "b.txt").read_bytes()
b'one'
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import DtledgerError, InputError
from .files import clear_leftovers, hold, write_atomically

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, so that the same files always give the same bytes."""


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of these files, by their paths in it, open to its owner alone.

    Raises:
        InputError: there is something at `path` already.
        DtledgerError: it could not be written; nothing is left of it.
    """
    _require_new(path)
    try:
        clear_leftovers(path)
        descriptor, made = _begun(path)
    except OSError as error:
        raise _failure(path, error) from error
    try:
        for name, data in files.items():
            file = made / name
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(file, data)
        os.rename(made, path)
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        os.close(descriptor)
        shutil.rmtree(made, ignore_errors=True)


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """The same as one archive. Raises as `write_folder`."""
    _require_new(path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    write_atomically(path, packed.getvalue())


def _begun(path: Path) -> tuple[int, Path]:
    """A new folder beside it, held, as `files` begins a file."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        descriptor = os.open(made, os.O_RDONLY)
        if hold(descriptor) and made.exists():
            return descriptor, made
        os.close(descriptor)


def _require_new(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputError(f"There is something at {path} already.", hint="Name another place, or take it away.")


def _failure(path: Path, error: OSError) -> DtledgerError:
    return DtledgerError(f"{path} cannot be written: {error.strerror}.")
