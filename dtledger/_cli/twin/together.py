"""What guardians do together, by a file that goes from one to the next: each signs, and the last one sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import DtledgerError, InputError
from ..app import App, rfc3339
from ..words import listed
from .guardian_files import act_bytes, read_act, read_opening

if TYPE_CHECKING:
    from ...client import GuardianAct
    from ...client.guardian_acts import Kind

FILE = click.Path(path_type=Path, dir_okay=False)

SAYS = {
    "Freeze": "freezes twin {twin} for 30 days: nobody reads it, and its owner changes nothing",
    "Unfreeze": "ends the freeze of twin {twin}",
    "AnnounceMove": "announces that twin {twin} moves to {to}, once its owner's delay is over",
    "RescueTwin": "cancels the retirement of twin {twin}",
}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every act of guardians takes."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--all", "everyone", is_flag=True, help="Send only once all guardians have signed."),
        click.option(
            "--guardians", "opening", type=FILE, metavar="FILE", help="The owner's file: begins FILE with it."
        ),
        click.argument("file", type=FILE),
    ):
        command = option(command)
    return command


def act_together(
    app: App,
    kind: Kind,
    file: Path,
    opening: Path | None,
    *,
    to: str | None = None,
    everyone: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Begin FILE or go on with it: sign if there is something for this key to sign, send if enough have."""
    from ..._backend.files import write_atomically

    act = _begun(app, kind, file, opening, to)
    client = app.client
    app.say(f"This {SAYS[act.kind].format(twin=act.twin, to=act.to and app.people.full(act.to))}.")
    if dry_run:
        _report(app, act, file, sent=None, dry_run=True)
        return
    announced = client.guardians.is_announced(act)
    if announced:
        app.say("That is announced already: shares of the twin's secrets are all that it still wants.")
    theirs = client.address in (*act.guardians.addresses, act.to)
    signed = client.guardians.sign(act) if theirs and not announced else act
    signed = _with_share(app, signed)
    if signed != act:
        app.confirm("Give your share?" if announced else "Sign it?", yes=yes)
        write_atomically(file, act_bytes(app, signed), mode=0o644)
    elif not theirs and not act.is_enough:
        client.guardians.sign(act)  # says that there is nothing for this key to do
    sent = None
    if signed.is_enough and (signed.is_signed_by_all or not everyone) and not announced:
        sent = app.sent(client.guardians.send(signed))
    _report(app, signed, file, sent=sent, dry_run=False)


def _with_share(app: App, act: GuardianAct) -> GuardianAct:
    """The act of a move, with this guardian's share of the twin's secrets; one who has none signs all the same."""
    try:
        given = app.client.guardians.give(act)
    except DtledgerError as error:
        app.warn(f"no share of the twin's secrets goes with it: {error}")
        return act
    if given != act:
        app.say("Your share of its secrets goes with it, sealed to that key.")
    return given


def _begun(app: App, kind: Kind, file: Path, opening: Path | None, to: str | None) -> GuardianAct:
    if file.exists():
        act = read_act(app, file)
        if act.kind != kind:
            raise InputError(f"{file} is for something else: it {SAYS[act.kind].format(twin=act.twin, to=act.to)}.")
        if to is not None and app.resolve(to).address != act.to:
            raise InputError(f"{file} moves the twin to {act.to}.", hint="Begin another file for another key.")
        return act
    if opening is None:
        raise InputError(f"There is no file {file}.", hint="Begin it with the owner's file: --guardians FILE")
    twin, guardians = read_opening(app, opening)
    recipient = None
    if kind == "AnnounceMove":
        own = app.client.address
        if to is None and own in guardians.addresses:
            raise click.UsageError("Where does the twin move? Name the new owner's key with --to.")
        recipient = own if to is None else app.resolve(to).address
    return app.client.guardians.begin(kind, twin, guardians, recipient)


def _report(app: App, act: GuardianAct, file: Path, *, sent: dict[str, Any] | None, dry_run: bool) -> None:
    total = len(act.guardians.addresses)
    count = f"{len(act.signatures)} of {total} guardians have signed, {act.guardians.needed} are needed"
    waiting = [each for each in act.guardians.addresses if each not in act.signers]
    if act.kind == "AnnounceMove" and not dry_run and app.client.guardians.is_announced(act):
        app.show(_announced(app, act, file))
    elif sent is not None:
        app.show("Done.")
    elif dry_run:
        app.show(f"Nothing was signed. {count}.")
    else:
        people = [*waiting, *([act.to] if act.to and not act.recipient else [])]
        app.show(f"{count}. Hand {file} on, for the same command by another until {app.time(act.deadline)}:")
        app.show(f"  {listed(app.people.full(each) for each in people)}")
    app.data(
        "guardian-act",
        act=act.kind,
        twin=act.twin,
        to=app.people.plain(act.to) if act.to else None,
        file=file,
        deadline=rfc3339(act.deadline),
        needed=act.guardians.needed,
        signed=[app.people.plain(each) for each in act.signers],
        waiting=[app.people.plain(each) for each in waiting],
        recipient_signed=bool(act.recipient),
        shares=[app.people.plain(each) for each in act.givers],
        sent=sent,
        dry_run=dry_run,
    )


def _announced(app: App, act: GuardianAct, file: Path) -> str:
    move = app.client.context.view().state(act.twin).move
    complete = f"dtledger twin recover complete {act.twin} --shares {file}"
    missing = act.guardians.needed - len(act.shares)
    wanting = f"\n{missing} more guardians' shares bring its secrets back: the same command by each." * (missing > 0)
    if move is None:
        return f"The twin is there: {complete}{wanting}"
    veto = "and its owner cannot veto it" if move.binding else "unless its owner vetoes it"
    return f"Announced: from {app.time(move.ready_at)} on, {veto}: {complete}{wanting}"
