"""The demo's steps. Each does the real thing through the SDK, and says what it did, its gas and its time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..._backend.directory_store import DirectoryStore
from ...client import Client, Terms, writing_terms
from ...client.devnet import OPERATOR, PROFILE, Devnet
from ...client.opening import open_client
from ...errors import AccessDeniedError, InputError
from ...importers import SAMPLE, read_file
from ...importers.result import Import
from ...ledger import Receipt, Slot
from ...readings import Reading
from ...types import ZERO_ADDRESS, Address, Period
from ...vocabulary import Action, Kind, Purpose, Reason
from .. import account
from ..app import App
from ..picture.scene import Scene
from ..picture.terminal import drawn
from .clinic import Clinic
from .next import commands, shown
from .place import claim, opened, sample_end
from .refusal import ask_custodians
from .research import Research
from .telling import Telling

DAY = 86_400
THRESHOLD = 2


class Story:
    """One telling of the demo, in the home that the app names."""

    def __init__(self, app: App, file: Path | None, reading: Mapping[str, Any]) -> None:
        self.app = app
        self.file = file
        self.reading = {name: value for name, value in reading.items() if value is not None}
        self.patient = "patient" if file is None else "myself"  # what is simulated stays out of a person's own twin
        self.devnet = Devnet(app.home)
        self.telling = Telling(app)

    def tell(self) -> None:
        imported = self._read_input()  # first, so that a file that cannot be read leaves nothing behind
        claim(self.app.home)
        self._chain()
        with self._people() as people:
            self._members(people)
            twin = self._twin(people["patient"])
            readings = self._readings(imported)
            self._write(people, twin, readings)
            slot = self._grant(people, twin, readings)
            self._read(people["cardiology"], twin, readings)
            self._revoke(people, twin, slot)
            self._access(people["patient"], twin)
            Clinic(self.telling, self.devnet, people[OPERATOR], people).tell(twin, readings)
            Research(self.telling, self.devnet, people[OPERATOR]).tell()
        self._next(twin, readings)

    # the steps -----------------------------------------------------------------------------------------------

    def _read_input(self) -> Import:
        if self.file is None:
            with SAMPLE.open("rb") as sample:
                return read_file(cast(BinaryIO, sample))
        imported = read_file(self.file, **self.reading)
        if not imported.readings:
            raise InputError(
                "No reading in that file could be read.",
                hint="; ".join(f"line {each.line}: {each.reason}" for each in imported.problems[:3]),
            )
        return imported

    def _chain(self) -> None:
        with self.telling.step("chain") as step:

            def count(_: object, gas: int) -> None:
                step["gas"] += gas

            deployment = self.devnet.up(DirectoryStore, self.app.say, count)
            count_of = len(deployment.contracts)
            state = f"deployed {count_of} contracts on" if step["gas"] else "found the contracts on"
            step["did"] = f"{state} a development chain at {self.devnet.anvil.url}"
            step["deployment"] = deployment.id

    def _people(self) -> AbstractContextManager[dict[str, Client]]:
        keys = {name: name for name in (OPERATOR, "hospital", "cardiology", "gateway")} | {"patient": self.patient}
        for key in keys.values():
            self.devnet.key(key)
        self.devnet.fund()
        return opened(self.app.home, PROFILE, keys)

    def _members(self, people: Mapping[str, Client]) -> None:
        with self.telling.step("members") as step:
            hospital = people["hospital"].address
            self._enrol(people, step, "hospital", [], ZERO_ADDRESS)
            self._enrol(people, step, "cardiology", [Kind.CLINICIAN], hospital)
            self._enrol(people, step, "gateway", [Kind.GATEWAY], hospital)
            custodians = list(people["patient"].context.custodians)
            step["did"] = f"a hospital, its clinician (cardiology), its gateway; {len(custodians)} custodians"

    def _enrol(
        self, people: Mapping[str, Client], step: dict[str, Any], name: str, kinds: list[Kind], organisation: Address
    ) -> None:
        member = people[name]
        operator = people[OPERATOR]
        if operator.context.view().member(member.address) is None:
            named = "hospital" if organisation != ZERO_ADDRESS else ""
            card = member.members.card(name, organisation, named)
            agreement = people["hospital"].members.agree(card) if named else b""
            step["gas"] += operator.members.enrol(card, kinds, agreement).gas
            contacts = self.app.contacts
            if name not in [each.name for each in contacts.list()]:
                contacts.add(name, card, at=operator.context.clock())

    def _twin(self, patient: Client) -> int:
        with self.telling.step("twin") as step:
            own = patient.context.view().twins_of(patient.address)
            if own:
                twin = own[0]
            else:
                with open_client(PROFILE, OPERATOR, home=self.app.home) as operator:
                    twin, receipt = operator.twins.mint(patient.twins.request_mint())
                step["gas"] += receipt.gas
            if twin in patient.twins.without_card():
                step["gas"] += patient.twins.set_up(twin, list(patient.context.custodians), THRESHOLD).gas
            step["did"] = f"twin {twin} of the patient, {THRESHOLD} of 3 custodians are needed to open it"
            step["twin"] = twin
        return twin

    def _readings(self, imported: Import) -> list[Reading]:
        with self.telling.step("import") as step:
            readings = list(imported.readings)
            source = f"{self.file}" if self.file else "a simulated sample (simglucose), moved to end today"
            if self.file is None:
                shift = sample_end(self.app.home) - readings[-1].seconds
                readings = [
                    Reading(each.seconds + shift, each.value, each.unit, each.offset, each.quality) for each in readings
                ]
            step["did"] = f"{len(readings):,} glucose readings from {source}"
            step["readings"] = len(readings)
            step["problems"] = [{"line": each.line, "reason": each.reason} for each in imported.problems]
        if self.file:
            for line in (account.rows(imported), *account.problems(imported)):
                self.app.say(f"  {line}")
        return readings

    def _write(self, people: Mapping[str, Client], twin: int, readings: list[Reading]) -> None:
        gateway, patient = people["gateway"], people["patient"]
        now = patient.context.clock()
        with self.telling.step("permit") as step:
            first = readings[0].minute
            slot, receipt = patient.consents.grant(
                twin, gateway.address, writing_terms(["glucose"], now, 30 * DAY, back_to=first)
            )
            step["gas"] = receipt.gas
            step["did"] = f"the patient lets the gateway add glucose for 30 days ({slot_name(slot, 'gateway')})"
        with self.telling.step("write") as step, self.app.progress("encrypting, storing, anchoring") as progress:
            result = gateway.writer.put(twin, "glucose", readings, progress=progress)
            step["gas"] = sum(each.gas for each in result.anchors)
            known = f", {result.known:,} readings were there before" if result.known else ""
            written, batches = len(result.written), len(result.anchors)
            many = "" if batches == 1 else "es"
            step["did"] = f"{written} encrypted snapshots, one an hour, anchored in {batches} batch{many}{known}"
            step["snapshots"], step["batches"] = written, batches
        patient.consents.revoke(slot)

    def _grant(self, people: Mapping[str, Client], twin: int, readings: list[Reading]) -> Slot:
        patient = people["patient"]
        now = patient.context.clock()
        with self.telling.step("grant") as step:
            first = readings[0].minute // 60 * 60  # that hour's snapshot may hold earlier readings, of another file
            data = Period(first, max(readings[-1].minute, (now + 30 * DAY) // 60))
            terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 30 * DAY, data)
            slot, receipt = patient.consents.grant(twin, people["cardiology"].address, terms)
            step["gas"] = receipt.gas
            step["did"] = f"cardiology may read glucose to treat, for 30 days ({slot_name(slot, 'cardiology')})"
            step["grant"] = slot_name(slot, "cardiology")
        return slot

    def _read(self, clinician: Client, twin: int, written: list[Reading]) -> None:
        since, until, unit = written[0].seconds, written[-1].seconds, written[0].unit
        with self.telling.step("read") as step, self.app.progress("opening") as progress:
            readings = clinician.read(twin, "glucose", "TREAT", since=since, until=until, unit=unit, progress=progress)
            step["did"] = (
                f"the clinician reads {len(readings):,} readings from {readings.snapshots} snapshots, "
                f"{readings.answered} of {readings.asked} custodians answering"
            )
            step["readings"], step["snapshots"] = len(readings), readings.snapshots
        if not self.app.as_json:
            self.app.show(
                drawn(
                    Scene(
                        title=f"glucose, {readings[0].unit}",
                        category="glucose",
                        unit=readings[0].unit,
                        readings=readings,
                        band=(3.9, 10.0) if readings[0].unit == "mmol/L" else (70, 180),
                    )
                )
            )

    def _revoke(self, people: Mapping[str, Client], twin: int, slot: Slot) -> None:
        patient, clinician = people["patient"], people["cardiology"]
        others = [
            each.slot for each in patient.consents.records(twin) if each.slot != slot and patient.consents.is_live(each)
        ]
        package = clinician.context.view().record(slot)
        assert package is not None, "it was granted a moment ago"
        with self.telling.step("revoke") as step:
            receipts: list[Receipt] = [patient.consents.revoke(each) for each in (slot, *others)]
            step["gas"] = sum(receipt.gas for receipt in receipts)
            step["did"] = f"the patient revokes, in block {receipts[0].block}"
        with self.telling.step("refused") as step:
            try:
                clinician.read(twin, "glucose", "TREAT")
            except AccessDeniedError as error:
                reason: Reason = error.reason
                step["did"] = f"the clinician's client refuses: {reason.text} ({reason.name})"
                step["reason"] = reason.name
        with self.telling.step("refused") as step:
            refusals = ask_custodians(clinician, twin, package)
            step["did"] = f"a client that skips that check is refused by each custodian: {', '.join(refusals)}"
            step["custodians"] = refusals

    def _access(self, patient: Client, twin: int) -> None:
        with self.telling.step("access") as step:
            receipts = next(each for each in patient.twins.access(twin).values() if isinstance(each, list))
            opened = sum(1 for each in receipts if each.permitted)
            step["did"] = f"the patient sees who asked: {len(receipts)} requests, {opened} of them opened"

    def _next(self, twin: int, readings: list[Reading]) -> None:
        home = self.app.home
        tries = commands(home, twin, self.patient, readings, int(time.time()))
        self.app.show(f"\nThe world goes on in {shown(home.root)}, its chain at {self.devnet.anvil.url}. Try next:\n")
        for command in tries:
            self.app.show(f"  {command}")
        self.app.data(
            "demo",
            home=home.root,
            twin=twin,
            steps=self.telling.steps,
            next=tries,
            seconds=round(time.monotonic() - self.telling.began, 2),
        )


def slot_name(slot: Slot, name: str) -> str:
    return f"{slot.twin}/{name}/{slot.number}"
