"""Times: forms, offsets, zones, clocks that are turned, orders of dates."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.errors import InputError
from tests.importers.exports import csv, read


def instants(*texts: str, **options: object) -> list[str]:
    done = read(csv("time,glucose (mmol/L)", [(f'"{text}"', 5.5) for text in texts]), **options)
    assert done.problems == ()
    return [reading.at.isoformat() for reading in done.readings]


def reason(text: str, **options: object) -> str:
    """Why the one row with this time cannot be read; a row with a good time beside it is read."""
    good = "2026-11-02T12:00:00"
    done = read(csv("time,glucose (mmol/L)", [(f'"{text}"', 5.5), (good, 5.5)]), **({"utc_offset": "Z"} | options))
    assert len(done.readings) == 1
    (problem,) = done.problems
    assert problem.line == 2
    return problem.reason


class TestATime:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-02T15:04:00+01:00",
            "2026-11-02T15:04+01:00",
            "2026-11-02 15:04:00 +0100",
            "2026-11-02 15:04:00.000+01",
            " 2026/11/02  03:04 pm +01:00 ",
            "2026.11.2 3:04:00 P.M.+01:00",
            "2026-11-02t15:04:00,00+01:00",
        ],
    )
    def test_may_be_written_in_many_forms(self, text: str) -> None:
        assert instants(text) == ["2026-11-02T15:04:00+01:00"]

    @pytest.mark.parametrize("zulu", ["Z", "z", " UTC", "+00:00", "-00:00"])
    def test_may_be_in_utc(self, zulu: str) -> None:
        assert instants(f"2026-11-02T15:04:05{zulu}") == ["2026-11-02T15:04:05+00:00"]

    @pytest.mark.parametrize(
        ("hour", "half", "then"), [("12:00", "AM", "00:00"), ("12:00", "pm", "12:00"), ("1:30", "a.m.", "01:30")]
    )
    def test_may_be_of_twelve_hours(self, hour: str, half: str, then: str) -> None:
        assert instants(f"2026-11-02 {hour} {half}", utc_offset="Z") == [f"2026-11-02T{then}:00+00:00"]

    def test_with_fractions_of_a_second_is_cut_and_that_is_said(self) -> None:
        rows = [("2026-11-02T15:04:05.900Z", 5.5), ("2026-11-02T15:09:05.1Z", 5.5)]
        done = read(csv("time,glucose (mmol/L)", rows))
        assert done.readings[0].at == datetime(2026, 11, 2, 15, 4, 5, tzinfo=UTC)
        assert done.notes == ("Fractions of a second were cut off.",)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "there is no time"),
            ("yesterday", "not a date and a time of day"),
            ("2026-11-02", "not a date and a time of day"),
            ("12:04", "not a date and a time of day"),
            ("1793574600", "not a date and a time of day"),
            ("2026-11/02 12:00", "not a date and a time of day"),
            ("2026-11-02T12:00:00 Europe/London", "not a date and a time of day"),
            ("٢٠٢٦-11-02T12:00", "not a date and a time of day"),
            ("2026-02-29T12:00", "the date does not exist"),
            ("2026-13-01T12:00", "the date does not exist"),
            ("0000-01-01T12:00", "the date does not exist"),
            ("126-01-01T12:00", "not of a day, a month and a year"),
            ("2026-11-2026 12:00", "not of a day, a month and a year"),
            ("2026-11-02T24:00", "the time of day does not exist"),
            ("2026-11-02T12:60", "the time of day does not exist"),
            ("2026-11-02T12:00:60", "the time of day does not exist"),
            ("2026-11-02 13:00 PM", "the time of day does not exist"),
            ("2026-11-02 0:30 AM", "the time of day does not exist"),
            ("2026-11-02T12:00+25:00", "offset from UTC does not exist"),
            ("2026-11-02T12:00+01:75", "offset from UTC does not exist"),
            ("1969-12-31T23:59", "before 1970"),
            ("4999-01-01T12:00", "after 4011"),
        ],
    )
    def test_that_is_none_is_a_problem_of_its_row_alone(self, text: str, said: str) -> None:
        assert said in reason(text)

    def test_at_the_end_of_the_calendar_is_a_problem_in_a_zone_too(self) -> None:
        assert "after 4011" in reason("9999-12-31T23:59", utc_offset=None, tz="Asia/Tokyo")


class TestAWallClock:
    def test_needs_its_zone_or_its_offset(self) -> None:
        with pytest.raises(InputError, match=r"line 3 has no offset.*--tz.*--utc-offset"):
            instants("2026-11-02T12:00Z", "2026-11-02T12:05")
        assert instants("2026-11-02T12:00Z", "2026-11-02T12:05", tz="Europe/London")

    def test_of_a_zone_has_the_offset_of_its_season(self) -> None:
        assert instants("2026-01-02T12:00", "2026-07-02T12:00", tz="Europe/Berlin") == [
            "2026-01-02T12:00:00+01:00",
            "2026-07-02T12:00:00+02:00",
        ]

    def test_of_an_offset_keeps_it_all_year(self) -> None:
        assert instants("2026-01-02T12:00", "2026-07-02T12:00", utc_offset="-05:30") == [
            "2026-01-02T12:00:00-05:30",
            "2026-07-02T12:00:00-05:30",
        ]

    def test_does_not_change_a_time_that_has_an_offset_of_its_own(self) -> None:
        assert instants("2026-07-02T12:00+09:00", tz="Europe/Berlin") == ["2026-07-02T12:00:00+09:00"]

    @pytest.mark.parametrize("minute", ["01:00", "01:30", "01:59"])
    def test_in_an_hour_that_happened_twice_is_a_problem_that_the_offset_settles(self, minute: str) -> None:
        said = reason(f"2026-10-25T{minute}:00", utc_offset=None, tz="Europe/London")
        assert "happened twice in Europe/London" in said
        assert "--utc-offset +01:00 or +00:00" in said
        assert instants(f"2026-10-25T{minute}:00", utc_offset="+01:00")

    @pytest.mark.parametrize("minute", ["01:00", "01:30", "01:59"])
    def test_in_an_hour_that_never_happened_is_a_problem_that_the_offset_settles(self, minute: str) -> None:
        said = reason(f"2026-03-29T{minute}:00", utc_offset=None, tz="Europe/London")
        assert "never happened in Europe/London" in said
        assert "--utc-offset" in said
        assert instants(f"2026-03-29T{minute}:00", utc_offset="+00:00")

    def test_just_beside_a_turned_clock_is_no_problem(self) -> None:
        assert instants(
            "2026-10-25T00:59:59", "2026-10-25T02:00", "2026-03-29T00:59:59", "2026-03-29T02:00", tz="Europe/London"
        )

    def test_in_a_zone_with_seconds_in_its_offset_is_a_problem(self) -> None:
        assert "not whole minutes" in reason("1971-06-01T12:00", utc_offset=None, tz="Africa/Monrovia")

    @given(
        st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 a wall clock
        st.sampled_from(
            ["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
        ),
    )
    def test_is_placed_where_the_zone_has_one_answer_and_nowhere_else(self, wall: datetime, zone: str) -> None:
        wall = wall.replace(microsecond=0)
        done = read(csv("time,glucose (mmol/L)", [(wall.isoformat(), 5.5)]), tz=zone)
        answers = {
            at.astimezone(UTC)
            for at in (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
            if at.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall
        }
        assert {reading.at for reading in done.readings} == (answers if len(answers) == 1 else set())
        assert len(done.problems) == (len(answers) != 1)


class TestAnOption:
    @pytest.mark.parametrize(
        ("option", "good"),
        [
            ({"tz": "Mars/Olympus"}, {"tz": "Europe/London"}),
            ({"tz": "/etc/passwd"}, {"tz": "Europe/London"}),
            ({"tz": "Europe"}, {"tz": "Europe/London"}),
            ({"tz": ""}, {"tz": "Europe/London"}),
            ({"utc_offset": "1"}, {"utc_offset": "+01"}),
            ({"utc_offset": "+19:00"}, {"utc_offset": "+14:00"}),
            ({"utc_offset": "Europe/London"}, {"utc_offset": "+00:00"}),
            ({"tz": "Europe/London", "utc_offset": "+00:00"}, {"tz": "Europe/London"}),
            ({"date_order": "dym", "tz": "UTC"}, {"date_order": "dmy", "tz": "UTC"}),
        ],
    )
    def test_that_cannot_be_used_is_refused_by_its_name(self, option: dict[str, str], good: dict[str, str]) -> None:
        with pytest.raises(InputError, match=r"--(tz|utc-offset|date-order)"):
            instants("2026-11-02T12:00", **option)
        assert len(instants("2026-11-02T12:00", **good)) == 1


class TestTheOrderOfADate:
    def test_is_proven_by_a_day_above_twelve_wherever_it_stands(self) -> None:
        assert instants("03/04/2026 12:00", "13/04/2026 12:00", utc_offset="Z")[0] == "2026-04-03T12:00:00+00:00"
        assert instants("03/04/2026 12:00", "04/13/2026 12:00", utc_offset="Z")[0] == "2026-03-04T12:00:00+00:00"

    def test_that_is_proven_is_said_with_its_first_line(self) -> None:
        text = csv("time,glucose (mmol/L)", [(f"{day:02}/04/2026 12:00", 5.5) for day in (3, 14, 13, 15)])
        assert read(text, utc_offset="Z").notes == ("Dates were read day first, which line 3 proves.",)

    def test_that_nothing_proves_must_be_said(self) -> None:
        texts = ("05/05/2026 12:00", "03/04/2026 12:00")
        with pytest.raises(InputError, match=r"line 3 may be day first or month first.*--date-order"):
            instants(*texts, utc_offset="Z")
        assert instants(*texts, utc_offset="Z", date_order="dmy")[0] == "2026-04-03T12:00:00+00:00"
        assert instants(*texts, utc_offset="Z", date_order="mdy")[0] == "2026-03-04T12:00:00+00:00"

    def test_need_not_be_known_where_day_and_month_are_one_number(self) -> None:
        assert instants("05/05/2026 12:00", utc_offset="Z") == ["2026-05-05T12:00:00+00:00"]

    def test_that_is_proven_two_ways_must_be_said_and_the_rows_against_it_are_problems(self) -> None:
        texts = ("01/02/2026 12:00", "13/04/2026 12:00", "04/14/2026 12:00")
        with pytest.raises(
            InputError, match=r"two orders: day first on line 3 and month first on line 4.*--date-order"
        ):
            instants(*texts, utc_offset="Z")
        done = read(csv("time,glucose (mmol/L)", [(text, 5.5) for text in texts]), utc_offset="Z", date_order="dmy")
        assert len(done.readings) == 2
        assert [(problem.line, problem.reason) for problem in done.problems] == [
            (4, "the date does not exist day first (--date-order)")
        ]

    def test_is_not_proven_by_a_date_that_exists_in_none(self) -> None:
        with pytest.raises(InputError, match="--date-order"):
            instants("03/04/2026 12:00", "31/02/2026 12:00", utc_offset="Z")

    def test_of_years_with_two_digits_must_be_said(self) -> None:
        with pytest.raises(InputError, match=r"line 2 has a year of two digits.*--date-order"):
            instants("25/12/26 12:00", utc_offset="Z")
        assert instants("25/12/26 12:00", utc_offset="Z", date_order="dmy") == ["2026-12-25T12:00:00+00:00"]
        assert instants("25/12/26 12:00", utc_offset="Z", date_order="ymd") == ["2025-12-26T12:00:00+00:00"]

    @pytest.mark.parametrize("order", ["dmy", "mdy", "ymd"])
    def test_is_clear_where_the_year_leads_whatever_is_said(self, order: str) -> None:
        assert instants("2026-03-04T12:00Z", date_order=order) == ["2026-03-04T12:00:00+00:00"]

    def test_with_the_year_first_does_not_fit_a_year_at_the_end(self) -> None:
        assert "year first (--date-order)" in reason("03/04/2026 12:00", date_order="ymd")
