"""Nothing is dropped in silence: every row of a file is a reading, a repeat, a problem or of a kind not imported."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.importers import Gap
from dtledger.readings import BELOW_RANGE, REPEAT_OTHER_VALUE, hourly
from tests.importers.exports import clarity, csv, read, study_like, times

cells = st.tuples(
    st.sampled_from([*times("2026-10-25T00:30:00", 30, 10), "2026-02-30T00:00:00", "", "later"]),
    st.sampled_from(["5.5", "5.6", "Low", "99", "0", "", "x", '"5,5"', '"5,555"']),
    st.sampled_from(["mmol/L", "mg/dL", "", "kg"]),
)
events = st.lists(st.sampled_from(["EGV", "Calibration", "Alert", "Moon", ""]))


@given(st.lists(cells, min_size=1).filter(lambda rows: any(map(any, rows))))
def test_every_row_is_accounted_for_exactly_once(rows: list[tuple[str, str, str]]) -> None:
    done = read(csv("time,value,unit", rows), tz="Europe/London")
    assert done.rows == sum(any(row) for row in rows)
    assert done.lines == len(rows) + 1
    assert len({problem.line for problem in done.problems}) == len(done.problems)
    assert [reading.seconds for reading in done.readings] == sorted(reading.seconds for reading in done.readings)


@given(events)
def test_every_event_is_accounted_for_exactly_once(kinds: list[str]) -> None:
    rows = [(time, kind, "112") for time, kind in zip(times("2026-11-02", len(kinds)), kinds, strict=True)]
    done = read(clarity(rows), tz="Europe/London")
    assert done.rows == len(kinds) + 6
    assert len(done.readings) == kinds.count("EGV")
    assert len(done.problems) == kinds.count("Moon") + kinds.count("")


@given(st.permutations(range(40)))
def test_the_order_of_rows_changes_nothing_but_the_lines(order: list[int]) -> None:
    rows = [(f"{time}Z", 4 + step % 3) for step, time in enumerate(times("2026-11-02", 20) * 2)]
    done = read(csv("time,glucose (mmol/L)", (rows[place] for place in order)))
    assert done.readings == read(csv("time,glucose (mmol/L)", rows)).readings


class TestARepeat:
    def test_with_the_same_value_is_counted_and_kept_once(self) -> None:
        done = read(csv("time,glucose (mmol/L)", [("2026-11-02T12:00Z", 5.5)] * 3))
        assert ([reading.quality for reading in done.readings], done.repeats, done.conflicts) == ([""], 2, 0)

    def test_at_the_same_instant_by_another_clock_is_a_repeat(self) -> None:
        done = read(csv("time,glucose (mmol/L)", [("2026-11-02T12:00Z", 5.5), ("2026-11-02T13:00+01:00", 5.5)]))
        assert ([reading.offset for reading in done.readings], done.repeats) == ([0], 1)

    def test_with_another_value_is_kept_and_both_are_marked(self) -> None:
        rows = [("2026-11-02T12:00Z", value) for value in (5.6, 5.5, 5.6)]
        done = read(csv("time,glucose (mmol/L)", rows))
        assert [(reading.value, reading.quality) for reading in done.readings] == [
            (5.5, REPEAT_OTHER_VALUE),
            (5.6, REPEAT_OTHER_VALUE),
        ]
        assert (done.repeats, done.conflicts) == (1, 2)

    def test_of_the_floor_and_a_value_equal_to_it_is_two_things(self) -> None:
        rows = [("2026-11-02T12:00Z", value) for value in ("Low", 2.2)]
        done = read(csv("time,glucose (mmol/L)", rows), sensor_range=(2.2, 22.2))
        assert [reading.quality for reading in done.readings] == [
            REPEAT_OTHER_VALUE,
            f"{BELOW_RANGE} {REPEAT_OTHER_VALUE}",
        ]


class TestAGap:
    def test_is_where_at_least_one_reading_is_missing(self) -> None:
        rows = [(f"{time}Z", 5.5) for step, time in enumerate(times("2026-11-02", 40)) if step not in {7, 20, 21}]
        done = read(csv("time,glucose (mmol/L)", rows))
        first = done.readings[0].seconds
        assert done.interval == 300
        assert done.gaps == (Gap(first + 1800, first + 2400), Gap(first + 5700, first + 6600))
        assert [gap.minutes for gap in done.gaps] == [10, 15]

    def test_is_not_a_reading_that_comes_a_little_late(self) -> None:
        rows = [(f"2026-11-02T12:{5 * step:02}:{(7 * step) % 60:02}Z", 5.5) for step in range(12)]
        assert read(csv("time,glucose (mmol/L)", rows)).gaps == ()

    def test_is_not_looked_for_where_there_is_no_usual_interval(self) -> None:
        rows = [
            (f"{time}Z", 2) for step, time in enumerate(times("2026-11-02", 400)) if step in {0, 1, 9, 80, 300, 350}
        ]
        done = read(csv("time,insulin,unit", ((*row, "U") for row in rows)), category="insulin")
        assert (done.interval, done.gaps, len(done.readings)) == (None, (), 6)


class TestAStudysFile:
    """The faults of the recordings in `tests/data_real`, made here so that they are always tested."""

    OPTIONS: ClassVar = {"tz": "Europe/London", "unit": "mmol/L", "sensor_range": (2.2, 27.8)}

    def test_is_read_through_all_of_its_faults(self) -> None:
        done = read(study_like(), **self.OPTIONS)
        assert done.notes == (
            "Dates were read day first, which line 2 proves.",
            "Read as a file of T1D-UOM, whose glucose is in mmol/L.",
        )
        assert done.readings[0].at.isoformat() == "2023-10-27T00:04:00+01:00"
        assert done.rows == done.lines - 1
        # The value that none can be, a night without the sensor, the two hours in which clocks were turned back.
        assert (done.interval, [gap.minutes for gap in done.gaps]) == (300, [10, 365, 125])
        assert Counter(word for reading in done.readings for word in reading.quality.split()) == {
            BELOW_RANGE: 1,
            REPEAT_OTHER_VALUE: done.conflicts,
        }
        assert done.conflicts >= 14
        assert done.repeats >= 12
        assert Counter(problem.reason for problem in done.problems)["the value cannot be glucose in mmol/L"] == 1
        assert sum("happened twice" in problem.reason for problem in done.problems) >= 12

    @pytest.mark.parametrize("mark", ["\ufeff", ""])
    @pytest.mark.parametrize("end", ["\r\n", "\n"])
    def test_is_the_same_with_and_without_a_mark_and_whatever_ends_its_lines(self, mark: str, end: str) -> None:
        assert read(study_like(mark=mark, end=end), **self.OPTIONS) == read(study_like(), **self.OPTIONS)

    def test_becomes_one_snapshot_an_hour_with_every_reading_in_one(self) -> None:
        done = read(study_like(), **self.OPTIONS)
        groups = hourly(done.readings)
        assert sum(len(group.readings) for group in groups) == len(done.readings)
        assert all(group.period.minutes <= 60 for group in groups)
