"""A gateway of a world that takes batches, and devices with a state on a real disk."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dtledger._backend.postgresql import Server
from dtledger._backend.refusal_file import RefusalFile
from dtledger.client import writing_terms
from dtledger.device.batch import Code
from dtledger.device.enrolment import Channel
from dtledger.device.sender import Device, Measurement
from dtledger.gateway.batches import Batches
from dtledger.gateway.devices import Devices
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.gateway.rights import Rights
from dtledger.readings import Reading
from dtledger.testing import World

DAY = 86_400
GLUCOSE = Channel("glucose", "mmol/L", 1)
FINGER = Channel("glucose", "mg/dL", 0, "fingerstick")


@dataclass
class Ward:
    """A world whose gateway takes batches of devices; `restart` begins it again from its disk."""

    world: World
    folder: Path
    server: Server | None = None
    queue: ReadingQueue = field(init=False)
    devices: Devices = field(init=False)
    batches: Batches = field(init=False)
    refusals: RefusalFile = field(init=False)
    free: int = 2**30
    _names: Iterator[int] = field(default_factory=itertools.count)
    _open: list[Device] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        context = self.world.gateway.context
        rights = Rights(context)
        limits = Limits(2**24, 1000)
        path, clock = self.folder / "queue.db", self.world.clock
        self.queue = ReadingQueue(path, context.key, clock, limits, lambda _: self.free, self.server)
        self.refusals = RefusalFile(self.folder / "refusals.db")
        self.devices = Devices(context, self.queue, rights, self.refusals)
        self.batches = Batches(context, self.queue, self.devices, rights, self.refusals)

    def shut(self) -> None:
        self.queue.close()
        self.refusals.close()

    def close(self) -> None:
        self.shut()
        for each in self._open:
            each.close()

    def restart(self) -> None:
        self.shut()
        self.open()

    def enrolled(
        self, twin: int | None = None, channels: Sequence[Channel] = (GLUCOSE, FINGER), *, days: int = 15
    ) -> Device:
        """A new device of the patient's twin, whose buffer may begin so many days ago."""
        number = next(self._names)
        seed, path = hashlib.sha256(b"device %d" % number).digest(), self.folder / f"{number}.state"
        twin = self.world.twin if twin is None else twin
        since = self.world.clock.at - days * DAY
        patient, gateway = self.world.patient, self.world.gateway.address
        said, block = patient.devices.enrol(twin, gateway, Device.public_of(seed), channels, since)
        self.devices.enrol(block)
        fields = [[each.category, each.unit, each.decimals, each.quality] for each in channels]
        Device.make(path, seed, self.batches.public, said.digest, twin, since, fields)
        return self.device(path)

    def device(self, path: Path) -> Device:
        """The device of that file; the ward closes it."""
        self._open.append(Device(path))
        return self._open[-1]

    def again(self, device: Device) -> Device:
        """The device after a crash: what is in its file."""
        path = device._path
        device.close()
        return self.device(path)

    def suspend(self, device: Device) -> None:
        world = self.world
        name = bytes.fromhex(device.name)
        self.devices.suspend(world.patient.devices.suspend(world.twin, world.gateway.address, name))

    def rows(self, count: int = 3, *, ago: int = 600, first: int = 50) -> list[Measurement]:
        """Values of the first channel, one every five minutes, the first so many seconds ago."""
        start = self.world.clock.at - ago
        return [(0, start + 300 * each, first + each) for each in range(count)]

    def take(self, message: bytes) -> Code:
        return self.batches.take(message)[0]

    def send(self, device: Device, rows: Sequence[Measurement]) -> Code:
        """Sign, send, and hear the answer."""
        device.sign(rows, self.world.clock.at)
        return Code(device.exchange(lambda message, _: self.batches.take(message)[1])[0])

    def held(self) -> list[Measured]:
        """What is in the queue, all of it."""
        hours = [self.queue._open(part) for part, _ in self.queue._file.due(2**40, 2**40, ())]
        return [
            Measured(hour.twin, hour.category, reading, source)
            for hour in hours
            if hour
            for reading, source in zip(hour.readings, hour.sources, strict=True)
        ]

    def readings(self) -> list[Reading]:
        return sorted((each.reading for each in self.held()), key=lambda each: (each.seconds, each.value))

    def refused(self, device: Device | None = None) -> dict[str, int]:
        """Reason → how often that device was refused for it; or what nobody's was."""
        name = b"" if device is None else bytes.fromhex(device.name)
        return {Code(each.code).name: each.count for each in self.refusals.counts(name)}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(hours=1) as world:
        now = world.clock.at
        terms = writing_terms(["glucose", "heart-rate"], now, 400 * DAY, back_to=now // 60 - 60 * 1440)
        world.patient.consents.grant(world.twin, world.gateway.address, terms)
        yield world


@pytest.fixture
def server() -> Server | None:
    """Where the queue lies, if not in a file (`test_the_same_on_postgresql.py`)."""
    return None


@pytest.fixture
def ward(world: World, tmp_path: Path, server: Server | None) -> Iterator[Ward]:
    ward = Ward(world, tmp_path, server)
    yield ward
    ward.close()
