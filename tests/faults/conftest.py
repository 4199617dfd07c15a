"""One chain for all modules, with readings and grants, put back for each test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main
from dtledger.client.devnet import PROFILE
from dtledger.client.keyrings import publish_keyring
from dtledger.home import Home
from tests.crash.operations import grant_slot, import_file
from tests.crash.scene import TWIN, Scene, reading_terms, set_scene
from tests.faults.disks import Disk, small_disk

READ = ("twin", "read", str(TWIN), "--category", "glucose", "--purpose")


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = set_scene(tmp_path_factory.mktemp("scene"))
    yield scene
    scene.devnet.down()


@pytest.fixture(scope="module")
def stage(ground: Scene) -> Scene:
    """Readings are written; cardiology and its hospital have a grant each."""
    ground.restart()
    import_file(ground.home.root)
    grant_slot(ground.home.root)
    with ground.client("patient") as patient, ground.client("hospital") as hospital:
        patient.consents.grant(TWIN, hospital.address, reading_terms(ground.home, patient.context.clock()))
        publish_keyring(hospital.context, [ground.address("cardiology")])
    ground.keep()
    return ground


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.restore()
    return stage


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk() as disk:
        yield disk


@dataclass(frozen=True)
class Refusal:
    """What a command that failed said."""

    code: int
    error: str
    message: str


@pytest.fixture
def dtledger(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the scene's devnet: ``dtledger("twin", "list", key="patient")``."""
    for name in ("DTLEDGER_PROFILE", "DTLEDGER_KEY", "ETH_RPC_URL", "ETH_KEYSTORE", "ETH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path, key: str = "patient", home: Home | None = None) -> Result:
        where = (home or scene.home).root
        options = ["--home", str(where), "--profile", PROFILE, "--key", key, "--json"]
        return CliRunner().invoke(main, [*map(str, words), *options], catch_exceptions=False)

    return run


def refusal(result: Result) -> Refusal:
    """The error that a command ended with."""
    said = json.loads(result.stderr)
    assert said["exit_code"] == result.exit_code
    return Refusal(result.exit_code, said["error"], said["message"])


def assert_read(result: Result) -> None:
    assert result.exit_code == 0, result.stderr
