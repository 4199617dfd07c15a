"""A block store whose answers are kept, and the store that gives them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Self

from ..encoding import CID, Codec, verify_block
from ..errors import InputError, IntegrityError
from ..store import BlockMissingError, BlockStore, walk


class KeptBlocks:
    """A read-only `BlockStore` of these blocks; they are checked like any store's."""

    def __init__(self, blocks: Mapping[CID, bytes]) -> None:
        self._blocks = blocks
        self.used: set[CID] = set()
        """What was asked for and is there."""

    def describe(self) -> str:
        return "What is at hand"

    def get(self, cid: CID) -> bytes:
        if cid not in self._blocks:
            raise BlockMissingError(cid, self.describe())
        self.used.add(cid)
        return verify_block(cid, self._blocks[cid])

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return ((cid, self.get(cid)) for cid in cids)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return walk(cids, self.get)

    def has(self, cid: CID) -> bool:
        return cid in self._blocks

    def put(self, data: bytes, codec: Codec) -> CID:
        raise InputError("Nothing is put into a bundle.")

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        raise InputError("Nothing is put into a bundle.")

    def remove(self, cids: Iterable[CID]) -> None:
        raise InputError("Nothing is removed from a bundle.")

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class KeepingBlocks(KeptBlocks):
    """The same of another store, whose answers it keeps in `kept`. A block that is not what its CID names is kept as
    no bytes at all, so that whoever looks at it again finds the same fault."""

    def __init__(self, store: BlockStore) -> None:
        super().__init__({})
        self._store = store
        self.kept: dict[CID, bytes] = {}

    def get(self, cid: CID) -> bytes:
        if cid not in self.kept:
            try:
                self.kept[cid] = self._store.get(cid)
            except IntegrityError:
                self.kept[cid] = b""
            except BlockMissingError:
                raise BlockMissingError(cid, self.describe()) from None
        return verify_block(cid, self.kept[cid])

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        wanted = list(dict.fromkeys(cids))
        with suppress(IntegrityError, BlockMissingError):  # which `get` says again, of the one that it is
            self.kept.update(self._store.get_many([cid for cid in wanted if cid not in self.kept]))
        return ((cid, self.get(cid)) for cid in wanted)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        roots = list(dict.fromkeys(cids))
        with suppress(IntegrityError, BlockMissingError):
            self.kept.update(self._store.export([cid for cid in roots if cid not in self.kept]))
        return walk(roots, self.get)

    def has(self, cid: CID) -> bool:
        return self._store.has(cid)
