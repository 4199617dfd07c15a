"""`consent request`: a member asks the owner of a twin for consent."""

from __future__ import annotations

from typing import Any

import click

from ..app import App
from ..command import verb
from .options import asking
from .requests import asked_words, delivered, plain_request
from .terms import TermOptions


@verb(
    "request",
    epilog="Examples: dtledger consent request --twin 7 --category glucose --purpose TREAT --for 30d --history 30d "
    '--reason "To see your nights before we change the dose." · dtledger consent list --asked',
)
@click.option("--twin", type=click.IntRange(0), required=True, metavar="NUMBER", help="Whose owner is asked.")
@asking
@click.option("--for", "length", required=True, metavar="LENGTH", help="How long it would hold, once granted: 30d.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in one plain line to the patient.")
@click.option(
    "--answer-within",
    "within",
    default="14d",
    show_default=True,
    metavar="LENGTH",
    help="How long it can be answered; at most 30d.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked; sign nothing.")
def request(
    app: App, twin: int, length: str, reason: str, within: str, yes: bool, dry_run: bool, **options: Any
) -> None:
    """Ask the owner of a twin for consent, as the member that you are.

    Only the owner can read what you ask and why. The twin's custodians keep the letter for 30 days and see that you ask
    something on this twin; nothing of it is on the ledger, and it costs no gas. You may ask three times in 30 days.
    """
    from ...client import Ask
    from ...client.core import duration
    from ...vocabulary import Action, Purpose

    consents, now = app.client.consents, app.client.context.clock()
    typed = TermOptions(**options, length=length, until=None, start=None)
    asked = typed.terms(app)
    last = typed.last_minute(app, now)
    ask = Ask(
        asked.categories,
        tuple(each for each in Purpose if each in asked.purposes),
        tuple(each for each in Action if each in asked.actions),
        asked.expires_at - asked.not_before_at,
        reason.strip(),
        typed.first_minute(app, now) if last is None else asked.data.start,
        last,
    )
    lasts = duration(within)
    draft = consents.draft(twin, ask, lasts)
    app.say(f"To the owner of twin {twin} ({app.people.full(draft.owner)}), if it is granted now:")
    app.say(f"  {asked_words(app, draft, ask.terms(now))}.")
    app.say(f"  Because: {ask.reason}")
    if dry_run:
        app.say("Nothing was signed.")
        app.data("consent-request", **plain_request(app, draft) | {"request": None}, dry_run=True)
        return
    app.confirm("Ask for it?", yes=yes)
    sent, delivery = consents.request(twin, ask, lasts)
    app.show(f"Asked: {sent.id}")
    kept = delivered(app, delivery)
    app.say(f"It can be answered until {app.time(sent.expires_at)}; see how it stands: dtledger consent list --asked")
    app.data("consent-request", **plain_request(app, sent), **kept, dry_run=False)
