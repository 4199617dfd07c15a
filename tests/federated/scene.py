"""Hospitals in a world of memory, whose patients' readings a small model learns from over Flower."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.typing import Mod
from flwr.serverapp.strategy import FedAvg, Strategy

from dtledger._backend.round_journal import RoundJournal
from dtledger.client import Client, ModelCard, Terms
from dtledger.federated.arrays import Arrays
from dtledger.federated.coordinator import Coordinator
from dtledger.federated.grid import InProcessGrid
from dtledger.federated.messages import arrays_of, record_of
from dtledger.federated.mod import ProvenanceMod, current_cohort
from dtledger.federated.privacy import Privacy, Stated
from dtledger.federated.site import Site
from dtledger.federated.strategy import InOrder, Provenance
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.testing import MemoryKey, World
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose

DAY = 86_400
CATEGORY = "lab"
START: Arrays = {"w": np.zeros(2, np.float32), "b": np.zeros((), np.float32)}
EPSILON = 500
BUDGET = 5_000


class Hospital:
    """A site with patients, each with a twin that it writes to and may train on."""

    def __init__(self, world: World, name: str, patients: int) -> None:
        self.world = world
        self.client = world.join(name, [Kind.RESEARCHER, Kind.GATEWAY])
        self.patients: dict[int, Client] = {}
        self.slots: dict[int, Slot] = {}
        for number in range(patients):
            self.admit(f"{name}-{number}", number)

    def admit(self, name: str, value: float) -> int:
        world, patient = self.world, self.world.client(MemoryKey(name))
        twin, _ = world.operator.twins.mint(patient.twins.request_mint())
        patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
        now = world.clock()
        data = Period(0, (now + 30 * DAY) // 60)
        terms = Terms((CATEGORY,), (Purpose.HRESCH,), (Action.WRITE, Action.TRAIN), now, now + 30 * DAY, data)
        self.slots[twin], _ = patient.consents.grant(twin, self.client.address, terms)
        at = now - 600
        readings = [Reading(at, value, "1"), Reading(at + 1, 2 * value + 1, "1")]
        self.client.writer.put(twin, CATEGORY, readings)
        self.patients[twin] = patient
        return twin

    def withdraw(self, twin: int) -> None:
        self.patients[twin].consents.revoke(self.slots[twin])


class Scene:
    """A coordinator and hospitals with some patients each. The coordinator is an AUDITOR too, to whom sites may open a
    round."""

    def __init__(self, world: World, folder: Path, patients: Sequence[int] = (2, 3)) -> None:
        self.world = world
        self.folder = folder
        self.coordinator = world.join("coordinator", [Kind.COORDINATOR, Kind.AUDITOR])
        self.hospitals = [Hospital(world, f"hospital-{number}", count) for number, count in enumerate(patients)]
        self.model = self.model_of()
        self.seen: list[Message] = []

    def model_of(self, name: str = "risk", minimum_cohort: int = 1) -> int:
        made, _ = self.coordinator.models.register(ModelCard(name), Purpose.HRESCH, [CATEGORY], minimum_cohort, BUDGET)
        return made.model.number

    def journal(self, who: Client) -> RoundJournal:
        return RoundJournal(self.folder / who.address)

    def site(self, number: int, privacy: Privacy | None = None, **options: Any) -> Site:
        client = self.hospitals[number].client
        return Site(client, self.model, self.journal(client), privacy=privacy or Stated(EPSILON), **options)

    def sites(self, **options: Any) -> list[Site]:
        return [self.site(number, **options) for number in range(len(self.hospitals))]

    def cohorts(self, number: int) -> list[int]:
        """The cohort that each hospital committed to in a round, in their order."""
        cohorts = {each.site: each.cohort for each in self.world.ledger.view().updates(self.model, number)}
        return [cohorts[each.client.address] for each in self.hospitals if each.client.address in cohorts]

    def leading(self) -> Coordinator:
        return Coordinator(self.coordinator, self.model, self.journal(self.coordinator))

    def strategy(self, inner: Strategy | None = None, **options: Any) -> Provenance:
        return Provenance(inner or averaging(len(self.hospitals)), self.leading(), **options)

    def run(
        self,
        rounds: int = 1,
        *,
        sites: Sequence[Site] | None = None,
        strategy: Strategy | None = None,
        grid: type[InProcessGrid] = InProcessGrid,
        mods: Sequence[Mod] = (),
        masked: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Rounds of the model from where it stands; its weights afterwards."""
        sites = sites or self.sites()
        strategy = strategy or self.strategy(masked=masked)
        app = app_of(lambda context: sites[int(context.node_config["site"])], mods, masked=masked)
        nodes = {number + 10: {"site": number} for number in range(len(sites))}
        start = record_of(START)
        if isinstance(strategy, Provenance):
            start = strategy.resume(start)
        world = grid(app, nodes, dict(settings or {}))
        result = strategy.start(world, start, num_rounds=rounds)
        return arrays_of(RecordDict({"arrays": result.arrays})) if result.arrays else {}


def averaging(sites: int) -> FedAvg:
    return FedAvg(min_available_nodes=sites, min_train_nodes=sites, fraction_evaluate=0.0)


def plain_run(scene: Scene, rounds: int) -> dict[str, Any]:
    """The same rounds of the same app on the same readings, with nothing of dtledger round them."""
    values = {
        number: [(float(each), 2.0 * each + 1) for each in range(len(hospital.patients))]
        for number, hospital in enumerate(scene.hospitals)
    }
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        return trained(message, values[int(context.node_config["site"])])

    nodes = {number + 10: {"site": number} for number in values}
    grid = InProcessGrid(app, nodes)
    result = InOrder(averaging(len(nodes))).start(grid, record_of(START), num_rounds=rounds)
    return arrays_of(RecordDict({"arrays": result.arrays}))


def app_of(site_of: Any, mods: Sequence[Mod] = (), *, masked: bool = False) -> ClientApp:
    """An app that learns the second of each patient's values from the first, by one step of least squares."""
    app = ClientApp()

    @app.train(mods=[*mods, ProvenanceMod(site_of, masked=masked)])
    def train(message: Message, context: Context) -> Message:
        rows = [tuple(each.value for each in twin[CATEGORY]) for twin in current_cohort().values()]
        return trained(message, rows)

    return app


def trained(message: Message, rows: Sequence[Sequence[float]]) -> Message:
    start = arrays_of(message.content)
    given = np.array([[each[0], 1.0] for each in rows], np.float32)
    wanted = np.array([each[1] for each in rows], np.float32)
    error = given @ start["w"] + start["b"] - wanted
    made = {
        "w": (start["w"] - np.float32(0.1) * (given.T @ error) / len(rows)).astype(np.float32),
        "b": np.asarray(start["b"] - np.float32(0.1) * error.mean(dtype=np.float32), np.float32),
    }
    metrics = MetricRecord({"num-examples": len(rows), "loss": float(math.sqrt((error**2).mean()))})
    return Message(RecordDict({"arrays": record_of(made), "metrics": metrics}), reply_to=message)
