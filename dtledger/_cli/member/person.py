"""A member as people are told of it: the ledger's facts, with the names that one knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError
from ...types import Address
from ...vocabulary import Kind
from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...ledger import View
    from ...ledger.events import Logged
    from ...policy import Member

STANDINGS = {
    "active": "active",
    "suspended": "SUSPENDED: nothing is permitted to it",
    "organisation-suspended": "its organisation is SUSPENDED: nothing is permitted to it",
    "stranger": "not enrolled",
}


def kinds_in(mask: int) -> list[str]:
    """The names of the kinds in a member's mask."""
    return [each.name for each in Kind if mask & each.mask]


def mask_of(kinds: Iterable[str]) -> int:
    return sum({Kind[name].mask for name in kinds})


@dataclass
class Person:
    """One address, looked up as far as it is asked."""

    app: App
    view: View
    address: Address

    @cached_property
    def member(self) -> Member | None:
        return self.view.member(self.address)

    @property
    def name(self) -> str:
        """How it is called in a sentence: its name here and the address, or the address alone."""
        return self.app.people.full(self.address)

    @property
    def kinds(self) -> list[str]:
        return kinds_in(self.member.kinds) if self.member else []

    @property
    def standing(self) -> str:
        if self.member is None:
            return "stranger"
        if self.member.suspended:
            return "suspended"
        organisation = self.member.organisation and self.view.member(self.member.organisation)
        return "organisation-suspended" if organisation and organisation.suspended else "active"

    @cached_property
    def organisation(self) -> Person | None:
        found = self.member.organisation if self.member else None
        return Person(self.app, self.view, found) if found else None

    @cached_property
    def enrolment(self) -> Logged | None:
        from ...ledger.events import Enrolled

        logged = self.app.ledger.history().logged
        return next(
            (each for each in logged if isinstance(each.event, Enrolled) and each.event.member == self.address), None
        )

    @cached_property
    def enrolled_by(self) -> Person | None:
        """Who sent the enrolment's transaction."""
        from ..._backend.inquiries import sender_of

        sender = sender_of(self.app.ledger, self.enrolment.place) if self.enrolment else None
        return Person(self.app, self.view, sender) if sender else None

    @cached_property
    def fingerprint(self) -> str | None:
        """The six words of the key that the ledger names, if the store has that key."""
        from ...contacts import fingerprint
        from ...encoding import CID

        digest = self.view.key_digest(self.address)
        if digest is None:
            return None
        try:
            return fingerprint(self.address, self.app.store.get(CID(digest, "raw")))
        except DtledgerError:
            return None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        member, organisation, by = self.member, self.organisation, self.enrolled_by
        return {
            **self.app.people.plain(self.address),
            "standing": self.standing,
            "kinds": self.kinds,
            "version": member.version if member else None,
            "key": self.view.key_digest(self.address),
            "fingerprint": self.fingerprint,
            "enrolled_at": rfc3339(self.enrolment.at) if self.enrolment else None,
            "enrolled_by": self.app.people.plain(by.address) if by else None,
            "organisation": {
                **self.app.people.plain(organisation.address),
                "standing": organisation.standing,
                "fingerprint": organisation.fingerprint,
            }
            if organisation
            else None,
        }

    def show(self) -> None:
        """All of it, for people."""
        app, by = self.app, self.enrolled_by
        known = app.people.known(self.address)
        app.show(f"address       {self.address}{f'  ({known})' if known else ''}")
        app.show(f"standing      {_coloured(self.standing)}")
        if self.member is None:
            return
        app.show(f"kinds         {', '.join(self.kinds) or 'none'}")
        if self.organisation:
            app.show(f"organisation  {self.organisation.name}")
            app.show(f"              {self.organisation.fingerprint or 'its key is not in the store'}")
        if self.enrolment:
            app.show(f"enrolled      {app.time(self.enrolment.at)} by {by.name if by else 'nobody can say whom'}")
        app.show(f"card          version {self.member.version}")
        app.show(f"fingerprint   {click.style(self.fingerprint or 'its key is not in the store', bold=True)}")


def _coloured(standing: str) -> str:
    return click.style(STANDINGS[standing], fg="green" if standing == "active" else "yellow")
