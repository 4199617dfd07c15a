"""What custodians and owners handed over in files: receipts, proofs, statements. Whether it is so is for the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InputError, IntegrityError
from ..model.plain import chunks

if TYPE_CHECKING:
    from ...custody import AccessReceipt, Destruction
    from ...types import Digest


def receipts_of(files: Sequence[Path]) -> list[AccessReceipt]:
    """The receipts that custodians handed over (`dtledger custodian receipts --out`), each once.

    Raises:
        InputError: a file holds none; so do the others.
    """
    from ...custody import AccessReceipt

    found: dict[Digest, AccessReceipt] = {}
    for path, rows in _rows(files, "receipts", "no custodian's receipts"):
        try:
            found |= {each.hash: each for each in map(AccessReceipt.decode, rows)}
        except IntegrityError as error:
            raise InputError(f"{path} holds no custodian's receipts.") from error
    return list(found.values())


def nodes_of(files: Sequence[Path]) -> list[bytes]:
    """The nodes of tries that custodians handed over (`dtledger custodian proofs --out`), each once."""
    return list(dict.fromkeys(node for _, rows in _rows(files, "proofs", "no custodian's proofs") for node in rows))


def destructions_of(files: Sequence[Path]) -> tuple[Destruction, ...]:
    """The statements that an owner was given (`dtledger twin erase --statements`), each custodian's newest last."""
    from ...custody import Destruction

    found: list[Destruction] = []
    for path, rows in _rows(files, "destructions", "no statements of destruction"):
        try:
            found += map(Destruction.decode, rows)
        except IntegrityError as error:
            raise InputError(f"{path} holds no statements of destruction.") from error
    return tuple(sorted(found, key=lambda each: each.at))


def _rows(files: Sequence[Path], name: str, lacks: str) -> list[tuple[Path, list[bytes]]]:
    """The byte strings that each file has under its one name."""
    from ...encoding import decode

    found = []
    for path in files:
        try:
            body = decode(b"".join(chunks(path)))
        except IntegrityError as error:
            raise InputError(f"{path} holds {lacks}.") from error
        rows = body[name] if isinstance(body, dict) and body.keys() == {name} else None
        if not isinstance(rows, list) or not all(isinstance(each, bytes) for each in rows):
            raise InputError(f"{path} holds {lacks}.")
        found.append((path, rows))
    return found
