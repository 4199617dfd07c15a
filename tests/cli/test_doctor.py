"""`doctor`: what is well, what is not, and what to mend; the exit code is that of the first failure."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eth_account import Account

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client import health
from dtledger.client.devnet import Devnet
from dtledger.client.embedded import create_custodian, unlock_custodian
from dtledger.client.health import chain, machine
from dtledger.config import Settings
from dtledger.home import Home
from dtledger.ledger import port
from tests.gateway.conftest import serving

from .bare import Run, runner
from .conftest import DevnetHome

pytestmark = pytest.mark.anvil

Told = dict[str, dict[str, Any]]
Look = Callable[..., tuple[int, Told]]


@pytest.fixture
def home(tmp_path: Path, devnet_home: DevnetHome) -> Path:
    """The devnet's home, copied, to be spoilt."""
    shutil.copytree(devnet_home.home.root, tmp_path / "home", ignore=shutil.ignore_patterns("blocks", "devnet"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(home, monkeypatch)


@pytest.fixture
def look(run: Run) -> Look:
    """The exit code of a look, and each check by its name."""

    def look(*words: str | Path) -> tuple[int, Told]:
        result = run("doctor", "--json", *words)
        told = json.loads(result.stdout)
        assert told["schema"] == "dtledger/doctor/1"
        assert (told["exit_code"], told["ok"]) == (result.exit_code, result.exit_code == 0)
        return result.exit_code, {each["name"]: each for each in told["checks"]}

    return look


def states(checks: Told, state: str) -> list[str]:
    return [name for name, each in checks.items() if each["state"] == state]


CHAIN = ["chain", "head", "clock", "member", "account", "custodians"]


def test_on_a_devnet_all_is_well(look: Look, run: Run) -> None:
    code, checks = look()
    assert code == 0
    assert list(checks) == [
        "home", "config", "key", "deployment", "store", "node", *CHAIN, "custodian-1", "custodian-2", "custodian-3",
    ]  # fmt: skip
    assert states(checks, "ok") == list(checks)
    result = run("doctor")
    assert "All is well." in result.stderr
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["ok", name] for name in checks]


def test_it_leaves_nothing_in_the_store(look: Look, devnet_home: DevnetHome) -> None:
    def blocks() -> set[Path]:
        return {each for each in (devnet_home.home.root / "blocks").rglob("*") if each.is_file()}

    before = blocks()
    look()
    assert blocks() == before


def test_it_says_who_the_key_is_on_the_ledger(look: Look) -> None:
    assert "enrolled as CLINICIAN of 0x" in look("--key", "cardiology")[1]["member"]["text"]
    assert look("--key", "hospital")[1]["member"]["text"] == "enrolled"
    assert "enough for a patient" in look("--key", "patient")[1]["member"]["text"]


def test_in_a_new_home_it_says_how_to_begin_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "new"
    monkeypatch.setenv("ETH_RPC_URL", "http://127.0.0.1:1")
    run = runner(home, monkeypatch)
    result = run("doctor", "--rpc-url", "http://127.0.0.1:1")
    assert result.exit_code == 5
    asked = "`dtledger config show rpc_url` says which was asked"
    for said in ("is not there yet", "dtledger key new", "dtledger devnet up", asked, "3 failed, 1 to look at."):
        assert said in result.output
    assert not home.exists()


# this machine ----------------------------------------------------------------------------------------------------


def test_a_configuration_that_cannot_be_used_fails_and_the_rest_is_skipped(look: Look, home: Path) -> None:
    with (home / "config.toml").open("a") as file:
        file.write('colour = "red"\n')
    code, checks = look()
    assert code == 1
    assert states(checks, "failed") == ["config"]
    assert "colour" in checks["config"]["text"]
    assert states(checks, "skipped") == ["key", "deployment", "store", "node", *CHAIN]
    assert checks["chain"]["text"] == "not looked at, for want of: deployment, node"


def test_keys_that_others_can_reach_fail_as_a_key_does(look: Look, home: Path) -> None:
    (home / "keys").chmod(0o755)
    code, checks = look()
    assert code == 5
    assert checks["home"]["mend"] == f"Run: chmod 700 {home}/keys"
    (home / "keys").chmod(0o700)
    assert look()[0] == 0


def test_a_home_or_key_open_to_others_is_a_warning(look: Look, home: Path) -> None:
    home.chmod(0o777)
    (home / "keys" / "patient.json").chmod(0o644)
    code, checks = look("--key", "patient")
    assert code == 0
    assert states(checks, "warning") == ["home", "key"]
    assert checks["key"]["mend"] == f"Run: chmod 600 {home}/keys/patient.json"


def test_a_full_disk_is_a_warning_and_a_read_only_one_a_failure(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int = machine.DISK_BYTES - 1

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Usage())
        assert "255 MiB free" in look()[1]["home"]["text"]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, checks = look()
    assert (code, checks["home"]["state"]) == (1, "failed")


@pytest.mark.parametrize(("key", "said"), [("nobody", "There is no key 'nobody'"), (None, "does not unlock")])
def test_a_missing_key_or_a_wrong_password_fails_and_the_chain_is_looked_at_all_the_same(
    look: Look, home: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, said: str
) -> None:
    (home.parent / "wrong").write_text("not the password\n")
    (home.parent / "wrong").chmod(0o600)
    if key is None:
        monkeypatch.setenv("DTLEDGER_PASSWORD_FILE", str(home.parent / "wrong"))
    code, checks = look(*(("--key", key) if key else ()))
    assert code == 5
    assert said in checks["key"]["text"]
    assert states(checks, "skipped") == ["member", "account"]
    assert checks["custodian-3"]["state"] == "ok"


def without_password_file(home: Path) -> None:
    lines = (home / "config.toml").read_text().splitlines(keepends=True)
    (home / "config.toml").write_text("".join(line for line in lines if not line.startswith("password_file")))


def test_a_key_whose_password_is_in_no_file_is_not_unlocked(look: Look, home: Path) -> None:
    without_password_file(home)
    code, checks = look("--key", "cardiology")
    assert code == 0
    assert "its password is asked for" in checks["key"]["text"]
    assert "CLINICIAN" in checks["member"]["text"]


def test_an_adopted_keystore_is_unlocked_and_left_as_it_is(look: Look, home: Path) -> None:
    password = (home / "keys" / "devnet-password").read_text().strip()
    document = Account.encrypt("0x" + "11" * 32, password, kdf="scrypt", iterations=2)
    document.pop("address")
    path = home.parent / "cast.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    code, checks = look("--key", path)
    assert code == 0
    assert "adopted" in checks["key"]["text"]
    assert states(checks, "warning") == ["account"]
    assert json.loads(path.read_text()) == document


def test_an_address_that_only_unlocking_shows_leaves_the_account_out(look: Look, home: Path) -> None:
    without_password_file(home)
    path = home / "keys" / "patient.json"
    document = json.loads(path.read_text())
    del document["address"]
    path.write_text(json.dumps(document))
    code, checks = look("--key", "patient")
    assert (code, states(checks, "skipped")) == (0, ["account"])


def test_a_store_that_does_not_answer_keep_or_remove_fails(
    look: Look, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTLEDGER_STORE", "/ip4/127.0.0.1/tcp/1")
    code, checks = look()
    assert (code, states(checks, "failed")) == (6, ["store"])
    monkeypatch.setenv("DTLEDGER_STORE", f"directory:{home}/config.toml")
    assert look()[0] == 1
    monkeypatch.delenv("DTLEDGER_STORE")
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryStore, "remove", lambda self, cids: None)
        code, checks = look()
        assert (code, "does not remove" in checks["store"]["text"]) == (1, True)
    assert look()[0] == 0


# the ledger ------------------------------------------------------------------------------------------------------


def test_a_dead_node_fails_as_unreachable_and_what_needs_it_is_skipped(look: Look) -> None:
    code, checks = look("--rpc-url", "http://127.0.0.1:1")
    assert code == 6
    assert states(checks, "failed") == ["node"]
    assert states(checks, "skipped") == CHAIN


def record_of(home: Path) -> tuple[Path, dict[str, Any]]:
    (path,) = (home / "deployments").glob("*.json")
    return path, json.loads(path.read_text())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"genesis": "0x" + "ab" * 32}, "the deployment is on chain 31337 with genesis abab"),
        ({"chainId": 1}, "the deployment is on chain 1"),
    ],
)
def test_another_chain_than_the_deployments_is_refused(
    look: Look, home: Path, change: dict[str, Any], said: str
) -> None:
    path, record = record_of(home)
    path.write_text(json.dumps({**record, **change}))
    code, checks = look()
    assert code == 6
    assert said in checks["chain"]["text"]
    assert states(checks, "skipped") == CHAIN[1:]


def test_a_deployment_that_is_not_finished_fails(look: Look, home: Path) -> None:
    path, record = record_of(home)
    path.write_text(json.dumps({**record, "complete": False}))
    code, checks = look()
    assert code == 1
    assert "not finished" in checks["deployment"]["text"]
    assert "dtledger deploy" in checks["deployment"]["mend"]


def test_an_old_head_is_normal_on_a_devnet_and_a_warning_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def head() -> health.Check:
        at = Home.locate(home)
        doctor = health.Doctor(at, lambda: Settings.load(at, env={}), lambda: int(time.time()) + 3600)
        return next(each for each in doctor.checks() if each.name == "head")

    assert (head().state, "idle development chain" in head().text) == (health.State.OK, True)
    monkeypatch.setattr(port, "DEVELOPMENT_CHAINS", ())
    assert head().state is health.State.WARNING
    assert re.search(r"; up to block \d+ final, older than max_head_age \(60 s\)$", head().text)


def test_a_suspended_key_is_a_warning(look: Look, run: Run, devnet_home: DevnetHome, home: Path) -> None:
    devnet = Devnet(devnet_home.home)
    devnet.anvil.fund(devnet.key("suspended").address)
    card = home.parent / "card.json"
    for words in (
        ("member", "card", "Somebody", "--key", "suspended", "--out", card),
        ("member", "enrol", card, "--key", "operator", "--yes"),
        ("member", "suspend", devnet.key("suspended").address, "--key", "operator", "--yes"),
    ):
        assert run(*words, "--home", devnet_home.home.root).exit_code == 0
    checks = look("--key", "suspended", "--home", devnet_home.home.root)[1]
    assert (checks["member"]["state"], checks["member"]["text"]) == ("warning", "this key is suspended")


# money and custodians --------------------------------------------------------------------------------------------


def set_balance(world: DevnetHome, address: str, wei: int) -> None:
    Devnet(world.home).anvil.rpc("anvil_setBalance", address, hex(wei))


def test_a_key_that_cannot_pay_is_a_warning(look: Look, devnet_home: DevnetHome) -> None:
    poor = Devnet(devnet_home.home).key("poor")
    code, checks = look("--key", "poor", "--home", devnet_home.home.root)
    assert code == 0
    assert checks["account"]["state"] == "warning"
    assert checks["account"]["mend"] == "Run: dtledger devnet up"
    set_balance(devnet_home, poor.address, 10**18)
    assert look("--key", "poor", "--home", devnet_home.home.root)[1]["account"]["state"] == "ok"


def test_a_key_that_cannot_pay_needs_not_where_relays_carry_what_it_signs(
    look: Look, devnet_home: DevnetHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Devnet(devnet_home.home).key("penniless")
    own = ("--key", "penniless", "--home", devnet_home.home.root)
    with serving(tmp_path) as served:
        monkeypatch.setenv("DTLEDGER_RELAYS", served.url)
        code, checks = look(*own)
        assert (code, checks["account"]["state"], checks["relays"]["text"]) == (0, "ok", "1 of 1 answer")
        monkeypatch.setenv("DTLEDGER_RELAYS", f"{served.url},http://127.0.0.1:1")
        assert states(look(*own)[1], "warning") == ["relays"]
    monkeypatch.setenv("DTLEDGER_RELAYS", "http://127.0.0.1:1")
    code, checks = look(*own)
    assert (code, states(checks, "failed")) == (6, ["relays"])


@pytest.mark.parametrize(("wei", "state", "code"), [(0, "failed", 1), (10**15, "warning", 0), (10**20, "ok", 0)])
def test_a_custodian_needs_money_for_heartbeats(
    look: Look, devnet_home: DevnetHome, wei: int, state: str, code: int
) -> None:
    address = unlock_custodian(devnet_home.home, "custodian-2").address
    set_balance(devnet_home, address, wei)
    try:
        exit_code, checks = look()
    finally:
        set_balance(devnet_home, address, 10**20)
    assert (exit_code, checks["custodian-2"]["state"]) == (code, state)


def test_where_transactions_are_free_nobody_needs_money(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "heartbeats_left", lambda ledger, account: None)
    code, checks = look()
    assert code == 0
    assert "free" in checks["account"]["text"]
    assert checks["custodian-1"]["text"].endswith("its heartbeats are free")


def test_a_custodian_that_is_not_enrolled_is_a_warning(look: Look, home: Path) -> None:
    create_custodian(Home.locate(home), "custodian-9")
    code, checks = look()
    assert code == 0
    assert states(checks, "warning") == ["custodian-9"]
    assert "not enrolled as CUSTODIAN" in checks["custodian-9"]["text"]


def test_without_custodians_here_or_with_services_that_are_not_there_it_fails(
    look: Look, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTLEDGER_CUSTODIANS", "http://127.0.0.1:1")
    code, checks = look()
    assert (code, states(checks, "failed")) == (6, ["custodians"])
    monkeypatch.delenv("DTLEDGER_CUSTODIANS")
    shutil.rmtree(home / "custodians" / "keys")
    code, checks = look()
    assert (code, checks["custodians"]["mend"]) == (1, "Run: dtledger devnet up")
