"""The workbooks of ShanghaiT1DM and ShanghaiT2DM, made here with the faults that real ones have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from dtledger.errors import InputError
from dtledger.readings import BELOW_RANGE, FINGERSTICK
from tests.importers.exports import SHANGHAI_HEADINGS, read, shanghai
from tests.importers.workbooks import xls, xlsx

TZ = "Asia/Shanghai"
CBG, BOLUS, BASAL = (SHANGHAI_HEADINGS[place] for place in (2, 8, 9))


@pytest.mark.parametrize("save", [xlsx, xls])
def test_the_sensors_values_are_imported_in_either_format_with_the_floor_marked(save: Callable[..., bytes]) -> None:
    done = read(save(shanghai()), tz=TZ)
    assert (done.source_format, done.rows, len(done.readings), done.interval) == ("shanghai", 40, 40, 900)
    assert done.readings[0].at.isoformat() == "2021-07-30T16:43:00+08:00"
    assert {reading.unit for reading in done.readings} == {"mg/dL"}
    assert Counter(reading.quality for reading in done.readings) == {"": 36, BELOW_RANGE: 4}
    assert {reading.value for reading in done.readings if reading.quality} == {39.6}


def test_what_is_left_alone_is_named_with_how_much_is_in_it() -> None:
    assert read(xlsx(shanghai()), tz=TZ).notes == (
        f"Left alone: 5 '{CBG}', 5 'Dietary intake', 1 '{BOLUS}', 2 '{BASAL}'.",
    )


def test_fingersticks_never_come_with_the_sensors_values_and_are_marked_when_asked_for() -> None:
    rows = shanghai()
    assert 108.0 not in {reading.value for reading in read(xlsx(rows), tz=TZ).readings}
    done = read(xlsx(rows), tz=TZ, value_column=CBG)
    assert [(reading.value, reading.quality) for reading in done.readings] == [(108.0, FINGERSTICK)] * 5
    assert dict(done.others) == {"missing": 35}


def test_a_pumps_bolus_and_its_rate_are_chosen_by_their_headings_each_in_its_unit() -> None:
    data = xlsx(shanghai())
    with pytest.raises(InputError, match=r"several columns of insulin: 'CSII.*--value-column HEADING"):
        read(data, tz=TZ, category="insulin")
    (bolus,) = read(data, tz=TZ, category="insulin", value_column=BOLUS).readings
    assert (bolus.value, bolus.unit) == (4.0, "[iU]")
    basal = read(data, tz=TZ, category="insulin", value_column=BASAL)
    assert [(reading.value, reading.unit) for reading in basal.readings] == [(0.7, "[iU]/h")]
    assert [(problem.line, problem.reason) for problem in basal.problems] == [(9, "the value is not a number")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"category": "meals"}, r"no meals that can be imported.*What it has: --category glucose \('CGM"),
        ({"value_column": "Dietary intake"}, "not one of numbers of a category"),
        ({"value_column": BOLUS}, r"is insulin.*--category insulin"),
        ({"time_column": "Date"}, "--time-column"),
        ({"unit": "mmol/L"}, r"says mg/dL, --unit says mmol/L"),
    ],
)
def test_what_is_no_number_of_its_category_is_refused_and_says_what_there_is(
    options: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(xlsx(shanghai()), tz=TZ, **options)
    assert len(read(xlsx(shanghai()), tz=TZ).readings) == 40


def test_a_row_without_a_value_of_the_sensor_is_counted_as_missing_and_one_without_a_time_is_a_problem() -> None:
    rows = shanghai(count=6)
    rows[2][1] = None
    rows[4][0] = None
    done = read(xlsx(rows), tz=TZ)
    assert (len(done.readings), dict(done.others)) == (4, {"missing": 1})
    assert [(problem.line, problem.reason) for problem in done.problems] == [(5, "there is no time")]


def test_times_are_a_clock_in_shanghai_so_the_zone_must_be_said() -> None:
    with pytest.raises(InputError, match="--tz"):
        read(xlsx(shanghai()))
    assert len(read(xlsx(shanghai()), tz=TZ).readings) == 40


def test_times_as_text_are_read_and_their_order_must_be_proven() -> None:
    rows = shanghai(start="2021-03-04T10:00", count=4)
    for row in rows[1:5]:
        assert isinstance(row[0], datetime)
        row[0] = row[0].strftime("%d/%m/%Y %H:%M")
    with pytest.raises(InputError, match="--date-order"):
        read(xlsx(rows), tz=TZ)
    assert read(xlsx(rows), tz=TZ, date_order="dmy").readings == (
        read(xlsx(shanghai(start="2021-03-04T10:00", count=4)), tz=TZ).readings
    )


@pytest.mark.parametrize(("place", "heading"), [(1, "CGM (mmol / L)"), (2, "CBG"), (0, "Day")])
def test_other_headings_are_never_taken_for_these(place: int, heading: str) -> None:
    rows = shanghai()
    rows[0][place] = heading
    with pytest.raises(InputError, match="neither"):
        read(xlsx(rows), tz=TZ)


def test_headings_that_another_hospital_wrote_otherwise_are_known() -> None:
    rows = shanghai()
    rows[0][5], rows[0][8], rows[0][9] = (
        "进食量",
        "CSII - bolus insulin (Novolin R  IU)",
        "CSII - basal insulin (R, IU / H)",
    )
    (bolus,) = read(xlsx(rows), tz=TZ, category="insulin", value_column=str(rows[0][8])).readings
    assert bolus.unit == "[iU]"
