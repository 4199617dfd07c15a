"""`demo --services`: the whole story with every part a process of its own, as a hospital would run them."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import BinaryIO, cast

from ..._backend.http_gateway import HttpGateway
from ...client import Client, Terms, writing_terms
from ...client.devnet import OPERATOR
from ...client.opening import open_client
from ...errors import AccessDeniedError, InputError, UnreachableError
from ...importers import SAMPLE, read_file
from ...ledger import Slot
from ...readings import Reading
from ...twin import require_extra
from ...types import Period
from ...vocabulary import Action, Kind, Purpose
from ..app import App
from .hospital import GATEWAY, PATIENT, Hospital
from .next import program, shown
from .place import opened
from .story import DAY, THRESHOLD, slot_name
from .telling import Telling

CLINICIAN = "cardiology"
FALSE_VALUE = 36.0
"""mg/dL, as the sample is: far below what it was a minute before."""
_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.25


class Services:
    """One telling, in the home that the app names; by default its hospital is on a development chain."""

    def __init__(self, app: App, hospital: Hospital | None = None) -> None:
        self.app = app
        self.telling = Telling(app)
        self.hospital = hospital or Hospital(app.home)

    def tell(self) -> None:
        self.hospital.claim()
        self._chain()
        with self._people() as people:
            self._members(people)
            self._processes()
            with open_client(self.hospital.devnet.profile, PATIENT, home=self.hospital.laptop) as ann:
                twin = self._twin(people[OPERATOR], ann)
                readings = self._readings()
                self._send(people[GATEWAY], ann, twin, readings)
                slot = self._grant(people[CLINICIAN], ann, twin, readings)
                self._read(people[CLINICIAN], twin, readings)
                self._read_without_one(people[CLINICIAN], twin, readings)
                if self._keeps_twins():
                    self._forecast(people[CLINICIAN], twin)
                    self._lie(people[CLINICIAN], twin, readings)
                self._revoke(people[CLINICIAN], ann, twin, slot)
        self._next(twin)

    # the steps -----------------------------------------------------------------------------------------------

    def _chain(self) -> None:
        with self.telling.step("chain") as step:

            def count(_: object, gas: int) -> None:
                step["gas"] += gas

            deployment = self.hospital.up_chain(count)
            folder = "a folder: no kubo is here (scripts/kubo builds one)"
            where = "kubo, in a private network" if self.hospital.kubo else folder
            step["did"] = f"{len(deployment.contracts)} contracts on {self.hospital.chain}; blocks go to {where}"
            step["kubo"] = self.hospital.kubo is not None

    def _people(self) -> AbstractContextManager[dict[str, Client]]:
        devnet = self.hospital.devnet
        names = (OPERATOR, CLINICIAN, GATEWAY)
        devnet.pay([devnet.key(name).address for name in names])
        return opened(self.app.home, devnet.profile, {name: name for name in names})

    def _members(self, people: dict[str, Client]) -> None:
        with self.telling.step("members") as step:
            operator = people[OPERATOR]
            own, anns = self.app.contacts, self.hospital.contacts()
            for name, kind in ((CLINICIAN, Kind.CLINICIAN), (GATEWAY, Kind.GATEWAY)):
                if operator.context.view().member(people[name].address) is None:
                    card = people[name].members.card(name)
                    step["gas"] += operator.members.enrol(card, [kind]).gas
                    for contacts in (own, anns):
                        contacts.add(name, card, at=operator.context.clock())
            step["did"] = "a clinician (cardiology) and a gateway are enrolled; three custodians founded the network"

    def _processes(self) -> None:
        with self.telling.step("services") as step:
            self.hospital.up_services()
            self.hospital.up_laptop()
            step["did"] = f"3 custodians and a gateway answer over HTTP, the gateway at {self.hospital.gateway.url}"

    def _twin(self, operator: Client, ann: Client) -> int:
        with self.telling.step("twin") as step:
            own = ann.context.view().twins_of(ann.address)
            if own:
                twin = own[0]
            else:
                twin, receipt = operator.twins.mint(ann.twins.request_mint())
                step["gas"] += receipt.gas
            if twin in ann.twins.without_card():
                ann.twins.set_up(twin, list(ann.context.custodians), THRESHOLD)
            step["did"] = f"twin {twin} of ann, whose account is empty: the gateway relays what she signs"
        return twin

    def _readings(self) -> list[Reading]:
        with SAMPLE.open("rb") as sample:
            readings = list(read_file(cast(BinaryIO, sample)).readings)
        shift = self.hospital.sample_end() - readings[-1].seconds
        day = [each for each in readings if each.seconds > readings[-1].seconds - DAY]
        return [Reading(each.seconds + shift, each.value, each.unit, each.offset, each.quality) for each in day]

    def _send(self, gateway: Client, ann: Client, twin: int, readings: list[Reading]) -> None:
        now = ann.context.clock()
        with self.telling.step("permit") as step:
            first = readings[0].minute
            terms = writing_terms(["glucose", "forecast"], now, 30 * DAY, back_to=first)
            slot, _ = ann.consents.grant(twin, gateway.address, terms, 0)
            step["did"] = (
                f"ann lets the gateway add glucose, and what her twin makes of it, for 30 days "
                f"({slot_name(slot, GATEWAY)}), by its relay"
            )
        with self.telling.step("send") as step:
            answer = self._post(twin, readings)
            step["did"] = f"a hub posts {len(readings)} readings; {answer['kept']} are new, on the gateway's disk"
            step["kept"], step["known"] = answer["kept"], answer["known"]
        with self.telling.step("anchored") as step:
            self._wait_until_anchored()
            step["did"] = "the gateway judges and encrypts them, stores, anchors, reads back, and forgets them"

    def _post(self, twin: int, readings: list[Reading]) -> dict[str, int]:
        rows = [[each.at.isoformat(), each.value] for each in readings]
        post = {"twin": twin, "category": "glucose", "unit": readings[0].unit, "readings": rows}
        with closing(HttpGateway(self.hospital.gateway.url)) as gateway:
            return gateway.send(post, self.hospital.token_file.read_text())

    def _wait_until_anchored(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with closing(HttpGateway(self.hospital.gateway.url)) as gateway:
            while (status := gateway.status())["unanchored"]:
                if time.monotonic() > deadline:
                    raise UnreachableError(
                        f"The gateway has not anchored {status['unanchored']} readings ({status['error']}).",
                        hint=f"Its log is {self.hospital.gateway.log}.",
                    )
                time.sleep(_PAUSE_SECONDS)

    def _grant(self, clinician: Client, ann: Client, twin: int, readings: list[Reading]) -> Slot:
        now = ann.context.clock()
        with self.telling.step("grant") as step:
            data = Period(readings[0].minute // 60 * 60, (now + 30 * DAY) // 60)
            categories = ("glucose", "forecast")
            terms = Terms(categories, (Purpose.TREAT,), (Action.READ,), now, now + 30 * DAY, data)
            slot, _ = ann.consents.grant(twin, clinician.address, terms, 0)
            step["did"] = f"ann lets cardiology read both to treat ({slot_name(slot, CLINICIAN)}), by the relay too"
        return slot

    def _read(self, clinician: Client, twin: int, readings: list[Reading]) -> None:
        with self.telling.step("read") as step:
            found = clinician.read(twin, "glucose", "TREAT", since=readings[0].seconds)
            answering = f"{found.answered} of {found.asked} custodians answering"
            step["did"] = f"the clinician reads {len(found)} readings, {answering}"
            step["readings"], step["answered"] = len(found), found.answered

    def _keeps_twins(self) -> bool:
        try:
            require_extra()
        except InputError as lack:
            self.app.say(f"No forecast is told, and no false reading found: {lack.message} {lack.hint}")
            return False
        return True

    def _forecast(self, clinician: Client, twin: int) -> None:
        with self.telling.step("forecast") as step:
            expected = clinician.forecast(twin, 30, "TREAT")
            band = next(each for each in expected.intervals if each.percent == 80)
            step["mean"], step["unverified"] = expected.mean, expected.unverified
            step["did"] = (
                f"the twin expects {expected.mean:.1f} {expected.unit} in half an hour, with 80 % between "
                f"{band.low:.1f} and {band.high:.1f}; no reading is fetched for that"
            )

    def _lie(self, clinician: Client, twin: int, readings: list[Reading]) -> None:
        newest = readings[-1]
        false = replace(newest, seconds=newest.seconds + 60, value=FALSE_VALUE)
        with self.telling.step("lie") as step:
            self._post(twin, [false])
            self._wait_until_anchored()
            found = clinician.read(twin, "glucose", "TREAT", since=false.seconds)[0]
            step["quality"], step["why"] = found.quality, found.why
            step["did"] = (
                f"a reading of {found.value} {found.unit} comes a minute later: {found.quality} ({found.why}); "
                "the twin does not learn it, it stays on record, and as a low it alarms all the same"
            )

    def _read_without_one(self, clinician: Client, twin: int, readings: list[Reading]) -> None:
        first = self.hospital.custodians[0]
        with self.telling.step("outage") as step:
            first.stop()
            found = clinician.read(twin, "glucose", "TREAT", since=readings[0].seconds)
            step["did"] = f"a custodian is stopped; {found.answered} of {found.asked} are enough to read {len(found)}"
            step["readings"], step["answered"] = len(found), found.answered
        self.hospital.up_services()

    def _revoke(self, clinician: Client, ann: Client, twin: int, slot: Slot) -> None:
        with self.telling.step("revoke") as step:
            receipt = ann.consents.revoke(slot)
            told = ann.revoking.account(twin, [slot], receipt)[slot]
            step["did"] = (
                f"ann revokes, in block {receipt.block}: {len(told.refusals)} of {told.asked} custodians signed that "
                f"they refuse since; {told.fetched.snapshots} openings came before"
            )
            step["in_force"], step["refusals"] = told.in_force, len(told.refusals)
        with self.telling.step("refused") as step:
            try:
                clinician.read(twin, "glucose", "TREAT")
            except AccessDeniedError as error:
                step["reason"] = error.reason.name
                step["did"] = f"the clinician is refused: {error.reason.text} ({error.reason.name})"

    def _next(self, twin: int) -> None:
        place, laptop = self.app.home.root, shown(self.hospital.laptop.root)
        words = [
            f"twin access {twin} --key {PATIENT} --home {laptop}",
            f"key backup {PATIENT} --to ann.backup --home {laptop}",
            f"gateway status {self.hospital.gateway.url}",
            f"custodian receipts --config {shown(self.hospital.custodians[0].config)}",
        ]
        tries = [*(f"{program()} {each}" for each in words), self.hospital.ending()]
        self.app.show(f"\nThe hospital goes on in {shown(place)}. Try next:\n")
        for each in tries:
            self.app.show(f"  {each}")
        self.app.data(
            "demo-services",
            home=place,
            twin=twin,
            steps=self.telling.steps,
            next=tries,
            seconds=round(time.monotonic() - self.telling.began, 2),
        )
