"""`member find`: from a name to a member. The ledger holds no name, so contacts and card files are searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import App
from ..command import Verb
from .person import Person

if TYPE_CHECKING:
    from ...contacts import MemberCardFile
    from ...ledger import View
    from ...types import Address


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody found: where, and by which card."""

    source: str
    address: Address
    contact: str | None
    card: MemberCardFile | None
    genuine: bool
    """Whether the card is signed by its address."""


@click.command("find", cls=Verb, epilog="Example: dtledger member find cardiology --cards ~/cards")
@click.argument("text")
@click.option(
    "--cards",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="A folder of card files to search besides your contacts.",
)
@click.pass_obj
def find(app: App, text: str, cards: tuple[Path, ...]) -> None:
    """Find members by a part of a name, an organisation or an address, among your contacts and card files.

    For each it says whether and as what it is enrolled, by whom, and the six words to compare with it.
    """
    view = app.ledger.view()
    hits = [each for each in (*_contacts(app), *_cards(app, cards)) if _matches(each, text)]
    rows = []
    for place, hit in enumerate(hits):
        person = Person(app, view, hit.address)
        if place:
            app.show("")
        _show(app, hit, person)
        rows.append({**person.to_dict(), "source": hit.source, **_of_card(hit, view)})
    if not hits:
        app.say(f"Nobody among your contacts{' and these cards' if cards else ''} is called {text!r}.")
        app.say("The ledger holds no names: ask for the member's card file, and name its folder with --cards.")
    app.data("members-found", text=text, members=rows)


def _contacts(app: App) -> Iterator[Hit]:
    for each in app.contacts.list():
        yield Hit(f"contact {each.name}", each.address, each.name, each.card, genuine=True)


def _cards(app: App, folders: Iterable[Path]) -> Iterator[Hit]:
    from ...contacts import MemberCardFile
    from ...errors import InputError, IntegrityError

    for path in sorted(path for folder in folders for path in folder.glob("*.json")):
        try:
            card = MemberCardFile.read(path)
        except InputError:
            continue  # some other file
        genuine = True
        try:
            app.resolve(str(path.absolute()))
        except (IntegrityError, InputError) as error:
            genuine = not isinstance(error, IntegrityError)
            app.warn(f"{path}: {error.message}")
        yield Hit(str(path), card.address, None, card, genuine)


def _matches(hit: Hit, text: str) -> bool:
    names = (hit.contact, hit.address, hit.card and hit.card.name, hit.card and hit.card.organisation_name)
    return any(text.casefold() in name.casefold() for name in names if name)


def _of_card(hit: Hit, view: View) -> dict[str, object]:
    """What the card adds, and whether the ledger names the card's key."""
    card = hit.card
    return {
        "card_name": card.name if card else None,
        "organisation_name": card.organisation_name or None if card else None,
        "genuine": hit.genuine,
        "same_key": view.key_digest(hit.address) == card.card.key if card else None,
    }


def _show(app: App, hit: Hit, person: Person) -> None:
    card = hit.card
    of = f" of {card.organisation_name}" if card and card.organisation_name else ""
    title = f"{card.name}{of}" if card else str(hit.contact)
    app.show(f"{click.style(title, bold=True)}  ({hit.source})")
    if not hit.genuine:
        app.show(click.style("The card is NOT signed by its address: do not believe it.", fg="red"))
    person.show()
    if card and person.member and not _of_card(hit, person.view)["same_key"]:
        app.show(click.style("The ledger names another key than this card: ask for its newest card.", fg="yellow"))
