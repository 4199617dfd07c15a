"""The contacts of one home, one file each."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .._backend.files import locked, write_atomically
from ..encoding import address
from ..errors import CannotCheckError, DtledgerError, InputError, IntegrityError
from ..home import Home, check_name
from ..types import Address
from .cards import CardCheck, MemberCardFile, read_json
from .fingerprints import fingerprint

__all__ = ["Contact", "Contacts"]

log = logging.getLogger(__name__)

SCHEMA = "dtledger/contact/1"


@dataclass(frozen=True, slots=True)
class Contact:
    """An address, with what is known of it. `name` and `added_at` (unix seconds) are None for one that is not kept."""

    address: Address
    name: str | None = None
    card: MemberCardFile | None = None
    added_at: int | None = None

    @property
    def organisation(self) -> str:
        """The organisation's name as the card has it, or nothing."""
        return self.card.organisation_name if self.card else ""

    @property
    def fingerprint(self) -> str:
        """Six words; without a card they stand for the address alone."""
        return fingerprint(self.address, self.card.public_key if self.card else b"")

    def to_dict(self) -> dict[str, Any]:
        known = {"organisation": self.organisation, "card": self.card.to_dict()} if self.card else {}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "address": self.address,
            "fingerprint": self.fingerprint,
            "added_at": self.added_at,
            **known,
        }


class Contacts:
    """`contacts/NAME.json`. `check` tells who signed a card; without it no card can be taken."""

    def __init__(self, home: Home, check: CardCheck | None = None) -> None:
        self.home = home
        self._check = check

    def resolve(self, text: str) -> Contact:
        """Whom `text` means: a contact's name, an address, or the path of a card file (with a separator, or `.json`).

        An address or card that belongs to a contact gives its name too.

        Raises:
            InputError: it means nobody; the nearest names are in the message.
            IntegrityError: the card is not signed by the address on it.
            CannotCheckError: it is a card, and there is nothing to check it with.
        """
        if text.startswith(("0x", "0X")):
            return self._of_address(text)
        if "/" in text or os.sep in text or text.endswith(".json"):
            return self._of_card(MemberCardFile.read(Path(text).expanduser()))
        return self.get(text)

    def get(self, name: str) -> Contact:
        """The contact of that name. Raises InputError as `resolve`."""
        self._require_known(name)
        return self._read(name)

    def add(self, name: str, target: str | MemberCardFile, *, at: int, replace: bool = False) -> Contact:
        """Keep `target` (an address, a card file's path, or a card) as the contact `name`, at the unix second `at`.

        With `replace`, a contact of that name gets a later card of the *same* address.

        Raises:
            InputError: the name or the address is taken, or `replace` would make it somebody else or go back.
            IntegrityError, CannotCheckError: as `resolve`.
        """
        path = self._path(check_name(name, "contact"))
        meant = self._of_card(target) if isinstance(target, MemberCardFile) else self.resolve(target)
        contact = Contact(meant.address, name, meant.card, at)
        self.home.prepare(self.home.contacts)
        with locked(self.home.contacts / "all"), locked(path):
            known = self._by_address(meant.address)
            if known and known.name != name:
                raise InputError(f"{meant.address} is the contact {known.name} already.", hint="One name is enough.")
            if path.exists():
                _require_succession(self._read(name), contact, replace)
            write_atomically(path, (json.dumps(contact.to_dict(), indent=2, ensure_ascii=False) + "\n").encode())
        return contact

    def list(self) -> tuple[Contact, ...]:
        """All contacts, by name."""
        return tuple(self._read(name) for name in self._names())

    def by_address(self) -> dict[Address, Contact]:
        """Address → contact, of every one whose file is not damaged: what names are shown by. One damaged file must not
        keep anybody from revoking what another has."""
        found = {}
        for name in self._names():
            try:
                contact = self._read(name)
            except DtledgerError as error:
                log.warning("the contact %s is left out: %s", name, error.message)
            else:
                found[contact.address] = contact
        return found

    def remove(self, name: str) -> None:
        """Forget a contact, even one whose file is damaged. Raises InputError as `resolve`."""
        self._require_known(name)
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DtledgerError(f"{path} could not be removed: {error.strerror}.") from error

    def _require_known(self, name: str) -> None:
        names = self._names()
        if name not in names:
            near = get_close_matches(name.lower(), names, 3)
            meant = f"Did you mean {' or '.join(near)}? " if near else ""
            raise InputError(
                f"There is no contact {name!r}.",
                hint=f"{meant}Name a contact, an address or a card file; `dtledger contact add` makes a contact.",
            )

    def _of_address(self, text: str) -> Contact:
        try:
            meant = address(text)
        except ValueError as error:
            raise InputError(f"{text!r} cannot be used: {error}", hint="(0x and 40 hexadecimal digits)") from None
        return self.by_address().get(meant) or Contact(meant)

    def _of_card(self, card: MemberCardFile) -> Contact:
        if self._check is None:
            raise CannotCheckError(
                f"The card of {card.address} cannot be checked without a deployment.",
                hint="Name a profile that has one.",
            )
        card.verify(self._check)
        known = self._by_address(card.address)
        if known is None:
            return Contact(card.address, card=card)
        _require_no_older(known, card)
        return Contact(card.address, known.name, card, known.added_at)

    def _by_address(self, meant: Address) -> Contact | None:
        return next((each for each in self.list() if each.address == meant), None)

    def _path(self, name: str) -> Path:
        return self.home.contacts / f"{name}.json"

    def _names(self) -> tuple[str, ...]:
        folder = self.home.contacts
        if not folder.is_dir():
            return ()
        return tuple(sorted(each.stem for each in folder.glob("*.json") if not each.name.startswith(".")))

    def _read(self, name: str) -> Contact:
        path = self._path(name)
        try:
            value = read_json(path.read_bytes(), str(path))
            if value["schema"] != SCHEMA or value["name"] != name or type(value["added_at"]) is not int:
                raise ValueError("not the contact that its file's name says")
            card = MemberCardFile.from_dict(value["card"], str(path)) if "card" in value else None
            contact = Contact(address(value["address"]), name, card, value["added_at"])
        except OSError as error:
            raise InputError(f"The contact file {path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path} is no contact file.", hint=f"Remove it and add {name} again.") from None
        if value.get("fingerprint") != contact.fingerprint or (card and card.address != contact.address):
            raise IntegrityError(
                f"{path} was changed by hand: its fingerprint is not its key's.",
                hint=f"Remove it and add {name} again.",
                party=contact.address,
            )
        return contact


def _require_succession(old: Contact, new: Contact, replace: bool) -> None:
    if not replace or old.address != new.address:
        raise InputError(
            f"There is a contact {old.name} already: {old.address}, {old.fingerprint}.",
            hint="Choose another name, or remove that contact first.",
        )
    _require_no_older(old, new.card)


def _require_no_older(known: Contact, card: MemberCardFile | None) -> None:
    if known.card and (card is None or (card.version <= known.card.version and card.card != known.card.card)):
        raise InputError(
            f"A card of version {known.card.version} is known of the contact {known.name}: this is not a later one.",
            hint="Ask for the newest card.",
        )
