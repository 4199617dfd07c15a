"""The demo: the whole line from a file to a refusal, and a world that goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main
from tests.cli import printed

pytestmark = pytest.mark.anvil


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo") / "home"
    yield folder
    run("demo", "--clean", "--home", folder)


@pytest.fixture(scope="module")
def told(home: Path) -> dict[str, object]:
    result = run("demo", "--json", "--home", home)
    assert result.exit_code == 0, result.stderr
    story: dict[str, object] = json.loads(result.stdout)
    return story


def step(told: dict[str, object], name: str) -> list[dict[str, object]]:
    return [each for each in told["steps"] if each["step"] == name]  # type: ignore[attr-defined]


def test_it_tells_every_step_in_order(told: dict[str, object]) -> None:
    names = [each["step"] for each in told["steps"]]  # type: ignore[attr-defined]
    assert names == [
        "chain", "members", "twin", "import", "permit", "write", "grant", "read", "revoke", "refused", "refused",
        "access", "clinic", "grant", "read", "access", "leave", "refused",
        "sites", "model", "train", "audit", "audit", "train", "audit",
    ]  # fmt: skip


def test_every_reading_of_the_file_is_read_back(told: dict[str, object]) -> None:
    assert step(told, "read")[0]["readings"] == step(told, "import")[0]["readings"] == 4032


def test_after_revocation_client_and_every_custodian_refuse(told: dict[str, object]) -> None:
    by_client, by_custodians, _ = step(told, "refused")
    assert by_client["reason"] == "REVOKED"
    assert by_custodians["custodians"] == ["REVOKED"] * 3


def test_a_clinics_people_read_under_its_grant_each_by_name_and_a_leaver_is_refused(told: dict[str, object]) -> None:
    assert step(told, "access")[1]["people"] == ["cardiology", "nurse"]
    assert step(told, "refused")[2]["reason"] == "NO_GRANT"


def test_an_auditor_finds_the_untouched_model_good_and_each_fault_by_its_claim(told: dict[str, object]) -> None:
    untouched, changed, dishonest = (
        [(each["claim"], each["about"].split(", ")[-1]) for each in audit["claims"] if each["verdict"] != "pass"]
        for audit in step(told, "audit")
    )
    assert untouched == []
    assert changed == [("update", "north")]
    assert dishonest == [("consents", "north"), ("twins", "south")]
    assert all(each["verdict"] in ("pass", "fail") for audit in step(told, "audit") for each in audit["claims"])


def next_outputs(told: dict[str, object]) -> list[str]:
    """What the commands print that a telling ends with, each run as it is printed."""
    commands = told["next"]
    assert isinstance(commands, list)
    assert len(commands) == 5
    outputs = []
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "dtledger", *printed.words(command)], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr)
        outputs.append(done.stdout)
    return outputs


def test_the_five_commands_that_it_prints_work_as_printed(told: dict[str, object]) -> None:
    assert all(next_outputs(told))


def test_told_again_it_goes_on_in_the_same_world_and_writes_nothing_twice(home: Path, told: dict[str, object]) -> None:
    again = json.loads(run("demo", "--json", "--home", home).stdout)
    assert step(again, "chain")[0]["deployment"] == step(told, "chain")[0]["deployment"]
    assert step(again, "write")[0]["snapshots"] == 0
    assert step(again, "read")[0]["readings"] == 4032
    assert step(again, "sites")[0]["gas"] == step(again, "model")[0]["gas"] == 0
    assert [len([each for each in audit["claims"] if each["verdict"] == "fail"]) for audit in step(again, "audit")] == [
        0,
        1,
        2,
    ]


def test_a_file_of_ones_own_is_told_after_the_sample_and_apart_from_it(
    home: Path, told: dict[str, object], tmp_path: Path
) -> None:
    """Years old, in another unit, and from the middle of an hour on: the sample's twin keeps out of it."""
    export = tmp_path / "export.csv"
    rows = [f"2023-03-01T10:{minute:02}:00Z,{5 + minute / 60:.1f},mmol/L\n" for minute in range(30, 60, 5)]
    export.write_text("time,value,unit\n" + "".join(rows))
    own = json.loads(run("demo", "--json", "--input", export, "--home", home).stdout)
    assert own["twin"] != told["twin"]
    assert step(own, "read")[0]["readings"] == 6
    assert all(next_outputs(own)), "each command shows something, though the file is old"


def test_a_second_file_that_begins_within_the_same_hour_is_read_on_its_own(home: Path, tmp_path: Path) -> None:
    for name, minutes in (("first", range(0, 30, 5)), ("second", range(32, 60, 5))):
        export = tmp_path / f"{name}.csv"
        rows = [f"2023-04-01T10:{minute:02}:00Z,5.5,mmol/L\n" for minute in minutes]
        export.write_text("time,value,unit\n" + "".join(rows))
        result = run("demo", "--json", "--input", export, "--home", home)
        assert result.exit_code == 0, result.stderr
        assert step(json.loads(result.stdout), "read")[0]["readings"] == 6


def test_it_refuses_a_home_that_somebody_uses(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('tz = "UTC"\n')
    result = run("demo", "--home", tmp_path)
    assert result.exit_code == 2
    assert "in use" in result.stderr
    assert run("demo", "--clean", "--home", tmp_path).exit_code == 2
    assert (tmp_path / "config.toml").exists()


def test_a_user_s_old_export_is_told_and_the_commands_that_it_prints_find_its_data(tmp_path: Path) -> None:
    home, export = tmp_path / "home", tmp_path / "export.csv"
    rows = [f"2024-03-05 {minute // 60:02}:{minute % 60:02},{5 + minute / 500}" for minute in range(0, 1440, 60)]
    export.write_text("\n".join(["time,glucose (mmol/L)", *rows, ""]))
    try:
        result = run("demo", "--input", export, "--tz", "Europe/Vienna", "--json", "--home", home)
        assert result.exit_code == 0, result.stderr
        story = json.loads(result.stdout)
        assert step(story, "import")[0]["readings"] == step(story, "read")[0]["readings"] == 24
        plot, grant, read, *_ = (printed.words(command) for command in story["next"])
        assert "glucose" in run(*plot).stdout
        assert json.loads(run(*grant, "--json").stdout)["snapshots_written"] == 24
        assert json.loads(run(*read, "--json").stdout)["snapshots"] == 24
    finally:
        run("demo", "--clean", "--home", home)
    assert not home.exists()


def test_a_file_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "export.csv"
    broken.write_text("time,value\n2026-01-01T00:00:00Z,6.1\n")
    result = run("demo", "--input", broken, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert "--unit" in result.stderr
    assert not (tmp_path / "home").exists()
