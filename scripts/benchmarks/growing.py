"""How what people do slows as a world grows: `scripts/bench --growth FOLDER [AXIS ...]`.

One thing at a time becomes ever more (an *axis*): twins of other patients, grants on one twin, its hourly snapshots, or
receipts of who looked into it. At each size the same is done on one twin of a real chain, with custodians over HTTP: a
grant is given, the rule is asked, the newest hour is read, one custodian decides, an auditor audits the whole twin, and
a client that has no index yet asks the rule for the first time. Each size is written down as soon as it is measured, so
axes may be measured in several runs; pictures are drawn from what is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from dtledger._backend.evm import EvmLedger
from dtledger._backend.files import write_atomically
from dtledger.audit import Asked, Audit, Question, exit_code
from dtledger.crypto.seal import SealKey
from dtledger.errors import InputError
from dtledger.ledger import Slot
from dtledger.readings import Reading

from . import crowding
from .asking import Asker, shares
from .auditing import given, node_of
from .bench import Sizes
from .machine import load
from .storing import HOUR
from .timing import timed
from .world import World, devnet_world

SCHEMA = "dtledger/growth/1"


@dataclass
class Grown:
    """A world, the twin that everything is done on, its first hour (unix seconds), how many hours it has, and how many
    there are of what grows."""

    world: World
    consent: Slot
    first: int
    hours: int = 0
    count: int = 0

    @property
    def newest(self) -> int:
        return self.first + (self.hours - 1) * HOUR

    def put(self, more: int) -> None:
        """Anchor so many hours more, in order, each a snapshot of one reading."""
        readings = [Reading(self.first + (self.hours + each) * HOUR + 600, 5.5, "mmol/L", 60) for each in range(more)]
        self.world.gateway.writer.put(self.consent.twin, "glucose", readings)
        self.hours += more


def _twins(grown: Grown, more: int) -> None:
    crowding.twins(grown.world, more)


def _grants(grown: Grown, more: int) -> None:
    crowding.grants(grown.world, grown.consent.twin, more)


def _snapshots(grown: Grown, more: int) -> None:
    grown.put(more)


def _receipts(grown: Grown, more: int) -> None:
    asker = Asker.of(grown.world.clinician, grown.consent)
    found = asker.find("glucose")[-1:]
    for _ in range(more):
        assert asker.open(found, "glucose").plaintexts, "a custodian refused what was granted"


AXES: Mapping[str, tuple[str, Callable[[Grown, int], None]]] = {
    "twins": ("twins of other patients", _twins),
    "grants": ("grants on the twin", _grants),
    "snapshots": ("hourly snapshots of the twin", _snapshots),
    "receipts": ("reads of the twin, three receipts each", _receipts),
}

FILE = "growth.json"

Point = dict[str, float]
"""Seconds by what was done."""


@dataclass
class Grew:
    """What was measured of one axis, by size; when it was begun, and the greatest load beside it (`machine.load`)."""

    at: str
    load: float = 0.0
    points: dict[int, Point] = field(default_factory=dict)


Growth = dict[str, Grew]
"""By axis."""


def run(sizes: Sizes, folder: Path, axes: Iterable[str], *, most: int) -> None:
    """Measure each axis up to the size `most`, and write each size into FOLDER/growth.json.

    Raises:
        InputError: there is no such axis, or the folder holds something else under that name.
    """
    chosen = list(axes) or list(AXES)
    for axis in chosen:
        if axis not in AXES:
            raise InputError(f"Nothing grows that is called {axis!r}.", hint=f"There are {', '.join(AXES)}.")
    folder.mkdir(parents=True, exist_ok=True)
    growth = read(folder / FILE)
    for axis in chosen:
        with devnet_world() as world:
            hours = max(sizes.grown) if axis == "snapshots" else 1
            grown = Grown(world, world.twin(), world.now // HOUR * HOUR - hours * HOUR)
            grown.put(1)
            grown.count = int(axis == "snapshots")
            grew = growth[axis] = Grew(datetime.now(UTC).isoformat(timespec="seconds"))
            for size in (each for each in sizes.grown if each <= most):
                AXES[axis][1](grown, size - grown.count)
                grown.count = size
                grew.load = max(grew.load, load(sizes.lasting / 6))
                grew.points[size] = _measure(grown, sizes.growing)
                write(folder / FILE, growth)


def _measure(grown: Grown, times: int) -> Point:
    """What each thing takes, the median of so many times; the audit and the first question once."""
    world, consent = grown.world, grown.consent
    twin, context = consent.twin, world.patient.context
    asker = Asker.of(world.clinician, consent)
    found, one_use = asker.find("glucose")[-1:], SealKey.generate()
    custodian = asker.client.context.custodians[found[0].custody.shares[0].custodian]
    sealed = shares(found, 0)

    def decide() -> None:
        assert not custodian.open(asker.request(found, one_use), sealed).refused

    def audit() -> None:
        asked = Asked(Question(twin=twin), given(world, twin), context.deployment)
        assert exit_code(list(Audit(asked, node_of(world), context.store).claims())) == 0

    def first() -> None:
        with EvmLedger(world.devnet.anvil.url, context.deployment) as ledger:
            assert ledger.view().owner(twin) == context.key.address

    several: dict[str, Callable[[], object]] = {
        "grant": lambda: world.patient.consents.grant(twin, consent.grantee, world.terms(), consent.number),
        "check": lambda: world.clinician.explain(twin, "glucose", "TREAT"),
        "read": lambda: world.clinician.read(twin, "glucose", "TREAT", since=grown.newest),
        "decide": decide,
    }
    point = {name: median(timed(work)[1] for _ in range(times)) for name, work in several.items()}
    return point | {"audit": timed(audit)[1], "first": timed(first)[1]}


def read(path: Path) -> Growth:
    """What was measured so far; nothing, if there is no file.

    Raises:
        InputError: it is another file.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
        if found["schema"] != SCHEMA:
            raise ValueError("another schema")
        return {axis: _grew(fields) for axis, fields in found["axes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path.name} is not what the bench writes of growth.", hint="Name another folder.") from error


def _grew(fields: Mapping[str, Any]) -> Grew:
    return Grew(fields["at"], fields["load"], {int(size): point for size, point in fields["points"].items()})


def write(path: Path, growth: Growth) -> None:
    axes = {axis: asdict(grew) for axis, grew in growth.items()}
    text = json.dumps({"schema": SCHEMA, "axes": axes}, indent=2)
    write_atomically(path, text.encode() + b"\n", mode=0o644)
