"""`twin recover`: a twin comes to a new key with its guardians' help."""

from __future__ import annotations

from pathlib import Path

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import noun, verb
from .together import act_together, options

recover = noun("recover", "Bring a twin to a new key with its guardians' help: begin, complete; or veto that.")


@verb(
    "begin",
    epilog="Examples: dtledger twin recover begin ann.move.json --guardians ann.guardians.json --key ann-new · "
    "dtledger twin recover begin ann.move.json --key bea · dtledger twin recover begin ann.move.json --key cem",
)
@options
@click.option(
    "--to",
    metavar="WHO",
    shell_complete=complete.contacts,
    help="The new owner's key, which signs too. By default --key, if it is no guardian's.",
)
def begin(app: App, file: Path, opening: Path | None, to: str | None, everyone: bool, yes: bool, dry_run: bool) -> None:
    """As guardians and a new key, announce that a twin moves there. Its owner can veto that until it is done.

    FILE goes from one to the next, the new key's holder included; the one with whom there are enough sends it. On a
    frozen twin a move that all guardians signed (--all) cannot be vetoed. A twin that is to be retired has to be
    rescued first: `dtledger twin rescue`.
    """
    act_together(app, "AnnounceMove", file, opening, to=to, everyone=everyone, yes=yes, dry_run=dry_run)


@verb("complete", epilog="Example: dtledger twin recover complete 7 --key ann-new")
@click.argument("twin", type=click.IntRange(0))
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def complete_(app: App, twin: int, dry_run: bool) -> None:
    """Move a twin as its guardians announced, once the owner's delay is over. Anyone may send it.

    Its card, its guardians and all grants end. The new owner sets a card next: `dtledger twin mint`.
    """
    _finish(app, twin, "twin-recovered", dry_run=dry_run)


@verb("veto", epilog="Example: dtledger twin recover veto 7")
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def veto(app: App, twin: int | None, dry_run: bool) -> None:
    """As the owner, veto a move that guardians announced."""
    _finish(app, app.twin(twin), "twin-move-vetoed", dry_run=dry_run)


def _finish(app: App, twin: int, schema: str, *, dry_run: bool) -> None:
    """Complete or veto the move that is announced."""
    vetoes = schema == "twin-move-vetoed"
    move = app.client.context.view().state(twin).move
    if move is None:
        raise InputError(f"Guardians have announced no move of twin {twin}.", hint="`dtledger twin show` says more.")
    to = app.people.full(move.to)
    app.say(f"The guardians of twin {twin} announced that it moves to {to}, from {app.time(move.ready_at)} on.")
    sent = None
    if not dry_run:
        act = app.client.guardians.veto if vetoes else app.client.guardians.complete
        sent = app.sent(act(twin))
    if vetoes:
        app.show(f"Twin {twin} {'would stay' if dry_run else 'stays'} with its owner.")
    else:
        app.show(f"Twin {twin} {'would be' if dry_run else 'is'} with {to}.")
        app.say("Its new owner sets its card next: dtledger twin mint --key NAME")
    app.data(schema, twin=twin, to=app.people.plain(move.to), sent=sent, dry_run=dry_run)


for each in (begin, complete_, veto):
    recover.add_command(each)
