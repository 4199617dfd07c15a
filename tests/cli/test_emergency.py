"""`emergency` and `twin emergency`, on a development chain of their own: a steward's delay is waited out there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client import Client, publish_keyring
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.members import card_check
from dtledger.client.opening import open_client
from dtledger.contacts import Contacts
from dtledger.home import Home
from dtledger.ledger import calls
from dtledger.types import ZERO_ADDRESS
from dtledger.vocabulary import Kind

from .bare import Run, at_terminal, runner

pytestmark = pytest.mark.anvil

NAMES = (OPERATOR, "ambulance", "medic", "auditor", "patient")
WEEK = 7 * 86_400


@dataclass(frozen=True)
class Scene:
    """A home with an ambulance service, its medic, an auditor and a patient's twin 1; the clock is the chain's."""

    home: Home
    devnet: Devnet

    def client(self, key: str) -> Client:
        return open_client(PROFILE, key, home=self.home)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = Home(tmp_path_factory.mktemp("emergency") / "home", "test")
    devnet = Devnet(home)
    devnet.up(DirectoryStore)
    try:
        for name in NAMES:
            devnet.key(name)
        devnet.fund()
        made = Scene(home, devnet)
        _populate(made)
        yield made
    finally:
        devnet.down()


def _populate(scene: Scene) -> None:
    clients = {name: scene.client(name) for name in NAMES}
    operator = clients[OPERATOR]
    contacts = Contacts(scene.home, card_check(operator.context.deployment))
    try:
        for name, kinds, organisation in (
            ("ambulance", (), ""), ("medic", (), "ambulance"), ("auditor", (Kind.AUDITOR,), ""),
        ):  # fmt: skip
            of = clients[organisation] if organisation else None
            card = clients[name].members.card(name, of.address if of else ZERO_ADDRESS, organisation)
            operator.members.enrol(card, list(kinds), of.members.agree(card) if of else b"")
            contacts.add(name, card, at=int(time.time()))
        call = calls.add_guarded_kinds(clients["medic"].address, Kind.EMERGENCY.mask)
        operator.context.ledger.send(calls.schedule(call), operator.context.key)
        scene.devnet.anvil.rpc("evm_increaseTime", WEEK)
        operator.context.ledger.send(call, operator.context.key)
        publish_keyring(clients["ambulance"].context, [clients["medic"].address])
    finally:
        for client in clients.values():
            client.close()


@pytest.fixture
def run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(scene.home.root, monkeypatch)


@pytest.fixture
def tell(run: Run) -> Callable[..., dict[str, Any]]:
    def told(*words: object) -> dict[str, Any]:
        result = run(*(str(word) for word in words), "--json")
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.stdout))

    return told


def test_a_patient_lets_a_medic_opens_an_auditor_reviews_and_the_patient_ends_it(
    run: Run, tell: Callable[..., dict[str, Any]], scene: Scene
) -> None:
    minted = tell("twin", "mint", "--another", "--key", "patient", "--emergency", "ambulance")
    twin, grant = minted["twin"], minted["emergency"]["grant"]
    assert grant == f"{twin}/ambulance/0"
    words = ("emergency", "open", grant, "--cause", "OVRINCOMP", "--text", "found unconscious", "--key", "medic")
    assert tell(*words, "--dry-run")["opening"] is None
    opened = tell(*words, "--yes")["opening"]
    assert (opened["cause"], opened["words"], opened["closed"]) == ("OVRINCOMP", "found unconscious", False)

    (listed,) = tell("emergency", "list", "--key", "patient")["openings"]
    assert (listed["opener"]["name"], listed["state"], listed["words"]) == ("medic", "waiting", "found unconscious")
    shown = run("emergency", "list", "--key", "patient")
    assert "OVRINCOMP" in shown.stdout
    assert "found unconscious" in shown.stdout
    (due,) = tell("emergency", "list", "--to-review", "--key", "auditor")["openings"]
    assert tell("emergency", "list", "--overdue", "--key", "auditor")["openings"] == []

    number = str(due["opening"])
    review = ("emergency", "review", number, "--finding", "JUSTIFIED", "--text", "hypoglycaemia", "--key", "auditor")
    assert tell(*review, "--dry-run")["sent"] is None
    told = tell(*review, "--yes")["opening"]
    assert (told["state"], told["review"]["finding"], told["review"]["words"]) == (
        "reviewed", "JUSTIFIED", "hypoglycaemia",
    )  # fmt: skip
    assert run(*review, "--yes").exit_code == 1, "once"

    assert tell("twin", "emergency", "off", twin, "--key", "patient", "--dry-run")["sent"] is None
    off = tell("twin", "emergency", "off", twin, "--key", "patient", "--yes")
    assert [each["grant"] for each in off["grants"]] == [grant]
    refused = run(*words, "--yes")
    assert refused.exit_code == 3
    assert "no grant for emergencies" in refused.stderr
    assert tell("twin", "emergency", "off", twin, "--key", "patient", "--yes")["grants"] == []


def test_it_is_off_unless_the_patient_says_so(run: Run, tell: Callable[..., dict[str, Any]], scene: Scene) -> None:
    minted = tell("twin", "mint", "--another", "--key", "patient")
    assert minted["emergency"] is None
    twin = minted["twin"]
    on = ("twin", "emergency", "on", twin, "--to", "ambulance", "--category", "glucose", "--for", "30d")
    dry = tell(*on, "--key", "patient", "--dry-run")
    assert (dry["sent"], dry["categories"]) == (None, ["glucose"])
    with scene.client("patient") as patient:
        assert patient.emergencies.grants(twin) == []
    given = tell(*on, "--key", "patient", "--yes")
    with scene.client("patient") as patient:
        assert len(patient.emergencies.grants(twin)) == 1
    assert given["grants"][0]["organisation"]["name"] == "ambulance"
    assert run(*map(str, on), "--key", "medic", "--yes").exit_code == 3, "not its owner"


@pytest.mark.parametrize(("typed", "trusted"), [("ambulance\n", 1), ("\n", 0)], ids=["a name", "Enter"])
def test_at_a_terminal_the_patient_is_asked_at_the_mint(typed: str, trusted: int, run: Run, scene: Scene) -> None:
    code, shown = at_terminal(scene.home.root, "twin", "mint", "--another", "--key", "patient", typed=typed)
    assert code == 0, shown
    assert "Which emergency organisation may open it in an emergency?" in shown
    with scene.client("patient") as patient:
        newest = max(patient.context.view().twins_of(patient.address))
        assert len(patient.emergencies.grants(newest)) == trusted


def test_who_has_no_emergency_member_is_not_let(run: Run) -> None:
    for words in (
        ("twin", "mint", "--another", "--key", "patient", "--emergency", "auditor"),
        ("twin", "emergency", "on", "1", "--to", "auditor", "--key", "patient", "--yes"),
    ):
        result = run(*words)
        assert result.exit_code == 2
        assert "no EMERGENCY member" in result.stderr
    assert run("twin", "emergency", "on", "1", "--key", "patient", "--yes").exit_code == 2, "nobody is named"


def test_there_is_nothing_to_review_or_to_list(run: Run, tell: Callable[..., dict[str, Any]]) -> None:
    result = run("emergency", "review", "99", "--finding", "JUSTIFIED", "--key", "auditor", "--yes")
    assert result.exit_code == 2
    assert "no opening 99" in result.stderr
    assert tell("emergency", "list", "--twin", "99", "--all", "--key", "patient")["openings"] == []


@pytest.mark.parametrize("words", [("emergency", "open"), ("emergency", "list"), ("twin", "emergency", "on")])
def test_each_says_how_it_is_used(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = runner(tmp_path / "home", monkeypatch)(*words, "--help")
    assert result.exit_code == 0
    assert f"dtledger {' '.join(words)}" in result.stdout
