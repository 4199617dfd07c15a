"""`twin read --follow`: each new snapshot on a line, the cursor kept, and the refusal at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtledger.readings import Reading

from .bare import Run
from .conftest import DevnetHome
from .twins import Twin, new_twin

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    return new_twin(devnet_home, hours=2)


class Followed:
    """A process that follows a twin's glucose, as cardiology."""

    def __init__(self, home: DevnetHome, twin: Twin, *words: object) -> None:
        asked = ["twin", "read", twin.number, "--category", "glucose", "--purpose", "TREAT", "--follow", "--json"]
        command = [sys.executable, "-m", "dtledger", *asked, *words, "--every", 1, "--key", "cardiology"]
        self.process = subprocess.Popen(
            [str(word) for word in (*command, "--home", home.home.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refresh(self) -> dict[str, object]:
        assert self.process.stdout is not None
        told: dict[str, object] = json.loads(self.process.stdout.readline())
        return told

    def end(self) -> dict[str, object]:
        _, said = self.process.communicate(timeout=60)
        told: dict[str, object] = json.loads(said)
        return told


@pytest.fixture
def follow(devnet_home: DevnetHome, twin: Twin) -> Iterator[list[Followed]]:
    begun: list[Followed] = []
    yield begun
    for each in begun:
        each.process.kill()
        each.process.communicate()


def put(home: DevnetHome, twin: Twin, hours_ago: int) -> None:
    """An hour that was not written before."""
    start = int(time.time()) // 3600 * 3600 - hours_ago * 3600
    readings = [Reading(start + minute * 60, 6.1, "mmol/L", 60) for minute in range(0, 60, 5)]
    with home.client("gateway") as gateway:
        gateway.writer.put(twin.number, "glucose", readings)


def test_it_shows_what_comes_keeps_its_place_and_ends_with_the_refusal(
    devnet_home: DevnetHome, twin: Twin, follow: list[Followed], tmp_path: Path
) -> None:
    slot = twin.grant()
    cursor = tmp_path / "cursor"
    follow.append(Followed(devnet_home, twin, "--since", "1d", "--cursor", cursor))
    first = follow[0].refresh()
    assert (first["schema"], len(first["readings"])) == ("dtledger/refresh/1", 24)  # type: ignore[arg-type]
    put(devnet_home, twin, 8)
    second = follow[0].refresh()
    assert len(second["readings"]) == 12  # type: ignore[arg-type]
    while cursor.read_text().strip() != second["cursor"]:  # it is kept once it was shown
        time.sleep(0.05)
    follow[0].process.kill()
    put(devnet_home, twin, 9)
    follow.append(Followed(devnet_home, twin, "--cursor", cursor))
    third = follow[1].refresh()
    assert len(third["readings"]) == 12  # type: ignore[arg-type]
    with devnet_home.client("patient") as patient:
        patient.consents.revoke(slot)
    assert (follow[1].end()["reason"], follow[1].process.returncode) == ("REVOKED", 3)


@pytest.mark.parametrize(
    "words",
    [("--cursor", "c"), ("--every", 2), ("--follow", "--until", "1d"), ("--follow", "--partial")],
)
def test_what_does_not_go_together_is_refused(dtledger: Run, twin: Twin, words: tuple[object, ...]) -> None:
    asked = ("twin", "read", twin.number, "--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")
    assert dtledger(*asked, *words).exit_code == 2


def test_a_file_that_is_no_cursor_is_refused(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("something else")
    asked = ("twin", "read", twin.number, "--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")
    assert dtledger(*asked, "--follow", "--cursor", tmp_path / "c").exit_code == 2
