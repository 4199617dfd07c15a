"""`member list`: everybody on the ledger."""

from __future__ import annotations

from typing import Any

import click

from .. import complete
from ..app import App
from ..command import Verb
from ..words import KIND
from .person import Person


@click.command("list", cls=Verb, epilog="Example: dtledger member list --kind CUSTODIAN")
@click.option("--kind", type=KIND, help="Only those of this kind.")
@click.option(
    "--organisation", metavar="WHO", shell_complete=complete.contacts, help="Only members of this organisation."
)
@click.option("--suspended", is_flag=True, help="Only those that are suspended.")
@click.pass_obj
def list_(app: App, kind: str | None, organisation: str | None, suspended: bool) -> None:
    """List the members that the ledger knows, with the names of your contacts."""
    view = app.ledger.view()
    of = app.resolve(organisation).address if organisation else None
    people = [
        each
        for each in (Person(app, view, address) for address in view.members())
        if (kind is None or kind in each.kinds)
        and (of is None or (each.organisation is not None and each.organisation.address == of))
        and (not suspended or each.standing != "active")
    ]
    width = max((len(app.people.known(each.address) or "") for each in people), default=0)
    for each in people:
        whose = (
            f"of {app.people.known(each.organisation.address) or each.organisation.address}"
            if each.organisation
            else ""
        )
        state = "" if each.standing == "active" else click.style("SUSPENDED", fg="yellow")
        name = app.people.known(each.address) or ""
        row = f"{each.address}  {name:<{width}}  {', '.join(each.kinds) or '-':<12}  {whose}  {state}"
        app.show(row.rstrip())
    if not people:
        app.say("There is no such member.")
    app.data("members", members=[_plain(each) for each in people], block=view.block)


def _plain(person: Person) -> dict[str, Any]:
    people = person.app.people
    return {
        **people.plain(person.address),
        "standing": person.standing,
        "kinds": person.kinds,
        "organisation": people.plain(person.organisation.address) if person.organisation else None,
    }
