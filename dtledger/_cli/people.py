"""Who is who on the command line: names for addresses, and grants as they are written, `7/cardiology/0`.

Names come from the contacts, and for what is one's own from this home's keys and custodians; nobody is looked up.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import InputError
from ..policy import SLOTS

if TYPE_CHECKING:
    from ..contacts import Contact
    from ..ledger import Slot
    from ..types import Address
    from .app import App

_GRANT = re.compile(r"(?P<twin>\d{1,78})/(?P<grantee>[^/]+)/(?P<number>\d)", re.ASCII)


class People:
    """Those whom the holder of one home knows."""

    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def _contacts(self) -> dict[Address, Contact]:
        return self._app.contacts.by_address()

    @cached_property
    def _own(self) -> dict[Address, str]:
        from ..client.embedded import custodian_keys
        from ..keys import KeyStore

        home = self._app.home
        return custodian_keys(home).addresses() | KeyStore(home).addresses()

    def known(self, address: Address) -> str | None:
        """The contact's name, else one's own key's or custodian's."""
        contact = self._contacts.get(address)
        return contact.name if contact else self._own.get(address)

    def name(self, address: Address) -> str:
        """What a person calls the holder of an address: `you`, a name, or the address."""
        return "you" if address == self._app.client.address else self.known(address) or address

    def full(self, address: Address) -> str:
        """A name and the address that it stands for, or the address alone."""
        name = self.known(address)
        return f"{name} ({address})" if name else address

    def described(self, address: Address) -> str:
        """A name with the organisation that its card names: what a person should read before signing. An organisation
        that the ledger does not have it in never agreed to that, and is said to be a claim."""
        contact, name = self._contacts.get(address), self.known(address)
        if contact is None or contact.card is None or not contact.organisation or name is None:
            return name or address
        member = self._app.client.context.view().member(address)
        agreed = member is not None and member.organisation == contact.card.organisation
        return f"{name} ({contact.organisation}{'' if agreed else ', by its own word'})"

    def contact(self, address: Address) -> Contact | None:
        return self._contacts.get(address)

    def plain(self, address: Address) -> dict[str, str | None]:
        """An address and its name, for JSON."""
        return {"address": address, "name": self.known(address)}

    def grant(self, slot: Slot) -> str:
        """A grant as commands take it. Only a contact's name stands for an address, for only that is taken back."""
        contact = self._contacts.get(slot.grantee)
        return f"{slot.twin}/{(contact and contact.name) or slot.grantee}/{slot.number}"

    def slot(self, text: str) -> Slot:
        """The slot of a grant written as `7/cardiology/0`.

        Raises:
            InputError: it is not of that form, names nobody, or there is no such twin.
        """
        match = _GRANT.fullmatch(text)
        if match is None or int(match["number"]) >= SLOTS:
            raise InputError(f"{text!r} is no grant.", hint="A grant is written 7/cardiology/0: twin, grantee, slot.")
        return self.slot_at(int(match["twin"]), match["grantee"], int(match["number"]))

    def slot_at(self, twin: int, grantee: str, number: int) -> Slot:
        """A slot of a twin's present owner. Raises as `slot`."""
        from ..ledger import Slot

        meant = self._app.resolve(grantee).address
        owner = self._app.client.context.view().owner(twin)
        if owner is None:
            raise InputError(f"There is no twin {twin}.", hint="`dtledger twin list` shows those you have to do with.")
        return Slot(owner, twin, meant, number)


class SignedNames(People):
    """The same people by the names on the cards that they signed, else by their addresses: for what is handed on. What
    somebody calls others at home is theirs."""

    def known(self, address: Address) -> str | None:
        contact = self._contacts.get(address)
        return contact.card.name if contact and contact.card and contact.card.name_signature else None

    def grant(self, slot: Slot) -> str:
        return f"{slot.twin}/{slot.grantee}/{slot.number}"
