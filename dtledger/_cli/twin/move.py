"""`twin move`: to another key of one's own, or to a new owner. Both sign; what a crash cut short goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App, rfc3339
from ..command import verb
from . import move_files
from .custody import Custody, custody_options

if TYPE_CHECKING:
    from ...client import Acceptance, Client
    from ...ledger import Receipt
    from ...types import Address

FILE = click.Path(path_type=Path, dir_okay=False)


@verb(
    "move",
    epilog="Examples: dtledger twin move 7 --key ann --to ann-2027   # another key of this home · dtledger twin move 7 "
    "--key bea --accept-out bea.json   # on the recipient's machine · dtledger twin move --key ann --accepted bea.json "
    "--handover-out twin-7.json   # on the owner's · dtledger twin move --key bea --handover twin-7.json   # on the "
    "recipient's again",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option("--to", metavar="KEY", shell_complete=complete.keys, help="Move it to this key of this home.")
@click.option("--accept-out", type=FILE, metavar="FILE", help="As the recipient: write that --key takes the twin.")
@click.option("--accepted", type=FILE, metavar="FILE", help="As the owner: move it to whose consent FILE is.")
@click.option("--handover-out", type=FILE, metavar="FILE", help="With --accepted: the sealed secrets go here.")
@click.option("--handover", type=FILE, metavar="FILE", help="As the new owner: take the secrets, and set the card.")
@click.option(
    "--with-secrets/--without-secrets",
    default=None,
    help="Whether the new key gets the twin's secrets and reads what was written before. One of this home does unless "
    "you say otherwise; for a file you are asked.",
)
@custody_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign, write and send nothing.")
def move(
    app: App,
    twin: int | None,
    to: str | None,
    accept_out: Path | None,
    accepted: Path | None,
    handover_out: Path | None,
    handover: Path | None,
    with_secrets: bool | None,
    custodians: Sequence[str],
    threshold: int | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Move a twin to another key: your own (after a loss, or for a new device), or somebody else's for good.

    All that was granted ends with the move; the new owner sets a card, begins a new generation, and grants anew. The
    former key never gets the twin back, and keeps what it knows: after a theft, move first.
    """
    if sum(each is not None for each in (to, accept_out, accepted, handover)) != 1:
        raise click.UsageError("Choose one of --to, --accept-out, --accepted and --handover.")
    if handover_out is not None and accepted is None:
        raise click.UsageError("--handover-out goes with --accepted.")
    if accept_out is not None:
        _accept(app, app.twin(twin), accept_out, dry_run=dry_run)
    elif accepted is not None:
        _move_by_file(app, accepted, handover_out, with_secrets, yes=yes, dry_run=dry_run)
    elif handover is not None:
        _take(app, handover, Custody.chosen(app, custodians, threshold), dry_run=dry_run)
    else:
        assert to is not None
        custody = Custody.chosen(app, custodians, threshold)
        _move_at_home(app, twin, to, custody, with_secrets is not False, yes=yes, dry_run=dry_run)


def _accept(app: App, twin: int, path: Path, *, dry_run: bool) -> None:
    move_files.require_writable(app, path, move_files.ACCEPTANCE)
    acceptance = app.client.twins.accept_move(twin)
    if not dry_run:
        move_files.write_acceptance(app, path, acceptance)
    until = acceptance.deadline
    app.say(f"{app.people.full(app.client.address)} takes twin {twin}, if its owner moves it before {app.time(until)}.")
    app.show(f"{path} {'would be' if dry_run else 'is'} written. Then, its owner: dtledger twin move --accepted {path}")
    app.data("twin-acceptance", file=path, twin=twin, to=app.client.address, deadline=rfc3339(until), dry_run=dry_run)


def _move_by_file(
    app: App, path: Path, out: Path | None, with_secrets: bool | None, *, yes: bool, dry_run: bool
) -> None:
    twins = app.client.twins
    acceptance = twins.check_move(move_files.read_acceptance(app, path))
    name = app.people.full(acceptance.to)
    if with_secrets is None:
        with_secrets = out is not None or _asked(app, name, dry_run=dry_run)
    if with_secrets and out is None:
        raise click.UsageError("Say where the sealed secrets shall go: --handover-out FILE.")
    if out is not None and not with_secrets:
        raise click.UsageError("--handover-out hands the secrets over; --without-secrets does not.")
    _announce(app, acceptance.twin, name, with_secrets)
    if out is not None:
        move_files.require_writable(app, out, move_files.HANDOVER)
    if dry_run:
        app.show("Nothing was sent.")
        _tell(app, acceptance.twin, acceptance.to, with_secrets, {}, file=out, dry_run=True)
        return
    app.confirm(f"Move twin {acceptance.twin} for good?", yes=yes)
    if out is not None:
        move_files.write_handover(app, out, twins.hand_over(acceptance.twin, acceptance.to, acceptance.key))
    sent = app.sent(twins.move(acceptance))
    app.show(f"Twin {acceptance.twin} is {name}'s.")
    app.say(f"Next, the new owner: dtledger twin {f'move --handover {out}' if out else 'mint'} --key NAME")
    _tell(app, acceptance.twin, acceptance.to, with_secrets, {"move": sent}, file=out, dry_run=False)


def _move_at_home(
    app: App, twin: int | None, to: str, custody: Custody, with_secrets: bool, *, yes: bool, dry_run: bool
) -> None:
    """Between two keys of this home. Where the twin is the other key's already, its card is what is missing."""
    heir = app.client_of(to)
    number = app.twin(twin)
    moved = app.client.context.view().was_owner(number, app.client.address)
    goes_on = moved and app.client.context.view().owner(number) == heir.address
    if goes_on:
        app.say(f"Twin {number} is {app.people.full(heir.address)}'s already: going on with it.")
    else:
        app.client.context.require_owner(number)
        acceptance = app.client.twins.check_move(heir.twins.accept_move(number))
        _announce(app, number, app.people.full(heir.address), with_secrets)
    if dry_run:
        app.show("Nothing was sent.")
        _tell(app, number, heir.address, with_secrets, {}, dry_run=True, **custody.plain(app))
        return
    sent = {}
    if not goes_on:
        app.confirm(f"Move twin {number} for good?", yes=yes)
        sent["move"] = app.sent(_moved(app, acceptance))
    receipt = _begin(app, heir, number, custody, with_secrets)
    if receipt is not None:
        sent["card"] = app.sent(receipt)
    app.show(f"Twin {number} is {app.people.full(heir.address)}'s, and ready.")
    app.say(f"Nothing is granted on it yet. Back up {app.home.keys}: the new key's file has what no other has.")
    _tell(app, number, heir.address, with_secrets, sent, dry_run=False, **custody.plain(app))


def _moved(app: App, acceptance: Acceptance) -> Receipt:
    return app.client.twins.move(acceptance)


def _begin(app: App, heir: Client, twin: int, custody: Custody, with_secrets: bool) -> Receipt | None:
    if with_secrets:
        handover = app.client.twins.hand_over(twin, heir.address, heir.context.key.seal_key.public)
        return heir.twins.take_over(handover, custody.custodians, custody.threshold)
    if heir.context.view().card(twin) is not None:
        return None
    return heir.twins.set_up(twin, custody.custodians, custody.threshold)


def _take(app: App, path: Path, custody: Custody, *, dry_run: bool) -> None:
    handover = move_files.read_handover(app, path)
    app.say(f"Takes twin {handover.twin} and its secrets from {app.people.full(handover.owner)}.")
    sent: dict[str, Any] = {}
    if not dry_run:
        receipt = app.client.twins.take_over(handover, custody.custodians, custody.threshold)
        sent = {"card": app.sent(receipt)} if receipt else {}
        app.say(f"Nothing is granted on it yet. Back up {app.home.keys}; {path} is of no more use.")
    app.show(f"Twin {handover.twin} {'would be' if dry_run else 'is'} ready.")
    _tell(app, handover.twin, app.client.address, True, sent, dry_run=dry_run, **custody.plain(app))


def _announce(app: App, twin: int, name: str, with_secrets: bool) -> None:
    app.say(f"Twin {twin} becomes {name}'s for good, and all that is granted on it ends.")
    app.say(
        f"{name} gets its secrets and reads all that was ever written to it."
        if with_secrets
        else "Its secrets stay with this key alone: the new owner reads nothing that was written before."
    )


def _asked(app: App, name: str, *, dry_run: bool) -> bool:
    import sys

    if app.as_json or dry_run or not sys.stdin.isatty():
        raise InputError(
            "Shall the new owner read what was written before?", hint="Say --with-secrets or --without-secrets."
        )
    return click.confirm(f"Shall {name} get the twin's secrets and read all that was written before?", err=True)


def _tell(app: App, twin: int, to: Address, with_secrets: bool, sent: dict[str, Any], **more: Any) -> None:
    app.data("twin-moved", twin=twin, to=app.people.plain(to), with_secrets=with_secrets, sent=sent, **more)
