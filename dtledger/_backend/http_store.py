"""A gateway's blocks over HTTP: a block store for whoever has no kubo of their own.

Putting and removing is signed by an enrolled member or the owner of a twin; getting is open to whoever knows a CID.
Blocks are checked against their CIDs on every read, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol, Self

from ..encoding import CID, Codec, encode, verify_block
from ..errors import InputError
from ..ledger import Deployment, messages
from ..store import MAX_BLOCK_BYTES, BlockMissingError, put_in_batches, walk
from ..types import Address, Digest
from .http_link import HttpLink

BLOCKS_AT_ONCE: Final = 512
BYTES_AT_ONCE: Final = 4 * 2**20
"""One request is at most this many blocks and about this many bytes."""
SILENCE_SECONDS: Final = 30.0
"""How long an answer may take to come."""


class Signer(Protocol):
    """Whoever signs messages: an unlocked key."""

    @property
    def address(self) -> Address: ...

    def sign_digest(self, digest: Digest) -> bytes: ...


class HttpStore:
    """A `dtledger.store.BlockStore` at the gateway `url`.

    Args:
        signer: the key that puts; None only reads.
        clock: unix seconds.
    """

    def __init__(self, url: str, deployment: Deployment, signer: Signer | None, clock: Callable[[], int]) -> None:
        self._name = f"the gateway at {url.rstrip('/')}"
        self._link = HttpLink(url, self._name, SILENCE_SECONDS)
        self._deployment = deployment
        self._signer = signer
        self._clock = clock

    def describe(self) -> str:
        return self._name

    def put(self, data: bytes, codec: Codec) -> CID:
        return self.put_many([(data, codec)])[0]

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        return put_in_batches(blocks, self._put, BLOCKS_AT_ONCE, BYTES_AT_ONCE)

    def get(self, cid: CID) -> bytes:
        status, data = self._link.ask("GET", f"/v1/blocks/{cid}", most=MAX_BLOCK_BYTES, allowed=(404,))
        if status == 404:
            raise BlockMissingError(cid, self.describe())
        return verify_block(cid, data)

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return ((cid, self.get(cid)) for cid in cids)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return walk(cids, self.get)

    def has(self, cid: CID) -> bool:
        status, _ = self._link.ask("HEAD", f"/v1/blocks/{cid}", allowed=(404,))
        return status != 404

    def remove(self, cids: Iterable[CID]) -> None:
        named = list(cids)
        for start in range(0, len(named), BLOCKS_AT_ONCE):
            some = named[start : start + BLOCKS_AT_ONCE]
            self._link.ask("POST", "/v1/blocks/remove", encode([*self._signed("remove", some), some]))

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, blocks: dict[CID, bytes]) -> None:
        rows = [[cid.codec, data] for cid, data in blocks.items()]
        self._link.ask("PUT", "/v1/blocks", encode([*self._signed("put", list(blocks)), rows]))

    def _signed(self, verb: str, cids: Sequence[CID]) -> tuple[Address, int, bytes]:
        if self._signer is None:
            raise InputError("Blocks are put into a gateway by a key.", hint="Name one by --key.")
        address, at = self._signer.address, self._clock()
        digest = messages.blocks_request(self._deployment, address, verb, cids, at)
        return address, at, self._signer.sign_digest(digest)
