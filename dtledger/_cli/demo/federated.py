"""`demo --federated`: four hospitals learn a model together, and every round names the consents that it stands on.

One patient withdraws after a few rounds and is not in the next; one hospital sends a poisoned update once and is
bounded and named. In the end each hospital opens its last round to an auditor, and the model is measured beside one of
all patients in one place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..._backend.directory_store import DirectoryStore
from ...audit import ModelAudit, Verdict
from ...client import Client, ModelCard
from ...client.devnet import OPERATOR, PROFILE, Devnet
from ...federated.hospitals.learning import ROUNDS
from ...federated.hospitals.patients import CATEGORY, Patients
from ...federated.site import Site
from ...ledger import Slot
from ...models.opening import Opening
from ...models.pieces import whole
from ...types import Address
from ...vocabulary import Kind, Purpose
from ..app import App
from .admitting import Admitted, Admitting, patients_at_hand
from .next import program, shown
from .place import FEDERATED, claim, opened
from .rounds import POISONED, Rounds
from .telling import Telling

BUDGET = 1_000_000
"""ε in thousandths: what a site may state altogether."""
WITHDRAWN_AFTER = 5
PATIENT = "ann"


class Federated:
    """One telling, in the home that the app names."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.telling = Telling(app)
        self.devnet = Devnet(app.home)
        self.folder = app.home.root / FEDERATED

    def tell(self) -> None:
        logging.getLogger("flwr").setLevel(logging.ERROR)  # the story says itself what Flower does
        about, every = patients_at_hand()
        claim(self.app.home, told=FEDERATED)
        self._chain()
        with self._people(every) as people:
            self._members(people, every)
            admitted = self._patients(people, about, every)
            number = self._model(people["coordinator"])
            rounds = Rounds(self.telling, people, every, admitted, number, self.folder)
            rounds.train(WITHDRAWN_AFTER)
            ann, twin = people[PATIENT], admitted[0].train[0]
            self._withdraw(ann, Slot(ann.address, twin, rounds.sites[0].address, 0))
            rounds.train(POISONED)
            rounds.train(ROUNDS)
            self._audit(people["auditor"], number, rounds.sites)
            self._found(ann, twin)
            figures = rounds.measure()
        self._next(twin, number, figures)

    # the steps -----------------------------------------------------------------------------------------------

    def _chain(self) -> None:
        with self.telling.step("chain") as step:

            def count(_: object, gas: int) -> None:
                step["gas"] += gas

            deployment = self.devnet.up(DirectoryStore, self.app.say, count)
            step["did"] = f"{len(deployment.contracts)} contracts on a development chain at {self.devnet.anvil.url}"

    def _people(self, every: Sequence[Patients]) -> AbstractContextManager[dict[str, Client]]:
        names = (OPERATOR, "coordinator", "auditor", PATIENT, *(each.hospital for each in every))
        for name in names:
            self.devnet.key(name)
        self.devnet.fund()
        return opened(self.app.home, PROFILE, {name: name for name in names})

    def _members(self, people: dict[str, Client], every: Sequence[Patients]) -> None:
        with self.telling.step("members") as step:
            operator = people[OPERATOR]
            kinds = {"coordinator": [Kind.COORDINATOR], "auditor": [Kind.AUDITOR]}
            kinds |= {each.hospital: [Kind.RESEARCHER, Kind.GATEWAY] for each in every}
            for name, some in kinds.items():
                if operator.context.view().member(people[name].address) is None:
                    card = people[name].members.card(name)
                    step["gas"] += operator.members.enrol(card, some).gas
                    self.app.contacts.add(name, card, at=operator.context.clock())
            step["did"] = f"a coordinator, an auditor, and the hospitals {', '.join(each.hospital for each in every)}"

    def _patients(self, people: dict[str, Client], about: str, every: Sequence[Patients]) -> list[Admitted]:
        count, done = sum(len(each.rows) for each in every), 0

        def tell() -> None:
            nonlocal done
            done += 1
            if done % 100 == 0:
                self.app.say(f"  {done} of {count} patients")

        with self.telling.step("patients") as step:
            admitted = []
            fund = self.devnet.anvil.fund
            for place, each in enumerate(every):
                admitting = Admitting(people[OPERATOR], people[each.hospital], fund, self.folder, each.hospital)
                first = None if place else people[PATIENT].context.key
                admitted.append(admitting.listed() or admitting.admit(each, first, tell))
                step["gas"] += admitting.gas
            step["did"] = f"{count} patients of {about}: a twin each, which its hospital writes and may train on"
            step["patients"] = count
        return admitted

    def _model(self, coordinator: Client) -> int:
        with self.telling.step("model") as step:
            known = [each for each in coordinator.models.list() if each.name == "risk"]
            if known:
                number = known[0].model.number
            else:
                card = ModelCard("risk", "whether a patient has the disease, by logistic regression")
                made, receipt = coordinator.models.register(card, Purpose.HRESCH, [CATEGORY], 2, BUDGET)
                number, step["gas"] = made.model.number, receipt.gas
            step["did"] = f"risk, model {number}: for research, on {CATEGORY}, at least 2 twins a hospital"
        return number

    def _withdraw(self, ann: Client, slot: Slot) -> None:
        if not any(each.slot == slot and ann.consents.is_live(each) for each in ann.consents.records(slot.twin)):
            return  # in an earlier run
        with self.telling.step("withdraw") as step:
            step["gas"] = ann.consents.revoke(slot).gas
            step["did"] = f"{PATIENT}, a patient of the first hospital, takes the consent for twin {slot.twin} back"

    def _audit(self, auditor: Client, number: int, sites: Sequence[Site]) -> None:
        with self.telling.step("audit") as step:
            context, key = auditor.context, auditor.context.key.seal_key
            model = context.view().model(number)
            assert model is not None, "it was registered"
            openings: list[Opening] = []
            files: dict[tuple[int, Address | None], Any] = {}
            for site in sites:
                cid = site.client.training.open(model, ROUNDS, auditor.address)
                block = whole(context.store, context.store.get(cid))
                openings.append(Opening.open(context.deployment, block, auditor.address, key))
                files[ROUNDS, site.address] = site.kept(ROUNDS)
            audit = ModelAudit(context.deployment, context.view(), context.store, model, openings, files)
            claims = [each for each in audit.claims() if each.about.startswith(f"round {ROUNDS},")]
            failed = [each for each in claims if each.verdict is not Verdict.PASS]
            said = "; ".join(f"{each.name} of {each.about}: {each.verdict.value}" for each in failed)
            said = said or f"all {len(claims)} claims about its updates pass"
            step["did"], step["failed"] = f"round {ROUNDS} is opened to the auditor: {said}", len(failed)

    def _found(self, ann: Client, twin: int) -> None:
        with self.telling.step("found") as step:
            step["rounds"] = rounds = sorted(each.update.round for each in ann.models.used(twin).found)
            step["did"] = f"{PATIENT} looks, and finds twin {twin} in rounds {rounds[0]} to {rounds[-1]} alone"

    def _next(self, twin: int, number: int, figures: dict[str, float]) -> None:
        place = shown(self.app.home.root)
        words = [
            f"twin models {twin} --key {PATIENT}",
            f"model show {number} --key auditor",
            f"audit model {number} --key auditor",
            "demo --clean",
        ]
        tries = [f"{program()} {each} --home {place}" for each in words]
        self.app.show(f"\nThe hospitals' world goes on in {place}. Try next:\n")
        for each in tries:
            self.app.show(f"  {each}")
        told = {"home": self.app.home.root, "twin": twin, "model": number, "steps": self.telling.steps, "next": tries}
        self.app.data("demo-federated", **told, **figures, seconds=round(time.monotonic() - self.telling.began, 2))
