"""What `scripts/network` is made of, without a network: processes that are killed and cut off, programs, faults."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dtledger.errors import InputError, UnreachableError
from scripts.networking import processes
from scripts.networking.__main__ import main
from scripts.networking.kubos import SwarmKubo
from scripts.networking.validators import Validator

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Path]:
    """A folder whose process sleeps."""
    processes.process_of(tmp_path).launch(lambda: ["sleep", "60"])
    processes.wait_until(lambda: processes.process_of(tmp_path).pid is not None, 10, "It does not start.")
    yield tmp_path
    processes.stop(tmp_path)


class TestAProcess:
    def test_is_paused_and_goes_on_and_is_killed(self, sleeper: Path) -> None:
        assert processes.state(sleeper) == "runs"
        processes.pause(sleeper)
        processes.wait_until(lambda: processes.state(sleeper) == "paused", 10, "It runs on.")
        processes.resume(sleeper)
        processes.wait_until(lambda: processes.state(sleeper) == "runs", 10, "It stays paused.")
        processes.kill(sleeper)
        assert processes.state(sleeper) == "down"

    def test_is_stopped_though_it_is_paused(self, sleeper: Path) -> None:
        processes.pause(sleeper)
        assert processes.stop(sleeper, timeout=10)

    def test_that_does_not_run_is_not_signalled(self, sleeper: Path) -> None:
        processes.kill(sleeper)
        for act in (processes.kill, processes.pause, processes.resume):
            with pytest.raises(InputError, match="Nothing runs"):
                act(sleeper)


@pytest.mark.parametrize("name", ["kubo", "avalanchego"])
def test_without_go_a_program_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    scripts, tools = tmp_path / "scripts", tmp_path / "bin"
    shutil.copytree(SCRIPTS / f"{name}-build", scripts / f"{name}-build")
    for each in (name, "build_go"):
        shutil.copy(SCRIPTS / each, scripts)
    tools.mkdir()
    for each in ("cat", "cksum", "dirname"):
        found = shutil.which(each)
        assert found
        (tools / each).symlink_to(found)
    asked = subprocess.run(
        ["/bin/sh", scripts / name], env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stdout, asked.stderr.count("\n")) == (1, "", 1)
    assert asked.stderr.startswith(f"{name}: Go is missing. Install Go 1.26 or newer")


def test_all_kubos_of_a_network_have_one_key_and_others_have_another(tmp_path: Path) -> None:
    from scripts.networking.kubos import _swarm_key

    for each in ("one", "other"):
        (tmp_path / each).mkdir()
    assert _swarm_key(tmp_path / "one") == _swarm_key(tmp_path / "one") != _swarm_key(tmp_path / "other")
    assert SwarmKubo(tmp_path / "one" / "kubo-1", "ipfs", network=tmp_path / "one").network == tmp_path / "one"


def test_a_fault_of_what_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTLEDGER_IPFS", os.devnull)
    home = ["--home", str(tmp_path / "home")]
    for words, said in (
        (["fault", "kill", "validator-9"], "There is no 'validator-9'"),
        (["fault", "kill", "validator-1"], "Nothing runs"),
        (["fault", "lose", "custodian-1", "bafy"], "is of a kubo and a block"),
        (["clean"], "is not a network's"),
    ):
        result = CliRunner().invoke(main, [*words, *home])
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_validator_that_has_ended_is_not_waited_for_and_its_logs_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=f"Validator 1 does not answer. Its logs are in {tmp_path}"):
        Validator(tmp_path, 1).wait()
