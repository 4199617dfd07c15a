"""The federated demo's rounds: the hospitals as Flower's nodes in this process, one of them poisoned once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flwr.app import Context

from ..._backend.round_journal import RoundJournal
from ...client import Client
from ...federated.coordinator import Coordinator
from ...federated.grid import InProcessGrid
from ...federated.hospitals import apps, learning
from ...federated.hospitals.patients import Patients, columns_of
from ...federated.mod import ProvenanceMod
from ...federated.privacy import Stated
from ...federated.site import Site
from ...federated.strategy import Provenance
from .admitting import Admitted
from .poisoned import PoisonedSite
from .telling import Telling

SEED = 42
EPSILON = 10
"""In thousandths: what each round states."""
POISONED = 10
"""The round in which the last hospital's update is poisoned."""
BOUND = 1.0
"""How far an update may lie from what its round started from (L2): honest ones here stay within 0.6."""


class Rounds:
    """Rounds of one model among the hospitals. `folder` is where their journals are."""

    def __init__(
        self,
        telling: Telling,
        people: Mapping[str, Client],
        every: Sequence[Patients],
        admitted: Sequence[Admitted],
        model: int,
        folder: Path,
    ) -> None:
        self._telling = telling
        self._every = every
        self._admitted = admitted
        self.sites: list[Site] = []
        for each, twins in zip(every, admitted, strict=True):
            kind = PoisonedSite if each is every[-1] else Site
            journal = RoundJournal(folder / f"rounds-{each.hospital}")
            site = kind(
                people[each.hospital], model, journal, privacy=Stated(EPSILON), twins=twins.train, fresh=False
            )  # fmt: skip
            if isinstance(site, PoisonedSite):
                site.poisons = POISONED
            self.sites.append(site)
        journal = RoundJournal(folder / "rounds-coordinator")
        leading = Coordinator(people["coordinator"], model, journal)
        self._strategy = Provenance(apps.averaging(len(every)), leading, norm_bound=BOUND)
        self.weights: Any = None

    def train(self, until: int) -> None:
        """The rounds up to that one; none if an earlier run got as far."""
        columns, before = columns_of(self._every[0].train).shape[1], self._strategy.done()
        if before >= until:
            self.weights = apps.lead(self._strategy, self._grid(), columns, SEED, until)
            return
        with self._telling.step("train") as step:
            began = len(self._strategy.reports)
            self.weights = apps.lead(self._strategy, self._grid(), columns, SEED, until)
            updates = self.sites[0].client.context.view().updates(self.sites[0].model, until)
            cohort = {each.site: each.cohort for each in updates}
            step["rounds"], step["cohorts"] = until, [cohort[each.address] for each in self.sites]
            consents = ", ".join(map(str, step["cohorts"]))
            step["did"] = f"rounds {before + 1} to {until}, the last under {consents} consents"
            names = {site.address: each.hospital for site, each in zip(self.sites, self._every, strict=True)}
            step["bounded"] = {
                report.number: [names[each] for each in report.bounded]
                for report in self._strategy.reports[began:]
                if report.bounded
            }
            for number, some in step["bounded"].items():
                step["did"] += f"; in round {number} the update of {', '.join(some)} lies too far away and is bounded"

    def measure(self) -> dict[str, float]:
        """The share of all hospitals' test patients that the model gets right, and the same of a model of all patients
        in one place."""
        with self._telling.step("measure") as step:
            right, count = apps.measured(self._grid(), self.weights)
            pooled = learning.pooled_accuracy(learning.train_pooled(self._every, SEED), self._every)
            step["did"] = (
                f"right for {right} of {count} test patients ({right / count:.1%}); "
                f"trained with all patients in one place: {pooled:.1%}"
            )
            figures = {"federated": right / count, "pooled": pooled}
            step.update(figures)
        return figures

    def _grid(self) -> InProcessGrid:
        def place(context: Context) -> int:
            return int(context.node_config["partition-id"])

        def known(context: Context) -> Any:
            site, twins = self.sites[place(context)], self._admitted[place(context)]
            return apps.rows_of(site.look(twins.train)), apps.rows_of(site.look(twins.test))

        mod = ProvenanceMod(lambda context: self.sites[place(context)])
        app = apps.client_app(apps.cohort_rows, known, [mod])
        nodes: dict[int, Any] = {number + 10: {"partition-id": number} for number in range(len(self.sites))}
        return InProcessGrid(app, nodes, {"seed": SEED})
