"""`member list`: everybody on the ledger."""

from __future__ import annotations

import click

from .. import complete
from ..app import App
from ..command import Verb
from . import options
from .person import Person


@click.command("list", cls=Verb, epilog="Example: dtledger member list --kind CUSTODIAN")
@click.option("--kind", type=options.KIND, help="Only those of this kind.")
@click.option(
    "--organisation", metavar="WHO", shell_complete=complete.contacts, help="Only members of this organisation."
)
@click.option("--suspended", is_flag=True, help="Only those that are suspended.")
@click.pass_obj
def list_(app: App, kind: str | None, organisation: str | None, suspended: bool) -> None:
    """List the members that the ledger knows, with the names of your contacts."""
    view = app.ledger.view()
    of = app.resolve(organisation).address if organisation else None
    names = {each.address: each.name for each in app.contacts.list()}
    rows = []
    for address in view.members():
        person = Person(app, view, address)
        assert person.member is not None, "it is in the list of members"
        if (
            (kind and kind not in person.kinds)
            or (of and person.member.organisation != of)
            or (suspended and person.standing == "active")
        ):
            continue
        rows.append(
            {
                "address": address,
                "contact": names.get(address),
                "standing": person.standing,
                "kinds": person.kinds,
                "organisation": person.member.organisation,
                "organisation_contact": names.get(person.member.organisation) if person.member.organisation else None,
            }
        )
    width = max((len(str(row["contact"] or "")) for row in rows), default=0)
    for row in rows:
        kinds = ", ".join(row["kinds"]) or "-"  # type: ignore[arg-type]
        whose = row["organisation_contact"] or row["organisation"] or "-"
        state = "" if row["standing"] == "active" else click.style("  SUSPENDED", fg="yellow")
        app.show(f"{row['address']}  {row['contact'] or '':<{width}}  {kinds:<20}  {whose}{state}")
    if not rows:
        app.say("There is no such member.")
    app.data("members", members=rows, block=view.block)
