"""Two hospitals with a few patients on a real chain, in a home that other processes open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dtledger._backend.directory_store import DirectoryStore
from dtledger._cli.demo.admitting import Admitting
from dtledger.client import Client, ModelCard
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.federated.hospitals.patients import CATEGORY
from dtledger.home import Home
from dtledger.vocabulary import Kind, Purpose
from tests.federated.real_apps import small


@dataclass(frozen=True)
class HospitalsOnAChain:
    """`home` is where their keys, lists and journals are."""

    home: Path
    people: dict[str, Client]

    def model(self, name: str) -> int:
        coordinator = self.people["coordinator"]
        made, _ = coordinator.models.register(ModelCard(name), Purpose.HRESCH, [CATEGORY], 2, 1_000_000)
        return made.model.number


@contextmanager
def hospitals_on_a_chain(folder: Path) -> Iterator[HospitalsOnAChain]:
    home = Home.locate(folder)
    home.prepare(home.root)
    devnet = Devnet(home)
    every = small()
    kinds = {"coordinator": [Kind.COORDINATOR]} | {each.hospital: [Kind.RESEARCHER, Kind.GATEWAY] for each in every}
    with ExitStack() as stack:
        stack.callback(devnet.down)
        devnet.up(DirectoryStore)
        for name in kinds:
            devnet.key(name)
        devnet.fund()
        people = {name: stack.enter_context(open_client(PROFILE, name, home=home)) for name in (OPERATOR, *kinds)}
        for name, some in kinds.items():
            people[OPERATOR].members.enrol(people[name].members.card(name), some)
        lists = home.prepare(home.root / "federated")
        for each in every:
            admitting = Admitting(people[OPERATOR], people[each.hospital], devnet.anvil.fund, lists, each.hospital)
            admitting.admit(each, None, lambda: None)
        yield HospitalsOnAChain(home.root, people)
