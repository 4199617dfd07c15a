"""The disks of a world's gateway and of some of its custodians, and what stands on them for whoever takes one."""

from __future__ import annotations

import secrets as random
import shutil
from base64 import b64encode
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from dtledger.client import Client
from dtledger.custodian import FileTwinKeys
from dtledger.gateway.queue import KEY as QUEUE_KEY
from dtledger.gateway.queue import Measured, ReadingQueue
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt, UnlockedKey
from dtledger.readings import Reading
from dtledger.testing import MemoryKey, World, WorldCustodian
from dtledger.vocabulary import Kind

from .attacker import Loot

PASSWORD = "correct horse battery staple"
WRAPPING, TWIN_KEYS = "wrapping", "twin-keys"
"""As in a custodian's folder: the name of the key that its pairs are under, and their own folder, in no backup."""


class Disks:
    """One folder a party, in `folder`."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self.gateway = self._gateway()

    def _gateway(self) -> Client:
        """The world's gateway with its key in a file, and a journal."""
        context, folder = self._world.gateway.context, self._folder / "gateway"
        key, journal = _put_key(folder, context.key), folder / "journal.db"
        return Client(context.ledger, context.store, context.custodians, key, context.clock, journal_path=journal)

    def add_custodian(self, name: str) -> WorldCustodian:
        """One whose key and pairs are in files."""
        world, key, wrapping = self._world, MemoryKey(name), random.token_bytes(32)
        world._enrol(key, [Kind.CUSTODIAN])
        key.update(lambda held: held.with_extra(WRAPPING, wrapping))
        custodian = WorldCustodian(key, world.ledger.node(), world.clock)
        _put_key(self.of(custodian), key)
        pairs = self.of(custodian) / TWIN_KEYS
        pairs.mkdir()
        custodian._twin_keys = FileTwinKeys(pairs, wrapping)
        world._custodians[key.address] = custodian
        return custodian

    def of(self, custodian: WorldCustodian) -> Path:
        return self._folder / custodian.address

    def backup(self, custodian: WorldCustodian) -> Loot:
        """All of a custodian's disk but what is in no backup, with the password."""
        restored = self._folder / f"restored-{custodian.address}"
        shutil.copytree(self.of(custodian), restored, ignore=shutil.ignore_patterns(TWIN_KEYS))
        secrets = custodian._key.secrets
        pairs = FileTwinKeys(restored / TWIN_KEYS, secrets.extra[WRAPPING]).all_of(self._world.twin)
        return Loot(secrets.seal_keys, tuple(pairs))

    # the gateway's queue -------------------------------------------------------------------------------------

    def fill_queue(self, readings: Iterable[Reading]) -> None:
        """What the gateway accepted and has not written yet."""
        with self._queue(self.gateway.context.key) as queue:
            queue.put([Measured(self._world.twin, "glucose", each) for each in readings])

    def read_queue(self, key: Any) -> int:
        """How many of the readings that wait a key reads."""
        with self._queue(key) as queue:
            return sum(len(hour.readings) for hour in queue.due(self._world.clock(), [], 10))

    def thief(self) -> MemoryKey:
        """Somebody's key, with the queue's if that lies about."""
        thief, secret = MemoryKey("thief"), self.gateway.context.key.secrets.extra[QUEUE_KEY]
        if stands_in(secret, files(self._folder / "gateway")):
            thief.update(lambda held: held.with_extra(QUEUE_KEY, secret))
        return thief

    def _queue(self, key: Any) -> closing[ReadingQueue]:
        return closing(ReadingQueue(self._folder / "gateway" / "queue.db", key, self._world.clock))

    # at rest -------------------------------------------------------------------------------------------------

    def of_gateway_at_rest(self, everything: Loot) -> Loot:
        return found_in(files(self._folder / "gateway"), everything)

    def of_custodians_at_rest(self, custodians: Iterable[WorldCustodian], everything: Loot) -> Loot:
        return found_in([data for each in custodians for data in files(self.of(each))], everything)


def _put_key(folder: Path, key: Any) -> UnlockedKey:
    """The key in a key file, whose password costs nothing to try."""
    unlocked = KeyStore(Home.locate(folder), kdf=Scrypt(n=2)).create("key", PASSWORD, key._account.key)
    opened = unlocked.unlock(PASSWORD)
    opened.update(lambda _: key.secrets)
    return opened


def files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def stands_in(secret: bytes, pieces: Iterable[bytes]) -> bool:
    """As bytes, in hex or in base64."""
    forms = (secret, secret.hex().encode(), b64encode(secret).rstrip(b"="))
    return any(form in piece for piece in pieces for form in forms)


def found_in(pieces: list[bytes], everything: Loot) -> Loot:
    """Of everybody's secrets those that stand there as they are."""
    return Loot(
        tuple(each for each in everything.keys if stands_in(each.seed, pieces)),
        tuple(each for each in everything.pairs if stands_in(each.seed, pieces)),
        tuple(each for each in everything.twins if any(stands_in(one, pieces) for one in each.generations.values())),
    )
