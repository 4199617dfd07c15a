"""Custodians that do not answer: enough others make up for it, and what is missing is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import Result

from dtledger.client import Client
from dtledger.custody import CustodianPort
from dtledger.errors import IntegrityError, UnreachableError
from dtledger.types import Address
from tests.crash.scene import READINGS, TWIN, Scene, open_client, values
from tests.faults.conftest import READ, assert_read, refusal

pytestmark = pytest.mark.anvil


class SomeDead(Mapping[Address, CustodianPort]):
    """Custodians of whom some end every call with an error of the connection."""

    def __init__(self, ports: Mapping[Address, CustodianPort], dead: int) -> None:
        self._ports = ports
        self.dead = sorted(ports)[:dead]

    def __getitem__(self, address: Address) -> CustodianPort:
        if address in self.dead:
            raise UnreachableError(f"{address} does not answer, by order of the test")
        return self._ports[address]

    def __iter__(self) -> Iterator[Address]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)


def with_dead(scene: Scene, count: int) -> tuple[Client, list[Address]]:
    client = open_client(scene.home, "cardiology", custodians=lambda embedded: SomeDead(embedded, count))
    ports = client.context.custodians
    assert isinstance(ports, SomeDead)
    return client, ports.dead


def key_files(scene: Scene) -> list[Path]:
    return sorted((scene.home.custodians / "keys").glob("custodian-*.json"))


def test_one_of_three_dead_the_read_works_and_says_two_of_three(scene: Scene) -> None:
    client, dead = with_dead(scene, 1)
    with client:
        found = client.read(TWIN, "glucose", "TREAT")
        assert values(found) == values(scene.readings)
        assert (found.answered, found.asked, list(found.faults)) == (2, 3, dead)
        assert len(found.receipts) == 2


@pytest.mark.parametrize("count", [2, 3])
def test_too_few_alive_the_read_is_refused_and_names_the_dead(scene: Scene, count: int) -> None:
    client, dead = with_dead(scene, count)
    with client:
        with pytest.raises(UnreachableError, match=f"{3 - count} of 3 custodians answered, 2 are needed") as refused:
            client.read(TWIN, "glucose", "TREAT")
        assert refused.value.exit_code == 6
        assert sorted(refused.value.evidence["custodians"]) == dead
        assert all(each in refused.value.message for each in dead)
    with scene.client("cardiology") as mended:
        assert len(mended.read(TWIN, "glucose", "TREAT")) == READINGS


def cut_short(file: bytes) -> bytes:
    return file[:-40]


def altered(file: bytes) -> bytes:
    """The same keystore with another MAC: it opens with no password."""
    keystore = json.loads(file)
    keystore["crypto"]["mac"] = "00" * 32
    return json.dumps(keystore).encode()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("damage", [None, cut_short, altered])
def test_a_custodian_whose_key_file_is_gone_or_damaged_is_a_dead_one(
    scene: Scene, dtledger: Callable[..., Result], damage: Callable[[bytes], bytes] | None, count: int
) -> None:
    kept = {path: path.read_bytes() for path in key_files(scene)[:count]}
    for path, data in kept.items():
        path.write_bytes(damage(data)) if damage else path.unlink()
    result = dtledger(*READ, "TREAT", key="cardiology")
    if count == 1:
        assert_read(result)
        assert json.loads(result.stdout)["custodians"]["answered"] == 2
    else:
        said = refusal(result)
        assert (said.code, said.error) == (6, "UnreachableError")
        assert "1 of 3 custodians answered" in said.message
    for path, data in kept.items():
        path.write_bytes(data)
        path.chmod(0o600)
    result = dtledger(*READ, "TREAT", key="cardiology")
    assert_read(result)
    assert json.loads(result.stdout)["custodians"]["answered"] == 3


def test_a_custodian_that_lost_the_twins_key_is_named_and_the_others_suffice(scene: Scene) -> None:
    for lost in (scene.home.custodians / "custodian-1" / "twins").glob(f"{TWIN}-*.key"):
        lost.unlink()
    with scene.client("cardiology") as cardiology:
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered) == (READINGS, 2)
        assert [type(fault) for fault in found.faults.values()] == [IntegrityError]


def test_a_twin_is_set_up_once_all_its_custodians_live(scene: Scene) -> None:
    """Each one's key is needed for the roster, so before that nothing is on the ledger."""
    with scene.client("patient") as patient, scene.client("operator") as operator:
        twin, _ = operator.twins.mint(patient.twins.request_mint())
        custodians = list(patient.context.custodians)
        one_dead = open_client(scene.home, "patient", custodians=lambda embedded: SomeDead(embedded, 1))
        with one_dead, pytest.raises(UnreachableError, match="does not answer"):
            one_dead.twins.set_up(twin, custodians, 2)
        assert patient.twins.without_card() == [twin]
        patient.context.key.reload()
        patient.twins.set_up(twin, custodians, 2)
        assert patient.twins.without_card() == []
