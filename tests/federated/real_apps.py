"""The example's apps as SuperLink and SuperNodes start them: each message in a process of its own, which opens the home
that the run names. Without `provenance` the same patients are trained on with plain Flower."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flwr.app import Context
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from dtledger._backend.round_journal import RoundJournal
from dtledger.client import Client
from dtledger.client.devnet import PROFILE
from dtledger.client.opening import open_client
from dtledger.federated.arrays import encode_arrays
from dtledger.federated.coordinator import Coordinator
from dtledger.federated.hospitals import apps
from dtledger.federated.hospitals.patients import breast_cancer, columns_of
from dtledger.federated.mod import ProvenanceMod
from dtledger.federated.privacy import Stated
from dtledger.federated.site import Site
from dtledger.federated.strategy import InOrder, Provenance

EPSILON = 10


def small() -> Any:
    """The first hospitals, with a few patients each."""
    every = breast_cancer()[:2]
    return [type(each)(each.hospital, each.train[:4], each.test[:2]) for each in every]


_OPENED: dict[tuple[str, str], Client] = {}


def opened(home: str, name: str) -> Client:
    """The client of a key, opened once in a process."""
    if (home, name) not in _OPENED:
        _OPENED[home, name] = open_client(PROFILE, name, home=home)
    return _OPENED[home, name]


def close() -> None:
    """Close every client that this process opened."""
    while _OPENED:
        _OPENED.popitem()[1].close()


def site_of(context: Context) -> Site:
    home, place = str(context.run_config["home"]), int(context.node_config["partition-id"])
    hospital = small()[place].hospital
    twins = json.loads((Path(home) / "federated" / f"{hospital}.json").read_text())["train"]
    journal = RoundJournal(Path(home) / "federated" / f"rounds-{hospital}")
    return Site(opened(home, hospital), int(context.run_config["model"]), journal, privacy=Stated(EPSILON), twins=twins)


def _known(context: Context) -> Any:
    patients = small()[int(context.node_config["partition-id"])]
    return sorted(patients.train), patients.test


_plain = apps.client_app(lambda context: _known(context)[0], _known)
_attested = apps.client_app(apps.cohort_rows, _known, [ProvenanceMod(site_of)])


class Chosen(ClientApp):
    """The app that the run asks for."""

    def __call__(self, message: Any, context: Context) -> Any:
        return (_attested if context.run_config["provenance"] else _plain)(message, context)


client = Chosen()
server = ServerApp()


@server.main()
def main(grid: Grid, context: Context) -> None:
    settings, every = context.run_config, small()
    strategy: InOrder = InOrder(apps.averaging(len(every)))
    if settings["provenance"]:
        home = str(settings["home"])
        journal = RoundJournal(Path(home) / "federated" / f"rounds-{settings['leader']}")
        leading = Coordinator(opened(home, str(settings["leader"])), int(settings["model"]), journal)
        strategy = Provenance(strategy.inner, leading)
    columns = columns_of(every[0].train).shape[1]
    weights = apps.lead(strategy, grid, columns, int(settings["seed"]), int(settings["rounds"]))
    Path(str(settings["out"])).write_bytes(b"".join(encode_arrays(weights)))
