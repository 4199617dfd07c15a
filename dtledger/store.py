"""What a block store is to the rest of dtledger: bytes in, a CID out, and the same bytes for that CID or an error.

Four speak it: `dtledger._backend.kubo_store` (IPFS), `dtledger._backend.directory_store` (files named by their CIDs),
`dtledger._backend.http_store` (through a gateway) and `dtledger.testing.memory_store`. The same suite tests all.

The rules:

1. A block's name is its CIDv1 by SHA-256, equal in every store. Two codecs: ``raw`` and ``dag-cbor``.
2. No store is trusted: every block is checked against its CID on every read.
3. A block is at most `MAX_BLOCK_BYTES` long, going in and coming out.
4. What was put stays until `remove`, whatever the store's own collection of garbage does.

>>> from dtledger.testing.memory_store import MemoryStore
>>> from dtledger.encoding import encode
>>> with MemoryStore() as store:
...     leaf = store.put(b"ciphertext", "raw")
...     root = store.put(encode({"content": leaf}), "dag-cbor")
...     [cid == root for cid, _ in store.export([root])]
[True, False]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, Self, get_args

from .encoding import CID, Codec, block_cid, decode
from .errors import InputError, IntegrityError, UnreachableError

MAX_BLOCK_BYTES: Final = 2**20 + 1024
"""One MiB of content, its tag and a little frame. kubo itself would take 2 MiB."""

MAX_DEPTH: Final = 64
"""How many links an export follows from a root. The deepest tree of dtledger (an index) is below 20."""

_CODECS: Final = get_args(Codec)


class BlockMissingError(UnreachableError):
    """The store does not have a block; `.cid` names it, `.block` in text."""

    def __init__(self, cid: CID, store: str, *, hint: str = "") -> None:
        self.cid = cid
        self.block = str(cid)
        super().__init__(f"{store} does not have the block {self.block}.", hint=hint, block=self.block)


class BlockStore(Protocol):
    """Blocks by CID. May be used by several threads at once; a context manager that closes itself.

    Every method may raise `UnreachableError` (the store does not answer) and `DtledgerError` (it cannot keep or read
    what it should: a full disk, no permission).
    """

    def describe(self) -> str:
        """What and where this store is, for people: ``kubo 0.42.0 at /ip4/127.0.0.1/tcp/5001``."""
        ...

    def put(self, data: bytes, codec: Codec) -> CID:
        """Keep one block. When this returns, the block outlives a crash as far as the store can promise it.

        Raises:
            InputError: over `MAX_BLOCK_BYTES`, an unknown codec, or ``dag-cbor`` bytes that are not DAG-CBOR.
        """
        ...

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        """Keep blocks, far faster than one by one; their CIDs in the order given. Nothing is kept if one is refused."""
        ...

    def get(self, cid: CID) -> bytes:
        """The bytes that `cid` names.

        Raises:
            BlockMissingError: the store does not have it.
            IntegrityError: the store gave other bytes; `.block` is the CID.
        """
        ...

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        """Each block of `cids`, in that order; raises as `get` does when it comes to a bad one."""
        ...

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        """Every block that links reach from the roots `cids`, each once, root by root, a block before what it links to.

        A stream: memory holds a few blocks and the CIDs seen, not the blocks. It is whole or it raises: a block that
        a link names and that does not come is a `BlockMissingError`, one that nothing names an `IntegrityError`.
        """
        ...

    def has(self, cid: CID) -> bool:
        """Whether this very store holds the block; asks no other node, and does not look into the bytes."""
        ...

    def remove(self, cids: Iterable[CID]) -> None:
        """Forget blocks for good; those that are not there are passed over. What links to them stays."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def name_block(data: bytes, codec: Codec) -> CID:
    """The CID under which a store keeps `data`: what every `put` asks first.

    Raises:
        InputError: see `BlockStore.put`.
    """
    if codec not in _CODECS:
        raise InputError(f"There is no codec {codec!r} here.", hint="Use 'raw' or 'dag-cbor'.")
    if len(data) > MAX_BLOCK_BYTES:
        raise InputError(
            f"A block of {len(data):,} bytes is over the limit of {MAX_BLOCK_BYTES:,}.", hint="Cut it into chunks."
        )
    if codec == "dag-cbor":
        try:
            decode(data)
        except IntegrityError as error:
            raise InputError("These bytes are not DAG-CBOR.", hint="Put them as 'raw'.") from error
    return block_cid(data, codec)


def put_in_batches(
    blocks: Sequence[tuple[bytes, Codec]], put: Callable[[dict[CID, bytes]], None], most: int, most_bytes: int
) -> list[CID]:
    """`BlockStore.put_many` for a store that takes at most so many blocks, and about so many bytes, at a time."""
    cids = [name_block(data, codec) for data, codec in blocks]
    batch: dict[CID, bytes] = {}
    size = 0
    for cid, (data, _) in zip(cids, blocks, strict=True):
        if batch and (len(batch) == most or size + len(data) > most_bytes):
            put(batch)
            batch, size = {}, 0
        batch[cid] = data
        size += len(data)
    if batch:
        put(batch)
    return cids


def links(cid: CID, data: bytes) -> list[CID]:
    """The CIDs that a block links to, in the order in which they stand in it, each once.

    Raises:
        IntegrityError: the block is not DAG-CBOR, or links by a CID that is not ours; `.block` is `cid`.
    """
    if cid.codec == "raw":
        return []
    try:
        return list(dict.fromkeys(_links(decode(data))))
    except IntegrityError as error:
        raise IntegrityError(f"{error.message}: {cid}", block=str(cid)) from error


def walk(cids: Iterable[CID], get: Callable[[CID], bytes]) -> Iterator[tuple[CID, bytes]]:
    """`BlockStore.export` for a store that is asked block by block."""
    seen: set[CID] = set()
    for root in cids:
        stack = [(root, 0)]
        while stack:
            cid, depth = stack.pop()
            if cid in seen:
                continue
            _check_depth(cid, depth)
            seen.add(cid)
            data = get(cid)
            yield cid, data
            stack.extend((link, depth + 1) for link in reversed(links(cid, data)) if link not in seen)


def whole(root: CID, blocks: Iterable[tuple[CID, bytes]], store: str) -> Iterator[tuple[CID, bytes]]:
    """`blocks`, verified, which must be exactly those that links reach from `root`, depth first.

    For a store that sends an export unasked for its parts: it can leave nothing out and add nothing.

    Raises:
        BlockMissingError: the blocks end too early; it names the one that should have come next.
        IntegrityError: a block came twice or is one that no link named.
    """
    awaited = {root: 0}
    arrived: set[CID] = set()
    for cid, data in blocks:
        if cid not in awaited:
            raise IntegrityError(
                f"{store} sent the block {cid} twice or without a link to it",
                block=str(cid),
                party=store,
            )
        depth = awaited.pop(cid)
        _check_depth(cid, depth)
        arrived.add(cid)
        for link in links(cid, data):
            if link not in arrived:
                awaited.pop(link, None)
                awaited[link] = depth + 1
        yield cid, data
    if awaited:
        raise BlockMissingError(max(awaited, key=awaited.__getitem__), store)


def _check_depth(cid: CID, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise IntegrityError(f"the block {cid} lies over {MAX_DEPTH} links deep", block=str(cid))


def _links(value: Any) -> Iterator[CID]:
    """The links in a decoded value, in their order."""
    if isinstance(value, CID):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _links(each)
