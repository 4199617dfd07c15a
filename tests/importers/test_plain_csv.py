"""Plain CSV: headings, delimiters, numbers, units, words beyond the sensor's range."""

from __future__ import annotations

import pytest

from dtledger.errors import InputError
from dtledger.readings import ABOVE_RANGE, BELOW_RANGE
from tests.importers.exports import csv, read, times

T = "2026-11-02T12:00Z"


def one(text: str, **options: object) -> tuple[float, str]:
    done = read(text, **options)
    assert done.problems == ()
    (reading,) = done.readings
    return reading.value, reading.unit


def reasons(text: str, **options: object) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in read(text, **options).problems]


class TestHeadings:
    @pytest.mark.parametrize("time", ["time", "Timestamp", "DateTime", "date_time", "Date/Time", "date", "ts", "bg_ts"])
    @pytest.mark.parametrize("value", ["value", "Reading", "glucose", "Glucose_Value", "Sensor Glucose", "bg", "CGM"])
    def test_are_known_in_any_case_with_spaces_or_underscores(self, time: str, value: str) -> None:
        assert one(f"{time},{value}\n{T},5.5\n", unit="mmol/L") == (5.5, "mmol/L")

    @pytest.mark.parametrize(
        "heading",
        [
            "glucose (mmol/L)",
            "Glucose [mmol/l]",
            "glucose(MMOL/L)",
            "glucose_mmol_l",
            "glucose mmol/L",
            "value (mmol/L)",
        ],
    )
    def test_may_name_the_unit(self, heading: str) -> None:
        assert one(f"time,{heading}\n{T},5.5\n") == (5.5, "mmol/L")

    def test_of_other_columns_and_their_cells_do_not_matter(self) -> None:
        text = f"name,value,device (id),time,unit\nAda,5.5,x,{T},mmol/L\n"
        assert one(text) == (5.5, "mmol/L")
        assert "Ada" not in repr(read(text))

    def test_may_have_the_date_and_the_time_apart(self) -> None:
        assert (
            read("date,time,value\n2026-11-02,12:00:00,5.5\n", unit="mmol/L", utc_offset="Z").readings[0].at.hour == 12
        )

    def test_of_a_category_are_its_name(self) -> None:
        assert one(f"time,heart-rate (bpm)\n{T},61\n", category="heart-rate") == (61.0, "/min")
        assert one(f"time,Heart Rate (/min)\n{T},61\n", category="heart-rate") == (61.0, "/min")
        with pytest.raises(InputError, match="neither"):
            read(f"time,heart rate\n{T},61\n", unit="mmol/L")

    @pytest.mark.parametrize(
        ("headings", "option", "named"),
        [
            ("time,timestamp,value", "--time-column", {"time_column": "Timestamp"}),
            ("time,glucose,value", "--value-column", {"value_column": "VALUE"}),
            ("time,glucose (mmol/L),glucose (mg/dL)", "--value-column", {"value_column": "glucose (mmol/L)"}),
        ],
    )
    def test_that_leave_a_column_open_are_settled_by_an_option(
        self, headings: str, option: str, named: dict[str, str]
    ) -> None:
        first = T if "timestamp" in headings else "5.5"
        text = f"{headings}\n{T},{first},5.5\n"
        with pytest.raises(InputError, match=option):
            read(text, unit="mmol/L")
        assert one(text, unit="mmol/L", **named) == (5.5, "mmol/L")

    def test_that_are_unknown_are_named_by_options(self) -> None:
        text = f"taken at,sugar (mmol/L)\n{T},5.5\n"
        with pytest.raises(InputError, match="--time-column and --value-column"):
            read(text)
        assert one(text, time_column="Taken at", value_column="sugar") == (5.5, "mmol/L")
        with pytest.raises(InputError, match="neither"):
            read(text, time_column="taken at", value_column="salt")
        with pytest.raises(InputError, match="neither"):
            read(text.replace("taken at", "date"), time_column="taken", value_column="sugar")

    def test_that_are_named_with_their_unit_are_found_in_any_category(self) -> None:
        text = f"time,on the scales (kg),at home (kg)\n{T},61.5,62\n"
        assert one(text, category="weight", value_column="On the scales (kg)") == (61.5, "kg")

    def test_twice_the_same_are_refused(self) -> None:
        with pytest.raises(InputError, match="same heading"):
            read(f"time,value,unit,units\n{T},5.5,mmol/L,mmol/L\n")
        assert one(f"time,value,unit,note\n{T},5.5,mmol/L,mmol/L\n") == (5.5, "mmol/L")

    def test_without_rows_are_an_empty_file(self) -> None:
        with pytest.raises(InputError, match="no row"):
            read("time,glucose (mmol/L)\n\n")


class TestRows:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_may_be_delimited_by(self, delimiter: str) -> None:
        assert one(f"time,value,unit\n{T},5.5,mmol/L\n".replace(",", delimiter)) == (5.5, "mmol/L")

    @pytest.mark.parametrize("row", [f'{T};"5,5";mmol/L', f"{T};5,5;mmol/L", f'"{T}";"5,5";"mmol/L"'])
    def test_may_have_a_comma_as_the_decimal_mark(self, row: str) -> None:
        assert one(f"time;value;unit\n{row}\n") == (5.5, "mmol/L")

    def test_with_a_bare_decimal_comma_between_commas_are_problems(self) -> None:
        text = f"time,glucose (mmol/L)\n{T},5,5\n"
        assert reasons(text) == [(2, "the row has more cells than there are headings (a comma as the decimal mark?)")]
        assert one(text.replace("5,5", '"5,5"')) == (5.5, "mmol/L")

    def test_with_two_decimal_marks_are_problems_from_the_second_on(self) -> None:
        text = f"time;glucose (mmol/L)\n{T};5,5\n{T};5.6\n{T};6\n"
        assert reasons(text) == [(3, "the decimal mark is another than in the lines before")]

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ("", "there is no value"),
            ("n/a", "the value is not a number"),
            ("nan", "the value is not a number"),
            ("inf", "the value is not a number"),
            ("-inf", "the value is not a number"),
            ("1_0", "the value is not a number"),
            ("٥", "the value is not a number"),
            ("5.5 mmol/L", "the value is not a number"),
            ("5.5.5", "the value is not a number"),
            ("0x10", "the value is not a number"),
            ("5,500", "a comma before three digits may mark decimals or thousands"),
            ("-5.5", "the value cannot be glucose in mmol/L"),
            ("0", "the value cannot be glucose in mmol/L"),
            ("1e999", "the value cannot be glucose in mmol/L"),
            ("120", "the value cannot be glucose in mmol/L; in mg/dL it could (--unit)"),
        ],
    )
    def test_with_no_possible_value_are_problems_and_the_rest_is_read(self, cell: str, said: str) -> None:
        text = f'time,glucose (mmol/L)\n{T},5.5\n{T},"{cell}"\n'
        assert reasons(text) == [(3, said)]
        assert [reading.value for reading in read(text).readings] == [5.5]

    def test_with_too_few_cells_are_problems(self) -> None:
        assert reasons(f"time,glucose (mmol/L)\n{T}\n{T},5.5,,\n") == [(2, "there is no value")]

    def test_whose_quoted_cell_swallows_lines_are_problems(self) -> None:
        text = f'time,glucose (mmol/L),note\n{T},5.5,"a\n{T},5.6,b\n{T},5.7,"\n{T},5.8,c\n'
        assert reasons(text) == [(2, "a quoted cell runs on to line 4")]
        assert [reading.value for reading in read(text).readings] == [5.8]

    def test_with_a_stray_quotation_mark_are_problems(self) -> None:
        text = f'time,glucose (mmol/L)\n"{T}"x,5.5\n{T},5.6\n'
        assert reasons(text) == [(2, "a quotation mark stands where none can")]
        assert [reading.value for reading in read(text).readings] == [5.6]

    @pytest.mark.parametrize("more", [1, 9000])
    def test_after_a_quotation_mark_that_is_never_closed_refuse_the_file(self, more: int) -> None:
        rows = "".join(f"{time}Z,5.6\n" for time in times("2026-11-02", more))
        with pytest.raises(InputError, match="opened on line 2 is never closed"):
            read(f'time,glucose (mmol/L)\n"{T},5.5\n{rows}')
        assert len(read(f'time,glucose (mmol/L)\n"2026-11-01T12:00Z",5.5\n{rows}').readings) == more + 1


class TestTheUnit:
    def test_that_the_file_does_not_say_must_be_said(self) -> None:
        text = f"time,glucose\n{T},5.5\n"
        with pytest.raises(InputError, match=r"does not say the unit.*--unit mmol/L"):
            read(text)
        assert one(text, unit="mmol/l") == (5.5, "mmol/L")
        assert one(text.replace("5.5", "99"), unit="MG/DL") == (99.0, "mg/dL")

    def test_that_is_said_against_the_file_is_refused(self) -> None:
        text = f"time,glucose (mmol/L)\n{T},5.5\n"
        with pytest.raises(InputError, match=r"says mmol/L, --unit says mg/dL"):
            read(text, unit="mg/dL")
        assert one(text, unit="mmol/L") == (5.5, "mmol/L")

    @pytest.mark.parametrize("unit", ["kg", "furlong", ""])
    def test_that_does_not_fit_the_category_is_refused(self, unit: str) -> None:
        with pytest.raises(InputError, match="--unit"):
            read(f"time,glucose\n{T},5.5\n", unit=unit)

    def test_of_a_row_goes_before_the_headings_and_is_kept(self) -> None:
        text = f"time,value (mmol/L),unit\n{T},5.5,\n2026-11-02T12:05Z,99,mg/dL\n"
        assert [(reading.value, reading.unit) for reading in read(text).readings] == [(5.5, "mmol/L"), (99.0, "mg/dL")]

    def test_of_a_row_that_is_missing_unknown_or_against_the_option_is_a_problem(self) -> None:
        text = f"time,value,unit\n{T},5.5,\n{T},5.5,stone\n{T},5.5,kg\n{T},99,mg/dL\n"
        assert reasons(text) == [
            (2, "there is no unit (--unit says it for such rows)"),
            (3, "the unit is none that glucose is measured in"),
            (4, "the unit is none that glucose is measured in"),
        ]
        assert reasons(text, unit="mmol/L")[-1] == (5, "the unit is mg/dL, --unit says mmol/L")
        assert one(text.replace("stone", "mmol/L").replace("kg", "mmol/L").replace("99,mg/dL", "5.5,"), unit="mmol/L")

    def test_that_must_be_wrong_refuses_the_file_rather_than_read_the_values_that_pass(self) -> None:
        rows = [(f"{time}Z", 4 + step % 10) for step, time in enumerate(times("2026-11-02", 100))]
        text = csv("time,glucose", rows)
        with pytest.raises(InputError, match=r"could be in mmol/L.*--unit mmol/L"):
            read(text, unit="mg/dL")
        assert len(read(text, unit="mmol/L").readings) == 100
        high = csv("time,glucose", [(time, value * 18) for time, value in rows])
        with pytest.raises(InputError, match=r"could be in mg/dL.*--unit mg/dL"):
            read(high, unit="mmol/L")
        assert len(read(high, unit="mg/dL").readings) == 100

    def test_is_not_doubted_for_values_that_are_absurd_in_any(self) -> None:
        rows = [(f"{time}Z", 0 if step % 3 else 60) for step, time in enumerate(times("2026-11-02", 90))]
        done = read(csv("time,heart rate (bpm)", rows), category="heart-rate")
        assert (len(done.readings), len(done.problems)) == (30, 60)

    def test_of_an_unknown_category_is_refused_with_those_known(self) -> None:
        with pytest.raises(InputError, match="known: glucose"):
            read(f"time,value\n{T},5.5\n", category="glukose", unit="mmol/L")

    def test_of_a_category_without_bounds_may_have_negative_values(self) -> None:
        assert one(f"time,ecg (mV)\n{T},-0.145\n", category="ecg") == (-0.145, "mV")


class TestBeyondTheSensorsRange:
    @pytest.mark.parametrize(
        ("word", "value", "quality"),
        [("Low", 2.2, BELOW_RANGE), ("LO", 2.2, BELOW_RANGE), ("high", 22.2, ABOVE_RANGE), ("HI", 22.2, ABOVE_RANGE)],
    )
    def test_a_word_stands_for_the_limit_that_is_said(self, word: str, value: float, quality: str) -> None:
        text = f"time,glucose (mmol/L)\n{T},{word}\n"
        assert "--sensor-range" in reasons(text)[0][1]
        (reading,) = read(text, sensor_range=(2.2, 22.2)).readings
        assert (reading.value, reading.quality) == (value, quality)

    @pytest.mark.parametrize(("cell", "value", "quality"), [("<2.2", 2.2, BELOW_RANGE), ("> 22.2", 22.2, ABOVE_RANGE)])
    def test_a_limit_in_the_file_needs_no_option(self, cell: str, value: float, quality: str) -> None:
        (reading,) = read(f"time,glucose (mmol/L)\n{T},{cell}\n").readings
        assert (reading.value, reading.quality) == (value, quality)

    def test_a_limit_that_is_no_number_is_a_problem(self) -> None:
        assert reasons(f"time,glucose (mmol/L)\n{T},<low\n") == [(2, "the value is not a number")]

    @pytest.mark.parametrize("wrong", [(40, 400), (2.2, 400), (22.2, 2.2), (-1, 22), (2.2, float("inf"))])
    def test_a_range_that_cannot_be_is_refused(self, wrong: tuple[float, float]) -> None:
        text = f"time,glucose (mmol/L)\n{T},Low\n"
        with pytest.raises(InputError, match="--sensor-range"):
            read(text, sensor_range=wrong)
        assert len(read(text, sensor_range=(2.2, 22.2)).readings) == 1
