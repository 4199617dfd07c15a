"""What a block store is to the rest of dtledger: bytes in, a CID out, and the same bytes for that CID or an error.

Three speak it: `dtledger._backend.kubo_store` (IPFS), `dtledger._backend.directory_store` (files named by their CIDs)
and `dtledger.testing.memory_store`. The same suite tests all.

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

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from .encoding import CID, Codec, block_cid, digest_cid
from .errors import InputError, IntegrityError, UnreachableError

MAX_BLOCK_BYTES: Final = 2**20 + 1024
"""One MiB of content, its tag and a little frame. kubo itself would take 2 MiB."""

MAX_DEPTH: Final = 64
"""How many links an export follows from a root. The deepest tree of dtledger (an index) is below 20."""

_CODECS: Final[dict[bytes, Codec]] = {b"\x01\x55\x12\x20": "raw", b"\x01\x71\x12\x20": "dag-cbor"}
"""The first four bytes of a CID: version 1, codec, SHA-256, 32 bytes."""

_FOREIGN: Final = "a CID is not a CIDv1 of raw or dag-cbor bytes by SHA-256"


class BlockMissingError(UnreachableError):
    """The store does not have a block; `.cid` names it, `.block` in text."""

    def __init__(self, cid: CID, store: str, *, hint: str = "") -> None:
        self.cid = cid
        self.block = cid_text(cid)
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def cid_text(cid: CID) -> str:
    """The one way to write a CID: base32 in lower case, whichever base it was read in.

    Raises:
        IntegrityError: not a CIDv1 of raw or dag-cbor bytes by SHA-256.

    >>> cid_text(block_cid(b"hello", "raw"))
    'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'
    """
    data = bytes(cid)
    if data[:4] not in _CODECS:
        raise IntegrityError(_FOREIGN, block=str(cid))
    return "b" + base64.b32encode(data).decode().rstrip("=").lower()


def parse_cid(data: bytes) -> CID:
    """The CID that these 36 bytes are.

    Raises:
        IntegrityError: not a CIDv1 of raw or dag-cbor bytes by SHA-256.
    """
    codec = _CODECS.get(data[:4])
    if codec is None or len(data) != 36:
        raise IntegrityError(_FOREIGN, block=data.hex())
    return digest_cid(data[4:], codec)


def name_block(data: bytes, codec: Codec) -> CID:
    """The CID under which a store keeps `data`: what every `put` asks first.

    Raises:
        InputError: see `BlockStore.put`.
    """
    if codec not in _CODECS.values():
        raise InputError(f"There is no codec {codec!r} here.", hint="Use 'raw' or 'dag-cbor'.")
    if len(data) > MAX_BLOCK_BYTES:
        raise InputError(
            f"A block of {len(data):,} bytes is over the limit of {MAX_BLOCK_BYTES:,}.", hint="Cut it into chunks."
        )
    if codec == "dag-cbor":
        try:
            _links(data)
        except IntegrityError as error:
            raise InputError("These bytes are not DAG-CBOR.", hint="Put them as 'raw'.") from error
    return block_cid(data, codec)


def links(cid: CID, data: bytes) -> list[CID]:
    """The CIDs that a block links to, in the order in which they stand in it, each once.

    Raises:
        IntegrityError: the block is not DAG-CBOR, or links by a CID that is not ours; `.block` is `cid`.
    """
    if bytes(cid)[1] == 0x55:
        return []
    try:
        return [parse_cid(link) for link in dict.fromkeys(_links(data))]
    except IntegrityError as error:
        raise IntegrityError(f"{error.message}: {cid_text(cid)}", block=cid_text(cid)) from error


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
                f"{store} sent the block {cid_text(cid)} twice or without a link to it",
                block=cid_text(cid),
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
        raise IntegrityError(f"the block {cid_text(cid)} lies over {MAX_DEPTH} links deep", block=cid_text(cid))


def _links(data: bytes) -> list[bytes]:
    """The CIDs in DAG-CBOR bytes, without building their values: one pass over the heads of the items (RFC 8949 §3).

    DAG-CBOR has definite lengths alone and one tag, 42, over a byte string of zero and the CID's bytes; so the items
    still to come are one number, and no depth of nesting costs anything.
    """
    found = []
    at, items, tagged = 0, 1, False
    while items:
        if at >= len(data):
            raise IntegrityError("a block of DAG-CBOR ends too early")
        major, info = data[at] >> 5, data[at] & 31
        at += 1
        if info < 24:
            value = info
        elif info < 28:
            width = 1 << (info - 24)
            value = int.from_bytes(data[at : at + width])
            at += width
        else:
            raise IntegrityError("a block of DAG-CBOR holds an item without a length")
        items -= 1
        if tagged:
            if major != 2 or data[at : at + 1] != b"\0":
                raise IntegrityError("a block of DAG-CBOR holds a link that is not a CID")
            found.append(data[at + 1 : at + value])
        tagged = major == 6
        match major:
            case 2 | 3:
                at += value
            case 4:
                items += value
            case 5:
                items += 2 * value
            case 6:
                if value != 42:
                    raise IntegrityError("a block of DAG-CBOR holds a tag that is not a link")
                items += 1
            case 7:
                if info not in (20, 21, 22, 27):
                    raise IntegrityError("a block of DAG-CBOR holds a value that DAG-CBOR does not have")
    if at != len(data):
        raise IntegrityError("a block of DAG-CBOR has the wrong length")
    return found
