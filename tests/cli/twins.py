"""Twins and people for the tests of `twin`, `consent` and `snapshot`: each test that changes something has its own."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import Result

from dtledger.client import Terms, writing_terms
from dtledger.client.devnet import OPERATOR, Devnet
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.types import ZERO_ADDRESS, Address, Period
from dtledger.vocabulary import Action, Kind, Purpose

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

DAY = 86_400

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Twin:
    """A twin of the patient's, which the gateway may write to and has written `readings` of glucose to."""

    home: DevnetHome
    number: int
    readings: tuple[Reading, ...]

    def grant(self, name: str = "cardiology", *, past: int = 2 * DAY, **changes: Any) -> Slot:
        """A grant by the SDK: READ of glucose to TREAT for 30 days, with `past` seconds of history."""
        now = int(time.time())
        said: dict[str, Any] = {
            "categories": ("glucose",),
            "purposes": (Purpose.TREAT,),
            "actions": (Action.READ,),
            "not_before_at": now,
            "expires_at": now + 30 * DAY,
            "data": Period((now - past) // 60, (now + 30 * DAY) // 60),
        }
        with self.home.client("patient") as patient:
            return patient.consents.grant(self.number, address_of(self.home, name), Terms(**said | changes))[0]


def address_of(home: DevnetHome, name: str) -> Address:
    with home.client(name) as client:
        return client.address


def new_key(home: DevnetHome, *, funded: bool = True) -> str:
    """The name of a key that nobody has used."""
    name = f"person-{next(_NUMBERS)}"
    devnet = Devnet(home.home)
    key = devnet.key(name)
    if funded:
        devnet.anvil.fund(key.address)
    return name


def new_member(home: DevnetHome, *kinds: Kind) -> str:
    """The name of a key that is enrolled as one of these kinds, and no contact."""
    name = new_key(home)
    with home.client(name) as member, home.client(OPERATOR) as operator:
        operator.members.enrol(member.members.card(name, ZERO_ADDRESS), list(kinds))
    return name


def new_twin(home: DevnetHome, hours: int = 3, ago: int = 0, owner: str = "patient") -> Twin:
    """A twin with `hours` of glucose, one reading every five minutes, the newest `ago` seconds old."""
    now = int(time.time())
    end = (now - ago) // 300 * 300
    readings = tuple(
        Reading(at, 4.0 + place % 97 / 10, "mmol/L", 60) for place, at in enumerate(range(end - hours * 3600, end, 300))
    )
    with home.client(owner) as patient, home.client(OPERATOR) as operator, home.client("gateway") as gateway:
        number, _ = operator.twins.mint(patient.twins.request_mint())
        patient.twins.set_up(number, list(patient.context.custodians), 2)
        back_to = (now - 30 * DAY) // 60
        terms = writing_terms(["glucose", "meals"], now, 30 * DAY, back_to=back_to)
        patient.consents.grant(number, gateway.address, terms)
        if readings:
            gateway.writer.put(number, "glucose", readings)
    return Twin(home, number, readings)


def copy_of(home: DevnetHome, folder: Path) -> Path:
    """A copy of the home without its chain, to be spoilt: its profile still names the same chain and blocks."""
    return Path(shutil.copytree(home.home.root, folder / "copy", ignore=shutil.ignore_patterns("devnet", "blocks")))


def said(result: Result) -> dict[str, Any]:
    """The JSON object of a command that went well."""
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def complaint(result: Result, exit_code: int) -> dict[str, Any]:
    """The JSON error of a command that ended with that exit code."""
    assert result.exit_code == exit_code, result.output
    told: dict[str, Any] = json.loads(result.stderr)
    assert told["exit_code"] == exit_code
    return told


def reads(dtledger: Callable[..., Result], twin: Twin, key: str = "cardiology") -> int:
    """The exit code of a read of the last half hour by `key`, for treatment."""
    words = ("--category", "glucose", "--purpose", "TREAT", "--since", "30m", "--key", key)
    return dtledger("twin", "read", twin.number, *words).exit_code
