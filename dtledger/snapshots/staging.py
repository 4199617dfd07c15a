"""Blocks made but not yet stored, so that a batch reaches the store in one go and can read what it just made."""

from __future__ import annotations

from ..encoding import CID, Codec, block_cid, encode
from ..store import BlockStore


class Staging:
    """A store's reading side, with new blocks held back until `flush`."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._new: dict[CID, tuple[bytes, Codec]] = {}

    def put(self, data: bytes, codec: Codec = "dag-cbor") -> CID:
        cid = block_cid(data, codec)
        self._new[cid] = (data, codec)
        return cid

    def put_value(self, value: object) -> CID:
        return self.put(encode(value))

    def get(self, cid: CID) -> bytes:
        staged = self._new.get(cid)
        return staged[0] if staged else self._store.get(cid)

    def flush(self) -> int:
        """Store everything staged; returns how many blocks that were."""
        count = len(self._new)
        if self._new:
            self._store.put_many(list(self._new.values()))
            self._new.clear()
        return count
