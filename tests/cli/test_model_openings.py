"""Openings are noted on both sides, and custodians hand an auditor the receipts to compare them with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtledger._cli.demo.dishonest import Dishonest
from dtledger.encoding import encode
from tests.cli.models import Run, Study, update
from tests.cli.twins import address_of, complaint, said

pytestmark = pytest.mark.anvil


def openings(dtledger: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said(dtledger("model", "openings", "--json", "--key", "auditor"))["openings"]
    return found


def test_who_shows_and_who_reads_an_opening_has_it_noted(dtledger: Run, study: Study) -> None:
    before, name = len(openings(dtledger)), study.finalised()
    words = ("model", "open", name, "--round", "1", "--to", "auditor", "--key", "north")
    dtledger(*words, "--dry-run")
    assert len(openings(dtledger)) == before
    word = said(dtledger(*words, "--yes", "--json"))["opening"]
    dtledger("audit", "model", name, "--opening", word, "--key", "auditor")
    shown, read = openings(dtledger)[before:]
    assert [each["did"] for each in (shown, read)] == ["shown", "read"]
    assert {each["opening"] for each in (shown, read)} == {word}
    assert [each["key"] for each in (shown, read)] == [address_of(study.world, who) for who in ("north", "auditor")]
    assert (read["site"], read["twins"]) == (address_of(study.world, "north"), 2)
    (line,) = [
        each for each in dtledger("model", "openings", "--key", "auditor").stdout.splitlines() if "read" in each
    ][-1:]
    assert word in line


def test_a_line_that_was_taken_out_or_changed_is_missed(dtledger: Run, study: Study) -> None:
    words = ("model", "open", study.finalised(), "--round", "1", "--to", "auditor", "--yes", "--key", "north")
    for _ in range(3):
        dtledger(*words)
    (path,) = study.home.openings.glob("*.jsonl")
    kept = path.read_bytes()
    lines = kept.splitlines(keepends=True)
    for damaged in (
        [*lines[:-2], lines[-1]],
        [*lines[:-2], lines[-2].replace(b"shown", b"never"), lines[-1]],
        [b"{\n"],
    ):
        path.write_bytes(b"".join(damaged))
        assert (
            "is damaged at line" in complaint(dtledger("model", "openings", "--json", "--key", "north"), 4)["message"]
        )
    path.write_bytes(kept)
    assert dtledger("model", "openings", "--key", "north").exit_code == 0


def test_receipts_that_are_given_are_compared_and_none_is_no_pass(dtledger: Run, study: Study, tmp_path: Path) -> None:
    name, none, other = study.finalised(), tmp_path / "none", tmp_path / "other"
    none.write_bytes(encode({"receipts": []}))
    other.write_bytes(b"no receipts")
    words = ("audit", "model", name, "--opening", study.opening(name, "north"), "--key", "auditor", "--json")
    told = json.loads(dtledger(*words, "--receipts", none).stdout)
    assert [(each["about"], each["verdict"]) for each in told["claims"] if each["claim"] == "receipts"] == [
        ("round 1, north", "cannot check"), ("round 1, south", "cannot check"),
    ]  # fmt: skip
    assert "receipts" not in [each["claim"] for each in json.loads(dtledger(*words).stdout)["claims"]]
    assert "no custodian's receipts" in complaint(dtledger(*words, "--receipts", other), 2)["message"]


def test_an_update_whose_twins_nobody_can_see_is_not_finalised(dtledger: Run, study: Study, tmp_path: Path) -> None:
    name, file = study.opened(), tmp_path / "weights.bin"
    file.write_bytes(b"weights")
    with study.client("north") as north:
        liar = Dishonest(north, north.models.find(name).model)
        liar.commit([update("north", 1)], 500)
        assert liar._record is not None
        leaves, store = liar._record.leaves, north.context.store
        block = store.get(leaves)
        store.remove([leaves])
        words = ("model", "round", "finalise", name, "--file", file, "--yes", "--json", "--key", "coordinator")
        refused = complaint(dtledger(*words), 6)
        assert "--without" in refused["hint"]
        store.put(block, "dag-cbor")
    assert dtledger(*words).exit_code == 0
