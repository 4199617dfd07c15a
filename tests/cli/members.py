"""People for the tests of `member`: keys with play money, cards, enrolments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from click.testing import Result

from dtledger.client import Client, card_check
from dtledger.client.devnet import Devnet
from dtledger.contacts import Contacts, MemberCardFile
from dtledger.keys import KeyStore
from dtledger.types import ZERO_ADDRESS, Address
from dtledger.vocabulary import Kind

from .conftest import DevnetHome

_numbers = count()


@dataclass(frozen=True)
class Cast:
    """Makes people on a devnet that other tests use too; each has a name of its own."""

    world: DevnetHome
    run: Callable[..., Result]
    folder: Path

    def key(self, name: str) -> str:
        """The name of a new key with play money."""
        unique = f"{name}-{next(_numbers)}"
        devnet = Devnet(self.world.home)
        devnet.anvil.fund(devnet.key(unique).address)
        return unique

    def client(self, key: str) -> Client:
        return self.world.client(key)

    def address(self, key: str) -> Address:
        address = KeyStore(self.world.home).open(key).address
        assert address is not None, "the devnet's keys name theirs"
        return address

    def card(self, key: str, *words: str | Path, name: str = "Dr Ann Lee") -> Path:
        """A card of the key, as `member card` writes it."""
        path = self.folder / f"{key}.card.json"
        result = self.run("member", "card", name, "--key", key, "--out", path, "--replace", *words)
        assert result.exit_code == 0, result.stderr
        return path

    def organisation(self, name: str = "clinic") -> str:
        """A new organisation: a member of none, and a contact under its key's name, which its card bears too."""
        key = self.key(name)
        with self.client(key) as client, self.client("operator") as operator:
            card = client.members.card(f"The {key}")
            operator.members.enrol(card, [])
            check = card_check(client.context.deployment)
        Contacts(self.world.home, check).add(key, card, at=0)
        return key

    def member(self, name: str, *kinds: str, of: str | None = None) -> str:
        """A new member, of an organisation or of none."""
        key = self.key(name)
        with self.client(key) as client:
            card = client.members.card(
                "Dr Ann Lee", self.address(of) if of else ZERO_ADDRESS, f"The {of}" if of else ""
            )
        agreement = b""
        if of:
            with self.client(of) as organisation:
                agreement = organisation.members.agree(card)
        with self.client("operator") as operator:
            operator.members.enrol(card, [Kind[each] for each in kinds], agreement)
        return key

    def tell(self, *words: str | Path) -> dict[str, Any]:
        """What a command that succeeds says in JSON."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    def refusal(self, *words: str | Path) -> dict[str, Any]:
        """What a command that fails says in JSON; nothing is on stdout."""
        result = self.run(*words, "--json")
        assert result.exit_code != 0
        assert result.stdout == ""
        error: dict[str, Any] = json.loads(result.stderr)
        assert error["exit_code"] == result.exit_code
        return error

    def standing(self, key: str) -> dict[str, Any]:
        return self.tell("member", "show", self.address(key))


def read(path: Path) -> MemberCardFile:
    return MemberCardFile.read(path)
