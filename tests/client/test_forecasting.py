"""A forecast is made from the newest state that consent opens, and says how old it is and how sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dtledger.client import Client, TwinForecast, writing_terms
from dtledger.client.parts import State
from dtledger.errors import AccessDeniedError, CannotCheckError, InputError, IntegrityError
from dtledger.testing import World
from dtledger.testing.world import DAY
from dtledger.twin import prior, twin
from dtledger.twin.glucose import BOUNDS
from dtledger.twin.snapshot import Model, encode_state, glucose_model, untold
from dtledger.types import Period
from dtledger.vocabulary import Reason
from dtledger.vocabulary.units import GLUCOSE_MG_DL_PER_MMOL_L

pytestmark = pytest.mark.slow

SHIPPED = prior.shipped()
MODEL = glucose_model(SHIPPED)


def memory_at(seconds: int) -> twin.Memory:
    """A twin with two hours of a sensor until then."""
    memory = twin.start(SHIPPED, 1)
    for minute in range(-120, 1, 15):
        at = np.array([seconds / 60 + minute])
        memory = twin.expect(SHIPPED, memory, at).take(np.array([150.0 + minute / 4])).memory
    return memory


def content(at: int, model: Model = MODEL, **how: Any) -> bytes:
    return encode_state(model, untold(memory_at(at)), at=at, **how)


def strange(at: int, *, scale: float = 1.0, terms: tuple[float, ...] = (0.0, 0.0, 0.0)) -> bytes:
    """A state with intervals so many times as wide, and a correction of each horizon."""
    memory = untold(memory_at(at))
    own = memory.personal
    changed = own.terms.copy()
    changed[:, 0, 0] += terms
    personal = replace(own, terms=changed, scale=own.scale * scale)
    return encode_state(MODEL, replace(memory, personal=personal), at=at, flags=["unverified"])


def tell(world: World, at: int, told: bytes | None = None) -> None:
    """As the gateway, anchor a state of that time."""
    assert world.gateway.writer.put_batch([State(world.twin, "forecast", at // 60, told or content(at))]) == [None]


@pytest.fixture
def world(dtledger_world: World) -> World:
    """The gateway may write forecasts, and told one a minute ago."""
    world = dtledger_world
    terms = writing_terms(["forecast"], world.clock.at, 30 * DAY, back_to=world.readings[0].minute)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)
    tell(world, world.clock.at - 60)
    return world


def forecast(world: World, horizon: int = 30, who: Client | None = None, **how: Any) -> TwinForecast:
    if who is None:
        return world.patient.forecast(world.twin, horizon, "PATRQT", **how)
    return who.forecast(world.twin, horizon, "TREAT", **how)


class TestAForecast:
    def test_is_of_a_moment_with_intervals_that_hold_each_other(self, world: World) -> None:
        found = forecast(world, 60)
        assert (found.age, found.stale, found.unverified) == (60, False, False)
        assert found.at.timestamp() == found.made_at.timestamp() + 3600 == world.clock.at - 60 + 3600
        narrow, middle, wide = found.intervals
        assert wide.low < middle.low < narrow.low < found.mean < narrow.high < middle.high < wide.high
        assert [each.percent for each in found.intervals] == [50, 80, 95]
        assert (found.model, found.version) == (SHIPPED.name, SHIPPED.version)

    def test_is_of_all_horizons_at_once(self, world: World) -> None:
        made = twin.forecast(SHIPPED, memory_at(world.clock.at - 60)).mean[:, 0].tolist()
        assert [each.mean for each in forecast(world, unit="mg/dL").ahead] == made
        assert [forecast(world, each, unit="mg/dL").mean for each in (15, 30, 60)] == made

    def test_comes_in_the_category_s_unit_or_another(self, world: World) -> None:
        usual, other = forecast(world), forecast(world, unit="mg/dL")
        assert (usual.unit, other.unit) == ("mmol/L", "mg/dL")
        assert other.mean == pytest.approx(usual.mean * GLUCOSE_MG_DL_PER_MMOL_L)
        for wrong in ("kg", "furlongs"):
            with pytest.raises(InputError):
                forecast(world, unit=wrong)

    @pytest.mark.parametrize("horizon", [0, 14, 45, 90, -15])
    def test_of_another_horizon_is_none(self, world: World, horizon: int) -> None:
        with pytest.raises(InputError, match="no forecast"):
            forecast(world, horizon)

    def test_is_made_of_the_newest_state(self, world: World) -> None:
        world.clock.advance(1800)
        tell(world, world.clock.at - 120)
        tell(world, world.clock.at - 600)
        assert forecast(world).made_at.timestamp() == world.clock.at - 120

    def test_says_how_old_it_is_and_when_that_is_too_old(self, world: World) -> None:
        world.clock.advance(7200 - 60)
        assert (forecast(world).age, forecast(world).stale) == (7200, False)
        world.clock.advance(1)
        assert forecast(world).stale

    def test_says_that_nobody_vouches_for_its_readings(self, world: World) -> None:
        at = world.clock.at - 30
        tell(world, at, content(at, flags=["suspect", "rate: +20.0 mg/dL a minute"]))
        assert forecast(world).unverified
        assert forecast(world).flags == ("suspect", "rate: +20.0 mg/dL a minute")

    def test_goes_nowhere_that_no_sensor_shows(self, world: World) -> None:
        """Whatever it was taught: a state whose intervals are as wide as can be."""
        wide = strange(world.clock.at - 30, scale=1000.0)
        tell(world, world.clock.at - 30, wide)
        for each in forecast(world, unit="mg/dL").ahead:
            assert {(one.low, one.high) for one in each.intervals} == {BOUNDS}
            assert BOUNDS[0] < each.mean < BOUNDS[1]

    @pytest.mark.parametrize("term", [40.0, -40.0, float("nan")])
    def test_that_would_be_what_no_body_has_is_none_and_the_nearer_ones_stand(self, world: World, term: float) -> None:
        tell(world, world.clock.at - 30, strange(world.clock.at - 30, terms=(0.0, 0.0, term)))
        with pytest.raises(CannotCheckError, match="cannot say"):
            forecast(world, 60)
        assert [each.minutes for each in forecast(world, 30).ahead] == [15, 30]

    def test_leaves_its_owner_receipts_as_every_read_does(self, world: World) -> None:
        found = forecast(world)
        assert (found.asked, found.answered, len(found.receipts)) == (3, 3, 3)

    def test_needs_numpy(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dtledger.twin.find_spec", lambda name: None)
        with pytest.raises(InputError, match=r"dtledger\[filter\]"):
            forecast(world)


class TestConsent:
    def test_of_a_reader_does_not_cover_it(self, world: World) -> None:
        with pytest.raises(AccessDeniedError) as caught:
            forecast(world, who=world.clinician)
        assert caught.value.reason is Reason.CATEGORY

    def test_opens_the_newest_state_of_its_period(self, world: World) -> None:
        first = world.clock.at - 60
        world.clock.advance(3 * DAY)
        tell(world, world.clock.at - 60)
        consents, client = world.patient.consents, world.join("planner", [])
        given = next(each for each in consents.records(world.twin) if each.slot == world.consent)
        terms = consents.terms_of(given)
        data = Period(terms.data.start, first // 60)
        consents.grant(world.twin, client.address, replace(terms, categories=("forecast",), data=data))
        assert forecast(world, who=client).made_at.timestamp() == first
        assert forecast(world).made_at.timestamp() == world.clock.at - 60


class TestAState:
    def test_that_there_is_none_of_is_said(self, dtledger_world: World) -> None:
        with pytest.raises(CannotCheckError, match="No state"):
            forecast(dtledger_world)

    LIES: tuple[tuple[str, Callable[[int], bytes], str], ...] = (
        ("of another model", lambda at: content(at, replace(MODEL, version=99)), "another model"),
        ("of another time", lambda at: content(at - 3600), "another time"),
        ("that is none", lambda at: b"\xa0", "not a twin's state"),
        ("without a time", lambda at: encode_state(MODEL, untold(memory_at(at))), "another time"),
    )

    @pytest.mark.parametrize(("make", "says"), [each[1:] for each in LIES], ids=[each[0] for each in LIES])
    def test_that_is_not_true_is_refused_and_its_writer_named(
        self, world: World, make: Callable[[int], bytes], says: str
    ) -> None:
        at = world.clock.at - 30
        tell(world, at, make(at))
        with pytest.raises(IntegrityError, match=says) as caught:
            forecast(world)
        assert caught.value.party == world.gateway.address
        tell(world, at)
        assert forecast(world).made_at.timestamp() == at

    def test_is_no_reading(self, world: World) -> None:
        with pytest.raises(InputError, match="no readings"):
            world.patient.read(world.twin, "forecast", "PATRQT")
        with pytest.raises(InputError, match="no readings"):
            world.gateway.writer.put(world.twin, "forecast", world.readings[:1])

    def test_is_told_once(self, world: World) -> None:
        before = len(world.ledger.view().batches(world.gateway.address))
        tell(world, world.clock.at - 60)
        assert len(world.ledger.view().batches(world.gateway.address)) == before
