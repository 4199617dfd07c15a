"""Signals that are sampled faster than once a second: written to a twin and read back, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime

from dtledger._cli.app import App
from dtledger._cli.twin.values import table_lines
from dtledger.client.terms import writing_terms
from dtledger.readings import Reading
from dtledger.testing import World

HOUR = 3600


def electrocardiogram(at: int) -> list[Reading]:
    """Two seconds at 4 Hz, two values of one second equal."""
    return [
        Reading(at + place // 4, place % 3 / 10, "mV", 60, "lead-ii", micros=place % 4 * 250_000) for place in range(8)
    ]


def test_a_signal_is_read_back_to_the_microsecond_and_put_again_is_known() -> None:
    with World(hours=1) as world:
        at = world.clock.at - 600
        terms = writing_terms(["ecg"], world.clock.at, HOUR, back_to=at // 60)
        world.patient.consents.grant(world.twin, world.gateway.address, terms)
        signal = electrocardiogram(at)
        assert world.gateway.writer.put(world.twin, "ecg", signal[:3]).readings == 3
        rest = world.gateway.writer.put(world.twin, "ecg", signal)
        assert (rest.known, rest.readings) == (3, 5), "two equal values of one second are two"
        found = world.patient.read(world.twin, "ecg", "PATRQT")
        assert [(each.at, each.value) for each in found] == [(each.at, each.value) for each in signal]
        assert found[1].at.astimezone(UTC) == datetime.fromtimestamp(at, UTC).replace(microsecond=250_000)
        again = world.gateway.writer.put(world.twin, "ecg", [*signal, Reading(at + 2, 0.5, "mV", 60, "lead-ii")])
        assert (again.known, again.readings) == (8, 1)


def test_a_signal_is_shown_to_the_microsecond_and_other_readings_to_the_minute() -> None:
    with World(hours=1) as world:
        at = world.clock.at - 600
        terms = writing_terms(["ecg"], world.clock.at, HOUR, back_to=at // 60)
        world.patient.consents.grant(world.twin, world.gateway.address, terms)
        world.gateway.writer.put(world.twin, "ecg", electrocardiogram(at)[1:2])
        app = App()
        app.__dict__["zone"] = UTC
        (line,) = table_lines(app, world.patient.read(world.twin, "ecg", "PATRQT"))
        assert line == "2026-01-01 11:50:00.250000 +0000    0.100 mV  lead-ii"
        assert table_lines(app, world.patient.read(world.twin, "glucose", "PATRQT"))[0].startswith(
            "2026-01-01 11:04 +0"
        )
