"""`member reinstate` and guarded kinds: announced, waited for, done. On a chain whose time is moved on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dtledger._backend.directory_store import DirectoryStore
from dtledger.client.devnet import OPERATOR, Devnet
from dtledger.client.embedded import unlock_custodian
from dtledger.home import Home
from dtledger.types import Address

from .bare import Run, runner

pytestmark = pytest.mark.anvil

WEEK = 7 * 86_400


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    devnet = Devnet(Home(tmp_path_factory.mktemp("delay") / "home", "test"))
    devnet.up(DirectoryStore)
    yield devnet
    devnet.down()


@pytest.fixture
def run(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(devnet.home.root, monkeypatch)


@pytest.fixture
def member(devnet: Devnet, run: Run) -> Address:
    """A custodian, suspended."""
    address = unlock_custodian(devnet.home, "custodian-1").address
    if "SUSPENDED" not in run("member", "show", address).stdout:
        assert run("member", "suspend", address, "--key", OPERATOR, "--yes").exit_code == 0
    return address


@pytest.fixture
def tell(run: Run) -> Callable[..., dict[str, Any]]:
    def tell(*words: str) -> dict[str, Any]:
        result = run(*words, "--key", OPERATOR, "--yes", "--json")
        assert result.exit_code == 0, result.stderr
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    return tell


def pass_time(devnet: Devnet, seconds: int) -> None:
    devnet.anvil.rpc("evm_increaseTime", seconds)
    devnet.anvil.rpc("evm_mine")


def test_reinstating_waits_a_week_and_then_is_done(
    devnet: Devnet, run: Run, tell: Callable[..., dict[str, Any]], member: Address
) -> None:
    words = ("member", "reinstate", member)
    dry = tell(*words, "--dry-run")
    assert (dry["schema"], dry["state"], dry["sent"]) == ("dtledger/member-reinstated/1", "announced", None)
    announced = run(*words, "--key", OPERATOR, "--yes")
    assert announced.exit_code == 0
    assert f"Announced: the reinstatement of custodian-1 ({member})" in announced.stdout
    assert "It can be done in 7 days" in announced.stderr
    waiting = tell(*words)
    assert (waiting["state"], waiting["sent"]) == ("waiting", None)
    assert run(*words, "--key", OPERATOR).exit_code == 0, "looking asks nothing"
    pass_time(devnet, WEEK - 60)
    assert tell(*words)["state"] == "waiting"
    assert "SUSPENDED" in run("member", "show", member).stdout
    pass_time(devnet, 60)
    assert "Nobody is there to answer" in run(*words, "--key", OPERATOR).stderr
    done = tell(*words)
    assert (done["state"], done["due_at"]) == ("done", None)
    assert done["sent"]["gas"] > 21_000
    assert "SUSPENDED" not in run("member", "show", member).stdout
    again = run(*words, "--key", OPERATOR, "--yes", "--json")
    assert (again.exit_code, json.loads(again.stderr)["error"]) == (1, "NotSuspendedError")


def test_an_announcement_is_void_a_week_after_its_time(
    devnet: Devnet, tell: Callable[..., dict[str, Any]], member: Address
) -> None:
    words = ("member", "reinstate", member)
    tell(*words)
    pass_time(devnet, 2 * WEEK + 1)
    assert tell(*words)["state"] == "announced", "anew"
    pass_time(devnet, WEEK)
    assert tell(*words)["state"] == "done"


def test_what_was_announced_can_be_taken_back(
    devnet: Devnet, run: Run, tell: Callable[..., dict[str, Any]], member: Address
) -> None:
    words = ("member", "reinstate", member)
    assert tell(*words, "--cancel")["state"] == "not-announced"
    tell(*words)
    assert tell(*words, "--cancel", "--dry-run")["sent"] is None
    cancelled = tell(*words, "--cancel")
    assert cancelled["state"] == "cancelled"
    assert cancelled["sent"]["gas"] > 21_000
    pass_time(devnet, WEEK)
    assert tell(*words)["state"] == "announced", "the old announcement is gone"
    tell(*words, "--cancel")


def test_a_guarded_kind_waits_too(
    devnet: Devnet, run: Run, tell: Callable[..., dict[str, Any]], member: Address
) -> None:
    words = ("member", "kinds", member, "--add", "EMERGENCY")
    assert tell(*words)["state"] == "announced"
    assert json.loads(run("member", "list", "--kind", "EMERGENCY", "--json").stdout)["members"] == []
    pass_time(devnet, WEEK)
    assert tell(*words)["state"] == "done"
    (row,) = json.loads(run("member", "list", "--kind", "EMERGENCY", "--json").stdout)["members"]
    assert (row["address"], row["kinds"]) == (member, ["CUSTODIAN", "EMERGENCY"])


def test_who_is_no_steward_announces_nothing(devnet: Devnet, run: Run, member: Address) -> None:
    devnet.key("ann")
    result = run("member", "reinstate", member, "--key", "ann", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stderr)["error"]) == (1, "UnauthorizedError")


def test_doctor_says_that_the_chain_is_ahead_of_the_clock(devnet: Devnet, run: Run, member: Address) -> None:
    pass_time(devnet, 600)
    result = run("doctor", "--json")
    checks = {each["name"]: each for each in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 0
    assert checks["clock"]["state"] == "warning"
    assert "ahead of this machine's clock" in checks["clock"]["text"]
    assert checks["custodian-1"]["state"] == "warning"
    assert "is suspended" in checks["custodian-1"]["text"]
