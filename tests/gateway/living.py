"""A gateway whose twins live: what it may write, what sensors say, and what it tells of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dtledger.client import Client, Terms, TwinForecast, writing_terms
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Measured
from dtledger.gateway.twins import Twins, shipped
from dtledger.readings import Reading
from dtledger.testing import World
from dtledger.twin import batch, twin
from dtledger.twin.factors import Array
from dtledger.twin.keeper import Keeper, Kept
from dtledger.twin.snapshot import StateSnapshot, decode_state, glucose_model
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.gateway.conftest import DAY, PACE, Site

HOUR = 3600
MODEL = glucose_model(shipped().prior)


@dataclass
class Living:
    """A site, and the twins of its gateway; `start_again` is what a kill -9 leaves."""

    site: Site
    twins: Twins
    pump: Pump

    @property
    def world(self) -> World:
        return self.site.world

    def start_again(self) -> Living:
        """The same queue, and another process."""
        return living(self.site, self.twins._keeper)

    def sensor(self, hours: int = 1, *, every: int = 300) -> list[Reading]:
        """What a sensor says in the hours that follow, which pass."""
        start = self.world.clock.at
        self.world.clock.advance(hours * HOUR)
        return [
            Reading(at, round(130 + 40 * math.sin(at / 4000) + at // 300 % 3, 1), "mg/dL", 60)
            for at in range(start - start % 300 + 300, start + hours * HOUR, every)
        ]

    def put(self, readings: Sequence[Reading], category: str = "glucose", twin: int | None = None) -> None:
        self.site.queue.put([Measured(self.world.twin if twin is None else twin, category, each) for each in readings])

    def live(self, hours: int = 3) -> list[Reading]:
        """Some hours of a sensor, each anchored when it is over."""
        found: list[Reading] = []
        for _ in range(hours):
            readings = self.sensor()
            self.put(readings)
            assert self.pump.step() == len(readings)
            found += readings
        return found

    def read(self, **how: Any) -> Any:
        return self.world.patient.read(self.world.twin, "glucose", "PATRQT", **how)

    def forecast(self, who: Client | None = None, horizon: int = 30) -> TwinForecast:
        if who is None:
            return self.world.patient.forecast(self.world.twin, horizon, "PATRQT", unit="mg/dL")
        return who.forecast(self.world.twin, horizon, "TREAT", unit="mg/dL")

    def states(self, twin: int | None = None) -> list[StateSnapshot]:
        """Every state that was anchored of a twin, as its owner opens it, in the order of the ledger."""
        return [decode_state(each, MODEL) for each in opened(self, self.world.twin if twin is None else twin)]


def opened(living: Living, twin: int, category: str = "forecast") -> list[bytes]:
    """The plaintexts of all that is anchored under a category of states."""
    from dtledger.snapshots.opening import Asking, open_snapshots

    patient = living.world.patient
    finder = patient.reader.finder(twin, category, Purpose.PATRQT)
    found = [each for group in finder.find(category) for each in group]
    doors, _ = patient.reader.doors(patient.context.view(), twin)
    keys = doors[0].keys
    assert keys is not None
    context = patient.context
    asking = Asking(context.key, patient.address, 0, Action.READ, Purpose.PATRQT, context.clock())
    texts = open_snapshots(context.deployment, context.custodians, asking, found, keys, category).plaintexts
    return [texts[each.digest] for each in sorted(found, key=lambda each: each.manifest.sequence)]


def living(site: Site, keeper: Keeper | None = None) -> Living:
    gateway = site.world.gateway
    context = gateway.context
    twins = Twins(site.queue, keeper or shipped(), context.deployment, context.store, context.clock)
    return Living(site, twins, Pump(context, gateway.writer, site.queue, PACE, twins, dice=lambda: 1.0))


def let_forecast(site: Site) -> None:
    """The world's patient lets the gateway write forecasts, meals and insulin too."""
    world = site.world
    terms = writing_terms(["forecast", "meals", "insulin"], world.clock.at, 30 * DAY, back_to=world.readings[0].minute)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)


def forecaster(site: Site, name: str = "planner", categories: tuple[str, ...] = ("forecast",)) -> Client:
    """A clinician who may see those categories of the world's twin, and no other."""
    world = site.world
    client = world.join(name, [Kind.CLINICIAN])
    now = world.clock.at
    data = Period(world.readings[0].minute, (now + 30 * DAY) // 60)
    terms = Terms(categories, (Purpose.TREAT,), (Action.READ,), now, now + 30 * DAY, data)
    world.patient.consents.grant(world.twin, client.address, terms)
    return client


@dataclass(frozen=True)
class Hindsight(Keeper):
    """A keeper that, at a reading over `sign` mg/dL, no longer believes the `back` readings before it."""

    sign: float = 399.0
    back: int = 3

    def take(self, memory: Any, minutes: Any, reading: Any, *more: Any) -> Kept:
        kept = super().take(memory, minutes, reading, *more)
        remarked = np.full_like(kept.remarked, np.nan)
        for place in np.nonzero(reading > self.sign)[0]:
            remarked[: self.back, place] = memory.trail.rows[0, -self.back :, place]
        reasons = tuple(("hindsight",) if each > self.sign else kept.reasons[i] for i, each in enumerate(reading))
        return replace(kept, remarked=remarked, reasons=reasons)


def memory_of(alive: Living) -> twin.Memory:
    """What the gateway itself knows of the world's twin."""
    return alive.twins._book.of([alive.world.twin])[1].twin


def wild(reading: Reading) -> Reading:
    """What nobody's sensor can mean: mmol/L taken for mg/dL."""
    return replace(reading, value=reading.value / 18)


def packed(memory: twin.Memory) -> Array:
    return batch.pack(memory)


def lived(alive: Living, found: object) -> object:
    """The memory of a gateway that nobody killed, after the same readings."""
    keeper = alive.twins._keeper
    memory = keeper.start(1)
    for each in found:  # type: ignore[attr-defined]
        minute = np.array([each.at.timestamp() / 60 + 60])
        memory = keeper.take(memory, minute, np.array([each.value]), np.zeros(1), None, np.array([np.nan])).memory
    return memory


def doubting(site: Site) -> Living:
    """Twins that in hindsight no longer believe what came before a reading of 400 mg/dL."""
    keeper = living(site).twins._keeper
    return living(site, Hindsight(keeper.prior, keeper.thresholds))
