"""`emergency open`: break the glass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...errors import AccessDeniedError
from ...vocabulary import Action, Cause
from ..app import App
from ..command import verb
from ..words import Code
from .plain import CAUSES, plain

if TYPE_CHECKING:
    from ...ledger import Slot


@verb(
    "open",
    epilog="Examples: dtledger emergency open 7/ambulance/0 --cause OVRINCOMP --text 'found unconscious' --key medic · "
    "dtledger twin read 7 --category glucose --purpose ETREAT --key medic   # then",
)
@click.argument("grant")
@click.option(
    "--cause",
    required=True,
    type=Code([each.name for each in Cause]),
    help=f"Why: {CAUSES}.",
)
@click.option("--text", default="", metavar="TEXT", help="In words; sealed to the patient and to who may review.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign nothing.")
def open_(app: App, grant: str, cause: str, text: str, yes: bool, dry_run: bool) -> None:
    """Open a grant that sleeps, so that you can read in an emergency: for yourself, for ETREAT, for a few hours.

    That takes a member of kind EMERGENCY, of the organisation that the patient trusts. The patient is told at once, and
    an auditor of another organisation looks at it: more than three openings that nobody has reviewed are refused.
    Causes are HL7's reasons to override a consent.
    """
    slot = app.people.slot(grant)
    meant = Cause[cause.upper()]
    _require_sleeping(app, slot)
    who = app.people.described(slot.grantee)
    app.say(
        f"You open {app.people.grant(slot)}, which the patient gave {who} for emergencies: {meant.text}. The patient "
        "is told, and it is reviewed."
    )
    if dry_run:
        app.show("Nothing was signed.")
        app.data("emergency-opened", grant=grant, cause=meant.name, opening=None, sent=None, dry_run=True)
        return
    app.confirm("Open it?", yes=yes)
    opening, receipt = app.client.emergencies.open(slot, meant, text)
    sent = app.sent(receipt)
    app.show(f"Opening {opening.number}: {app.people.grant(slot)} is open to you until {app.time(opening.closes_at)}.")
    app.say(f"Now: dtledger twin read {slot.twin} --category NAME --purpose ETREAT")
    told = plain(app, app.client.emergencies.told(opening))
    app.data("emergency-opened", grant=grant, cause=meant.name, opening=told, sent=sent, dry_run=False)


def _require_sleeping(app: App, slot: Slot) -> None:
    """Refuse early what is no grant for emergencies; all else the rule itself says.

    Raises:
        AccessDeniedError: it does not sleep.
    """
    record = app.client.context.view().record(slot)
    if record is None or not record.grant.actions & Action.EMERGENCY.mask:
        raise AccessDeniedError(
            f"{app.people.grant(slot)} is no grant for emergencies.", hint="See `dtledger consent list`."
        )
