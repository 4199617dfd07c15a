"""Blocks through a gateway, so that a store's administrator interface stays on its own machine.

Enrolled members and owners of twins put, signed, so much a day; everybody who knows a CID gets. Who put a block may
remove it, if nobody else put it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Semaphore
from typing import Any

from .._backend.block_putters import BlockPutters
from .._backend.quota_file import QuotaFile
from ..client import Context
from ..encoding import CID, Codec, address, block_cid, decode, require_few
from ..errors import AccessDeniedError, BusyError, InputError, IntegrityError
from ..ledger import messages
from ..store import MAX_BLOCK_BYTES, name_block
from ..types import Address
from ..vocabulary import Reason
from .signed import require_signed

MOST_BLOCKS = 1024
"""In one request."""

MOST_VALUES = 2**12
"""In the CBOR of one request."""

MOST_VALUES_IN_BLOCK = 2**16
"""A million bytes of hashes are 30,000."""

MOST_ELSEWHERE = 4
"""Blocks that are looked for elsewhere at a time, of all threads: anybody can name one that there is not."""

RECORD_BYTES = 256
"""What a store and a gateway keep of each block that is put, also of one that is there: who wants it, and a pin."""

BYTES = "bytes of blocks"


class Blocks:
    """The store of `context`, for others; `daily_bytes` are what one of them may put a day."""

    def __init__(self, context: Context, quota: QuotaFile, putters: BlockPutters, daily_bytes: int) -> None:
        self._context = context
        self._quota = quota
        self._putters = putters
        self._daily_bytes = daily_bytes
        self._elsewhere = Semaphore(MOST_ELSEWHERE)

    def get(self, cid: CID) -> bytes:
        """Raises as `BlockStore.get`.

        Raises:
            BusyError: too many wait for blocks that are not here: a store may ask others for half a minute each.
        """
        store = self._context.store
        if store.has(cid):
            return store.get(cid)
        if not self._elsewhere.acquire(blocking=False):
            raise BusyError("Too many blocks that are not here are looked for.", hint="Ask again later.")
        try:
            return store.get(cid)
        finally:
            self._elsewhere.release()

    def has(self, cid: CID) -> bool:
        return self._context.store.has(cid)

    def put(self, body: bytes) -> None:
        """Keep the blocks of a request [sender, at, signature, [[codec, bytes], …]].

        Raises:
            InputError: it is not of that form, not fresh, or a block is too large or no DAG-CBOR.
            AccessDeniedError: it is not signed by the sender, or that is neither a member nor the owner of a twin.
            LimitPassedError: the sender put as much today as they may.
        """
        sender, at, signature, rows = _request(body)
        blocks: list[tuple[bytes, Codec]] = []
        for row in rows:
            match row:
                case [("raw" | "dag-cbor") as codec, bytes(data)] if len(data) <= MAX_BLOCK_BYTES:
                    blocks.append((data, codec))
                case _:
                    raise InputError(f"A block is [codec, bytes], and has at most {MAX_BLOCK_BYTES:,} bytes.")
        cids = [block_cid(data, codec) for data, codec in blocks]
        self._require(sender, "put", cids, at, signature)
        for data, codec in blocks:  # a stranger's are not looked into
            _require_block(data, codec)
        store = self._context.store
        there = [cid for cid in cids if store.has(cid)]
        size = sum(len(data) for cid, (data, _) in zip(cids, blocks, strict=True) if cid not in there)
        size += RECORD_BYTES * len(cids)
        self._quota.take(BYTES, sender, size, self._daily_bytes, self._context.clock())
        self._putters.remember(sender, cids, there)
        store.put_many(blocks)

    def remove(self, body: bytes) -> None:
        """Forget blocks of a request [sender, at, signature, [CID, …]], as far as they are the sender's alone.

        Raises as `put`."""
        sender, at, signature, cids = _request(body)
        if not all(isinstance(each, CID) for each in cids):
            raise InputError("What is removed is named by CIDs.")
        self._require(sender, "remove", cids, at, signature)
        with self._putters.forgetting(sender, cids) as free:
            self._context.store.remove(free)

    def _require(self, sender: Address, verb: str, cids: Sequence[CID], at: int, signature: bytes) -> None:
        context = self._context
        digest = messages.blocks_request(context.deployment, sender, verb, cids, at)
        require_signed(context, sender, at, digest, signature)
        require_known(context, sender)


def require_known(context: Context, who: Address) -> None:
    """Pass if they are an active member or own a twin.

    Raises:
        AccessDeniedError: they are neither.
    """
    view = context.view()
    member = view.member(who)
    if member is not None and member.suspended:
        raise AccessDeniedError("A suspended member is not served.", reason=Reason.SUSPENDED)
    if member is None and not view.twins_of(who):
        raise AccessDeniedError("Members and owners of twins are served, nobody else.", reason=Reason.NOT_ENROLLED)


def _require_block(data: bytes, codec: Codec) -> None:
    """Raises:
    InputError: it is no block.
    """
    if codec == "dag-cbor":
        try:
            require_few(data, MOST_VALUES_IN_BLOCK)
        except IntegrityError as error:
            raise InputError(f"A block is no block: {error.message}.") from error
    name_block(data, codec)


def _request(body: bytes) -> tuple[Address, int, bytes, list[Any]]:
    try:
        require_few(body, MOST_VALUES)
        value = decode(body)
    except IntegrityError as error:
        raise InputError(f"The request is no canonical CBOR: {error.message}.") from error
    match value:
        case [str(sender), int(at), bytes(signature), [_, *_] as rows] if len(rows) <= MOST_BLOCKS and 0 <= at < 2**40:
            try:
                return address(sender), at, signature, rows
            except ValueError as error:
                raise InputError("The sender is no address.") from error
    raise InputError(f"A request is [sender, time, signature, blocks], with at most {MOST_BLOCKS} blocks.")
