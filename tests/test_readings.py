"""Readings, their groups and the bytes of a snapshot's content."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dtledger.encoding import decode, encode
from dtledger.errors import IntegrityError
from dtledger.readings import (
    ABOVE_RANGE,
    BELOW_RANGE,
    LONGEST_REASON,
    REPEAT_OTHER_VALUE,
    SCHEMA,
    Reading,
    decode_readings,
    encode_readings,
    hourly,
)
from dtledger.types import MAX_MINUTE

AT = 1_793_574_600

readings = st.builds(
    Reading,
    seconds=st.integers(0, MAX_MINUTE * 60 + 59),
    value=st.floats(allow_nan=False, allow_infinity=False),
    unit=st.sampled_from(["mg/dL", "mmol/L", "/min", "mm[Hg]", "a-unit-of-a-later-version"]),
    offset=st.none() | st.integers(-18 * 60, 18 * 60),
    quality=st.sampled_from(
        ["", BELOW_RANGE, ABOVE_RANGE, f"{BELOW_RANGE} {REPEAT_OTHER_VALUE}", "a-later-word", "lead-v5"]
    ),
    micros=st.just(0) | st.integers(0, 999_999),
)


def bits(reading: Reading) -> tuple[object, ...]:
    """All of a reading, the sign of a zero included."""
    value = struct.pack(">d", reading.value)
    return (reading.seconds, reading.micros, reading.offset, reading.unit, reading.quality, value)


class TestAReading:
    def test_knows_its_time_in_the_sources_offset(self) -> None:
        assert Reading(AT, 5.5, "mmol/L", 330).at.isoformat() == "2026-11-02T04:40:00+05:30"
        assert Reading(AT, 5.5, "mmol/L", -210).at.isoformat() == "2026-11-01T19:40:00-03:30"

    def test_is_shown_in_utc_where_the_offset_is_not_known(self) -> None:
        assert Reading(AT, 5.5, "mmol/L").at == datetime(2026, 11, 1, 23, 10, tzinfo=UTC)

    @given(st.integers(100_000, MAX_MINUTE * 60), st.integers(0, 999_999), st.integers(-1080, 1080))
    @example(34_359_738_368, 999_997, 0)  # a float has no room for its fraction
    def test_keeps_an_aware_time_to_the_second(self, seconds: int, microsecond: int, offset: int) -> None:
        at = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset))).replace(microsecond=microsecond)
        reading = Reading.at_time(at, 5.5, "mmol/L")
        assert reading.at == at.replace(microsecond=0)
        assert reading.at.utcoffset() == at.utcoffset()
        assert reading.minute * 60 <= reading.seconds < reading.minute * 60 + 60

    def test_refuses_a_time_without_an_offset_and_takes_it_with_one(self) -> None:
        wall = datetime.fromisoformat("2026-11-02T00:10")
        with pytest.raises(ValueError, match="needs an offset"):
            Reading.at_time(wall, 5.5, "mmol/L")
        assert Reading.at_time(wall.replace(tzinfo=UTC), 5.5, "mmol/L").offset == 0

    def test_refuses_an_offset_with_seconds(self) -> None:
        with pytest.raises(ValueError, match="whole minutes"):
            Reading.at_time(datetime(1930, 1, 1, tzinfo=timezone(timedelta(seconds=1172))), 5.5, "mmol/L")

    @pytest.mark.parametrize(
        "field",
        [
            {"seconds": -1},
            {"seconds": (MAX_MINUTE + 1) * 60},
            {"seconds": float(AT)},
            {"seconds": True},
            {"value": math.nan},
            {"value": math.inf},
            {"value": -math.inf},
            {"value": True},
            {"value": "5.5"},
            {"unit": ""},
            {"unit": "mg dL"},
            {"unit": "µg"},
            {"unit": None},
            {"unit": "x" * 41},
            {"offset": 18 * 60 + 1},
            {"offset": 60.0},
            {"offset": True},
            {"quality": "Low"},
            {"quality": " below-range"},
            {"quality": "below-range  repeat-other-value"},
            {"quality": "repeat-other-value below-range"},
            {"quality": "below-range below-range"},
            {"quality": 1},
            {"quality": "5-leads"},
            {"micros": 1_000_000},
            {"micros": -1},
            {"micros": 0.5},
            {"micros": True},
        ],
    )
    def test_refuses_a_field_that_is_not_of_its_form(self, field: dict[str, object]) -> None:
        whole = {"seconds": AT, "value": 5.5, "unit": "mmol/L", "offset": 60, "quality": BELOW_RANGE}
        with pytest.raises(ValueError, match="a reading's"):
            Reading(**(whole | field))  # type: ignore[arg-type]
        assert Reading(**whole).value == 5.5  # type: ignore[arg-type]

    def test_of_a_fast_signal_keeps_its_microsecond_and_others_have_none(self) -> None:
        fast = Reading(AT, 0.5, "mV", 60, micros=2778)
        assert fast.at.isoformat() == "2026-11-02T00:10:00.002778+01:00"
        assert (fast.to("mV"), fast.marked("lead-ii").micros) == (fast, 2778)
        assert Reading(AT, 0.5, "mV", 60).at.microsecond == 0

    def test_takes_a_whole_number_as_its_value(self) -> None:
        assert type(Reading(AT, 155, "mg/dL").value) is float

    def test_converts_its_unit_and_keeps_the_rest(self) -> None:
        low = Reading(AT, 40.0, "mg/dL", 60, BELOW_RANGE)
        converted = low.to("mmol/L")
        assert converted.value == pytest.approx(2.22, abs=0.005)
        assert (converted.unit, converted.at, converted.quality) == ("mmol/L", low.at, low.quality)
        with pytest.raises(ValueError, match="cannot be converted"):
            low.to("/min")

    def test_gathers_marks_in_one_order_and_once(self) -> None:
        marked = Reading(AT, 40.0, "mg/dL").marked(REPEAT_OTHER_VALUE).marked(BELOW_RANGE).marked(BELOW_RANGE)
        assert marked.quality == "below-range repeat-other-value"


class TestHours:
    @given(st.lists(readings), st.sampled_from([1, 15, 60, 1440]))
    def test_hold_every_reading_once_in_order(self, some: list[Reading], minutes: int) -> None:
        groups = hourly(some, minutes)
        grouped = [reading for group in groups for reading in group.readings]
        assert sorted(map(repr, grouped)) == sorted(map(repr, some))
        assert [reading.seconds for reading in grouped] == sorted(reading.seconds for reading in some)

    @given(st.lists(readings), st.sampled_from([1, 15, 60, 1440]))
    def test_run_from_their_first_minute_to_their_last_within_one_hour_of_utc(
        self, some: list[Reading], minutes: int
    ) -> None:
        groups = hourly(some, minutes)
        for group in groups:
            assert (group.period.start, group.period.end) == (group.readings[0].minute, group.readings[-1].minute)
            assert group.period.start // minutes == group.period.end // minutes
        slots = [group.period.start // minutes for group in groups]
        assert slots == sorted(set(slots))

    @pytest.mark.parametrize("minutes", [0, -60, 7, 2880, 60.0])
    def test_have_a_length_that_divides_a_day(self, minutes: int) -> None:
        some = [Reading(AT, 5.5, "mmol/L")]
        with pytest.raises(ValueError, match="divides a day"):
            hourly(some, minutes)
        assert len(hourly(some, 30)) == 1


class TestContent:
    @given(st.lists(readings, min_size=1, max_size=20), st.sampled_from(["", "the sensor was calibrated late"]))
    def test_comes_back_to_the_last_bit(self, some: list[Reading], reason: str) -> None:
        content = decode_readings(encode_readings("glucose", some, reason))
        assert sorted(map(repr, map(bits, content.readings))) == sorted(map(repr, map(bits, some)))
        assert (content.category, content.reason) == ("glucose", reason)

    @given(
        st.lists(readings, min_size=1, max_size=8).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some)))
    )
    def test_is_the_same_bytes_whatever_the_order(self, orders: tuple[list[Reading], list[Reading]]) -> None:
        assert encode_readings("glucose", orders[0]) == encode_readings("glucose", orders[1])

    @given(
        st.lists(readings, max_size=8),
        st.none() | st.lists(st.integers(0, MAX_MINUTE * 60 + 59), min_size=1, max_size=8),
    )
    def test_of_a_correction_may_be_empty_and_says_what_it_replaces(
        self, some: list[Reading], replaces: list[int] | None
    ) -> None:
        content = decode_readings(encode_readings("glucose", some, "calibrated anew", replaces))
        assert sorted(map(repr, map(bits, content.readings))) == sorted(map(repr, map(bits, some)))
        assert content.replaces == (None if replaces is None else tuple(sorted(set(replaces))))

    def test_replaces_something_and_for_a_reason(self) -> None:
        one = [Reading(AT, 5.5, "mmol/L")]
        with pytest.raises(ValueError, match="for a reason"):
            encode_readings("glucose", one, replaces=[AT])
        for wrong in ([], [-1], [(MAX_MINUTE + 1) * 60], [True], [float(AT)], [AT, "x"]):
            with pytest.raises((ValueError, TypeError)):
                encode_readings("glucose", one, "why", wrong)  # type: ignore[arg-type]
        assert encode_readings("glucose", one, "why", [AT])

    @pytest.mark.parametrize("reason", ["two\nlines", "\x1b[2J", "\u202eback", "x" * (LONGEST_REASON + 1)])
    def test_gives_a_reason_of_one_line_that_any_terminal_may_show(self, reason: str) -> None:
        with pytest.raises(ValueError, match="one line of text"):
            encode_readings("glucose", [], reason)
        whole = decode(encode_readings("glucose", [], "why"))
        with pytest.raises(IntegrityError, match=SCHEMA):
            decode_readings(encode(whole | {"reason": reason}))
        assert decode_readings(encode(whole)).reason == "why"

    @pytest.mark.parametrize("replaces", [[], None, [AT, AT], [AT + 1, AT], [-1], [True], b"\1", "1", {}, AT])
    def test_replaces_times_in_their_one_order(self, replaces: object) -> None:
        whole = decode(encode_readings("glucose", [], "why"))
        with pytest.raises(IntegrityError, match=SCHEMA):
            decode_readings(encode(whole | {"replaces": replaces}))
        assert decode_readings(encode(whole | {"replaces": [AT, AT + 1]})).replaces == (AT, AT + 1)

    def test_is_small_for_an_hour_of_five_minute_readings(self) -> None:
        hour = [Reading(AT + 300 * step, 100.0 + step, "mg/dL", 60) for step in range(12)]
        assert len(encode_readings("glucose", hour)) < 256

    def test_needs_a_known_category_and_a_reading(self) -> None:
        one = [Reading(AT, 5.5, "mmol/L")]
        with pytest.raises(ValueError, match="unknown category"):
            encode_readings("glukose", one)
        with pytest.raises(ValueError, match="at least one"):
            encode_readings("glucose", [])
        with pytest.raises(ValueError, match="reason"):
            encode_readings("glucose", one, None)  # type: ignore[arg-type]
        assert encode_readings("glucose", one)

    @pytest.mark.parametrize(
        "change",
        [
            {"schema": "dtledger/readings/2"},
            {"category": "glukose"},
            {"category": ["glucose"]},
            {"at": [AT + 300, -300]},
            {"at": []},
            {"at": "ab"},
            {"at": b"\x01\x02"},
            {"at": [AT]},
            {"at": [float(AT), 300]},
            {"at": [AT, True]},
            {"at": [MAX_MINUTE * 60, 300]},
            {"value": struct.pack(">2d", 5.5, math.nan)},
            {"value": struct.pack(">d", 5.5)},
            {"value": [5.5, 5.6]},
            {"unit": ["mmol/L", "mmol/L"]},
            {"unit": ["mmol/L"]},
            {"unit": ["mmol/L", "mg dL"]},
            {"offset": 2000},
            {"offset": [60, "60"]},
            {"quality": "Low"},
            {"reason": ""},
            {"reason": 5},
            {"micros": 0},
            {"micros": [0, 0]},
            {"micros": [5]},
            {"micros": [5, 5]},
            {"micros": [5, 1_000_000]},
            {"more": 1},
        ],
    )
    def test_that_was_not_written_so_is_refused(self, change: dict[str, object]) -> None:
        some = [Reading(AT, 5.5, "mmol/L", 60), Reading(AT + 300, 5.6, "mmol/L", 60)]
        whole = decode(encode_readings("glucose", some))
        with pytest.raises(IntegrityError, match=SCHEMA):
            decode_readings(encode(whole | change))
        assert decode_readings(encode(whole)).readings == tuple(some)

    def test_says_microseconds_only_where_there_are_some_and_gives_them_back_in_order(self) -> None:
        slow = [Reading(AT, 5.5, "mV", 60)]
        assert "micros" not in decode(encode_readings("ecg", slow))
        fast = [Reading(AT, 5.0, "mV", 60, micros=4_000), *slow]
        assert decode(encode_readings("ecg", fast))["micros"] == [0, 4_000]
        assert decode_readings(encode_readings("ecg", fast)).readings == (*slow, fast[0])

    @pytest.mark.parametrize("missing", ["schema", "category", "at", "value", "unit", "offset", "quality"])
    def test_that_lacks_a_column_is_refused(self, missing: str) -> None:
        whole = decode(encode_readings("glucose", [Reading(AT, 5.5, "mmol/L", 60)]))
        del whole[missing]
        with pytest.raises(IntegrityError, match=SCHEMA):
            decode_readings(encode(whole))

    @pytest.mark.parametrize("other", [None, 5, "text", [], {}, b"bytes"])
    def test_of_another_kind_is_refused(self, other: object) -> None:
        with pytest.raises(IntegrityError, match=SCHEMA):
            decode_readings(encode(other))

    def test_with_any_byte_changed_is_refused_or_is_other_canonical_content(self) -> None:
        data = encode_readings("glucose", [Reading(AT, 5.5, "mmol/L", 60), Reading(AT + 300, 5.6, "mmol/L", None)])
        for place in range(len(data)):
            for flip in (0x01, 0x80, 0xFF):
                changed = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
                try:
                    content = decode_readings(changed)
                except IntegrityError:
                    continue
                assert encode_readings(*content) == changed
