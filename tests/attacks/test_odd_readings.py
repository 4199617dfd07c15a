"""Readings of a true writer's in a unit that is none: shown as they are, and nobody falls over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from dtledger._cli.app import App
from dtledger._cli.twin.plot import _band
from dtledger._cli.twin.values import table_lines
from dtledger.client import Readings
from dtledger.testing import World

from .forging import Scribe
from .looking import forged


def read_in(world: World, code: str) -> Readings:
    """What the owner reads in mg/dL when a scribe wrote an hour in `code` besides."""
    scribe = Scribe(world, f"scribe-{len(code)}")
    [group] = scribe.groups(1)
    scribe.write(groups=[group._replace(readings=tuple(replace(each, unit=code) for each in group.readings))])
    return world.patient.read(world.twin, "glucose", "PATRQT", unit="mg/dL")


@pytest.mark.parametrize("code", ["zorkmid", "kg"])
def test_a_unit_that_cannot_be_converted_leaves_the_other_readings_readable(code: str, world: World) -> None:
    readings = read_in(world, code)
    assert {each.unit for each in readings} == {"mg/dL", code}
    assert forged(readings) == [101.0, 101.5]
    assert len(readings) == len(world.readings) + 2
    app = App()
    app.__dict__["zone"] = UTC
    assert sum(line.endswith(f"{code}  forged") for line in table_lines(app, readings)) == 2
    assert _band("glucose", code) is None


def test_a_unit_of_the_category_is_converted(world: World) -> None:
    readings = read_in(world, "mmol/L")
    assert {each.unit for each in readings} == {"mg/dL"}
    assert _band("glucose", "mg/dL") is not None
