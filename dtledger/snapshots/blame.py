"""Who is to blame for what is wrong: an `IntegrityError` on its way up learns the block and the party.

Whoever knows more has said it already: what is named once is not named anew.

>>> try:
...     with blaming("0xWriter"):
...         raise IntegrityError("a row is malformed")
... except IntegrityError as error:
...     print(error.party)
0xWriter
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import encoding
from ..encoding import CID, STORE
from ..errors import IntegrityError
from ..store import BlockStore


@contextmanager
def blaming(party: str, cid: CID | None = None) -> Iterator[None]:
    """Name party and block in an `IntegrityError` that names none."""
    try:
        yield
    except IntegrityError as error:
        error.party = error.party or party
        error.block = error.block or (str(cid) if cid else "")
        raise


def decode(cid: CID, block: bytes) -> Any:
    """The value of a block.

    Raises:
        IntegrityError: it is not canonical DAG-CBOR; `.block` is its CID.
    """
    with blaming("", cid):
        return encoding.decode(block, truth=False)


class Blocks:
    """A store's reading side that is to blame for what it gives, and its writers for what it says."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store

    def get(self, cid: CID) -> bytes:
        with blaming(STORE, cid):
            return self._store.get(cid)

    def get_many(self, cids: list[CID]) -> dict[CID, bytes]:
        with blaming(STORE):
            return dict(self._store.get_many(dict.fromkeys(cids)))

    def export(self, cids: list[CID]) -> dict[CID, bytes]:
        with blaming(STORE):
            return dict(self._store.export(cids))
