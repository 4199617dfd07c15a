"""Blocks through a gateway: one asker's do no harm to another's, nor do those that there are not."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from dtledger._backend.block_putters import BlockPutters
from dtledger._backend.quota_file import QuotaFile
from dtledger.client import Client
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import BusyError, LimitPassedError, UnreachableError
from dtledger.gateway.blocks import MOST_ELSEWHERE, RECORD_BYTES, Blocks
from dtledger.ledger import messages
from dtledger.store import BlockMissingError
from dtledger.testing import World

DATA = b"a key that both know"
KEY = block_cid(DATA, "raw")


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


@pytest.fixture
def blocks(world: World) -> Blocks:
    return Blocks(world.gateway.context, QuotaFile(None), BlockPutters(None), 2**20)


def put(world: World, blocks: Blocks, who: Client) -> None:
    blocks.put(signed(world, who, "put", [["raw", DATA]]))


def remove(world: World, blocks: Blocks, who: Client) -> None:
    blocks.remove(signed(world, who, "remove", [KEY]))


def signed(world: World, who: Client, verb: str, rows: list[Any]) -> bytes:
    digest = messages.blocks_request(world.ledger.deployment, who.address, verb, [KEY], world.clock())
    return encode([who.address, world.clock(), who.context.key.sign_digest(digest), rows])


def is_held(lock: threading.RLock) -> bool:  # type: ignore[valid-type]
    """Whether a thread that does not have it would wait for it."""
    taken: list[bool] = []

    def look() -> None:
        taken.append(lock.acquire(blocking=False))  # type: ignore[attr-defined]
        if taken[0]:
            lock.release()  # type: ignore[attr-defined]

    other = threading.Thread(target=look)
    other.start()
    other.join()
    return not taken[0]


def test_a_block_is_not_taken_away_under_the_hands_of_who_puts_it(
    world: World, blocks: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who put it first removes it, and knows that another is about to put it."""
    put(world, blocks, world.clinician)
    take_away = world.store.remove
    threads: list[threading.Thread] = []

    def remove_late(cids: Iterable[CID]) -> None:
        threads.append(threading.Thread(target=put, args=(world, blocks, world.patient)))
        threads[0].start()
        if not is_held(blocks._putters._lock):
            threads[0].join()
        take_away(cids)

    monkeypatch.setattr(world.store, "remove", remove_late)
    remove(world, blocks, world.clinician)
    threads[0].join()
    assert blocks.get(KEY) == DATA


def test_what_is_there_is_not_put_for_nothing(world: World, blocks: Blocks) -> None:
    """Each time a store pins it anew, and that takes room too."""
    put(world, blocks, world.clinician)
    few = Blocks(world.gateway.context, QuotaFile(None), BlockPutters(None), 2 * RECORD_BYTES)
    put(world, few, world.patient)
    put(world, few, world.patient)
    with pytest.raises(LimitPassedError):
        put(world, few, world.patient)


def test_what_could_not_be_removed_is_removed_the_next_time(
    world: World, blocks: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, blocks, world.patient)
    with monkeypatch.context() as away:

        def fail(cids: Iterable[CID]) -> None:
            raise UnreachableError("the store is away")

        away.setattr(world.store, "remove", fail)
        with pytest.raises(UnreachableError):
            remove(world, blocks, world.patient)
    assert blocks.has(KEY)
    remove(world, blocks, world.patient)
    assert not blocks.has(KEY)


def test_blocks_that_there_are_not_leave_threads_for_others(
    world: World, blocks: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store asks others for what it lacks, and waits for them half a minute; anybody can make up a CID."""
    put(world, blocks, world.patient)
    entered, found = threading.Semaphore(0), threading.Event()
    nowhere, get = block_cid(b"none", "raw"), world.store.get

    def ask_others(cid: CID) -> bytes:
        if cid == KEY:
            return get(cid)
        if cid == nowhere:
            entered.release()
            found.wait(30)
        raise BlockMissingError(cid, "the store")

    def look() -> None:
        with pytest.raises(BlockMissingError):
            blocks.get(nowhere)

    monkeypatch.setattr(world.store, "get", ask_others)
    waiting = [threading.Thread(target=look) for _ in range(MOST_ELSEWHERE)]
    for each in waiting:
        each.start()
        entered.acquire()
    try:
        with pytest.raises(BusyError):
            blocks.get(block_cid(b"one more", "raw"))
        assert blocks.get(KEY) == DATA
    finally:
        found.set()
        for each in waiting:
            each.join()
    look()
