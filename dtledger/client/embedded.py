"""Custodians in this process, for a development chain. A show of the second lock, not one: whoever has the home has
all of them. They are refused on a chain that is not a development chain."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .._backend.files import write_atomically
from ..custodian import Custodian, FileLetters, FileTwinKeys, ReceiptLog
from ..custody import CustodianPort
from ..errors import InputError
from ..home import Home
from ..keys import KeyStore, Scrypt, UnlockedKey
from ..ledger import Ledger
from ..types import Address

_CHEAP = Scrypt(n=2**12)  # the password is 256 random bits, so a slow derivation would add nothing


class Embedded(Mapping[Address, CustodianPort]):
    """The custodians of one home, each unlocked when it is first asked."""

    def __init__(self, home: Home, ledger: Ledger, clock: Callable[[], int], max_head_age: int) -> None:
        if not ledger.deployment.is_development:
            raise InputError(
                f"Embedded custodians are for development, and chain {ledger.deployment.chain_id} is not for that.",
                hint="Name the custodians' URLs in the profile: `dtledger config set custodians URL,URL,URL`.",
            )
        self._home = home
        self._ledger = ledger
        self._clock = clock
        self._max_head_age = max_head_age
        self._names = custodian_keys(home).addresses()  # one whose file is damaged is a dead custodian to its readers
        self._open: dict[Address, Custodian] = {}

    def __getitem__(self, address: Address) -> CustodianPort:
        if address not in self._open:
            self._open[address] = self._unlock(self._names[address])
        return self._open[address]

    def __iter__(self) -> Iterator[Address]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _unlock(self, name: str) -> Custodian:
        key = unlock_custodian(self._home, name)
        folder = self._home.custodians / name
        return Custodian(
            key,
            self._ledger,
            FileTwinKeys(folder / "twins", key.secrets.extra["wrapping"], tombstones=folder),
            ReceiptLog(folder / f"receipts-{self._ledger.deployment.id}.log"),
            self._clock,
            self._max_head_age,
            FileLetters(folder / f"letters-{self._ledger.deployment.id}"),
        )


def custodian_keys(home: Home) -> KeyStore:
    """The key store of a home's embedded custodians, apart from its owner's keys."""
    return KeyStore(Home(home.custodians, "embedded custodians"), _CHEAP)


def create_custodian(home: Home, name: str) -> UnlockedKey:
    """The embedded custodian of that name, made if there is none."""
    store = custodian_keys(home)
    if name not in store.names():
        home.prepare(home.custodians)
        if not _password_file(home).exists():
            write_atomically(_password_file(home), secrets.token_hex(32).encode() + b"\n")
        store.create(name, _password_file(home).read_text().strip())
    key = unlock_custodian(home, name)
    key.update(lambda held: held if "wrapping" in held.extra else held.with_extra("wrapping", secrets.token_bytes(32)))
    home.prepare(home.custodians / name / "twins")
    return key


def unlock_custodian(home: Home, name: str) -> UnlockedKey:
    """The embedded custodian of that name, open."""
    return custodian_keys(home).open(name).unlock(_password_file(home).read_text().strip())


def _password_file(home: Home) -> Path:
    return home.custodians / "password"
