"""The demo's chapter on an organisation: a grant to a clinic is read by its people, each named; a leaver is refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from ...client import Client, Terms, publish_keyring
from ...client.devnet import PROFILE, Devnet
from ...client.opening import open_client
from ...errors import AccessDeniedError
from ...readings import Reading
from ...types import Address, Period
from ...vocabulary import Action, Kind, Purpose
from .telling import Telling

DAY = 86_400
NURSE = "nurse"


class Clinic:
    """The chapter, in a world that the story has set up. `people` are the story's clients by name."""

    def __init__(self, telling: Telling, devnet: Devnet, operator: Client, people: dict[str, Client]) -> None:
        self._telling = telling
        self._devnet = devnet
        self._operator = operator
        self._hospital = people["hospital"]
        self._cardiology = people["cardiology"]
        self._patient = people["patient"]

    def tell(self, twin: int, readings: Sequence[Reading]) -> None:
        """`readings` are those of the story, oldest first."""
        with ExitStack() as stack:
            self._devnet.key(NURSE)
            self._devnet.fund()
            nurse = stack.enter_context(open_client(PROFILE, NURSE, home=self._telling.app.home))
            self._join(nurse)
            self._grant(twin, readings[0].seconds)
            self._reads(twin, nurse, readings)
            self._leave(twin, nurse)

    def _join(self, nurse: Client) -> None:
        with self._telling.step("clinic") as step:
            hospital = self._hospital.address
            member = nurse.context.view().member(nurse.address)
            card = nurse.members.card(NURSE, hospital, "hospital")
            if member is None:
                agreement = self._hospital.members.agree(card)
                step["gas"] += self._operator.members.enrol(card, [Kind.CLINICIAN], agreement).gas
            elif member.organisation != hospital:  # an earlier run ended with the nurse leaving
                step["gas"] += nurse.members.update(card, self._hospital.members.agree(card)).gas
            people = [self._cardiology.address, nurse.address]
            step["gas"] += publish_keyring(self._hospital.context, people).gas
            contacts = self._telling.app.contacts
            if NURSE not in [each.name for each in contacts.list()]:
                contacts.add(NURSE, card, at=nurse.context.clock())
            step["did"] = "a nurse joins the hospital, which seals its key to her and to cardiology"

    def _grant(self, twin: int, since: int) -> None:
        with self._telling.step("grant") as step:
            now = self._patient.context.clock()
            until = now + 30 * DAY
            data = Period(since // 3600 * 60, until // 60)
            terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, until, data)
            slot, receipt = self._patient.consents.grant(twin, self._hospital.address, terms, 0)
            step["gas"] = receipt.gas
            named = f"{twin}/hospital/{slot.number}"
            step["did"] = f"the patient lets the hospital's people read glucose to treat ({named})"

    def _reads(self, twin: int, nurse: Client, written: Sequence[Reading]) -> None:
        with self._telling.step("read") as step:
            since, until = written[0].seconds, written[-1].seconds
            for each in (self._cardiology, nurse):
                step["readings"] = len(each.read(twin, "glucose", "TREAT", since=since, until=until))
            step["did"] = f"cardiology and the nurse read {step['readings']:,} readings each under it"
        with self._telling.step("access") as step:
            looks = self._patient.twins.who_looked(twin).require_whole().looks[:2]
            step["people"] = sorted(self._name(each.requester) for each in looks)
            step["did"] = f"the patient sees who it was: {' and '.join(step['people'])}"

    def _leave(self, twin: int, nurse: Client) -> None:
        with self._telling.step("leave") as step:
            step["gas"] = nurse.members.update(nurse.members.card(NURSE)).gas
            step["did"] = "the nurse leaves the hospital"
        with self._telling.step("refused") as step:
            try:
                nurse.read(twin, "glucose", "TREAT")
            except AccessDeniedError as error:
                step["reason"] = error.reason.name
                step["did"] = f"she is refused from that block on: {error.reason.text} ({error.reason.name})"
        self._patient.consents.revoke(self._patient.consents.slot(twin, self._hospital.address, 0))

    def _name(self, address: Address) -> str:
        known = self._telling.app.contacts.by_address().get(address)
        return known.name or address if known else address
