"""`consent respond`: the owner of a twin answers a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from .giving import announce, dry_run, granted
from .options import narrowing
from .requests import delivered, find, own_twins, plain_request, show_request
from .terms import TermOptions

if TYPE_CHECKING:
    from ...client import ConsentRequest


@verb(
    "respond",
    epilog="Examples: dtledger consent respond ID --yes · dtledger consent respond ID --yes --for 7d · "
    'dtledger consent respond ID --no --reason "Not before my holidays."',
)
@click.argument("name", metavar="ID")
@click.option("--yes", is_flag=True, help="Grant it, and do not ask.")
@click.option("--no", "deny", is_flag=True, help="Refuse it. That costs no gas.")
@click.option("--reason", default="", metavar="TEXT", help="Why, in one plain line to whoever asked.")
@narrowing
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Only a request on this twin.")
@click.option(
    "--dry-run", "dry", is_flag=True, help="Say what it would do, with the snapshots that it opens; sign nothing."
)
def respond(
    app: App,
    name: str,
    yes: bool,
    deny: bool,
    reason: str,
    twin: int | None,
    slot: int | None,
    dry: bool,
    **options: Any,
) -> None:
    """Answer a request that `consent list --pending` shows; ID is its name there.

    Without --no it is granted like any grant: one sentence and a question, which --yes answers. What was asked for may
    be narrowed with the options of `consent grant`, never widened. A name stands for exactly what was shown: a request
    that was changed since has another one. What you refused you can grant later, while the request is kept (30 days).
    """
    if yes and deny:
        raise click.UsageError("Answer --yes or --no.")
    if deny and (slot is not None or any(options.values())):
        raise click.UsageError("A refusal has no terms: leave all but --reason out.")
    request = find(app, own_twins(app, twin), name)
    show_request(app, request)
    if deny:
        _deny(app, request, reason, dry=dry)
    else:
        _grant(app, request, TermOptions(**options), slot, reason, yes=yes, dry=dry)


def _deny(app: App, request: ConsentRequest, reason: str, *, dry: bool) -> None:
    from ...client.asks import check_reason

    check_reason(reason)
    if dry:
        app.say("It would be refused. Nothing was signed.")
        app.data("consent-response", yes=False, request=plain_request(app, request), reason=reason, dry_run=True)
        return
    done = app.client.consents.respond(request, reason=reason)
    app.show(f"Refused: {request.id}")
    kept = delivered(app, done.delivery)
    told = plain_request(app, done.request)
    app.data("consent-response", yes=False, request=told, reason=reason, **kept, dry_run=False)


def _grant(
    app: App, request: ConsentRequest, options: TermOptions, number: int | None, reason: str, *, yes: bool, dry: bool
) -> None:
    consents = app.client.consents
    terms = options.terms(app, request.ask.terms(app.client.context.clock()))
    where = consents.slot_for(request, terms, number)
    if app.people.contact(request.member) is None:
        from ...contacts import fingerprint

        words = fingerprint(request.member, app.client.context.public_key(request.member))
        app.say(f"{request.member} is none of your contacts; its six words are: {words}.")
    (told,) = announce(app, [where], terms)
    if dry:
        snapshots = dry_run(app, request.twin, terms)
        plain = plain_request(app, request)
        app.data(
            "consent-response",
            yes=True,
            request=plain,
            **told,
            reason=reason,
            snapshots=snapshots,
            sent=None,
            dry_run=True,
        )
        return
    app.confirm("Grant it?", yes=yes)
    done = consents.respond(request, terms, reason, where.number)
    assert done.receipt is not None, "a yes is granted, or raises"
    sent = app.sent(done.receipt)
    granted(app, where)
    kept = delivered(app, done.delivery)
    plain = plain_request(app, done.request)
    app.data("consent-response", yes=True, request=plain, **told, reason=reason, sent=sent, **kept, dry_run=False)
