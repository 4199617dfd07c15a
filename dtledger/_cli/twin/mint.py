"""`twin mint`: the patient signs, a minter pays, then the patient sets the twin card. What a crash cut short goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from .. import complete
from ..app import App, rfc3339
from ..command import verb
from ..words import listed

if TYPE_CHECKING:
    from ...client import Client, MintRequest
    from ...types import Address

SCHEMA = "dtledger/mint-request/1"
OPERATOR = "operator"

FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Custody:
    """Who is to hold the shares of the second lock, and how many of them are needed."""

    custodians: tuple[Address, ...]
    threshold: int


@verb(
    "mint",
    epilog="Examples: dtledger twin mint --key ann · dtledger twin mint --key ann --request-out ann.mint.json (on "
    "Ann's machine), dtledger twin mint --request ann.mint.json (on the hospital's), dtledger twin mint --key ann "
    "(on Ann's again: sets the card)",
)
@click.option(
    "--minter",
    metavar="KEY",
    shell_complete=complete.keys,
    help="The key of this home that pays, with the role MINTER. By default `operator`, if there is one.",
)
@click.option("--request-out", type=FILE, metavar="FILE", help="Write the patient's signed request; another mints.")
@click.option("--request", type=FILE, metavar="FILE", help="Mint for the patient whose request FILE is; --key pays.")
@click.option(
    "--custodian",
    "custodians",
    multiple=True,
    metavar="WHO",
    shell_complete=complete.contacts,
    help="Who holds shares of the second lock; may be repeated. By default all of the profile's.",
)
@click.option("--threshold", type=click.IntRange(1, 255), help="How many custodians open it. By default a majority.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; sign and send nothing.")
def mint(
    app: App,
    minter: str | None,
    request_out: Path | None,
    request: Path | None,
    custodians: Sequence[str],
    threshold: int | None,
    dry_run: bool,
) -> None:
    """Make a twin for the patient whose key --key is.

    The patient signs, a minter sends it and pays, and the patient sets the twin card, which names the custodians.
    A twin whose card is missing, after a crash or after --request on another machine, gets it first.
    """
    if sum((minter is not None, request_out is not None, request is not None)) > 1:
        raise click.UsageError("Choose one of --minter, --request-out and --request.")
    if request is not None:
        _mint_for_another(app, request, dry_run=dry_run)
        return
    if request_out is not None:
        _write_request(app, request_out, dry_run=dry_run)
        return
    custody = _custody(app, custodians, threshold)
    unfinished = app.client.twins.without_card()
    if unfinished:
        app.say(f"Twin {unfinished[0]} has no card yet: going on with it.")
        _set_card(app, unfinished[0], custody, {}, dry_run=dry_run)
        return
    payer = _minter(app, minter)
    held = f"{custody.threshold} of {len(custody.custodians)} custodians"
    app.say(f"{app.client.address} gets a twin that {payer.address} pays for; {held} open what is written to it.")
    if dry_run:
        app.show("Nothing was sent.")
        app.data("twin-minted", twin=None, owner=app.client.address, **_plain(app, custody), dry_run=True)
        return
    twin, receipt = payer.twins.mint(app.client.twins.request_mint())
    app.say(f"Twin {twin} is minted.")
    _set_card(app, twin, custody, {"mint": app.sent(receipt)}, dry_run=False)


def _set_card(app: App, twin: int, custody: Custody, sent: dict[str, Any], *, dry_run: bool) -> None:
    people = listed(app.people.name(each) for each in custody.custodians)
    app.say(f"Its card names {people}; {custody.threshold} of them open what is written to it.")
    if not dry_run:
        receipt = app.client.twins.set_up(twin, custody.custodians, custody.threshold)
        sent = {**sent, "card": app.sent(receipt)}
        app.say("Back up this home's folder `keys`: nobody else has the twin's secret.")
    app.show(f"Twin {twin} {'would be' if dry_run else 'is'} ready.")
    app.data(
        "twin-minted",
        twin=twin,
        owner=app.client.address,
        **_plain(app, custody),
        transactions=sent,
        dry_run=dry_run,
    )


def _plain(app: App, custody: Custody) -> dict[str, Any]:
    return {"threshold": custody.threshold, "custodians": [app.people.plain(each) for each in custody.custodians]}


def _custody(app: App, named: Sequence[str], threshold: int | None) -> Custody:
    chosen = tuple(dict.fromkeys(app.resolve(each).address for each in named)) or tuple(app.client.context.custodians)
    if not chosen:
        raise InputError("The profile names no custodian.", hint="Set them: `dtledger config set custodians …`.")
    needed = threshold if threshold is not None else len(chosen) // 2 + 1
    if needed > len(chosen):
        raise InputError(
            f"{needed} of {len(chosen)} custodians can never answer.", hint="Lower --threshold, or name more of them."
        )
    return Custody(chosen, needed)


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


# two machines ----------------------------------------------------------------------------------------------------


def _write_request(app: App, path: Path, *, dry_run: bool) -> None:
    from ..._backend.files import write_atomically

    made = None if dry_run else app.client.twins.request_mint()
    until = made.deadline if made else app.client.context.deadline()
    if made is not None:
        document = {
            "schema": SCHEMA,
            "deployment": app.client.context.deployment.id,
            "patient": made.patient,
            "count": made.count,
            "deadline": made.deadline,
            "signature": "0x" + made.signature.hex(),
        }
        write_atomically(path, (json.dumps(document, indent=2) + "\n").encode(), mode=0o644)
    app.say(f"{app.client.address} asks for a twin; a minter may send that until {app.time(until)}.")
    app.show(f"{path} {'would be' if dry_run else 'is'} written. Then: dtledger twin mint --request {path}")
    app.data(
        "mint-requested", file=path, patient=app.client.address, deadline=rfc3339(until), dry_run=dry_run
    )


def _mint_for_another(app: App, path: Path, *, dry_run: bool) -> None:
    request = _read_request(app, path)
    app.say(f"{request.patient} gets a twin that {app.client.address} pays for.")
    if dry_run:
        app.show("Nothing was sent.")
        app.data("twin-minted", twin=None, owner=request.patient, dry_run=True)
        return
    twin, receipt = app.client.twins.mint(request)
    sent = app.sent(receipt)
    app.show(f"Twin {twin} is minted. Its owner sets its card next: dtledger twin mint --key NAME")
    app.data("twin-minted", twin=twin, owner=request.patient, transactions={"mint": sent}, dry_run=False)


def _read_request(app: App, path: Path) -> MintRequest:
    """The request in a file.

    Raises:
        InputError: it cannot be read, is none, is for another deployment, or too old.
    """
    from ..._backend.files import parse_json
    from ...client import MintRequest
    from ...encoding import address

    try:
        document = parse_json(path.read_bytes(), 65_536)
        if document["schema"] != SCHEMA:
            raise ValueError("another schema")
        request = MintRequest(
            address(document["patient"]),
            int(document["count"]),
            int(document["deadline"]),
            bytes.fromhex(document["signature"].removeprefix("0x")),
        )
        deployment = document["deployment"]
    except OSError as error:
        raise InputError(f"The request {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is no request for a twin.", hint="`twin mint --request-out FILE` writes one.") from None
    context = app.client.context
    if deployment != context.deployment.id:
        raise InputError(
            f"The request is for the deployment {deployment}, this profile's is {context.deployment.id}.",
            hint="Choose another profile with --profile.",
        )
    if request.deadline < context.clock():
        raise InputError(
            f"The request was good until {app.time(request.deadline)}.", hint="Let the patient write a new one."
        )
    return request
