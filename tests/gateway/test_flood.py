"""What piled up of one twin keeps no other waiting, and is taken in its order all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dtledger.gateway import twins
from dtledger.readings import Reading
from tests.gateway.conftest import PACE
from tests.gateway.living import HOUR, Living, let_forecast, lived, memory_of, packed

DAYS = 14


def flood(alive: Living, hours: int) -> list[Reading]:
    """Hours of a sensor, the newest first, as a hub hands over what it kept."""
    readings = alive.sensor(hours)
    alive.put(readings[::-1])
    return readings


def anchored(alive: Living) -> int:
    return len(alive.site.values(alive.site.other_patient, alive.site.other))


def test_what_piled_up_of_one_twin_keeps_no_other_waiting(alive: Living) -> None:
    flood(alive, 12)
    other = alive.sensor(1)[:2]
    alive.put(other, twin=alive.site.other)
    alive.world.clock.advance(HOUR)
    alive.pump._pace = replace(PACE, snapshots=4, share=4)
    alive.pump.step()
    assert anchored(alive) == 0, "four hours of one are a whole batch"
    alive.pump._pace = replace(PACE, snapshots=4, share=3)
    alive.pump.step()
    assert anchored(alive) == len(other)


def test_a_share_is_of_the_earliest_hours_whatever_came_first(alive: Living) -> None:
    """A twin's time never runs back: what is taken out of its order is judged by nobody."""
    readings = flood(alive, 8)
    alive.pump._pace = replace(PACE, share=2)
    while alive.pump.step():
        pass
    found = alive.read(since=readings[0].seconds)
    assert [each.value for each in found] == [each.value for each in readings]
    assert {each.why for each in found} == {""}
    assert (packed(memory_of(alive)) == packed(lived(alive, found).twin)).all()  # type: ignore[attr-defined]


def test_a_flood_within_one_hour_is_taken_piece_by_piece(alive: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "MOST_TAKEN", 5)
    readings, other = alive.sensor(), alive.sensor()[:2]
    alive.put(readings[::-1])
    alive.put(other, twin=alive.site.other)
    assert alive.pump.step() == 5 + 2, "what is the other's is not behind it"
    assert anchored(alive) == 2
    assert [alive.pump.step(), alive.pump.step(), alive.pump.step()] == [5, 1, 0]
    found = alive.read(since=readings[0].seconds)
    assert [(each.value, each.why) for each in found] == [(each.value, "") for each in readings]
    np.testing.assert_allclose(packed(memory_of(alive)), packed(lived(alive, found).twin), rtol=1e-9)  # type: ignore[attr-defined]


def test_a_fortnight_at_once_is_anchored_within_some_batches_and_another_s_hour_with_the_first(alive: Living) -> None:
    alive.site.queue._limits = replace(alive.site.queue._limits, bytes=2**30)
    let_forecast(alive.site)
    readings = alive.sensor(24 * DAYS, every=900)
    other = Reading(readings[-1].seconds, 120.0, "mg/dL", 60)
    alive.put(readings[::-1])
    alive.put([other], twin=alive.site.other)
    moved = [alive.pump.step()]
    assert anchored(alive) == 1
    while len(moved) < 5:
        moved.append(alive.pump.step())
    assert sum(moved) == len(readings) + 1
    assert moved[0] == PACE.share * 4 + 1
    assert not alive.site.queue.totals().rows
