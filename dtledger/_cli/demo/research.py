"""The demo's last chapter: two sites train a model on twins of their own patients, and an auditor looks at it.

Two rounds. The first is as it should be. In the second one site counts a patient who never consented, the other counts
a patient twice: each does by hand what the SDK refuses to do for it (`dishonest`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...audit import ModelAudit, Verdict
from ...client import Client, ModelCard, NamedModel, Terms, digest_of
from ...client.devnet import PROFILE, Devnet
from ...ledger import Round
from ...models.opening import Opening
from ...types import Address, Period
from ...vocabulary import Action, Kind, Purpose
from .dishonest import Dishonest
from .place import opened
from .telling import Telling

SITES = ("north", "south")
NAME = "cgm-forecast"
DAY = 86_400
THRESHOLD = 2
EPSILON, BUDGET = 10, 1_000_000
"""ε in thousandths: what an update spends, and what a site may spend altogether."""


class Research:
    """The chapter, in a world that the story has set up."""

    def __init__(self, telling: Telling, devnet: Devnet, operator: Client) -> None:
        self._telling = telling
        self._devnet = devnet
        self._operator = operator

    def tell(self) -> None:
        patients = (f"{site}-{each}" for site in SITES for each in (1, 2))
        names = ("coordinator", "auditor", *SITES, *patients, "stranger")
        for name in names:
            self._devnet.key(name)
        self._devnet.fund()
        with opened(self._telling.app.home, PROFILE, {name: name for name in names}) as people:
            self._sites(people)
            named = self._model(people["coordinator"])
            self._good_round(people, named)
            self._bad_round(people, named)

    def _sites(self, people: dict[str, Client]) -> None:
        with self._telling.step("sites") as step:
            for name, kind in (
                ("coordinator", Kind.COORDINATOR),
                ("auditor", Kind.AUDITOR),
                *((site, Kind.RESEARCHER) for site in SITES),
            ):
                step["gas"] += self._enrol(people[name], name, kind)
            for site in SITES:
                for number in (1, 2):
                    step["gas"] += self._let_train(people[f"{site}-{number}"], people[site])
            step["gas"] += self._twin(people["stranger"])[1]
            step["did"] = (
                "two sites, each with two patients who let it train on their glucose; a coordinator, an auditor"
            )

    def _enrol(self, member: Client, name: str, kind: Kind) -> int:
        if self._operator.context.view().member(member.address) is not None:
            return 0
        card = member.members.card(name)
        contacts = self._telling.app.contacts
        if name not in [each.name for each in contacts.list()]:
            contacts.add(name, card, at=self._operator.context.clock())
        return self._operator.members.enrol(card, [kind]).gas

    def _twin(self, patient: Client) -> tuple[int, int]:
        """The patient's twin, with its card, and what it cost."""
        own, gas = patient.context.view().twins_of(patient.address), 0
        if own:
            twin = own[0]
        else:
            twin, receipt = self._operator.twins.mint(patient.twins.request_mint())
            gas += receipt.gas
        if twin in patient.twins.without_card():
            gas += patient.twins.set_up(twin, list(patient.context.custodians), THRESHOLD).gas
        return twin, gas

    def _let_train(self, patient: Client, site: Client) -> int:
        twin, gas = self._twin(patient)
        if any(patient.consents.is_live(each) for each in patient.consents.records(twin)):
            return gas
        now = patient.context.clock()
        until = now + 365 * DAY
        terms = Terms(("glucose",), (Purpose.HRESCH,), (Action.TRAIN,), now, until, Period(0, until // 60))
        return gas + patient.consents.grant(twin, site.address, terms)[1].gas

    def _model(self, coordinator: Client) -> NamedModel:
        with self._telling.step("model") as step:
            known = [each for each in coordinator.models.list() if each.name == NAME]
            if known:
                named = known[0]
            else:
                card = ModelCard(NAME, "glucose an hour ahead")
                named, receipt = coordinator.models.register(card, Purpose.HRESCH, ["glucose"], 2, BUDGET)
                step["gas"] = receipt.gas
            step["did"] = f"{NAME}, model {named.model.number}: for research, on glucose, at least 2 twins a site"
        return named

    def _open_round(self, coordinator: Client, named: NamedModel, step: dict[str, Any]) -> Round:
        """A new round; one that a run left open is closed first."""
        view = coordinator.context.view()
        rounds = view.rounds(named.model.number)
        if rounds and view.aggregate(named.model.number, rounds[-1].number) is None:
            if not view.updates(named.model.number, rounds[-1].number):
                return rounds[-1]
            step["gas"] += coordinator.models.finalise(named.model, [_weights(rounds[-1].number)])[1].gas
        start = None if rounds else digest_of([_weights(0)])
        opened, receipt = coordinator.models.open_round(named.model, start)
        step["gas"] += receipt.gas
        return opened

    def _good_round(self, people: dict[str, Client], named: NamedModel) -> None:
        coordinator = people["coordinator"]
        with self._telling.step("train") as step:
            opened = self._open_round(coordinator, named, step)
            for site in SITES:
                _, receipt = people[site].training.commit(named.model, [_update(site, opened.number)], EPSILON)
                step["gas"] += receipt.gas
            _, receipt = coordinator.models.finalise(named.model, [_weights(opened.number)])
            step["gas"] += receipt.gas
            step["did"] = f"round {opened.number}: both sites commit updates, the coordinator what it made of them"
        openings = [people[site].training.opening(named.model, opened.number) for site in SITES]
        files = self._files(people, opened.number)
        with self._telling.step("audit") as step:
            self._audit(step, "as it is", people, named, openings, files)
        with self._telling.step("audit") as step:
            changed = {**files, (opened.number, people["north"].address): b"another update"}
            self._audit(step, "with another file of north's", people, named, openings, changed)

    def _bad_round(self, people: dict[str, Client], named: NamedModel) -> None:
        coordinator = people["coordinator"]
        stranger = self._twin(people["stranger"])[0]
        with self._telling.step("train") as step:
            opened = self._open_round(coordinator, named, step)
            liars = [
                Dishonest(people["north"], named.model).with_a_stranger(stranger),
                Dishonest(people["south"], named.model).with_one_twice(),
            ]
            for site, liar in zip(SITES, liars, strict=True):
                step["gas"] += liar.commit([_update(site, opened.number)], EPSILON).gas
            _, receipt = coordinator.models.finalise(named.model, [_weights(opened.number)])
            step["gas"] += receipt.gas
            step["did"] = (
                f"round {opened.number}: north counts a patient who never consented, south counts one patient twice"
            )
        openings = [each.opening() for each in liars]
        with self._telling.step("audit") as step:
            self._audit(step, "as it is", people, named, openings, self._files(people, opened.number))

    def _files(self, people: dict[str, Client], number: int) -> dict[tuple[int, Address | None], bytes]:
        return {(number, None): _weights(number)} | {
            (number, people[site].address): _update(site, number) for site in SITES
        }

    def _audit(
        self,
        step: dict[str, Any],
        how: str,
        people: dict[str, Client],
        named: NamedModel,
        openings: Sequence[Opening],
        files: Mapping[tuple[int, Address | None], bytes],
    ) -> None:
        """The claims about one round by itself, as the auditor finds them by what the sites seal to it."""
        auditor, number = people["auditor"], openings[0].round
        context = auditor.context
        handed = [_hand_over(each, people[site], auditor) for site, each in zip(SITES, openings, strict=True)]
        names = {people[site].address: site for site in SITES}
        every = ModelAudit(
            context.deployment,
            context.view(),
            context.store,
            named.model,
            handed,
            {which: partial(iter, [data]) for which, data in files.items()},
            lambda address: names.get(address, address),
        )
        of_round = (each for each in every.claims() if each.about.startswith(f"round {number}"))
        claims = [each for each in of_round if each.name != "withdrawals"]  # which is of the rounds before it too
        failed = [each for each in claims if each.verdict is not Verdict.PASS]
        said = "; ".join(f"{each.name} of {each.about}: {each.verdict.value} ({each.evidence})" for each in failed)
        step["did"] = f"round {number} {how}: {said or f'all {len(claims)} claims pass'}"
        step["claims"] = [
            {"claim": each.name, "about": each.about, "verdict": each.verdict.value, "evidence": each.evidence}
            for each in claims
        ]


def _hand_over(opening: Opening, site: Client, auditor: Client) -> Opening:
    """The opening as the auditor gets it: signed by the site, and sealed to the auditor."""
    deployment, key = auditor.context.deployment, auditor.context.key.seal_key
    block = opening.sealed(deployment, site.context.key, auditor.address, key.public)
    return Opening.open(deployment, block, auditor.address, key)


def _weights(number: int) -> bytes:
    return f"the weights after round {number}".encode()


def _update(site: str, number: int) -> bytes:
    return f"the update of {site} in round {number}".encode()
