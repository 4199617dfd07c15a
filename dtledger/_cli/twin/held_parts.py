"""The parts of what is held about a twin, each as files: for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import CannotCheckError, DtledgerError
from ...vocabulary import STATES, Purpose
from ..app import App, plain
from ..consent.plain import plain_record
from ..consent.receipt import Receipt
from ..consent.requests import plain_request
from ..emergency.plain import plain as plain_opening
from ..snapshot.plain import plain as plain_snapshot
from .access import plain_lists, plain_look
from .forecast import plain_forecast
from .models import plain_use
from .values import csv_lines

if TYPE_CHECKING:
    from ...client import Access
    from ...fhir import Names

Files = Iterator[tuple[str, str, bytes]]
"""Name, what it is in a few words, and its bytes."""


class Parts:
    """Gathers the parts. `strict` raises at the first that cannot be had; else it is remembered in `missing`."""

    def __init__(self, app: App, twin: int, *, strict: bool) -> None:
        from ...fhir import Names

        self._app = app
        self._twin = twin
        self._strict = strict
        self._names: Names = Names(app.client.context.deployment, lambda address: app.people.known(address) or "")
        self.missing: list[str] = []
        self.error: DtledgerError | None = None

    def _lacks(self, words: str, error: DtledgerError) -> None:
        if self._strict:
            raise error
        self.error = self.error or error
        self.missing.append(f"{words}: {error.message}")

    def _readings(self) -> Files:
        from ...fhir import bundle, observations

        client, owner = self._app.client, self._app.client.address
        for name in client.snapshots.newest(self._twin):
            if name in STATES:
                yield from self._forecasts()
                continue
            try:
                values = client.read(self._twin, name, "PATRQT", originals=True, partial=not self._strict)
            except DtledgerError as error:
                self._lacks(f"readings of {name}", error)
                continue
            for party, fault in values.faults.items():
                if not self._strict:
                    self._lacks(f"readings of {name}, {self._app.people.name(party)}", fault)
            lines = "\n".join(csv_lines(values)) + "\n"
            yield f"readings/{name}.csv", f"{len(values):,} values of {name}, as a table", lines.encode()
            made = bundle(list(observations(values, name, self._names.owner(owner))))
            yield f"readings/{name}.fhir.json", f"the same values of {name}, for another health system", as_text(made)

    def _forecasts(self) -> Files:
        client = self._app.client
        try:
            made = [*client.forecasts.every(self._twin, Purpose.PATRQT, client.context.clock())]
        except DtledgerError as error:
            self._lacks("forecasts", error)
            return
        told = [plain_forecast(self._app, each) for each in made]
        words = f"what your twin expected, {len(told):,} times"
        yield "forecasts.json", words, as_json("forecasts", twin=self._twin, forecasts=told)

    def _snapshots(self) -> Files:
        from ...fhir import bundle

        listed = [each for group in self._app.client.snapshots.list(self._twin) for each in group]
        told = [plain_snapshot(self._app, each) for each in listed]
        yield (
            "snapshots.json",
            f"the fingerprints of {len(told):,} snapshots: who wrote each, and when",
            as_json("snapshots", twin=self._twin, snapshots=told),
        )
        made = bundle(list(self._app.client.exports.provenance(self._twin, self._names)))
        yield "provenance.fhir.json", "where each snapshot comes from, for another health system", as_text(made)

    def _consents(self) -> Files:
        from ...fhir import bundle

        app, client = self._app, self._app.client
        view = client.context.view()
        exported = list(client.exports.consents(self._twin, self._names))
        given = {each.record.slot: each for each, _, _ in exported}
        told, receipts = [], []
        for record in client.consents.records(self._twin):
            said, last = plain_record(app, record, view), given.get(record.slot)
            if last is not None:
                name, research = said["grant"], last.research
                if research is None:
                    self._lacks("consents", CannotCheckError(f"The research terms of {name} cannot be read."))
                said["research"] = research
                receipts.append(Receipt(app, record, last.last, name, said["state"], last.categories, research))
            told.append(said)
        lost = [
            {"grant": app.people.grant(each.record.slot), "path": one.path, "loss": one.words, "denies": one.denies}
            for each, _, losses in exported
            for one in losses
        ]
        yield (
            "consents.json",
            f"{len(told)} consents that you gave, with those that you took back, and what FHIR has no words for",
            as_json("grants", grants=told, lost_in_fhir=lost),
        )
        made = [each for _, each, _ in exported if each]
        yield "consents.fhir.json", "your consents, for another health system", as_text(bundle(made))
        for place, each in enumerate(receipts, start=1):
            yield f"consents/{place}.html", f"the receipt of {each.name}, to read and print", each.html().encode()

    def _requests(self) -> Files:
        account = self._app.client.consents.addressed(self._twin)
        for party, fault in account.faults.items():
            self._lacks(f"requests for consent, {self._app.people.name(party)}", fault)
        told = [plain_request(self._app, each) for each in account.requests]
        yield (
            "requests.json",
            f"{len(told)} requests for your consent in the last 30 days",
            as_json("requests", requests=told),
        )

    def _access(self) -> Files:
        from ...fhir import bundle

        found: Access = self._app.client.twins.who_looked(self._twin)
        for party, fault in found.faults.items():
            self._lacks(f"who looked, {self._app.people.name(party)}", fault)
        looks = [plain_look(self._app, self._twin, each) for each in found.looks]
        receipts = [
            {"custodian": who, "receipts": [each.encode() for each in told]} for who, told in found.lists.items()
        ]
        yield (
            "access.json",
            f"who looked: {len(looks)} requests, and the custodians' signed receipts",
            as_json(
                "access", twin=self._twin, looks=looks, custodians=plain_lists(self._app, found), receipts=receipts
            ),
        )
        made = bundle(list(self._app.client.exports.access(found, self._names)))
        yield "access.fhir.json", "who looked, for another health system", as_text(made)

    def _models(self) -> Files:
        from ...fhir import bundle

        uses = self._app.client.models.used(self._twin)
        if uses.unseen:
            error = CannotCheckError(f"{len(uses.unseen)} updates do not say which twins they were trained on")
            self._lacks("models", error)
        told = [plain_use(self._app, uses, each) for each in uses.found]
        yield (
            "models.json",
            f"{len(told)} rounds of models that were trained on your data",
            as_json("twin-models", twin=self._twin, rounds=told, unseen=len(uses.unseen)),
        )
        made = bundle(list(self._app.client.exports.uses(self._twin, self._names)))
        yield "models.fhir.json", "the same rounds, for another health system", as_text(made)

    def _emergencies(self) -> Files:
        told = [plain_opening(self._app, each) for each in self._app.client.emergencies.openings(self._twin)]
        yield "emergencies.json", f"{len(told)} emergencies that were opened", as_json("openings", openings=told)


def as_json(schema: str, **values: Any) -> bytes:
    """One object of a schema, as a file."""
    return as_text({"schema": f"dtledger/{schema}/1", **values})


def as_text(value: Any) -> bytes:
    """A value as a file of JSON."""
    return (json.dumps(value, default=plain, indent=1, ensure_ascii=False) + "\n").encode()
