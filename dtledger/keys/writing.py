"""How a key file is written, and the mark that says that it had a section once.

Other tools drop what they do not know when they rewrite a keystore. Were a new section begun then, nobody would
notice that the twins' secrets are gone until they are needed; so an empty file `.NAME.section` stays beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._backend.files import write_atomically

__all__ = ["had_section", "write_key_file"]


def write_key_file(path: Path, document: dict[str, Any]) -> None:
    """Replace the key file. The caller holds its lock.

    Raises:
        DtledgerError: it could not be written; it is as it was.
    """
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())
    if "dtledger" in document and not had_section(path):
        write_atomically(_mark(path), b"")


def had_section(path: Path) -> bool:
    """Whether this file ever had a section here."""
    return _mark(path).exists()


def _mark(path: Path) -> Path:
    return path.with_name(f".{path.name}.section")
