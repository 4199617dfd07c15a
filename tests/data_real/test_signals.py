"""Recordings of PhysioNet and of a BITalino, as published (docs/data.md): what became of every sample is stated here.

`tests/importers/test_wfdb.py` and `test_bitalino.py` meet the same faults in generated files.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePath

import numpy as np
import pytest

from dtledger.errors import InputError
from dtledger.importers import Import, read_file
from tests.data_real.recordings import path

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

ICU = "vitals/multi-segment/s00001/s00001-2896-10-10-00-31n.hea"
BITALINO = "vitals/bitalino/SampleECG.txt"

#   header                    category        signal   readings missing refused gaps
STATED = """
s00001-2896-10-10-00-31n  heart-rate      HR          1889      46       1    4
s00001-2896-10-10-00-31n  heart-rate      PULSE       1573     363       0   11
s00001-2896-10-10-00-31n  respiration     RESP        1891      45       0    5
s00001-2896-10-10-00-31n  spo2            SpO2        1573     363       0   10
s00001-2896-10-10-00-31n  blood-pressure  ABPSys         7    1929       0    1
s00001-2896-10-10-00-31n  blood-pressure  NBPSys       152    1784       0   12
s00001-2896-10-10-00-31n  blood-pressure  NBPDias      152    1784       0   12
s25047-2704-05-04-10-44n  heart-rate      HR            44      28       0    1
s25047-2704-05-04-10-44   ecg             II        516778   26462       0   37
041s                      ecg             I           7999       1       0    1
v102s                     ecg             II         74997       3       0    3
v102s                     ppg             PLETH      74983      17       0   17
"""
ROWS = [tuple(line.split()) for line in STATED.strip().splitlines()]
FOLDERS = {"041s": "vitals/multi-segment/041s", "100": "vitals", "v102s": "vitals"}


def file(name: str) -> Path:
    return path(f"{FOLDERS.get(name, f'vitals/multi-segment/{name[:6]}')}/{name}.hea")


@cache
def imported(name: str, category: str, signal: str) -> Import:
    when = {"tz": "America/New_York"} if name != "v102s" else {"start": "2026-01-01T00:00Z"}
    return read_file(file(name), category=category, value_column=signal, **when)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "category", "signal", "readings", "missing", "refused", "gaps"), ROWS)
def test_what_became_of_every_sample_is_as_stated(
    name: str, category: str, signal: str, readings: str, missing: str, refused: str, gaps: str
) -> None:
    done = imported(name, category, signal)
    assert (len(done.readings), dict(done.others).get("missing", 0), len(done.problems), len(done.gaps)) == tuple(
        map(int, (readings, missing, refused, gaps))
    )
    assert done.rows == len(done.readings) + len(done.problems) + int(missing) == done.lines


@pytest.mark.parametrize(("name", "category", "signal"), [row[:3] for row in ROWS if row[0] != "041s"])
def test_every_value_is_the_librarys_at_the_librarys_place(name: str, category: str, signal: str) -> None:
    import wfdb

    done = imported(name, category, signal)
    record = wfdb.rdrecord(str(file(name).with_suffix("")), channel_names=[signal])
    values, rate = record.p_signal[:, 0], float(record.fs)
    wave = category in {"ecg", "ppg"}
    there = np.flatnonzero(~np.isnan(values) & (wave | (values != 0)))
    refused = [problem.line - 1 for problem in done.problems]
    there = np.setdiff1d(there, refused)
    assert np.abs(np.array([each.value for each in done.readings]) - values[there]).max() < 1e-9
    times = np.array([each.seconds - done.readings[0].seconds + each.micros / 1e6 for each in done.readings])
    expected = done.readings[0].micros / 1e6 + (there - there[0]) / rate
    assert np.abs(times - expected).max() < 2e-6


def test_0_never_becomes_a_reading_of_a_vital_sign() -> None:
    for name, category, signal, *_ in ROWS:
        if category not in {"ecg", "ppg"}:
            assert all(each.value > 0 for each in imported(name, category, signal).readings)


def test_the_icus_date_was_moved_and_is_marked_and_its_clock_kept() -> None:
    done = imported(PurePath(ICU).stem, "heart-rate", "HR")
    assert all("shifted-date" in each.quality.split() for each in done.readings)
    assert done.problems[0].line == 1390
    assert done.readings[-1].at.isoformat() == "2896-10-11T08:42:25.894000-04:00"
    placed = read_file(path(ICU), category="heart-rate", start="2026-11-02T08:00+01:00")
    assert [each.value for each in placed.readings] == [each.value for each in done.readings]
    assert not any(each.quality for each in placed.readings)


def test_a_record_without_a_date_needs_start() -> None:
    with pytest.raises(InputError, match="--start"):
        read_file(file("100"), category="ecg", value_column="MLII", tz="America/New_York")


def test_four_samples_a_frame_are_four_times_as_many_a_second() -> None:
    done = imported("041s", "ecg", "I")
    assert (done.interval, done.readings[-1].at.isoformat()) == (0.002, "1994-10-26T08:26:19.998000-04:00")


def test_a_bitalinos_electrocardiogram_imports_whole() -> None:
    done = read_file(path(BITALINO), category="ecg", tz="Europe/Lisbon")
    assert (len(done.readings), done.problems, done.gaps, done.interval) == (22_350, (), (), 0.001)
    samples = [int(line.split()[5]) for line in path(BITALINO).read_text("ascii").splitlines()[3:]]
    assert [each.value for each in done.readings] == [(each / 1024 - 0.5) * 3.3 / 1100 * 1000 for each in samples]
    assert done.readings[-1].at.isoformat() == "2016-06-11T07:04:09.349000+01:00"


def test_the_documentation_states_the_same_numbers() -> None:
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
    for name, category, signal, readings, missing, refused, gaps in ROWS:
        cells = [f"`{name}`", category, signal, *(f"{int(each):,}" for each in (readings, missing, refused, gaps))]
        assert f"| {' | '.join(cells)} |" in text
