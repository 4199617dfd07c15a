"""`gateway` at the command line, and `snapshot adopt`: what is told before anything is served, tokens, and a status."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError
from dtledger.gateway.senders import Senders
from dtledger.readings import Content, Reading
from dtledger.snapshots.unanchored import seal_unanchored
from tests.gateway.conftest import Served, serving

from .bare import Run, runner
from .twins import new_twin

if TYPE_CHECKING:
    from .conftest import DevnetHome


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path / "home", monkeypatch)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("gateway")) as served:
        yield served


def test_a_token_is_said_once_and_its_line_holds_its_hash_alone(run: Run, tmp_path: Path) -> None:
    made = run("gateway", "token", "ward-3")
    token, line = made.stdout.strip(), made.stderr.strip()
    assert token not in line
    assert line == f"ward-3 {hashlib.sha256(token.encode()).hexdigest()}"
    file = tmp_path / "senders"
    file.write_text(line + "\n")
    senders = Senders.read(file)
    assert senders.of(f"Bearer {token}").name == "ward-3"
    with pytest.raises(AccessDeniedError):
        senders.of(f"Bearer {token}x")
    assert run("gateway", "token", "No Name").exit_code == 2


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("bind = 7", "line 1"),
        ('bind = "0.0.0.0:8701"', "tls_certificate"),
        ("\nbatch_second = 5", "Did you mean batch_seconds?"),
        ("batch_seconds = 0", "line 1"),
        ('senders = "nobody"', "cannot be read"),
    ],
)
def test_a_bad_configuration_stops_the_start_with_its_place(run: Run, tmp_path: Path, config: str, said: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(config)
    done = run("gateway", "serve", "--config", file)
    assert done.exit_code == 2
    assert said in done.stderr
    assert str(tmp_path) in done.stderr


def test_a_gateway_whose_store_is_a_gateway_does_not_start(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTLEDGER_STORE", "gateway:http://127.0.0.1:8701")
    done = run("gateway", "serve")
    assert (done.exit_code, "a store of its own" in done.stderr) == (2, True)
    monkeypatch.setenv("DTLEDGER_STORE", f"directory:{tmp_path}")
    assert "a store of its own" not in run("gateway", "serve").stderr


@pytest.mark.parametrize("line", ["ward-3", "ward-3 abc", f"ward-3 {'0' * 64} x", f"a {'0' * 64}\na {'1' * 64}"])
def test_a_line_that_is_no_sender_is_named(tmp_path: Path, line: str) -> None:
    from dtledger.errors import InputError

    file = tmp_path / "senders"
    file.write_text(line)
    with pytest.raises(InputError, match=f"line {line.count(chr(10)) + 1}"):
        Senders.read(file)


def test_the_status_is_shown_and_its_exit_code_says_whether_all_is_well(run: Run, served: Served) -> None:
    served.post("/v1/readings", served.readings(2))
    shown = run("gateway", "status", served.url)
    assert shown.exit_code == 0
    assert "2 readings wait to be anchored" in shown.stdout
    assert "the grant to write to twin 1 (slot 0) ends" in shown.stdout
    said = json.loads(run("gateway", "status", served.url, "--json").stdout)
    assert (said["schema"], said["unanchored"], said["ledger"]) == ("dtledger/gateway-status/1", 2, "ok")
    served.world.ledger.unreachable = True
    try:
        away = run("gateway", "status", served.url)
        assert away.exit_code == 6
        assert "ledger: UnreachableError" in away.stdout
    finally:
        served.world.ledger.unreachable = False


@pytest.mark.anvil
def test_a_gateway_that_knows_no_sender_says_so(
    dtledger: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dtledger.service.server.serve", lambda *_: None)
    monkeypatch.setattr("dtledger.service.logs.log_to_stderr", lambda: None)
    config, senders = tmp_path / "gateway.toml", tmp_path / "senders"
    config.write_text('state = "state"\n')
    alone = dtledger("gateway", "serve", "--config", config, "--key", "gateway")
    assert (alone.exit_code, "dtledger gateway token NAME" in alone.stderr) == (0, True)
    senders.write_text(f"ward-3 {'0' * 64}\n")
    config.write_text('state = "state"\nsenders = "senders"\n')
    assert "knows no sender" not in dtledger("gateway", "serve", "--config", config, "--key", "gateway").stderr


def test_a_status_of_nobody_is_none(run: Run, served: Served) -> None:
    assert run("gateway", "status", "gateway.example").exit_code == 2
    assert run("gateway", "unanchored", "gateway.example").exit_code == 2
    assert run("gateway", "status", "http://127.0.0.1:9").exit_code == 6
    assert run("gateway", "status", f"{served.url}/healthz").exit_code in (2, 6)


@pytest.mark.anvil
def test_the_owner_adopts_what_a_gateway_could_not_anchor(
    dtledger: Callable[..., Result], devnet_home: DevnetHome
) -> None:
    twin = new_twin(devnet_home, hours=0).number
    now = devnet_home.readings[-1].seconds
    readings = tuple(Reading(now - 60 * each, 6.0 + each / 10, "mmol/L", 0) for each in range(3))
    with devnet_home.client("gateway") as gateway, devnet_home.client("patient") as patient:
        context = gateway.context
        card = context.view().card(twin)
        assert card is not None
        public = context.store.get(CID(card.key, "raw"))
        content = Content("glucose", readings)
        block = seal_unanchored(context.deployment, twin, content, now, context.key, patient.address, public)
        cid = str(context.store.put(block, "dag-cbor"))
    looked = dtledger("snapshot", "adopt", cid, "--key", "patient", "--dry-run", "--json")
    assert json.loads(looked.stdout)["readings"] == 3
    done = json.loads(dtledger("snapshot", "adopt", cid, "--key", "patient", "--yes", "--json").stdout)
    assert (done["written"], done["twin"], done["category"]) == (3, twin, "glucose")
    again = json.loads(dtledger("snapshot", "adopt", cid, "--key", "patient", "--yes", "--json").stdout)
    assert (again["written"], again["known"]) == (0, 3)
    with devnet_home.client("patient") as patient:
        found = patient.read(twin, "glucose", "PATRQT")
        assert {each.value for each in found} >= {6.0, 6.1, 6.2}
    assert dtledger("snapshot", "adopt", cid, "--key", "cardiology", "--yes").exit_code == 4
