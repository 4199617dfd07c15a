"""Dexcom Clarity's export: what is imported, what is counted, what is never carried over."""

from __future__ import annotations

import pytest

from dtledger.errors import InputError
from dtledger.readings import ABOVE_RANGE, BELOW_RANGE
from tests.importers.exports import clarity, read, times

EVENTS = [
    ("2026-11-02T00:03:12", "EGV", "112"),
    ("2026-11-02T00:08:13", "EGV", "Low"),
    ("2026-11-02T00:10:00", "Calibration", "120"),
    ("2026-11-02T00:13:12", "EGV", "High"),
    ("2026-11-02T07:30:00", "Insulin", "4.5"),
    ("2026-11-02T07:31:00", "Carbs", ""),
]
PREAMBLE = {"FirstName": 1, "LastName": 1, "DateOfBirth": 1, "Device": 1, "Alert": 2}


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_sensor_readings_are_imported_and_every_other_event_is_counted_by_its_type(quoted: bool, encoding: str) -> None:
    done = read(clarity(EVENTS, quoted=quoted).encode(encoding), tz="Europe/London")
    assert done.source_format == "clarity"
    assert [(reading.value, reading.unit, reading.quality) for reading in done.readings] == [
        (112.0, "mg/dL", ""),
        (40.0, "mg/dL", BELOW_RANGE),
        (400.0, "mg/dL", ABOVE_RANGE),
    ]
    assert done.readings[0].at.isoformat() == "2026-11-02T00:03:12+00:00"
    assert dict(done.others) == PREAMBLE | {"Calibration": 1, "Insulin": 1, "Carbs": 1}
    assert done.problems == ()
    assert done.rows == 12
    assert done.lines == 13


def test_millimoles_are_kept_with_their_own_floor() -> None:
    events = [("2026-11-02T00:03:12", "EGV", "6.2"), ("2026-11-02T00:08:12", "EGV", "Low")]
    done = read(clarity(events, unit="mmol/L"), utc_offset="+01:00")
    assert [(reading.value, reading.unit) for reading in done.readings] == [(6.2, "mmol/L"), (2.2, "mmol/L")]


def test_a_floor_that_is_said_goes_before_the_usual_one() -> None:
    done = read(clarity(EVENTS), tz="UTC", sensor_range=(39, 401))
    assert [reading.value for reading in done.readings] == [112.0, 39.0, 401.0]


def test_the_clock_is_the_patients_so_its_zone_must_be_said() -> None:
    with pytest.raises(InputError, match="--tz"):
        read(clarity(EVENTS))
    assert len(read(clarity(EVENTS), tz="Europe/London").readings) == 3


def test_the_hour_that_happens_twice_is_reported_row_by_row() -> None:
    night = [(time, "EGV", "112") for time in times("2026-10-25T00:00:00", 36)]
    done = read(clarity(night), tz="Europe/London")
    assert (len(done.readings), len(done.problems)) == (24, 12)
    assert len(read(clarity(night), utc_offset="+00:00").readings) == 36


def test_nothing_of_the_patient_or_the_device_is_carried_over_or_said() -> None:
    events = [*EVENTS, ("Lovelace", "EGV", "Lovelace"), ("2026-11-02T09:00:00", "Lovelace", "")]
    done = read(clarity(events), tz="UTC")
    everything = repr(done) + repr(done.readings)
    assert len(done.problems) == 2
    for secret in ("Ada", "Lovelace", "1815", "8AM1EY", "4237574", "Dexcom G7", "iOS"):
        assert secret not in everything


def test_an_event_of_unknown_type_is_a_problem_with_its_line() -> None:
    done = read(clarity([*EVENTS, ("2026-11-02T09:00:00", "Moon", "")]), tz="UTC")
    assert [(problem.line, problem.reason) for problem in done.problems] == [(14, "the type of event is not known")]


def test_a_reading_without_time_or_value_is_a_problem() -> None:
    done = read(clarity([("", "EGV", "112"), ("2026-11-02T00:03:12", "EGV", ""), EVENTS[0]]), tz="UTC")
    assert [problem.reason for problem in done.problems] == ["there is no time", "there is no value"]
    assert len(done.readings) == 1


def test_a_file_saved_again_by_a_spreadsheet_is_read_still() -> None:
    text = clarity([("13/11/2026 00:03", "EGV", "112")]).replace(",", ";")
    assert read(text, tz="UTC").readings[0].at.isoformat() == "2026-11-13T00:03:00+00:00"


def test_an_export_with_settings_alone_has_no_readings_and_no_problems() -> None:
    done = read(clarity([]), tz="UTC")
    assert (done.readings, done.problems, dict(done.others), done.interval) == ((), (), PREAMBLE, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"category": "insulin"}, "only glucose"),
        ({"value_column": "value"}, "--value-column"),
        ({"time_column": "t"}, "--time"),
    ],
)
def test_options_that_mean_nothing_here_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(clarity(EVENTS), tz="UTC", **options)
    assert len(read(clarity(EVENTS), tz="UTC").readings) == 3


def test_a_unit_that_is_not_known_is_never_taken_for_another() -> None:
    with pytest.raises(InputError, match="neither"):
        read(clarity(EVENTS, unit="g/L"), tz="UTC", unit="mg/dL")
