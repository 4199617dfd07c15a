"""OpenSignals' text files of a BITalino, made here with the faults that real ones have."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.errors import InputError
from dtledger.importers import Import, sampled
from tests.importers import exports
from tests.importers.signals import SAMPLES, bitalino

TZ = "Europe/Lisbon"


def read(text: str, **options: Any) -> Import:
    return exports.read(text, **{"category": "ecg", "tz": TZ, **options})


def test_samples_become_millivolts_by_the_sensors_transfer_function() -> None:
    done = read(bitalino())
    assert (done.source_format, done.rows, len(done.readings), done.interval) == ("bitalino", 20, 20, 0.001)
    assert {reading.unit for reading in done.readings} == {"mV"}
    assert [round(reading.value, 4) for reading in done.readings[:4]] == [0.0, 0.5508, -1.5, 1.4971]


def test_a_sample_at_either_end_of_the_converter_is_marked() -> None:
    assert [reading.quality for reading in read(bitalino()).readings[:4]] == ["", "", "below-range", "above-range"]


def test_each_sample_is_placed_by_the_sampling_rate() -> None:
    times = [reading.at.isoformat() for reading in read(bitalino()).readings[:3]]
    assert times == [
        "2026-11-02T07:03:47+00:00",
        "2026-11-02T07:03:47.001000+00:00",
        "2026-11-02T07:03:47.002000+00:00",
    ]


def test_a_fraction_whose_places_are_not_said_is_cut_off_and_that_is_told() -> None:
    assert any("fraction of the second" in note for note in read(bitalino()).notes)
    assert not any("fraction" in note for note in read(bitalino(device={"time": "7:3:47"})).notes)


def test_other_sensors_are_named_and_left_alone() -> None:
    assert "Left alone: 'LUX (A6)'." in read(bitalino()).notes
    with pytest.raises(InputError, match="not one of numbers of a category"):
        read(bitalino(), value_column="A6")
    assert read(bitalino(), value_column="A2").readings == read(bitalino()).readings


def test_samples_that_were_lost_are_found_by_the_sequence_numbers_and_what_follows_is_placed_later() -> None:
    numbers = [15, 0, 1, 5, 6]
    done = read(bitalino(SAMPLES[:5], numbers=numbers))
    assert [reading.at.microsecond for reading in done.readings] == [0, 1000, 2000, 6000, 7000]
    assert [round(gap.end - gap.start, 6) for gap in done.gaps] == [0.004]
    assert any("At least 3 samples were lost, in 1 places" in note for note in done.notes)
    whole = read(bitalino(SAMPLES[:5]))
    assert (whole.gaps, [note for note in whole.notes if "lost" in note]) == ((), [])


def test_a_sequence_number_twice_is_refused_with_its_line_and_the_next_goes_on() -> None:
    done = read(bitalino(SAMPLES[:4], numbers=[1, 2, 2, 3]))
    assert [(each.line, each.reason) for each in done.problems] == [
        (6, "the sequence number is that of the row before")
    ]
    assert [reading.at.microsecond for reading in done.readings] == [0, 1000, 2000]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2\t1\t1\t0\t0\t5x\t31", "a cell is not a whole number"),
        ("2\t1\t1\t0\t0\t-5\t31", "a cell is not a whole number"),
        ("2\t1\t1\t0\t0\tnan\t31", "a cell is not a whole number"),
        ("2\t1\t1\t0\t0\t1024\t31", "a cell is more than its bits can hold"),
        ("2\t1\t1\t0\t0\t512", "the row has 6 cells and not 7"),
        ("2\t1\t1\t0\t0\t512\t31\t31", "the row has 8 cells and not 7"),
        ("2" * 100_000, "the row has 1 cells and not 7"),
    ],
)
def test_a_row_that_cannot_be_read_is_reported_with_its_line_and_takes_its_place_in_time(row: str, reason: str) -> None:
    good = [f"{number}\t1\t1\t0\t0\t512\t31" for number in (1, 3)]
    done = read(bitalino(rows=[good[0], row, good[1]]))
    assert [(each.line, each.reason) for each in done.problems] == [(5, reason)]
    assert [reading.at.microsecond for reading in done.readings] == [0, 2000]


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ({"device": "biosignalsplux"}, "another device than a BITalino"),
        ({"resolution": [4, 1, 1, 1, 1, 10]}, "contradicts itself"),
        ({"resolution": [4, 1, 1, 1, 1, 0, 6]}, "contradicts itself"),
        ({"sampling rate": 0}, "contradicts itself"),
        ({"sampling rate": True}, "contradicts itself"),
        ({"sampling rate": "1000"}, "contradicts itself"),
        ({"label": ["A2", "A9"]}, "contradicts itself"),
        ({"label": ["A2"]}, "contradicts itself"),
        ({"sensor": "ECG"}, "contradicts itself"),
        ({"column": [["nSeq"]]}, "contradicts itself"),
        ({"sensor": ["EMG", "LUX"]}, "no ecg that can be imported"),
    ],
)
def test_a_header_that_does_not_say_what_is_needed_is_refused(device: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(bitalino(device=device))
    assert read(bitalino()).readings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bitalino(devices=2), "not of one device"),
        (bitalino().replace("# EndOfHeader", "#"), "does not end within 10 lines"),
        (bitalino().replace("# {", "# {{"), "is not JSON"),
        (bitalino().replace("# {", "# [" * 50_000 + "{"), "not end within|is not JSON"),
        (bitalino().replace("# {", "# 5 {"), "is not JSON"),
    ],
)
def test_a_header_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text)


@pytest.mark.parametrize("device", [{"date": ""}, {"time": ""}, {"date": "11/2/2026"}, {"time": 5}])
def test_a_recording_without_a_date_needs_start(device: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="does not say when it began"):
        read(bitalino(device=device))
    assert read(bitalino(device=device), start="2026-11-02 08:00").readings[0].at.hour == 8


def test_a_time_that_does_not_exist_and_a_clock_without_a_zone_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be placed"):
        read(bitalino(device={"date": "2026-2-30"}))
    with pytest.raises(InputError, match="no offset from UTC"):
        read(bitalino(), tz=None)


def test_a_file_without_sequence_numbers_says_that_losses_cannot_be_found() -> None:
    device = {"column": ["A2"], "resolution": [10], "label": ["A2"], "sensor": ["ECG"]}
    done = read(bitalino(device=device, rows=["512", "513"]))
    assert len(done.readings) == 2
    assert any("cannot be found" in note for note in done.notes)


def test_more_samples_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "MAX_SAMPLES", 18)
    with pytest.raises(InputError, match="at most 18"):
        read(bitalino())
    monkeypatch.setattr(sampled, "MAX_SAMPLES", 20)
    assert len(read(bitalino()).readings) == 20


def test_a_column_of_times_is_refused() -> None:
    with pytest.raises(InputError, match="--time-column"):
        read(bitalino(), time_column="nSeq")
