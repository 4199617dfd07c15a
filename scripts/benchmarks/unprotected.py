"""The rival of storing and reading: the same plaintexts in the same store under one AES-256-GCM key.

What a careful programmer would do without consent: pages of `PAGE` rows that link to the ciphertexts, a root that
links to the pages, everything fetched page by page as our reader does and checked against its CID by the store. No
ledger, no custodians, no signatures, no key of its own for a snapshot; nobody can be refused, since whoever has the
key has everything.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dtledger.client import TwinReading
from dtledger.encoding import CID, block_cid, decode, encode
from dtledger.readings import decode_readings
from dtledger.store import BlockStore

PAGE = 64
PAGES_AT_ONCE = 16
_NONCE = 12
_PIECE = 2**20 - _NONCE - 16


class Unprotected:
    """Contents in `store`, under one key."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._cipher = AESGCM(secrets.token_bytes(32))

    def put(self, contents: Sequence[bytes]) -> CID:
        """Store them; the root's CID."""
        pages = [self._put_page(contents[start : start + PAGE]) for start in range(0, len(contents), PAGE)]
        return self._store.put(encode({"pages": pages}), "dag-cbor")

    def _put_page(self, contents: Sequence[bytes]) -> CID:
        pieces = [[self._encrypt(piece) for piece in _cut(content)] for content in contents]
        page = encode({"rows": [[block_cid(piece, "raw") for piece in row] for row in pieces]})
        return self._store.put_many([*((piece, "raw") for row in pieces for piece in row), (page, "dag-cbor")])[-1]

    def contents(self, root: CID) -> Iterator[bytes]:
        """Every content, in order."""
        pages = decode(self._store.get(root))["pages"]
        for start in range(0, len(pages), PAGES_AT_ONCE):
            some = pages[start : start + PAGES_AT_ONCE]
            blocks = dict(self._store.export(some))
            for page in some:
                for links in decode(blocks[page])["rows"]:
                    yield b"".join(self._decrypt(blocks[link]) for link in links)

    def readings(self, root: CID) -> list[TwinReading]:
        """Every content's readings, as `Client.read` gives them."""
        values = [
            TwinReading(each.at, each.value, each.unit, each.quality, "")
            for content in self.contents(root)
            for each in decode_readings(content).readings
        ]
        return sorted(values, key=lambda each: (each.at, each.unit, each.value))

    def _encrypt(self, piece: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, piece, None)

    def _decrypt(self, block: bytes) -> bytes:
        return self._cipher.decrypt(block[:_NONCE], block[_NONCE:], None)


def _cut(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]
