"""`twin plot --forecast`: what a twin's state adds to a picture."""

from __future__ import annotations

from datetime import UTC

import pytest

from dtledger._cli.app import App
from dtledger._cli.picture.file import drawn
from dtledger._cli.picture.scene import Scene, told
from dtledger._cli.twin.ahead import looking_ahead
from dtledger.client import Client
from dtledger.errors import AccessDeniedError, CannotCheckError
from dtledger.testing import World
from tests.client.test_forecasting import tell
from tests.client.test_forecasting import world as told_world

pytestmark = pytest.mark.slow

__all__ = ["told_world"]


@pytest.fixture
def world(told_world: World) -> World:
    """Two states of it: one an hour ago, one a minute ago."""
    tell(told_world, told_world.readings[-1].seconds - 3600)
    return told_world


def app_of(client: Client) -> App:
    app = App()
    app.__dict__ |= {"client": client, "zone": UTC}
    return app


def scene(world: World, client: Client, purpose: str = "PATRQT") -> Scene:
    readings = client.read(world.twin, "glucose", purpose)
    return Scene("glucose", "glucose", "mmol/L", list(readings), zone=UTC, age=readings.age, stale=readings.stale)


def test_shows_past_states_and_what_is_expected_in_the_readings_unit(world: World) -> None:
    app, plain = app_of(world.patient), scene(world, world.patient)
    found = looking_ahead(app, plain, world.twin, "PATRQT")
    assert len(found.state) == 2
    assert [len(each.intervals) for each in found.state] == [1, 1]
    assert [(each.at - found.state[-1].at).total_seconds() / 60 for each in found.forecast] == [15, 30, 60]
    forecast = world.patient.forecast(world.twin, 60, "PATRQT")
    assert found.forecast[-1].mean == forecast.mean
    assert found.forecast[-1].intervals[1] == (80, forecast.intervals[1].low, forecast.intervals[1].high)
    assert all(low < each.mean < high for each in (*found.state, *found.forecast) for _, low, high in each.intervals)
    assert told(found).count("Expected at") == 3
    assert told(found) in drawn([found], "svg").decode().replace("&#x27;", "'")
    assert (told(plain).count("Expected at"), plain.state) == (0, ())


def test_a_picture_of_the_past_has_no_forecast_and_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    whole = scene(world, world.patient)
    past = Scene("glucose", "glucose", "mmol/L", whole.readings[:12], zone=UTC)
    found = looking_ahead(app_of(world.patient), past, world.twin, "PATRQT")
    assert (found.forecast, found.state) == ((), ())
    assert "is not drawn" in capsys.readouterr().err


def test_needs_consent_to_forecast(world: World) -> None:
    app, plain = app_of(world.clinician), scene(world, world.clinician, "TREAT")
    with pytest.raises(AccessDeniedError):
        looking_ahead(app, plain, world.twin, "TREAT")


def test_without_a_state_there_is_nothing_to_add(dtledger_world: World) -> None:
    world = dtledger_world
    with pytest.raises(CannotCheckError):
        looking_ahead(app_of(world.patient), scene(world, world.patient), world.twin, "PATRQT")


def test_that_nobody_vouches_for_what_is_expected_is_shown_and_said(world: World) -> None:
    from tests.client.test_forecasting import content

    at = world.clock.at - 30
    tell(world, at, content(at, flags=["unverified"]))
    found = looking_ahead(app_of(world.patient), scene(world, world.patient), world.twin, "PATRQT")
    assert found.unverified
    assert "Nobody vouches for what is expected" in told(found)
    assert "UNVERIFIED" in drawn([found], "svg").decode()
