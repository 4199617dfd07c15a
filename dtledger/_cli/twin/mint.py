"""`twin mint`: the patient signs, a minter pays, the patient sets the card. What a crash cut short goes on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App
from ..command import verb
from ..words import listed
from .custody import Custody, custody_options
from .emergency import let, require_emergency
from .mint_request import mint_for_another, write_request

if TYPE_CHECKING:
    from ...client import Client
    from ...types import Address

OPERATOR = "operator"

FILE = click.Path(path_type=Path, dir_okay=False)


@verb(
    "mint",
    epilog="Examples: dtledger twin mint --key ann · dtledger twin mint --key ann --request-out ann.mint.json   # on "
    "Ann's machine · dtledger twin mint --request ann.mint.json   # on the hospital's · dtledger twin mint --key ann"
    "   # on Ann's again: sets the card",
)
@click.option(
    "--minter",
    metavar="KEY",
    shell_complete=complete.keys,
    help="The key of this home that pays, with the role MINTER. By default `operator`, if there is one.",
)
@click.option("--request-out", type=FILE, metavar="FILE", help="Write the patient's signed request; another mints.")
@click.option("--request", type=FILE, metavar="FILE", help="Mint for the patient whose request FILE is; --key pays.")
@click.option("--another", is_flag=True, help="One more, though the key owns a twin already.")
@custody_options
@click.option(
    "--emergency",
    metavar="WHO",
    shell_complete=complete.contacts,
    help="Who may open it in an emergency, as by `twin emergency on`. By default nobody; at a terminal you are asked.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def mint(
    app: App,
    minter: str | None,
    request_out: Path | None,
    request: Path | None,
    another: bool,
    custodians: Sequence[str],
    threshold: int | None,
    emergency: str | None,
    dry_run: bool,
) -> None:
    """Make a twin for the patient whose key --key is.

    The patient signs, a minter sends it and pays, and the patient sets the twin card, which names the custodians.
    By default nobody can open it in an emergency: --emergency, or later `dtledger twin emergency on`, says who may.
    A twin whose card is missing, after a crash or after --request on another machine, gets it first. A patient needs
    one twin: a second is made with --another only.
    """
    if sum((minter is not None, request_out is not None, request is not None)) > 1:
        raise click.UsageError("Choose one of --minter, --request-out and --request.")
    if request is not None:
        mint_for_another(app, request, dry_run=dry_run)
        return
    if request_out is not None:
        _require_first(app, another=another)
        write_request(app, request_out, dry_run=dry_run)
        return
    custody = Custody.chosen(app, custodians, threshold)
    trusted = None if dry_run else _trusted(app, emergency)
    unfinished = app.client.twins.without_card()
    if unfinished:
        app.say(f"Twin {unfinished[0]} has no card yet: going on with it.")
        _set_card(app, unfinished[0], custody, {}, trusted, dry_run=dry_run)
        return
    _require_first(app, another=another)
    payer = _minter(app, minter)
    held = f"{custody.threshold} of {len(custody.custodians)} custodians"
    patient, payer_name = (app.people.full(each.address) for each in (app.client, payer))
    app.say(f"{patient} gets a twin that {payer_name} pays for; {held} open what is written to it.")
    if dry_run:
        app.show("Nothing was sent.")
        app.data(
            "twin-minted",
            twin=None,
            owner=app.client.address,
            **custody.plain(app),
            emergency=None,
            sent={},
            dry_run=True,
        )
        return
    twin, receipt = payer.twins.mint(app.client.twins.request_mint())
    app.say(f"Twin {twin} is minted.")
    _set_card(app, twin, custody, {"mint": app.sent(receipt)}, trusted, dry_run=False)


def _set_card(
    app: App, twin: int, custody: Custody, sent: dict[str, Any], trusted: Address | None, *, dry_run: bool
) -> None:
    if app.client.twins.is_recoverable(twin):
        raise InputError(
            f"Twin {twin} has a recovery package: a card set now begins with new secrets.",
            hint=f"dtledger twin recover complete {twin} --shares FILE, or --without-secrets.",
        )
    people = listed(app.people.name(each) for each in custody.custodians)
    app.say(f"Its card names {people}; {custody.threshold} of them open what is written to it.")
    if not dry_run:
        receipt = app.client.twins.set_up(twin, custody.custodians, custody.threshold)
        sent = {**sent, "card": app.sent(receipt)}
        app.say("Back up this home's folder `keys`: nobody else has the twin's secret.")
    app.show(f"Twin {twin} {'would be' if dry_run else 'is'} ready.")
    emergency = let(app, twin, trusted) if trusted else None
    app.data(
        "twin-minted",
        twin=twin,
        owner=app.client.address,
        **custody.plain(app),
        emergency=emergency,
        sent=sent,
        dry_run=dry_run,
    )


def _trusted(app: App, named: str | None) -> Address | None:
    """Whom the patient lets break the glass: nobody, unless they say so."""
    if named is None and sys.stdin.isatty() and not app.as_json:
        question = "Which emergency organisation may open it in an emergency? (Enter for none)"
        named = click.prompt(question, default="", show_default=False, err=True)
    if not named:
        return None
    organisation = app.resolve(named).address
    require_emergency(app, organisation)
    return organisation


def _require_first(app: App, *, another: bool) -> None:
    owned = app.client.twins.owned()
    if owned and not another:
        raise InputError(
            f"This key owns {listed(f'twin {each}' for each in owned)} already.",
            hint=f"`dtledger twin show {owned[0]}` shows it. To have one more all the same, add --another.",
        )


def _minter(app: App, named: str | None) -> Client:
    """The client of the key that pays: the one named, else this home's operator, if that is not the patient."""
    from ...keys import KeyStore

    if named is not None:
        return app.client_of(named)
    if OPERATOR not in KeyStore(app.home).names():
        raise InputError(
            "Somebody with the role MINTER has to send it, and this home has no such key.",
            hint="Write a request for them: --request-out FILE. Or name a key of this home: --minter KEY.",
        )
    payer = app.client_of(OPERATOR)
    if payer.address == app.client.address:
        raise InputError(
            "This key is the operator's, who mints for patients.",
            hint="Name the patient's with --key (`dtledger key new NAME` makes one). If it shall be the owner of a "
            "twin all the same, say --minter operator too.",
        )
    return payer
