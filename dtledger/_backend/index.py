"""The index: a deployment's logs as one node gave them, and whether the chain has these and no others.

Its digest is over every log in the chain's order, whatever way it came to them: two indexes of one chain, one that grew
day by day and one made from nothing, have the same. It is verified without belief in the node that filled it: every
header from the deployment's first block leads to the head, and each block whose filter may hold a log of a contract
shows all its receipts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile, zip_longest
from pathlib import Path

from ..errors import IntegrityError, UnreachableError
from ..ledger import Deployment
from ..types import Digest
from .evm import EvmLedger
from .log_cache import SCHEMA, LogCache, RawLog, schema_of
from .postgresql import Server, ServerConnection


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an index stands: the newest block it has read and that block's hash (None before the first), how many logs,
    and the digest over them."""

    block: int | None
    block_hash: bytes
    logs: int
    digest: Digest


def place(url: str | None, file: Path) -> Path | Server:
    """Where an index lies: in the file, or in the database of that URL under the file's name."""
    return file if url is None else Server(url, schema_of(file.stem))


def standing(path: Path | Server) -> Standing:
    """Of the index there; nobody is asked."""
    cache = LogCache(path)
    try:
        seen, hashed, count = cache.seen(), hashlib.sha256(), 0
        for log in cache.since(-1):
            hashed.update(packed(log))
            count += 1
        block, block_hash = seen or (None, b"")
        return Standing(block, block_hash, count, Digest(hashed.digest()))
    finally:
        cache.close()


def rebuild(
    rpc_url: str, deployment: Deployment, path: Path | Server, progress: Callable[[int, int], None] | None = None
) -> Standing:
    """Make the index from nothing beside the present one, and put it in its place when it is whole.

    Raises:
        UnreachableError, ChainMismatchError: the node; the present index stays.
    """
    fresh = replace(path, schema=f"{path.schema}_fresh") if isinstance(path, Server) else path.with_suffix(".fresh")
    _forget(fresh)
    with EvmLedger(rpc_url, deployment, fresh) as ledger:
        ledger.catch_up(progress)
    _put_in_place(fresh, path)
    return standing(path)


def packed(log: RawLog) -> bytes:
    """A log in bytes, for the digest."""
    cells = (log.block, log.place, log.at, len(log.topics), len(log.data))
    return b"".join(each.to_bytes(8) for each in cells) + log.topics + log.data


def require_logs(found: Iterator[tuple[int, int, bytes, bytes]], path: Path | Server, head: int) -> int:
    """Pass if the index has exactly those logs up to a block; how many they are. `found` gives block, place, topics and
    data of each, in the chain's order, as they were proved.

    Raises:
        IntegrityError: it lacks one, or has one that is another or none.
        UnreachableError: it does not reach that block.
    """
    cache = LogCache(path)
    try:
        seen = cache.seen()
        if seen is None or seen[0] < head:
            raise UnreachableError("The index has not read that far.", hint="`dtledger index rebuild` reads it anew.")
        count = 0
        with closing(cache.since(-1)) as every:
            told = takewhile(lambda each: each.block <= head, every)
            for log, proved in zip_longest(told, found):
                if log is None or (log.block, log.place, log.topics, log.data) != proved:
                    raise IntegrityError(f"the index has other logs than the chain after the first {count:,}")
                count += 1
        return count
    finally:
        cache.close()


def _forget(place: Path | Server) -> None:
    """Take away an index, or what is left of one."""
    if isinstance(place, Server):
        _change(place, f'DROP SCHEMA "{place.schema}" CASCADE')
        return
    for each in ("", "-wal", "-shm"):
        place.with_name(place.name + each).unlink(missing_ok=True)


def _put_in_place(fresh: Path | Server, path: Path | Server) -> None:
    if isinstance(fresh, Server) and isinstance(path, Server):
        gone, named = f'DROP SCHEMA IF EXISTS "{path.schema}" CASCADE', f'RENAME TO "{path.schema}"'
        _change(fresh, gone, f'ALTER SCHEMA "{fresh.schema}" {named}')
    elif isinstance(fresh, Path) and isinstance(path, Path):
        _forget(path)
        fresh.rename(path)


def _change(server: Server, *statements: str) -> None:
    with closing(ServerConnection(server, "", SCHEMA, disposable=True)) as database, database:
        for each in statements:
            database.execute(each)
