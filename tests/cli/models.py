"""A study for the tests of `model` and `audit`: two sites with two patients each, a coordinator, an auditor."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import Result

from dtledger.client import Client, ModelCard, NamedModel, Terms, card_check, digest_of
from dtledger.client.devnet import OPERATOR, Devnet
from dtledger.contacts import Contacts
from dtledger.home import Home
from dtledger.ledger import Slot
from dtledger.types import Period
from dtledger.vocabulary import Action, Kind, Purpose

from .twins import DAY

if TYPE_CHECKING:
    from .conftest import DevnetHome

Run = Callable[..., Result]

SITES = ("north", "south")
START = b"the first weights"

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Study:
    """`patients` are names of keys; the twin that each has stands beside it. The others are contacts."""

    world: DevnetHome
    patients: dict[str, dict[str, int]]

    @property
    def home(self) -> Home:
        return self.world.home

    def client(self, key: str) -> Client:
        return self.world.client(key)

    def twins(self, site: str) -> list[int]:
        return sorted(self.patients[site].values())

    def model(self, name: str = "", cohort: int = 1, epsilon: int = 3000, key: str = "coordinator") -> str:
        """The name of a new model: for HRESCH, on glucose. `epsilon` is in thousandths."""
        name = name or f"forecast-{next(_NUMBERS)}"
        with self.client(key) as coordinator:
            coordinator.models.register(ModelCard(name, "an hour ahead"), Purpose.HRESCH, ["glucose"], cohort, epsilon)
        return name

    def opened(self, model: str = "", **terms: int) -> str:
        """The name of a model, a new one by default, whose next round is open."""
        model = model or self.model(**terms)  # type: ignore[arg-type]
        with self.client("coordinator") as coordinator:
            named = coordinator.models.find(model)
            first = not coordinator.context.view().rounds(named.model.number)
            coordinator.models.open_round(named.model, digest_of([START]) if first else None)
        return model

    def committed(self, model: str = "", sites: Iterable[str] = SITES, epsilon: int = 500) -> str:
        """The name of a model whose newest round, opened here by default, has the sites' updates."""
        model = model or self.opened()
        for site in sites:
            with self.client(site) as client:
                named = client.models.find(model)
                number = len(client.context.view().rounds(named.model.number))
                client.training.commit(named.model, [update(site, number)], epsilon)
        return model

    def finalised(self, model: str = "") -> str:
        """The name of a model whose newest round, with both sites' updates by default, is finalised."""
        model = model or self.committed()
        with self.client("coordinator") as coordinator:
            named = coordinator.models.find(model)
            number = len(coordinator.context.view().rounds(named.model.number))
            coordinator.models.finalise(named.model, [weights(number)])
        return model

    def named(self, model: str) -> NamedModel:
        with self.client("auditor") as auditor:
            return auditor.models.find(model)

    def opening(self, model: str, site: str, number: int = 1, to: str = "auditor") -> str:
        """The word of the site's opening."""
        with self.client(site) as client, self.client(to) as auditor:
            return str(client.training.open(client.models.find(model).model, number, auditor.address))

    def files(self, folder: Path, numbers: Iterable[int] = (1,)) -> Path:
        """Updates and aggregates of rounds in a folder, as `audit model --files` has them."""
        for number in numbers:
            (folder / f"{number}").mkdir(parents=True)
            (folder / f"{number}" / "aggregate.bin").write_bytes(weights(number))
            for site in SITES:
                (folder / f"{number}" / f"{site}.bin").write_bytes(update(site, number))
        return folder

    def consent(self, patient: str, twin: int, site: str) -> Slot:
        with self.client(patient) as owner, self.client(site) as client:
            now = int(time.time())
            until = now + 365 * DAY
            terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now, until, Period(0, until // 60))
            return owner.consents.grant(twin, client.address, terms)[0]


def update(site: str, number: int) -> bytes:
    return f"the update of {site} in round {number}".encode()


def weights(number: int) -> bytes:
    return f"the weights after round {number}".encode()


def new_study(world: DevnetHome) -> Study:
    devnet = Devnet(world.home)
    kinds = {"coordinator": Kind.COORDINATOR, "auditor": Kind.AUDITOR, "ethics": Kind.AUDITOR}
    kinds |= dict.fromkeys(SITES, Kind.RESEARCHER)
    patients = {site: {f"{site}-{number}": 0 for number in (1, 2)} for site in SITES}
    for name in (*kinds, *itertools.chain(*patients.values())):
        devnet.key(name)
    devnet.fund()
    study = Study(world, patients)
    with study.client(OPERATOR) as operator:
        contacts = Contacts(world.home, card_check(operator.context.deployment))
        for name, kind in kinds.items():
            with study.client(name) as member:
                card = member.members.card(name)
            operator.members.enrol(card, [kind])
            contacts.add(name, card, at=0)
        for site, keys in patients.items():
            for key in keys:
                with study.client(key) as patient:
                    twin, _ = operator.twins.mint(patient.twins.request_mint())
                    patient.twins.set_up(twin, list(patient.context.custodians), 2)
                keys[key] = twin
                study.consent(key, twin, site)
    return study
