"""`fhir import consent`: what a Consent permits of what you name becomes grants, what it denies ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import verb
from ..consent.options import granting
from ..consent.plain import plain_slot, plain_terms, sentence
from ..consent.terms import TermOptions
from .plain import say_losses, shown, source

if TYPE_CHECKING:
    from ...client.consent_imports import ImportPlan
    from ...types import Address


@verb(
    "consent",
    epilog="Example: dtledger fhir import consent consent.json --twin 7 --actor Organization/f001=hospital "
    "--category glucose --purpose TREAT --for 30d",
)
@click.argument("file", metavar="FILE|-")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option(
    "--actor",
    "actors",
    multiple=True,
    metavar="REFERENCE=WHO",
    help="Who stands behind a reference of the file; may be repeated.",
)
@click.option(
    "--to",
    "names",
    multiple=True,
    metavar="WHO",
    shell_complete=complete.contacts,
    help="To whom; by default to every actor that you named. May be repeated.",
)
@granting
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what it would do; sign nothing.")
def consent(
    app: App,
    file: str,
    twin: int | None,
    actors: Sequence[str],
    names: Sequence[str],
    slot: int | None,
    yes: bool,
    dry: bool,
    **options: Any,
) -> None:
    """Carry a FHIR R4 Consent over to a twin of yours.

    You name what you would grant, and the Consent makes it less: granted is what it surely permits of that, and
    whatever it may mean by a denial is denied. Whom it denies everything is blocked, and standing grants that it denies
    are revoked, before anything is granted. What of it is not carried over is listed.
    """
    from ...fhir import read_consent, read_file

    if slot is not None:
        raise click.UsageError("A consent may take several slots: leave --slot out.")
    read = read_consent(read_file(source(file)))
    number = app.twin(twin)
    app.client.context.require_owner(number)
    behind = _actors(app, actors)
    grantees = [app.resolve(each).address for each in names] or list(dict.fromkeys(behind.values()))
    plan = app.client.consent_imports.plan(number, read, TermOptions(**options).terms(app), grantees, behind)
    losses = say_losses(app, read.losses)
    for each in sorted(read.references - behind.keys()):
        name = shown(each)
        app.say(f"  {name} is nobody that you named (--actor {name}=WHO): what is denied to it is denied to all")
    told = _say_plan(app, plan)
    if not plan:
        app.show(
            "Nothing is granted: of what you named the Consent surely permits nothing. Nothing needs to be denied."
        )
    if dry or not plan:
        app.say("Nothing was signed.")
        app.data("fhir-consent", **told, losses=losses, sent=[], dry_run=dry)
        return
    app.confirm("Carry it over?", yes=yes)
    slots, receipts = app.client.consent_imports.carry_out(plan)
    sent = [app.sent(each) for each in receipts]
    for made in slots:
        app.show(f"Granted: {app.people.grant(made)}")
    app.data("fhir-consent", **told, losses=losses, granted=[plain_slot(app, each) for each in slots], sent=sent,
             dry_run=False)  # fmt: skip


def _actors(app: App, words: Sequence[str]) -> dict[str, Address]:
    found = {}
    for word in words:
        reference, equals, who = word.partition("=")
        if not (reference and equals and who):
            raise InputError(f"{word!r} names no actor.", hint="Write --actor Organization/f001=hospital.")
        found[reference] = app.resolve(who).address
    return found


def _say_plan(app: App, plan: ImportPlan) -> dict[str, Any]:
    from ...ledger import Slot

    owner = app.client.address
    for each in plan.blocks:
        app.say(f"Blocked on twin {plan.twin}: {app.people.described(each)}.")
    for slot in plan.revokes:
        app.say(f"Revoked, for the consent denies it: {app.people.grant(slot)}.")
    grants = []
    for who, terms in plan.grants:
        text = sentence(app, Slot(owner, plan.twin, who, 0), terms, None)
        app.say(text)
        grants.append({"grantee": app.people.plain(who), **plain_terms(terms), "sentence": text})
    return {
        "twin": plan.twin,
        "blocks": [app.people.plain(each) for each in plan.blocks],
        "revokes": [app.people.grant(each) for each in plan.revokes],
        "grants": grants,
    }
