"""The example's hospitals in a world of memory: every patient a twin, and a grant to the hospital that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flwr.app import Context

from dtledger._backend.round_journal import RoundJournal
from dtledger.client import Client, ModelCard, Terms
from dtledger.client.parts import Part
from dtledger.federated.arrays import Arrays
from dtledger.federated.coordinator import Coordinator
from dtledger.federated.grid import InProcessGrid
from dtledger.federated.hospitals import apps
from dtledger.federated.hospitals.patients import CATEGORY, Patients, columns_of, readings_of
from dtledger.federated.mod import ProvenanceMod
from dtledger.federated.privacy import Stated
from dtledger.federated.site import Site
from dtledger.federated.strategy import InOrder, Provenance
from dtledger.testing import MemoryKey, World
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose

YEAR = 365 * 86_400
EPSILON, BUDGET = 10, 1_000_000


class HospitalWorld:
    """Hospitals, with twins of all their patients. `twins[i]` are those whom hospital i trains and tests on."""

    def __init__(self, world: World, every: Sequence[Patients], folder: Path) -> None:
        self.world = world
        self.every = every
        self.folder = folder
        self.coordinator = world.join("coordinator", [Kind.COORDINATOR])
        self.clients = [world.join(each.hospital, [Kind.RESEARCHER, Kind.GATEWAY]) for each in every]
        self.twins = [self._admit(client, each) for client, each in zip(self.clients, every, strict=True)]

    def _admit(self, hospital: Client, patients: Patients) -> tuple[list[int], list[int]]:
        world, now = self.world, self.world.clock()
        data = Period(0, (now + YEAR) // 60)
        terms = Terms((CATEGORY,), (Purpose.HRESCH,), (Action.WRITE, Action.TRAIN), now, now + YEAR, data)
        parts = []
        for number, row in enumerate(patients.rows):
            patient = world.client(MemoryKey(f"{patients.hospital}-{number}"))
            twin, _ = world.operator.twins.mint(patient.twins.request_mint())
            patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
            patient.consents.grant(twin, hospital.address, terms, 0)
            parts.append(Part(twin, CATEGORY, tuple(readings_of(row, now // 60 * 60 - 3600))))
        assert hospital.writer.put_batch(parts) == [None] * len(parts)
        twins = [each.twin for each in parts]
        return twins[: len(patients.train)], twins[len(patients.train) :]

    def model(self, name: str) -> int:
        made, _ = self.coordinator.models.register(ModelCard(name), Purpose.HRESCH, [CATEGORY], 2, BUDGET)
        return made.model.number

    def sites(self, model: int) -> list[Site]:
        return [
            Site(client, model, RoundJournal(self.folder / client.address), privacy=Stated(EPSILON), twins=train,
                 fresh=False)
            for client, (train, _) in zip(self.clients, self.twins, strict=True)
        ]  # fmt: skip

    def run(
        self, seed: int, rounds: int, sites: Sequence[Site], model: int, *, measured: bool = True
    ) -> tuple[Arrays, tuple[int, int]]:
        """The weights after that many rounds with provenance, and of how many test patients they are right."""
        leading = Coordinator(self.coordinator, model, RoundJournal(self.folder / self.coordinator.address))
        strategy = Provenance(apps.averaging(len(sites)), leading)

        def known(context: Context) -> Any:
            site, (train, test) = sites[_place(context)], self.twins[_place(context)]
            return apps.rows_of(site.look(train)), apps.rows_of(site.look(test))

        app = apps.client_app(apps.cohort_rows, known, [ProvenanceMod(lambda context: sites[_place(context)])])
        return _led(app, strategy, self.every, seed, rounds, measured)


def run_plainly(
    every: Sequence[Patients], seed: int, rounds: int, *, measured: bool = True
) -> tuple[Arrays, tuple[int, int]]:
    """The same with plain Flower, on the same patients."""
    app = apps.client_app(
        lambda context: sorted(every[_place(context)].train),
        lambda context: (sorted(every[_place(context)].train), every[_place(context)].test),
    )
    return _led(app, InOrder(apps.averaging(len(every))), every, seed, rounds, measured)


def _led(app: Any, strategy: InOrder, every: Sequence[Patients], seed: int, rounds: int, measured: bool) -> Any:
    nodes: Mapping[int, Any] = {place + 10: {"partition-id": place} for place in range(len(every))}
    grid = InProcessGrid(app, nodes, {"seed": seed})
    weights = apps.lead(strategy, grid, columns_of(every[0].train).shape[1], seed, rounds)
    return weights, apps.measured(grid, weights) if measured else (0, 0)


def _place(context: Context) -> int:
    return int(context.node_config["partition-id"])
