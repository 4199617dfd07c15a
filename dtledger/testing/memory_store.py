"""A block store in memory that passes the suite of the real ones, with faults to order.

>>> store = MemoryStore()
>>> cid = store.put(b"ciphertext", "raw")
>>> store.damage(cid)
>>> store.get(cid)
Traceback (most recent call last):
dtledger.errors.IntegrityError: a block's bytes are not what its CID names
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from ..encoding import CID, Codec, verify_block
from ..store import BlockMissingError, name_block, walk


class MemoryStore:
    """A `dtledger.store.BlockStore` that ends with its process."""

    def __init__(self) -> None:
        self._blocks: dict[CID, bytes] = {}

    def describe(self) -> str:
        return "a block store in memory"

    def put(self, data: bytes, codec: Codec) -> CID:
        return self.put_many([(data, codec)])[0]

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        cids = [name_block(data, codec) for data, codec in blocks]
        self._blocks.update((cid, bytes(data)) for cid, (data, _) in zip(cids, blocks, strict=True))
        return cids

    def get(self, cid: CID) -> bytes:
        if cid not in self._blocks:
            raise BlockMissingError(cid, self.describe())
        return verify_block(cid, self._blocks[cid])

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return ((cid, self.get(cid)) for cid in cids)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return walk(cids, self.get)

    def has(self, cid: CID) -> bool:
        return cid in self._blocks

    def remove(self, cids: Iterable[CID]) -> None:
        for cid in cids:
            self._blocks.pop(cid, None)

    def damage(self, cid: CID) -> None:
        """Fault: from now on the block's first bit is the wrong one."""
        data = bytearray(self._blocks[cid] or b"\0")
        data[0] ^= 0x80
        self._blocks[cid] = bytes(data)

    def close(self) -> None:
        """Nothing is open. The blocks stay, so that a test may look at them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
