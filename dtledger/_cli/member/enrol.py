"""`member enrol`: a registrar's act. It takes a member's own card and cannot put another key in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import InputError
from ...types import ZERO_ADDRESS
from ...vocabulary import Kind
from ...vocabulary.rights import GUARDED_KINDS
from ..app import App
from ..command import Verb
from ..words import KIND
from . import options
from .authority import require_role
from .person import kinds_in, mask_of

if TYPE_CHECKING:
    from ...contacts import MemberCardFile


@click.command(
    "enrol",
    cls=Verb,
    epilog="Example: dtledger member enrol ann.card.json --kind CLINICIAN --agreement ann.agreement.json",
)
@click.argument("card", type=options.FILE)
@click.option("--kind", "kinds", type=KIND, multiple=True, help="What it is; may be said several times.")
@options.agreement
@options.yes
@options.dry_run
@click.pass_obj
def enrol(
    app: App,
    card: Path,
    kinds: tuple[str, ...],
    agreement: Path | None,
    organisation_key: str | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """As a registrar, enrol the member of CARD. A member who names an organisation needs its agreement.

    Being enrolled permits nothing by itself; only an owner's grant does. The ledger gets no name: address, kinds,
    organisation and the digest of the key to seal to.
    """
    from ...ledger import calls

    _refuse_guarded(mask_of(kinds))
    made = read_card(app, card)
    _require_new(app, made)
    consent = agreement_for(app, made, agreement, organisation_key)
    require_role(app, calls.enrol(made.card, made.signature, consent, mask_of(kinds)))
    say_card(app, made)
    as_what = f" as {', '.join(kinds_in(mask_of(kinds)))}" if kinds else ""
    app.say(f"Enrols {made.name} ({made.address}){as_what}. Be sure that it is who it says: compare the six words.")
    sent = None
    if not dry_run:
        app.confirm("Enrol it?", yes=yes)
        sent = app.sent(app.client.members.enrol(made, [Kind[name] for name in kinds], consent))
    app.show(f"{made.name} {'would be' if dry_run else 'is'} enrolled{as_what}.")
    if made.organisation != ZERO_ADDRESS:
        app.say("It can use its organisation's grants once that runs: dtledger member keyring")
    app.data(
        "member-enrolled",
        address=made.address,
        name=made.name,
        kinds=kinds_in(mask_of(kinds)),
        organisation=None if made.organisation == ZERO_ADDRESS else made.organisation,
        sent=sent,
        dry_run=dry_run,
    )


def _refuse_guarded(mask: int) -> None:
    guarded = kinds_in(mask & GUARDED_KINDS)
    if guarded:
        names = " and ".join(guarded)
        raise InputError(
            f"{names} cannot be given at enrolment: no registrar alone shall make one.",
            hint=f"Enrol it without; then a steward announces it, and gives it when the governance delay is over: "
            f"dtledger member kinds WHO --add {guarded[0]}",
        )


def _require_new(app: App, card: MemberCardFile) -> None:
    if app.client.context.view().member(card.address) is not None:
        raise InputError(
            f"{card.name} ({card.address}) is enrolled already.",
            hint="Carry a changed card with `dtledger member update`, change kinds with `dtledger member kinds`.",
        )
    if card.version != 0:
        raise InputError(
            f"The card is of version {card.version}, and its member is not enrolled on this ledger.",
            hint="Ask for one made for this deployment: dtledger member card NAME",
        )


def read_card(app: App, path: Path) -> MemberCardFile:
    """The card in a file, its signatures checked."""
    card = app.resolve(str(path) if path.suffix == ".json" else f"./{path}").card
    assert card is not None, "a path resolves to a card"
    return card


def agreement_for(app: App, card: MemberCardFile, file: Path | None, key: str | None) -> bytes:
    """The organisation's signature for this card: from a file, or made now; none where none is needed.

    Raises:
        InputError: it is missing, or for another card.
        IntegrityError: somebody else signed it.
    """
    from ...contacts import Agreement

    if file is not None and key is not None:
        raise click.UsageError("Name one: --agreement or --organisation-key.")
    present = app.client.context.view().member(card.address)
    stays = present is not None and present.organisation == card.organisation
    if card.organisation in (ZERO_ADDRESS, app.client.address) or stays:
        return b""
    if file is not None:
        return Agreement.read(file).verify(app.client.context.deployment, card).signature
    if key is not None:
        organisation = app.client_of(key)
        if organisation.address != card.organisation:
            raise InputError(f"The key {key} is not that of {card.organisation_name} ({card.organisation}).")
        return organisation.members.agree(card)
    raise InputError(
        f"{card.organisation_name} ({card.organisation}) has not agreed to {card.name}.",
        hint="Let it run `dtledger member agree CARD`, and name the file with --agreement.",
    )


def say_card(app: App, card: MemberCardFile) -> None:
    """What a card says, before its bearer is believed."""
    from ...contacts import fingerprint

    app.say(f"name         {card.name}" + ("" if card.name_signature else " (not signed)"))
    if card.organisation_name:
        app.say(f"of           {card.organisation_name} ({card.organisation})")
    app.say(f"address      {card.address}")
    app.say(f"fingerprint  {click.style(fingerprint(card.address, card.public_key), bold=True)}")
