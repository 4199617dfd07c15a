"""T1D-UOM's kinds of files, made here with the faults of the recordings in `tests/data_real`."""

from __future__ import annotations

import pytest

from dtledger.errors import InputError
from dtledger.readings import ABOVE_RANGE, BELOW_RANGE, LONG_ACTING, REPEAT_OTHER_VALUE
from tests.importers.exports import csv, read, times

MARK = "\ufeff"
DAY = "13/11/2023"
GLUCOSE = csv("bg_ts,value", [(f"{DAY} 00:04", 2.8), (f"{DAY} 00:09", 22.2), (f"{DAY} 00:14", "8")], end="\r\n")
BOLUS = MARK + csv("bolus_ts,bolus_dose", [(f"{DAY} 12:43", 2.36), (f"{DAY} 14:27", 0), (f"{DAY} 15:00", "")])
BASAL = MARK + csv(
    "basal_ts,basal_dose,insulin_kind,,",
    [(f"{DAY} 00:00", 1.725, "R", "", ""), (f"{DAY} 00:00", 1.424, "R", "", ""), (f"{DAY} 22:50", 23, "L", "", "")],
)
MEALS = MARK + csv(
    "meal_ts,meal_type,meal_tag,carbs_g,prot_g,fat_g,fibre_g",
    [(f" {DAY} 12:00", "Lunch", "Huel+Peanutbutter", 19, 50, 32, 10), (DAY, "Snack", "", 24.6, "", "", "")],
)
SLEEP = csv(
    "sleep_ts,step_count,heart_rate,current_activity_type_intensity,stress_level_value,sleep_level,resting_heart_rate",
    [(f"{DAY} 00:00", 0, 0, 0, 29, 0, 0), (f"{DAY} 00:05", 0, 83, 8, 29, 0, 62)],
)
ACTIVITY = csv(
    "activity_ts,activity_type,active_Kcal,step_count,distance_m,duration_s,active_time_s,start_time_s,"
    "start_time_offset_s,met,intensity,motion_intensity_mean,motion_intensity_max",
    [(f"{DAY} 05:45", "SEDENTARY", 0, 0, 0, 900, 900, 1696135500, 3600, 1, "SEDENTARY", 0, 2)],
)


def rows(text: str, category: str, **options: object) -> list[tuple[float, str, str]]:
    done = read(text, tz="Europe/London", category=category, **options)
    assert done.source_format == "t1d-uom"
    return [(reading.value, reading.unit, reading.quality) for reading in done.readings]


def reasons(text: str, category: str) -> list[tuple[int, str]]:
    done = read(text, tz="Europe/London", category=category)
    return [(problem.line, problem.reason) for problem in done.problems]


def test_each_kind_of_file_is_told_by_its_headings_and_read_in_its_own_unit() -> None:
    assert rows(GLUCOSE, "glucose") == [(2.8, "mmol/L", ""), (22.2, "mmol/L", ""), (8.0, "mmol/L", "")]
    assert rows(BOLUS, "insulin") == [(2.36, "[iU]", ""), (0.0, "[iU]", "")]
    assert rows(MEALS, "meals") == [(19.0, "g", "")]
    assert rows(SLEEP, "heart-rate") == [(83.0, "/min", "")]


def test_a_pumps_rate_and_a_long_acting_dose_stand_in_one_file_each_in_its_unit() -> None:
    assert rows(BASAL, "insulin") == [
        (1.424, "[iU]/h", REPEAT_OTHER_VALUE),
        (1.725, "[iU]/h", REPEAT_OTHER_VALUE),
        (23.0, "[iU]", LONG_ACTING),
    ]
    assert reasons(BASAL.replace("23,L", "23,X"), "insulin") == [(4, "the kind of insulin is neither R nor L")]
    assert reasons(BASAL.replace("1.424", "142"), "insulin") == [
        (3, "the value cannot be insulin in [iU]/h; in [iU] it could (--unit)")
    ]


def test_a_heart_rate_of_nought_is_counted_as_missing_and_a_dose_of_nought_is_a_dose() -> None:
    done = read(SLEEP, tz="Europe/London", category="heart-rate")
    assert (dict(done.others), len(done.readings), done.rows) == ({"missing": 1}, 1, 2)
    assert (0.0, "[iU]", "") in rows(BOLUS, "insulin")


def test_a_row_without_value_or_without_time_of_day_is_a_problem() -> None:
    assert reasons(BOLUS, "insulin") == [(4, "there is no value")]
    assert reasons(MEALS, "meals") == [(3, "the time is not a date and a time of day")]


def test_what_is_left_alone_is_named_with_how_much_is_in_it() -> None:
    assert read(MEALS, tz="Europe/London", category="meals").notes[-1] == (
        "Left alone: 2 'meal_type', 1 'meal_tag', 1 'prot_g', 1 'fat_g', 1 'fibre_g'."
    )


@pytest.mark.parametrize(
    ("text", "category"), [(BOLUS, "insulin"), (BASAL, "insulin"), (MEALS, "meals"), (SLEEP, "heart-rate")]
)
def test_another_category_than_the_files_is_refused_and_says_which_it_is(text: str, category: str) -> None:
    with pytest.raises(InputError, match=f"no glucose that can be imported.*--category {category}"):
        read(text, tz="Europe/London")
    assert rows(text, category)


def test_a_file_of_activity_is_known_and_not_imported() -> None:
    with pytest.raises(InputError, match="no activity that can be imported. It has nothing"):
        read(ACTIVITY, tz="Europe/London", category="activity")


def test_values_at_the_sensors_limits_are_marked_where_it_is_said_what_these_are() -> None:
    done = read(GLUCOSE, tz="Europe/London")
    assert done.notes[-1].startswith("Values at the sensor's limits are not marked: --sensor-range")
    assert [quality for _, _, quality in rows(GLUCOSE, "glucose", sensor_range=(2.8, 22.2))] == [
        BELOW_RANGE,
        ABOVE_RANGE,
        "",
    ]
    with pytest.raises(InputError, match=r"--sensor-range cannot be glucose in mmol/L"):
        read(GLUCOSE, tz="Europe/London", sensor_range=(40, 400))


def test_the_order_of_dates_is_never_taken_from_the_sets_own_description() -> None:
    text = GLUCOSE.replace(DAY, "03/11/2023")
    with pytest.raises(InputError, match=r"line 2 may be day first or month first.*--date-order"):
        read(text, tz="Europe/London")
    assert read(text, tz="UTC", date_order="dmy").readings[0].at.isoformat() == "2023-11-03T00:04:00+00:00"


@pytest.mark.parametrize(("night", "said"), [("2023-10-29", "happened twice"), ("2024-03-31", "never happened")])
def test_the_hours_when_clocks_are_turned_are_reported_row_by_row(night: str, said: str) -> None:
    text = csv("bg_ts,value", [(time, 5.5) for time in times(night, 36, form="%d/%m/%Y %H:%M")])
    done = read(text, tz="Europe/London")
    assert [said in problem.reason for problem in done.problems] == [True] * 12
    assert (done.problems[0].line, len(done.readings)) == (14, 24)
    assert len(read(text, utc_offset="Z").readings) == 36


@pytest.mark.parametrize("options", [{"unit": "mg/dL"}, {"time_column": "bg_ts"}, {"value_column": "value"}])
def test_who_says_the_unit_or_the_columns_has_the_last_word(options: dict[str, str]) -> None:
    text = GLUCOSE.replace("2.8", "100").replace("22.2", "99").replace(",8", ",98")
    done = read(text, tz="Europe/London", **({"unit": "mg/dL"} | options))
    assert (done.source_format, {reading.unit for reading in done.readings}) == ("csv", {"mg/dL"})


def test_a_file_of_two_such_columns_in_another_unit_is_refused_rather_than_misread() -> None:
    text = csv("bg_ts,value", [(time, 90 + step) for step, time in enumerate(times("2023-11-13", 30))])
    with pytest.raises(InputError, match=r"could be in mg/dL.*--unit mg/dL"):
        read(text, tz="Europe/London")
    assert len(read(text, tz="Europe/London", unit="mg/dL").readings) == 30


@pytest.mark.parametrize("headings", ["bg_ts,value,note", "value,bg_ts", "bolus_ts,bolus_dose,kind"])
def test_headings_that_are_not_exactly_a_files_are_not_taken_for_them(headings: str) -> None:
    row = tuple("5.5" if name in {"value", "bolus_dose"} else f"{DAY} 00:04" for name in headings.split(","))
    category = "insulin" if "bolus" in headings else "glucose"
    with pytest.raises(InputError, match=r"--unit|neither"):
        read(csv(headings, [row]), tz="Europe/London", category=category)
