"""A fingerstick is a source independent of the sensor, unless the very key that signs the one signs the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dtledger._backend.refusal_file import RefusalFile
from dtledger.device.enrolment import Channel
from dtledger.device.sender import Device
from dtledger.gateway.devices import Devices
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Measured
from dtledger.gateway.rights import Rights
from dtledger.gateway.twins import Twins, shipped
from dtledger.readings import FINGERSTICK, Reading
from tests.gateway.conftest import PACE, Site
from tests.gateway.living import HOUR, Living, let_forecast

SENSOR, FINGER = Channel("glucose", "mg/dL", 1), Channel("glucose", "mg/dL", 0, FINGERSTICK)


@dataclass
class Bench:
    """A gateway that knows its devices by their keys."""

    alive: Living
    devices: Devices

    def enrolled(self, seed: bytes, *channels: Channel) -> str:
        """The source of what a device of that seed signs."""
        world = self.alive.world
        key = Device.public_of(seed.ljust(32))
        said, block = world.patient.devices.enrol(world.twin, world.gateway.address, key, channels, world.clock.at - 60)
        self.devices.enrol(block)
        return f"{said.device.hex()}/1"

    def put(self, reading: Reading, source: str) -> None:
        self.alive.site.queue.put([Measured(self.alive.world.twin, "glucose", reading, source)])

    def step(self) -> None:
        self.alive.world.clock.advance(HOUR)
        self.alive.pump.step()


@pytest.fixture
def bench(site: Site, tmp_path: Path) -> Iterator[Bench]:
    let_forecast(site)
    context = site.world.gateway.context
    with closing(RefusalFile(tmp_path / "refusals.db")) as refusals:
        devices = Devices(context, site.queue, Rights(context), refusals)
        twins = Twins(site.queue, shipped(), context.deployment, context.store, context.clock, devices.signer)
        pump = Pump(context, site.world.gateway.writer, site.queue, PACE, twins, dice=lambda: 1.0)
        yield Bench(Living(site, twins, pump), devices)


WITNESSES: dict[str, tuple[Callable[[Bench, str], str], bool]] = {
    "itself": (lambda bench, own: own, False),
    "itself, enrolled twice": (lambda bench, own: bench.enrolled(b"cgm", FINGER), False),
    "another device": (lambda bench, own: bench.enrolled(b"meter", FINGER), True),
    "a hub": (lambda bench, own: "", True),
}


def jumped(bench: Bench, own: str) -> tuple[Reading, Reading]:
    """A sensor leaps by 110 mg/dL within five minutes; a fingerstick of a minute before says the same."""
    readings = bench.alive.sensor()[:8]
    for each in readings[:-1]:
        bench.put(each, own)
    leap = replace(readings[-1], value=readings[-2].value + 110)
    return leap, Reading(leap.seconds - 60, leap.value, "mg/dL", 60, FINGERSTICK)


def believed(bench: Bench, leap: Reading) -> bool:
    (found,) = [each for each in bench.alive.read() if each.at.timestamp() == leap.seconds]
    assert found.doubtful is ("rate" in found.why)
    return not found.doubtful


@pytest.mark.parametrize("witness", WITNESSES)
def test_a_fingerstick_speaks_for_another_s_sensor_alone(bench: Bench, witness: str) -> None:
    source, speaks = WITNESSES[witness]
    own = bench.enrolled(b"cgm", SENSOR, FINGER)
    leap, stick = jumped(bench, own)
    bench.put(stick, source(bench, own))
    bench.put(leap, own)
    bench.step()
    assert believed(bench, leap) is speaks


@pytest.mark.parametrize("witness", ["itself", "another device"])
def test_who_signed_a_fingerstick_is_known_in_the_next_batch(bench: Bench, witness: str) -> None:
    source, speaks = WITNESSES[witness]
    own = bench.enrolled(b"cgm", SENSOR, FINGER)
    leap, stick = jumped(bench, own)
    bench.put(stick, source(bench, own))
    bench.step()
    bench.put(leap, own)
    bench.step()
    assert believed(bench, leap) is speaks


def test_a_sensor_that_nobody_signs_is_spoken_for_by_whoever_measured(bench: Bench) -> None:
    """A hub says what is a fingerstick, and is trusted with it as with all that it posts."""
    leap, stick = jumped(bench, "")
    bench.put(stick, "")
    bench.put(leap, "")
    bench.step()
    assert believed(bench, leap)
