"""Times on the command line: lengths, days, moments, and clocks that are turned."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger._cli import times
from dtledger.errors import InputError
from dtledger.types import Period

VIENNA = ZoneInfo("Europe/Vienna")
NOW = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("text", "beginning", "end"),
    [
        ("now", NOW, NOW),
        ("90m", NOW - 5400, NOW - 5400),
        ("2w", NOW - 14 * 86_400, NOW - 14 * 86_400),
        ("99999999w", 0, 0),
        ("2026-11-02", at("2026-11-02T00:00+01:00"), at("2026-11-03T00:00+01:00")),
        ("2026-10-25", at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00")),
        ("2026-11-02T08:30", at("2026-11-02T08:30+01:00"), at("2026-11-02T08:30+01:00")),
        ("2026-11-02T08:30Z", at("2026-11-02T08:30+00:00"), at("2026-11-02T08:30+00:00")),
        ("2026-10-25T02:30+01:00", at("2026-10-25T01:30Z"), at("2026-10-25T01:30Z")),
    ],
)
def test_a_day_counts_whole_and_a_moment_is_one_moment(text: str, beginning: int, end: int) -> None:
    assert times.beginning(text, NOW, VIENNA) == beginning
    assert times.end(text, NOW, VIENNA) == end


@pytest.mark.parametrize(
    ("text", "words"),
    [("2026-10-25T02:30", "twice"), ("2026-03-29T02:30", "never"), ("soon", "no moment"), ("2026-13-01", "no moment")],
)
def test_a_time_that_is_no_one_instant_is_never_guessed(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        times.beginning(text, NOW, VIENNA)
    assert words in str(caught.value)


def test_without_a_setting_the_machines_zone_is_meant() -> None:
    local = int(datetime(2026, 11, 2, 8, 30).astimezone().timestamp())
    assert times.beginning("2026-11-02T08:30", NOW, None) == local


@pytest.mark.parametrize("text", ["1969-12-31T00:00Z", "0001-01-01T00:00Z"])
def test_a_time_that_no_grant_can_name_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        times.beginning(text, NOW, UTC)


@given(st.integers(1, 10_000), st.sampled_from("mhdw"))
def test_a_length_ahead_is_as_long_as_the_same_length_ago(count: int, unit: str) -> None:
    later = 2**36
    assert times.ahead(f"{count}{unit}", later) - later == later - times.beginning(f"{count}{unit}", later, UTC)


@pytest.mark.parametrize("text", ["0d", "30", "d", "-1d", "1y", "9999999999999w"])
def test_what_is_no_time_ahead_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        times.ahead(text, NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 minute"), (7199, "1 hour"), (7200, "2 hours"), (86_400 * 40, "40 days")],
)
def test_a_span_is_told_in_the_largest_unit_that_fits(seconds: int, words: str) -> None:
    assert times.span(seconds) == words


def test_a_period_in_json_has_both_its_minutes() -> None:
    assert times.minutes(Period(0, 2**30 - 1)) == {"from": "1970-01-01T00:00:00Z", "until": "4011-07-14T01:03:00Z"}
