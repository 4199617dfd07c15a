"""`twin recover`: a twin comes to a new key with its guardians' help."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import noun, verb
from ..words import listed
from .custody import Custody, custody_options
from .guardian_files import read_act
from .together import FILE, act_together, options

if TYPE_CHECKING:
    from ...client import GuardianShare

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

    FILE goes from one to the next, the new key's holder first; the one with whom there are enough sends it. Each
    guardian seals its share of the twin's secrets to the new key in it; who signed before that key did, or comes after
    it was sent, adds the share by the same command. On a frozen twin a move that all guardians signed (--all) cannot be
    vetoed. A twin that is to be retired has to be rescued first: `dtledger twin rescue`.
    """
    act_together(app, "AnnounceMove", file, opening, to=to, everyone=everyone, yes=yes, dry_run=dry_run)


@verb(
    "complete",
    epilog="Examples: dtledger twin recover complete 7 --shares ann.move.json --key ann-new · "
    "dtledger twin recover complete 7 --without-secrets --key ann-new",
)
@click.argument("twin", type=click.IntRange(0))
@click.option(
    "--shares",
    "files",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="The file that went from guardian to guardian; each copy of it, if there are several.",
)
@click.option(
    "--without-secrets", is_flag=True, help="Begin with new secrets: what was written before is not read again."
)
@custody_options
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def complete_(
    app: App,
    twin: int,
    files: Sequence[Path],
    without_secrets: bool,
    custodians: Sequence[str],
    threshold: int | None,
    dry_run: bool,
) -> None:
    """Move a twin as its guardians announced, once the owner's delay is over, and get its secrets back.

    Anyone may send the move. Its card, its guardians and all grants end. The new key then puts the twin's secrets
    together from the guardians' shares and the custodians', begins a new generation and sets its card. If too few of
    them answer, or this is interrupted, run it again: it goes on.
    """
    if files and without_secrets:
        raise click.UsageError("Choose one of --shares and --without-secrets.")
    context = app.client.context
    state, me = context.view().state(twin), app.client.address
    mine = me in (context.view().owner(twin), state.move.to if state.move else None)
    if (files or without_secrets) and state.move is not None and not mine:
        raise InputError(f"Twin {twin} moves to {app.people.full(state.move.to)}.", hint="Choose that key with --key.")
    if not (files or without_secrets):
        _finish(app, twin, "twin-recovered", dry_run=dry_run)
    else:
        custody = Custody.chosen(app, custodians, threshold)
        _bring_back(app, twin, None if without_secrets else _shares(app, twin, files), custody, dry_run=dry_run)


@verb("veto", epilog="Example: dtledger twin recover veto 7")
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def veto(app: App, twin: int | None, dry_run: bool) -> None:
    """As the owner, veto a move that guardians announced."""
    _finish(app, app.twin(twin), "twin-move-vetoed", dry_run=dry_run)


def _shares(app: App, twin: int, files: Sequence[Path]) -> list[GuardianShare]:
    """The guardians' shares of all copies of the file."""
    acts = [read_act(app, file) for file in files]
    for file, act in zip(files, acts, strict=True):
        if (act.kind, act.twin) != ("AnnounceMove", twin):
            raise InputError(f"{file} is not about a move of twin {twin}.")
    return [share for act in acts for share in act.shares]


def _bring_back(app: App, twin: int, shares: list[GuardianShare] | None, custody: Custody, *, dry_run: bool) -> None:
    given = {} if shares is None else {each.guardian for each in shares}
    app.say(
        f"Twin {twin} begins with new secrets: this key reads nothing that was written before."
        if shares is None
        else f"Brings twin {twin} back with the shares of {listed(map(app.people.full, given)) or 'nobody'}."
    )
    sent: dict[str, Any] = {}
    generation, faults = None, {}
    if not dry_run:
        done = app.client.guardians.bring_back(twin, shares, custody.custodians, custody.threshold)
        sent = {name: app.sent(each) for name, each in (("move", done.move), ("card", done.card)) if each}
        if done.recovered is not None:
            generation, faults = done.recovered.generation, done.recovered.faults
        for who, fault in faults.items():
            app.warn(f"{app.people.full(who)}: {fault.message}")
        app.say(
            f"Nothing is granted on it yet, and it has no guardians: dtledger twin guardians set {twin}\n"
            f"Back up {app.home.keys}: this key's file has what no other has."
        )
    app.show(f"Twin {twin} {'would be' if dry_run else 'is'} ready.")
    app.data(
        "twin-recovered",
        twin=twin,
        to=app.people.plain(app.client.address),
        with_secrets=shares is not None,
        generation=generation,
        faults={who: fault.message for who, fault in faults.items()},
        sent=sent,
        dry_run=dry_run,
    )


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
        receipt = app.sent(act(twin))
        sent = receipt if vetoes else {"move": receipt}
    if vetoes:
        app.show(f"Twin {twin} {'would stay' if dry_run else 'stays'} with its owner.")
    else:
        app.show(f"Twin {twin} {'would be' if dry_run else 'is'} with {to}.")
        app.say(f"Its new owner goes on: dtledger twin recover complete {twin} --shares FILE --key NAME")
    app.data(schema, twin=twin, to=app.people.plain(move.to), sent=sent, dry_run=dry_run)


for each in (begin, complete_, veto):
    recover.add_command(each)
