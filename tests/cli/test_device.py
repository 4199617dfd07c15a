"""`device` at the command line: an owner enrols it, it sends, it is listed with what was refused, and suspended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.device.sender import Device
from dtledger.gateway.senders import Senders
from dtledger.gateway.service import Gateway, make_service
from dtledger.service.server import Running
from tests.gateway.conftest import gateway_settings

if TYPE_CHECKING:
    from .conftest import DevnetHome

pytestmark = pytest.mark.anvil

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def url(devnet_home: DevnetHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The devnet's gateway behind HTTP, its pump at rest."""
    with devnet_home.client("gateway") as client:
        gateway = Gateway(client, gateway_settings(), tmp_path_factory.mktemp("gateway"), Senders([]))
        gateway.start = lambda: None  # type: ignore[method-assign]
        with Running(make_service(gateway), gateway_settings()) as running:
            yield running.url


@pytest.fixture
def file(devnet_home: DevnetHome, tmp_path: Path) -> Path:
    """Thirty readings of the last hours, as a CSV."""
    end = devnet_home.readings[-1].seconds
    rows = [f"{datetime.fromtimestamp(end - 300 * each, UTC).isoformat()},{60 + each}" for each in range(30)]
    path = tmp_path / "readings.csv"
    path.write_text("\n".join(["time,glucose (mg/dL)", *rows]) + "\n")
    return path


@pytest.fixture
def state(dtledger: Command, devnet_home: DevnetHome, url: str, tmp_path: Path) -> Path:
    path = tmp_path / "cgm.state"
    words = ("--twin", str(devnet_home.twin), "--measures", "glucose:mg/dL", "--since", "2d", "--key", "patient")
    done = dtledger("device", "enrol", path, "--gateway", url, *words, "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    return path


def listed(dtledger: Command, url: str, state: Path, key: str = "patient") -> dict[str, object]:
    with_name = Device(state)
    with_name.close()
    said = json.loads(dtledger("device", "list", url, "--key", key, "--json").stdout)
    return next(dict(each) for each in said["devices"] if each["device"] == with_name.name)


def test_a_file_is_sent_in_batches_once(dtledger: Command, url: str, state: Path, file: Path) -> None:
    done = dtledger("device", "send", state, file, "--to", url)
    assert done.exit_code == 0, done.stderr
    assert "Taken: 30 readings in 3 batches" in done.stdout
    again = json.loads(dtledger("device", "send", state, file, "--to", url, "--json").stdout)
    assert (again["schema"], again["taken"], again["known"]) == ("dtledger/device-sent/1", 0, 30)
    told = listed(dtledger, url, state)
    assert (told["number"], told["refused"]) == (3, [])
    assert told["channels"] == [["glucose", "mg/dL", 0, ""]]


def test_what_was_under_way_goes_first(dtledger: Command, url: str, state: Path, file: Path) -> None:
    away = dtledger("device", "send", state, file, "--to", "http://127.0.0.1:9")
    assert away.exit_code == 6
    assert "the same command goes on" in away.stderr
    assert json.loads(dtledger("device", "send", state, "--to", url, "--json").stdout)["taken"] == 0
    done = json.loads(dtledger("device", "send", state, file, "--to", url, "--json").stdout)
    assert (done["taken"], done["known"], done["number"]) == (18, 12, 3)


def test_a_suspended_device_is_refused_and_that_is_listed(dtledger: Command, url: str, state: Path, file: Path) -> None:
    name = str(listed(dtledger, url, state)["device"])
    ended = dtledger("device", "suspend", name, "--gateway", url, "--twin", "1", "--key", "patient", "--yes")
    assert ended.exit_code == 0, ended.stderr
    done = dtledger("device", "send", state, file, "--to", url)
    assert done.exit_code == 3
    assert "SUSPENDED" in done.stderr
    shown = dtledger("device", "list", url, "--key", "patient", "--refusals").stdout
    assert name in shown
    assert "SUSPENDED, the owner suspended the device" in shown
    assert listed(dtledger, url, state, "gateway")["suspended_at"]
    assert "1 SUSPENDED" in dtledger("gateway", "status", url).stdout
    again = dtledger(
        "device", "enrol", state, "--gateway", url, "--twin", "1", "--measures", "glucose:mg/dL", "--since", "3d",
        "--key", "patient", "--again", "--yes",
    )  # fmt: skip
    assert again.exit_code == 0, again.stderr
    assert dtledger("device", "send", state, file, "--to", url).exit_code == 0


def test_a_device_is_its_owner_s_to_enrol(dtledger: Command, url: str, tmp_path: Path) -> None:
    words = ("--gateway", url, "--twin", "1", "--measures", "glucose")
    thief = dtledger("device", "enrol", tmp_path / "x.state", *words, "--key", "cardiology", "--yes")
    assert thief.exit_code == 3
    assert not (tmp_path / "x.state").exists()
    looked = dtledger("device", "enrol", tmp_path / "x.state", *words, "--key", "patient", "--dry-run", "--json")
    assert json.loads(looked.stdout)["channels"] == [["glucose", "mmol/L", 1, ""]]
    assert not (tmp_path / "x.state").exists()
    own = dtledger("device", "enrol", *words, "--public-key", "11" * 32, "--key", "patient", "--yes", "--json")
    assert json.loads(own.stdout)["state"] is None


@pytest.mark.parametrize(
    "words",
    [
        ("--measures", "gluco"),
        ("--measures", "glucose:kg"),
        ("--measures", "glucose:mg/dL:9"),
        ("--measures", "glucose:mg/dL:0:loud"),
        ("--measures", "glucose:mg/dL:0::"),
        ("--measures", "glucose", "--public-key", "11"),
        (),
    ],
    ids=str,
)
def test_what_is_no_device_is_refused(dtledger: Command, url: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    named = () if "--public-key" in words else (tmp_path / "x.state",)
    done = dtledger("device", "enrol", *named, "--gateway", url, "--twin", "1", *words, "--key", "patient", "--yes")
    assert done.exit_code == 2


def test_what_is_no_state_and_no_gateway_is_refused(dtledger: Command, tmp_path: Path, state: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x80")
    assert dtledger("device", "send", junk, "--to", "http://127.0.0.1:9").exit_code == 2
    assert dtledger("device", "send", state, "--to", "ftp://x").exit_code == 2
    held = Device(state)
    assert "Another process" in dtledger("device", "send", state, "--to", "http://127.0.0.1:9").stderr
    held.close()
