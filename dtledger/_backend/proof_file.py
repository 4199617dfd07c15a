"""Proofs of state that were taken in time, in one SQLite file or in PostgreSQL: which blocks they
are of, and the nodes of their tries.

Many blocks share a node, and it is kept once. Nothing in it is believed: a node is named by its hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..encoding import keccak
from ..types import Digest
from .database_file import DatabaseFile, put
from .postgresql import Server

_TABLES = """
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS nodes (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
"""


class ProofFile(DatabaseFile):
    """The file at `path` or the server's tables, made if they are not there; None keeps them in memory.

    >>> file = ProofFile(None)
    >>> file.keep(7, Digest(bytes(32)), [b"one", b"two"])
    >>> sorted(file.blocks()), sorted(file.nodes())
    ([7], [b'one', b'two'])

    Raises:
        DtledgerError: it cannot be read or written.
    """

    def __init__(self, path: Path | Server | None) -> None:
        super().__init__(path, _TABLES, "The file of proofs", "Free space.")

    def blocks(self) -> dict[int, Digest]:
        """The blocks that proofs were taken of, with their hashes."""
        with self._reading() as database:
            return {number: Digest(hashed) for number, hashed in database.execute("SELECT number, hash FROM blocks")}

    def nodes(self) -> list[bytes]:
        """The nodes of all of them."""
        with self._reading() as database:
            return [data for (data,) in database.execute("SELECT data FROM nodes ORDER BY hash")]

    def add(self, other: ProofFile) -> None:
        """Keep what another has, beside one's own."""
        nodes = other.nodes()
        for number, block_hash in other.blocks().items() - self.blocks().items():
            self.keep(number, Digest(block_hash), nodes)
            nodes = []

    def keep(self, number: int, block_hash: Digest, nodes: Iterable[bytes]) -> None:
        """Keep a block's proofs, whole or not at all; a block of another hash with that number is forgotten."""
        with self._transaction() as database:
            named = ((keccak(each), each) for each in nodes)
            database.executemany("INSERT INTO nodes VALUES (?, ?) ON CONFLICT DO NOTHING", named)
            database.execute(put("blocks", "number", "hash"), (number, block_hash))
