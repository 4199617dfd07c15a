"""`member card`: what one says of oneself, signed, in a file for the registrar and for one's contacts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import InputError
from ...types import ZERO_ADDRESS, Address
from .. import complete
from ..app import App, ask_secret
from ..command import Verb
from . import options
from .files import write_public

if TYPE_CHECKING:
    from ...contacts import MemberCardFile


@click.command(
    "card", cls=Verb, epilog='Example: dtledger member card "Dr Ann Lee" --organisation heart-clinic --key ann'
)
@click.argument("name")
@click.option(
    "--organisation", metavar="WHO", shell_complete=complete.contacts, help="A contact, an address or a card file."
)
@click.option("--organisation-name", metavar="TEXT", help="Its name on the card, if your contact has no card of it.")
@click.option("--founding", type=options.FILE, metavar="RECORD", help="Sign for the deployment under way in RECORD.")
@options.target("KEY.card.json")
@options.dry_run
@click.pass_obj
def card(
    app: App,
    name: str,
    organisation: str | None,
    organisation_name: str | None,
    founding: Path | None,
    out: Path | None,
    replace: bool,
    dry_run: bool,
) -> None:
    """Write a card of the selected key: NAME as people know you, your organisation, and the key to seal to.

    Hand it to a registrar, who enrols you by it, and to whoever shall know you. The names are signed by you and are
    on no ledger. Make it anew whenever your key or your organisation changes.
    """
    of, of_name = _organisation(app, organisation, organisation_name, asked=founding is None)
    made = _make(app, name, of, of_name, founding)
    path = out or Path(f"{Path(app.settings.key).stem}.card.json")
    if not dry_run:
        write_public(path, made.serialise(), replace=replace)
    _tell(app, made, path, dry_run=dry_run)


def _organisation(app: App, who: str | None, name: str | None, *, asked: bool) -> tuple[Address, str]:
    """The organisation and its name; without --organisation, the one that the ledger has for this member."""
    if who is None:
        if name is not None:
            raise click.UsageError("--organisation-name needs --organisation.")
        member = app.client.context.view().member(app.client.address) if asked else None
        if member is None or member.organisation is None:
            return ZERO_ADDRESS, ""
        who = member.organisation
    meant = app.resolve(who)
    known = name or (meant.card.name if meant.card else meant.name)
    if known is None:
        raise InputError(
            f"{meant.address} has no name here.", hint="Say it with --organisation-name, or add it as a contact."
        )
    return meant.address, known


def _make(app: App, name: str, of: Address, of_name: str, founding: Path | None) -> MemberCardFile:
    from ...client import make_card

    try:
        if founding is None:
            return app.client.members.card(name, of, of_name)
        from ..._backend.migrations import read_journal
        from ...client.opening import unlock

        deployment = read_journal(founding).deployment()
        return make_card(deployment, unlock(app.settings, ask_secret), name, 0, of, of_name)
    except ValueError as error:
        raise InputError(f"The card cannot be made: {error}.") from error


def _tell(app: App, made: MemberCardFile, path: Path, *, dry_run: bool) -> None:
    from ...contacts import fingerprint

    words = fingerprint(made.address, made.public_key)
    of = f" of {made.organisation_name}" if made.organisation_name else ""
    app.show(f"{'It would be' if dry_run else 'It is'} the card of {made.name}{of}, {made.address}: {path}")
    app.show(f"fingerprint  {click.style(words, bold=True)}")
    if made.organisation_name:
        app.say(f"Your organisation agrees: dtledger member agree {path} --key ITS-KEY")
    verb = "enrol" if made.version == 0 else "update"
    app.say(f"{'A registrar enrols' if verb == 'enrol' else 'Then'}: dtledger member {verb} {path}")
    app.data("member-card-made", card=made.to_dict(), fingerprint=words, path=path, dry_run=dry_run)
