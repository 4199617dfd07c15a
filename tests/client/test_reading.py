"""Reading through the SDK: how an app says since when, and what it gets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dtledger.errors import InputError
from dtledger.testing import World


def test_a_moment_is_unix_seconds_a_length_ago_or_an_aware_datetime(dtledger_world: World) -> None:
    world = dtledger_world
    then = world.clock.at - 3600
    moments = (then, "1h", datetime.fromtimestamp(then, UTC))
    by_each = [list(world.clinician.read(world.twin, "glucose", "TREAT", since=when)) for when in moments]
    assert by_each[0] == by_each[1] == by_each[2] != []


def test_a_datetime_without_an_offset_is_never_guessed(dtledger_world: World) -> None:
    with pytest.raises(InputError, match="no offset from UTC"):
        dtledger_world.clinician.read(dtledger_world.twin, "glucose", "TREAT", since=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_data_frame_has_a_row_a_reading_and_all_that_a_reading_says(dtledger_world: World) -> None:
    pytest.importorskip("pandas", reason="pandas is the app's own")
    readings = dtledger_world.clinician.read(dtledger_world.twin, "glucose", "TREAT")
    frame = readings.to_pandas()
    assert list(frame.columns) == ["value", "unit", "quality", "late", "snapshot", "corrected", "superseded_by", "why"]
    assert list(frame["value"]) == [each.value for each in readings]
    assert (str(frame.index.tz), frame.index[-1]) == ("UTC", readings[-1].at)
