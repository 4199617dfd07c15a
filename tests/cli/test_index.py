"""`index status`, `rebuild` and `verify`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from tests.cli.twins import complaint, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Run = Callable[..., Result]


@pytest.fixture
def index(dtledger: Run, devnet_home: DevnetHome) -> Path:
    """The index's file, up to the head."""
    new_twin(devnet_home, hours=1)
    said(dtledger("index", "verify", "--json"))
    return Path(said(dtledger("index", "status", "--json"))["file"])


def changed(path: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(path) as database:
        database.execute(statement, values)
    database.close()


def test_one_made_from_nothing_is_the_one_that_grew(dtledger: Run, index: Path) -> None:
    grown = said(dtledger("index", "status", "--json"))
    made = said(dtledger("index", "rebuild", "--json"))
    assert [made[each] for each in ("digest", "events", "block")] == [
        grown[each] for each in ("digest", "events", "block")
    ]
    assert said(dtledger("index", "verify", "--json"))["proved"] == made["events"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM logs WHERE (block, place) = (SELECT block, place FROM logs ORDER BY block, place LIMIT 1)",
        "UPDATE logs SET data = zeroblob(32) WHERE block = (SELECT min(block) FROM logs)",
        "DELETE FROM logs WHERE block = (SELECT max(block) FROM logs)",
        "UPDATE logs SET place = place + 7 WHERE block = (SELECT min(block) FROM logs)",
        "INSERT INTO logs SELECT block, place + 100, at, topics, data FROM logs LIMIT 1",
    ],
    ids=["first left out", "edited", "last left out", "moved", "invented"],
)
def test_one_that_says_what_the_chain_does_not_is_found_and_made_anew(
    dtledger: Run, index: Path, statement: str
) -> None:
    changed(index, statement)
    assert "the index has" in complaint(dtledger("index", "verify", "--json"), 4)["message"]
    said(dtledger("index", "rebuild", "--json"))
    said(dtledger("index", "verify", "--json"))


def test_one_whose_making_was_broken_off_is_made_anew(dtledger: Run, index: Path) -> None:
    before = said(dtledger("index", "status", "--json"))["digest"]
    index.with_suffix(".fresh").write_bytes(b"half of something")
    assert said(dtledger("index", "rebuild", "--json"))["digest"] == before
    assert not index.with_suffix(".fresh").exists()


def test_another_head_than_the_chains_is_refused(dtledger: Run, index: Path) -> None:
    complaint(dtledger("index", "verify", "--head", "0x" + "11" * 32, "--json"), 6)
