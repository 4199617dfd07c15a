"""`snapshot put` of recordings of signals, as far as `--dry-run` goes, which needs no chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.bare import Run, runner
from tests.importers.signals import bitalino, numerics

START = ("--start", "2026-01-02T08:00+01:00")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path / "home", monkeypatch)


def test_a_record_is_put_by_its_header_and_every_sample_accounted_for(run: Run, tmp_path: Path) -> None:
    words = ("snapshot", "put", numerics(tmp_path), "--category", "heart-rate", *START, "--dry-run")
    refused = run(*words)
    assert refused.exit_code == 2
    assert "sample 7: the value cannot be heart-rate in /min" in refused.stderr
    result = run(*words, "--skip-unreadable")
    assert result.exit_code == 0, result.stderr
    assert "60 rows (wfdb): 58 readings, 0 repeats, 2 gaps, 1 that cannot be read, 1 missing." in result.stderr
    assert "--start goes before" in result.stderr
    assert "Would write 58 readings in 1 snapshots" in result.stdout


def test_a_record_whose_date_was_moved_is_of_a_time_to_come_unless_start_places_it(run: Run, tmp_path: Path) -> None:
    words = ("snapshot", "put", numerics(tmp_path), "--category", "spo2", "--dry-run")
    refused = run(*words, "--utc-offset", "Z")
    assert refused.exit_code == 2
    assert "are of a time to come" in refused.stderr
    assert "--start says when it was" in refused.stderr
    assert run(*words, *START).exit_code == 0


def test_losses_of_a_bitalino_are_told_to_the_fraction_of_a_second(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "opensignals.txt"
    file.write_text(bitalino([512] * 4, numbers=[1, 2, 6, 7], device={"date": "2026-1-2"}))
    words = ("snapshot", "put", file, "--category", "ecg", "--tz", "Europe/Lisbon", "--dry-run")
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert "gap of 0.004 s after 2026-01-02" in result.stderr
    told = json.loads(run(*words, "--json").stdout)
    assert told["gaps"] == [{"from": "2026-01-02T07:03:47.001000Z", "until": "2026-01-02T07:03:47.005000Z"}]


def test_start_is_refused_for_a_file_whose_rows_say_their_times(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("time,glucose (mmol/L)\n2026-01-02T08:00Z,5.5\n")
    assert run("snapshot", "put", file, *START, "--dry-run").exit_code == 2
    assert run("snapshot", "put", file, "--dry-run").exit_code == 0
