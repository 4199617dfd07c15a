"""`twin erase`: announced, waited for, done, and told: who signed, what failed, what remains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ..app import App, rfc3339
from ..command import verb
from .erased import plain_erasure, tell_erasure

if TYPE_CHECKING:
    from ...client import Erasure
    from ...ledger import Receipt


@verb(
    "erase",
    epilog="Examples: dtledger twin erase 7 --key ann   # announces it; nobody reads from then on · dtledger twin "
    "erase 7 --key ann   # a week later: does it · dtledger twin erase 7 --key ann --cancel   # in between",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--cancel", is_flag=True, help="Take the announcement back, while it is not final.")
@click.option("--statements", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write what the custodians sign that they destroyed to a new file, for an auditor.")  # fmt: skip
@click.option("--forget-secrets", is_flag=True, help="At the very end, let the key file forget the twin's secrets.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done next; sign and send nothing.")
def erase(
    app: App,
    twin: int | None,
    cancel: bool,
    statements: Path | None,
    forget_secrets: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Erase a twin: end it on the ledger, have its keys destroyed, and remove its blocks.

    The first time it announces that; reads stop at that block, for the owner too, and it can be cancelled until the
    deployment's delay is over. Run again after that, every custodian that ever held keys for the twin destroys them at
    your signed order and signs that it did, and its blocks are removed from this profile's store. Then a read is tried,
    and you are told who signed, who did not, and what remains. Run it again for those who did not answer, and for
    --statements: an audit of the twin takes them.

    It is a signed promise and not a proof: nobody can show that no copy is left anywhere.
    """
    if cancel and forget_secrets:
        raise click.UsageError("Choose one of --cancel and --forget-secrets.")
    if statements is not None and statements.exists():
        raise InputError(f"There is a file {statements}.", hint="Name another with --statements.")
    number = app.twin(twin)
    app.client.context.require_owner(number)
    erasing = app.client.erasing
    if cancel:
        _cancel(app, number, dry_run=dry_run)
        return
    announced = None
    if not erasing.final_at(number):
        announced = _announce(app, number, yes=yes, dry_run=dry_run)
        if dry_run:
            return
    if not erasing.is_final(number):
        if statements is not None:
            app.say(f"Nothing is signed before it is final, so nothing is written to {statements} now.")
        _wait(app, number, announced, dry_run=dry_run)
        return
    _finish(app, number, statements, forget_secrets, yes=yes, dry_run=dry_run)


def _announce(app: App, twin: int, *, yes: bool, dry_run: bool) -> Receipt | None:
    app.say(f"Announces that twin {twin} is to be erased. From that block on nobody reads it, you neither.")
    app.say("It can be cancelled until the deployment's delay is over.")
    if dry_run:
        app.show("Nothing was sent.")
        _tell(app, twin, "none", {}, dry_run=True)
        return None
    app.confirm(f"Announce the end of twin {twin}?", yes=yes)
    return app.client.erasing.announce(twin)


def _wait(app: App, twin: int, announced: Receipt | None, *, dry_run: bool) -> None:
    at = app.client.erasing.final_at(twin)
    sent = {"announcement": app.sent(announced)} if announced else {}
    app.show(f"Twin {twin} is not read by anybody, and final from {app.time(at)}.")
    app.say(f"Then again: dtledger twin erase {twin}. Until then: dtledger twin erase {twin} --cancel")
    _tell(app, twin, "announced", sent, final_at=rfc3339(at), dry_run=dry_run)


def _cancel(app: App, twin: int, *, dry_run: bool) -> None:
    app.say(f"Takes back that twin {twin} is to be erased: what is granted on it counts again.")
    sent = {} if dry_run else {"cancellation": app.sent(app.client.erasing.cancel(twin))}
    app.show("Nothing was sent." if dry_run else f"Twin {twin} stands as before.")
    _tell(app, twin, "cancelled", sent, dry_run=dry_run)


def _finish(app: App, twin: int, statements: Path | None, forget_secrets: bool, *, yes: bool, dry_run: bool) -> None:
    erasing = app.client.erasing
    app.say(f"Twin {twin} is retired for good since {app.time(erasing.final_at(twin))}.")
    app.say("Its custodians are to destroy their keys, and its blocks are removed. Nothing of it comes back.")
    if forget_secrets:
        app.say("At the end this key file forgets the twin's secrets.")
    if dry_run:
        app.show("Nothing was sent.")
        _tell(app, twin, "final", {}, dry_run=True)
        return
    app.confirm(f"Erase twin {twin} for good?", yes=yes)
    with app.progress("removing") as progress:
        done = erasing.finish(twin, progress)
    tell_erasure(app, done)
    if statements is not None:
        _write(app, statements, done)
    if forget_secrets:
        erasing.forget(twin)
        app.say("The twin's secrets are forgotten by this key file; copies of it still have them.")
    more = {"secrets_forgotten": forget_secrets, "statements": statements, **plain_erasure(app, done)}
    _tell(app, twin, "erased", {}, dry_run=False, **more)
    if not done.holds:
        from ...errors import UnreachableError

        raise UnreachableError(
            f"Too few custodians destroyed their keys of twin {twin}, or it could be read.",
            hint="Run it again when those who did not sign answer.",
        )


def _write(app: App, path: Path, done: Erasure) -> None:
    from ..._backend.files import write_atomically
    from ...encoding import encode

    write_atomically(path, encode({"destructions": [each.encode() for each in done.signed.values()]}))
    app.say(f"What they signed is in {path}: dtledger audit twin {done.twin} --statements {path}")


def _tell(app: App, twin: int, stage: str, sent: dict[str, Any], **more: Any) -> None:
    app.data("twin-erasure", twin=twin, stage=stage, sent=sent, **more)
