"""Files that members hand to each other."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputError


def write_public(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file that others may read.

    Raises:
        InputError: there is one, and it shall not be replaced.
        DtledgerError: it could not be written.
    """
    from ..._backend.files import write_atomically

    if path.exists() and not replace:
        raise InputError(f"There is a file {path}.", hint="Name another with --out, or say --replace.")
    write_atomically(path, data, mode=0o644)
